"""What the other tracks of an album say of one: the album's tracks and an edition's recordings paired all together."""

from __future__ import annotations

from soulspot.matching import Pairing, Share, assign
from soulspot.models import TrackState


def share_of(state: TrackState) -> Share | None:
    """What the other tracks leave for this one, by the edition that fits most of them; None where there is nothing to say.

    It costs a comparison or two for every track of the album, so it is asked only for a track that is not clear by
    itself, and albums of more than 60 tracks come without their members."""
    members = state.group.members if state.group else ()
    place = next((n for n, one in enumerate(members) if one.track_id == state.track_id), None)
    if place is None or len(members) < 2:
        return None
    tracks = [(one.tags, one.path) for one in members]
    pairings: list[Pairing] = []
    for asked in state.asked.values():
        recordings = [one for one in asked.entities if one.kind == "recording"]
        if asked.query.kind == "release" and recordings:
            pairings.append(assign(tracks, recordings))
    most = max(((one.plain, len(one.pairs)) for one in pairings), default=None)
    shares = [one.share(place) for one in pairings if (one.plain, len(one.pairs)) == most]
    if not shares:
        return None
    # two editions that fit as well and leave different recordings for this track leave it none
    own = shares[0].own if len({one.own for one in shares}) == 1 else None
    taken = frozenset.intersection(*(one.taken for one in shares))
    return Share(own, taken, confirmed=all(one.confirmed for one in shares))
