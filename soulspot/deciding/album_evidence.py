"""Evidence from the other tracks of an album: all of them are paired with an edition at once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from soulspot.matching import AlbumEvidence, Pairing, pair_tracks
from soulspot.models import Entity, GroupedTrack, TrackState

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _SameObject(Generic[T]):
    # A cache key that compares by identity: to compare albums by content costs as much as to pair
    # them.
    value: T

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameObject) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


# tracks of an album are decided one after the other and ask for the same pairing
@lru_cache(maxsize=8)
def _pairing(members: _SameObject[tuple[GroupedTrack, ...]], entities: _SameObject[tuple[Entity, ...]]) -> Pairing:
    tracks = [(one.tags, one.music_path) for one in members.value]
    return pair_tracks(tracks, [one for one in entities.value if one.kind == "recording"])


def album_evidence(state: TrackState) -> AlbumEvidence | None:
    """Return which recordings of the album's edition belong to its other tracks, and which one is
    clearly this track's, judged by the editions that fit best; None without such an edition.

    This costs a comparison or two for every track of the album: ask only for a track that is not
    clear by itself. A lone track and albums of more than 60 tracks have no evidence."""
    members = state.group.members if state.group else ()
    place = next((n for n, one in enumerate(members) if one.track_id == state.track_id), None)
    if place is None or len(members) < 2:
        return None
    pairings: list[Pairing] = []
    for lookup in state.lookups.values():
        if lookup.query.kind == "release" and any(one.kind == "recording" for one in lookup.entities):
            pairings.append(_pairing(_SameObject(members), _SameObject(lookup.entities)))
    most = max(((one.plain, len(one.pairs)) for one in pairings), default=None)
    evidence = [one.evidence_for(place) for one in pairings if (one.plain, len(one.pairs)) == most]
    if not evidence:
        return None
    # two editions that fit equally well and leave different recordings for this track leave it none
    own = evidence[0].own_id if len({one.own_id for one in evidence}) == 1 else None
    claimed = frozenset.intersection(*(one.claimed_ids for one in evidence))
    return AlbumEvidence(own, claimed, confirmed=all(one.confirmed for one in evidence))
