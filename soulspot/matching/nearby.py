"""Which recordings of a large album are worth comparing with a track: most are plainly other songs; pure."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.fuzz import token_set_ratio

from soulspot.models import Entity, TrackTags
from soulspot.text import latin

FEW = (
    40  # recordings that are all compared: to compare one takes 0.2 ms, and every track of an album meets all
)
_LIKE, _CLOSE_MS = 50.0, 3_000


def preselect_recordings(tags: TrackTags, recordings: Sequence[Entity]) -> Sequence[Entity]:
    """Those of an album's recordings that share something with the (normalised) tags: words of the title, the place
    on the album, or the length within 3 s. All of them where the album is small, or the tags say none of these."""
    if len(recordings) <= FEW or not (tags.title or tags.track_number or tags.duration_ms):
        return recordings
    title = latin(tags.title or "")
    return [one for one in recordings if _near(title, tags, one)]


def _near(title: str, tags: TrackTags, recording: Entity) -> bool:
    fields = recording.fields
    length = fields.get("duration_ms")
    if tags.duration_ms and length and abs(length - tags.duration_ms) <= _CLOSE_MS:
        return True
    number = tags.track_number
    if number and any(place.get("track_number") == number for place in fields.get("releases", ())):
        return True
    return bool(title) and token_set_ratio(title, latin(fields.get("title") or "")) >= _LIKE
