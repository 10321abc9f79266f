"""One row of an import: what its cells say of a track, whatever kind of file they come from; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.imports.records import COLUMNS, SURPLUS
from soulspot.library import identifiers, values
from soulspot.models import Identifiers, TrackTags

NOTHING_LEFT = "nothing in this row can be looked up: its track ends as failed"
_MEANT = {
    "spotify_id": "a Spotify id",
    "isrc": "an ISRC",
    "mb_recording_id": "a MusicBrainz id",
    "mb_release_id": "a MusicBrainz id",
}
_NUMBERS = {
    "duration_ms": "a length in milliseconds",
    "track_number": "a number from 1 on",
    "disc_number": "a number from 1 on",
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One track to look up. `line` counts from 1: the file's line, or the element of a JSON array.

    `key` is the caller's own name of the row. Malformed identifiers stand in `tags.ids.malformed`. `remarks` name
    the values that are of no use, for a person."""

    line: int
    key: str | None
    tags: TrackTags
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that nothing can be looked up with; `reason` is for a person. `ends`: nothing after it can be used."""

    line: int
    reason: str
    ends: bool = False


def parse_row(line: int, record: Mapping[str, Any]) -> ImportRow | BadRow:
    """What a record's cells, text, numbers or lists of text by column, say of a track."""
    text = {name: values.split_values(_strings(record[name])) for name in COLUMNS if name in record}

    def first(name: str) -> str | None:
        return next(iter(text.get(name, ())), None)

    malformed: list[str] = []
    spotify = identifiers.parse_spotify_tracks(text.get("spotify_id", ()), "spotify_id", malformed)
    isrcs = identifiers.parse_isrcs(text.get("isrc", ()), "isrc", malformed)
    recordings = identifiers.parse_mbids(
        text.get("mb_recording_id", ()), "recording", "mb_recording_id", malformed
    )
    releases = identifiers.parse_mbids(text.get("mb_release_id", ()), "release", "mb_release_id", malformed)
    title = first("title")
    if not (title or spotify or isrcs or recordings or releases or malformed):
        return BadRow(line, "neither a title nor an identifier")
    artists = tuple(dict.fromkeys(text.get("artist", ())))
    tags = TrackTags(
        title=title,
        artist=", ".join(artists) or None,
        artists=artists if len(artists) > 1 else (),
        album=first("album"),
        album_artist=first("album_artist"),
        track_number=values.parse_position(first("track_number") or "")[0],
        disc_number=values.parse_position(first("disc_number") or "")[0],
        duration_ms=values.parse_duration_ms(record.get("duration_ms")),
        ids=Identifiers(
            mb_recording_ids=recordings,
            mb_release_id=next(iter(releases), None),
            isrcs=isrcs,
            spotify_track_id=next(iter(spotify), None),
            malformed=tuple(malformed),
        ),
    )
    surplus = [*record.get(SURPLUS, ())]
    beyond = (
        [f"{len(surplus)} cells more than columns, not used: {', '.join(surplus)[:100]!r}"] if surplus else []
    )
    lost = () if title or spotify or isrcs or recordings or releases else (NOTHING_LEFT,)
    return ImportRow(
        line, first("key"), tags, (*malformed_words(malformed), *_unusable(record, tags), *beyond, *lost)
    )


def malformed_words(notes: Iterable[str]) -> Iterator[str]:
    """What is wrong with identifiers that stand in `malformed`, for a person."""
    for note in notes:
        name, _, value = note.partition(": ")
        yield f"{name} {value!r} is not {_MEANT[name]}"


def _unusable(record: Mapping[str, Any], tags: TrackTags) -> Iterator[str]:
    for name, meant in _NUMBERS.items():
        value = record.get(name)
        said = value.strip() if isinstance(value, str) else value
        if said not in (None, "", "0", 0) and getattr(tags, name) is None:
            yield f"{name} {str(value)[:100]!r} is not {meant}"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value[: 2 * values.MAX_VALUE],)
    if isinstance(value, list):
        return [item[: 2 * values.MAX_VALUE] for item in value[: values.MAX_VALUES] if isinstance(item, str)]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value),)
    return ()
