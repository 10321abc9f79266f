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
    best = max(pairings, key=lambda one: (one.plain, len(one.pairs)), default=None)
    return best.share(place) if best else None
