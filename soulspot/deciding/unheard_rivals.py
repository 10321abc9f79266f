"""What cannot be decided before others of the name have been asked for. Pure."""

from __future__ import annotations

from dataclasses import replace

from soulspot.matching import Decision, accept_by_name
from soulspot.models import MUSICBRAINZ, TrackState, Verdict


def until_others_are_seen(state: TrackState, recording: Decision, *, musicbrainz: bool) -> Decision:
    """Of a live take or the like there are many, and a narrow search shows only those of this length: it is not
    accepted for its length before those of unknown length have been asked for, too. And the only one of its name is not
    known to be that before others have been asked for, however long."""
    if recording.acceptable_by_name and recording.best:
        seen = _others_of_the_name(state, recording.best.candidate.entity.id)
        return accept_by_name(recording) if seen else recording
    if not (recording.rests_on_length and musicbrainz):
        return recording
    seen = any(
        asked.settled and asked.query.provider == MUSICBRAINZ and asked.query.kind == "loose"
        for asked in state.asked.values()
    )
    return recording if seen else replace(recording, verdict=Verdict.REVIEW)


def _others_of_the_name(state: TrackState, mbid: str) -> bool:
    """Whether a search for the name, however long, has had this recording and so would have had the others."""
    return any(
        (asked.query.provider, asked.query.kind, asked.query.get("duration_ms"))
        == (MUSICBRAINZ, "text", None)
        and any(entity.id == mbid for entity in asked.entities)
        for asked in state.asked.values()
    )
