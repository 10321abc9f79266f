"""One row of an import, understood as a track, whatever file or database it is from; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.imports.records import COLUMNS, SURPLUS
from soulspot.library import identifiers, values
from soulspot.models import Identifiers, TrackTags

NOTHING_LEFT = "nothing in this row can be looked up: its track ends as failed"
_EXPECTED = {
    "spotify_id": "a Spotify id", "isrc": "an ISRC", "mb_recording_id": "a MusicBrainz id",
    "mb_release_id": "a MusicBrainz id",
}  # fmt: skip
_EXPECTED_NUMBERS = {
    "duration_ms": "a length in milliseconds",
    "track_number": "a number from 1 on",
    "disc_number": "a number from 1 on",
}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One track to look up. `tags.ids.malformed` has identifiers that are of no use."""

    line: int
    """The file's line, or the position in a JSON array, from 1."""
    key: str | None
    """The caller's own name of the row; comes back as `source_key`."""
    tags: TrackTags
    remarks: tuple[str, ...] = ()
    """Values that are of no use, in words for people."""

    @property
    def can_be_looked_up(self) -> bool:
        return can_be_looked_up(self.tags)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row without anything to look up; `reason` is in words for people."""

    line: int
    reason: str
    ends_file: bool = False
    """Whether nothing in the file can be used from this line on."""


def can_be_looked_up(tags: TrackTags) -> bool:
    """Whether there is a title or an identifier that is of use. If not, the row's track fails."""
    ids = tags.ids
    known = ids.spotify_track_id or ids.isrcs or ids.mb_recording_ids or ids.mb_release_id
    return bool(tags.title or known)


def parse_row(line: int, record: Mapping[str, Any]) -> ImportRow | BadRow:
    """Return the track that a record describes; a BadRow for neither a title nor an identifier.
    `record` has cells by column: text, numbers or lists of text. For example {"title": "One",
    "isrc": "GB-SMU-45-66095", "duration_ms": "3:45", "artist": ["A", "B"]}."""
    text = {name: values.split_values(_strings(record[name])) for name in COLUMNS if name in record}

    def first(name: str) -> str | None:
        return next(iter(text.get(name, ())), None)

    malformed: list[str] = []
    spotify = identifiers.parse_spotify_tracks(text.get("spotify_id", ()), "spotify_id", malformed)
    isrcs = identifiers.parse_isrcs(text.get("isrc", ()), "isrc", malformed)
    recordings, releases = (
        identifiers.parse_mbids(text.get(f"mb_{kind}_id", ()), kind, f"mb_{kind}_id", malformed)
        for kind in ("recording", "release")
    )
    title = first("title")
    has_lookup = bool(title or spotify or isrcs or recordings or releases)
    if not (has_lookup or malformed):
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
    remarks = [*describe_malformed(malformed), *_unusable_numbers(record, tags)]
    if surplus := record.get(SURPLUS):
        cells = repr(", ".join(surplus)[:100])
        remarks.append(f"{len(surplus)} cells more than columns, not used: {cells}")
    if not has_lookup:
        remarks.append(NOTHING_LEFT)
    return ImportRow(line, first("key"), tags, tuple(remarks))


def describe_malformed(notes: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for people on each note of `Identifiers.malformed`, "isrc: 123", say."""
    for note in notes:
        name, _, value = note.partition(": ")
        yield f"{name} {value!r} is not {_EXPECTED[name]}"


def _unusable_numbers(record: Mapping[str, Any], tags: TrackTags) -> Iterator[str]:
    for name, expected in _EXPECTED_NUMBERS.items():
        value = record.get(name)
        text = value.strip() if isinstance(value, str) else value
        if text not in (None, "", "0", 0) and getattr(tags, name) is None:
            yield f"{name} {str(value)[:100]!r} is not {expected}"


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value[: 2 * values.MAX_VALUE],)
    if isinstance(value, list):
        return [item[: 2 * values.MAX_VALUE] for item in value[: values.MAX_VALUES] if isinstance(item, str)]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return (f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value),)
    return ()
