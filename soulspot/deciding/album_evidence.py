"""What the other tracks of an album say of one: the album's tracks and an edition's recordings paired all together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from soulspot.matching import AlbumEvidence, Pairing, pair_tracks
from soulspot.models import Entity, GroupedTrack, TrackState

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class _Same(Generic[T]):
    """Equal to what holds the very same value: to compare albums by content costs as much as to pair them."""

    value: T

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=8)
def _paired(members: _Same[tuple[GroupedTrack, ...]], entities: _Same[tuple[Entity, ...]]) -> Pairing:
    """The pairing of an album's tracks with an edition; tracks that are decided together ask for the same one."""
    tracks = [(one.tags, one.path) for one in members.value]
    return pair_tracks(tracks, [one for one in entities.value if one.kind == "recording"])


def share_of(state: TrackState) -> AlbumEvidence | None:
    """What the other tracks leave for this one, by the edition that fits most of them; None where there is nothing to say.

    It costs a comparison or two for every track of the album, so it is asked only for a track that is not clear by
    itself, and albums of more than 60 tracks come without their members."""
    members = state.group.members if state.group else ()
    place = next((n for n, one in enumerate(members) if one.track_id == state.track_id), None)
    if place is None or len(members) < 2:
        return None
    pairings: list[Pairing] = []
    for asked in state.asked.values():
        if asked.query.kind == "release" and any(one.kind == "recording" for one in asked.entities):
            pairings.append(_paired(_Same(members), _Same(asked.entities)))
    most = max(((one.plain, len(one.pairs)) for one in pairings), default=None)
    shares = [one.evidence_for(place) for one in pairings if (one.plain, len(one.pairs)) == most]
    if not shares:
        return None
    # two editions that fit as well and leave different recordings for this track leave it none
    own = shares[0].own_id if len({one.own_id for one in shares}) == 1 else None
    taken = frozenset.intersection(*(one.claimed_ids for one in shares))
    return AlbumEvidence(own, taken, confirmed=all(one.confirmed for one in shares))
