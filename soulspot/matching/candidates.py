"""Candidates before they are compared: those of one id put together, and hopeless ones left out."""

from collections.abc import Sequence
from typing import Any

from rapidfuzz.fuzz import token_set_ratio

from soulspot.matching.values import Candidate
from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, Entity, TrackTags
from soulspot.text import latin

# Recordings that are all compared, 0.2 ms each: every track of an album meets every recording.
FEW = 40
_LIKE, _CLOSE_MS = 50.0, 3_000
_ORDER = {MUSICBRAINZ: 0, LISTENBRAINZ: 1}
_UNITED = ("isrcs", "artist_aliases", "spotify_track_ids", "genres")


def unite_candidates(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return one candidate an id: MusicBrainz and ListenBrainz describe the same recordings.
    MusicBrainz' values go first, lists are united. The order given does not matter."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault((candidate.entity.kind, candidate.entity.id), []).append(candidate)
    return [group[0] if len(group) == 1 else _unite(group) for _, group in sorted(groups.items())]


def _unite(group: Sequence[Candidate]) -> Candidate:
    ordered = sorted((candidate.entity for candidate in group), key=_precedence)
    fields: dict[str, Any] = {}
    # The first source with a value keeps it, so the order given must not matter.
    for entity in ordered:
        for name, value in entity.fields.items():
            if name == "releases" and name in fields:
                known = {entry.get("id") for entry in fields[name]}
                fields[name] = [*fields[name], *(entry for entry in value if entry.get("id") not in known)]
            elif name in _UNITED and name in fields:
                fields[name] = list(dict.fromkeys((*fields[name], *value)))
            else:
                fields.setdefault(name, value)
    first = ordered[0]
    reached = frozenset().union(*(candidate.identified_by for candidate in group))
    return Candidate(Entity(first.provider, first.kind, first.id, fields), reached)


def _precedence(entity: Entity) -> tuple[int, str, str]:
    return _ORDER.get(entity.provider, 2), entity.provider, repr(sorted(entity.fields.items()))


def preselect_recordings(tags: TrackTags, recordings: Sequence[Entity]) -> Sequence[Entity]:
    """Return the recordings of a large album that are worth comparing with a track. Those that
    share with the (normalised) tags words of the title, the track number, or the length within 3 s.
    All of them where the album has at most 40, or the tags have none of these."""
    if len(recordings) <= FEW or not (tags.title or tags.track_number or tags.duration_ms):
        return recordings
    title = latin(tags.title or "")
    return [recording for recording in recordings if _is_plausible(title, tags, recording)]


def _is_plausible(title: str, tags: TrackTags, recording: Entity) -> bool:
    fields = recording.fields
    length = fields.get("duration_ms")
    if tags.duration_ms and length and abs(length - tags.duration_ms) <= _CLOSE_MS:
        return True
    number = tags.track_number
    if number and any(entry.get("track_number") == number for entry in fields.get("releases", ())):
        return True
    return bool(title) and token_set_ratio(title, latin(fields.get("title") or "")) >= _LIKE
