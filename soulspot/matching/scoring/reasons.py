"""Marks in words a person understands."""

from __future__ import annotations

from soulspot.matching.scoring.comparing import Marks
from soulspot.matching.scoring.identified import Standing


def explain(marks: Marks, standing: Standing) -> tuple[str, ...]:
    """The reasons for a score, the weightiest first."""
    return tuple(
        filter(
            None,
            (
                _identifier(marks, standing),
                _likeness("title", marks.title)
                or ("titles in scripts that cannot be compared" if marks.foreign else "no title to compare"),
                _likeness("artist", marks.artist) or "no artist to compare",
                marks.version,
                "only one of them says which remix or edit" if marks.unnamed else "",
                _length(marks),
                _album(marks),
                "music video" if marks.video else "",
            ),
        )
    )


def _identifier(marks: Marks, standing: Standing) -> str:
    if standing is Standing.ABSENT:
        return ""
    name = "id in the tags" if marks.recording_id else "ISRC or Spotify link"
    outcome = {
        Standing.VERIFIED: "agrees",
        Standing.CONTRADICTED: "contradicted by title and artist or length",
    }
    return f"{name} {outcome.get(standing, 'not confirmed')}"


def _likeness(what: str, similarity: float | None) -> str:
    if similarity is None:
        return ""
    if similarity >= 0.98:
        return f"{what} equal"
    if similarity >= 0.75:
        return f"{what} {round(similarity * 100)}% alike"
    return f"another {what}" if similarity < 0.6 else f"{what} only {round(similarity * 100)}% alike"


def _length(marks: Marks) -> str:
    if marks.apart_ms is None:
        return "length unknown"
    return "length equal" if marks.apart_ms < 100 else f"length {marks.apart_ms / 1000:.1f} s apart"


def _album(marks: Marks) -> str:
    if marks.album is None:
        return ""
    if not marks.on_album:
        return "not known to be on this album"
    if marks.position is None:
        return "album equal"
    return "album and position equal" if marks.position else "album equal, another position"
