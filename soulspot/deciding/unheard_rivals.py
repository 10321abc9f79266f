"""Decisions that have to wait until other recordings of the same name have been looked up."""

from dataclasses import replace

from soulspot.deciding.plan import MAX_NAMED
from soulspot.matching import Decision, accept_by_name
from soulspot.models import LISTENBRAINZ, TrackLookup, TrackState, Verdict


def hold_back_unheard_rivals(state: TrackState, recording: Decision, *, knows_names: bool) -> Decision:
    """Return the decision, put back to review while a search that would show its rivals is not
    answered.

    Hold back a match that only its length supports until a search without a length has answered:
    live and karaoke takes are many, and a search with a length shows just one. The only recording
    of its name is likewise accepted only once a search for the name alone has had the chance to
    show others."""
    if recording.acceptable_by_name and recording.best:
        is_searched = _name_was_searched(state, recording.best.candidate.entity.id)
        return accept_by_name(recording) if is_searched else recording
    if not (recording.rests_on_length and knows_names):
        return recording
    is_searched = any(lookup.is_settled and _shows_rivals(lookup) for lookup in state.lookups.values())
    return recording if is_searched else replace(recording, verdict=Verdict.REVIEW)


def _name_was_searched(state: TrackState, mbid: str) -> bool:
    """Whether a search for the name, of any length, found this recording, and so would have found
    others."""
    return any(
        lookup.query.provider != LISTENBRAINZ
        and lookup.query.kind in ("text", "names")
        and lookup.query.get("duration_ms") is None
        and any(entity.id == mbid for entity in lookup.entities)
        for lookup in state.lookups.values()
    )


def _shows_rivals(lookup: TrackLookup) -> bool:
    """Whether a search of this kind finds the recordings of that name, whatever their length."""
    # of names alone, the lengths of all that were found must have been asked for
    few_names = lookup.query.kind == "names" and len(lookup.entities) <= MAX_NAMED
    return lookup.query.kind == "loose" or few_names
