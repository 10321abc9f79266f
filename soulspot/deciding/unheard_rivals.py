"""Decisions that have to wait until other recordings of the same name have been looked up."""

from dataclasses import replace

from soulspot.matching import Decision, accept_by_name
from soulspot.models import MUSICBRAINZ, TrackState, Verdict


def hold_back_unheard_rivals(state: TrackState, recording: Decision, *, has_musicbrainz: bool) -> Decision:
    """Return the decision, put back to review while a search that would show its rivals is not
    answered.

    Hold back a match that only its length supports until a search without a length has answered:
    live and karaoke takes are many, and a search with a length shows just one. The only recording
    of its name is likewise accepted only once a search for the name alone has had the chance to
    show others."""
    if recording.acceptable_by_name and recording.best:
        is_searched = _name_was_searched(state, recording.best.candidate.entity.id)
        return accept_by_name(recording) if is_searched else recording
    if not (recording.rests_on_length and has_musicbrainz):
        return recording
    is_searched = any(
        lookup.is_settled and lookup.query.provider == MUSICBRAINZ and lookup.query.kind == "loose"
        for lookup in state.lookups.values()
    )
    return recording if is_searched else replace(recording, verdict=Verdict.REVIEW)


def _name_was_searched(state: TrackState, mbid: str) -> bool:
    """Whether a search for the name, of any length, found this recording, and so would have found
    others."""
    return any(
        (lookup.query.provider, lookup.query.kind, lookup.query.get("duration_ms")) == (MUSICBRAINZ, "text", None)
        and any(entity.id == mbid for entity in lookup.entities)
        for lookup in state.lookups.values()
    )
