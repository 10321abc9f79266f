"""A record with columns of `enriched_tracks` in, a track or every reason against it out; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from soulspot.export.ddex import cells
from soulspot.export.ddex.credits import Credit, read_credit
from soulspot.library import identifiers

T = TypeVar("T")
Fault = tuple[str, str]  # the field, and words about the fault

LONGEST = 100 * 3_600_000  # ms; a longer track has its length in another unit


@dataclass(frozen=True, slots=True)
class Track:
    """A track as a message needs it."""

    title: str
    isrc: str
    duration_ms: int
    credit: Credit
    position: tuple[int | None, int | None]  # disc and track number, None where unknown
    genres: tuple[str, ...]
    explicit: bool | None
    p_line: str | None

    @property
    def order(self) -> tuple[object, ...]:
        """The key that sorts tracks as on the release; tracks without a number come last."""
        disc, track = self.position
        return (disc or 1, track is None, track or 0, self.isrc, self.title)


def read_track(record: Mapping[str, Any], faults: list[Fault], remarks: list[str]) -> Track | None:
    """Return the track of a record, or None after adding every reason to `faults`.

    `remarks` gets sentences about changed and left out values."""
    missing: list[Fault] = []

    def read(field: str, reader: Callable[[Any], T | None]) -> T | None:
        try:
            return reader(record.get(field))
        except ValueError as error:
            missing.append((field, f"{_name(record)}: {error}"))
            return None

    def need(field: str, value: T | None, words: str) -> T | None:
        if value is None and not any(at == field for at, _ in missing):
            missing.append((field, f"{_name(record)} {words}"))
        return value

    title = need("title", cells.text(record.get("title"), "title", remarks), "has no title")
    credit = need("artist", read_credit(record, remarks), "has no artist")
    duration = need("duration_ms", read("duration_ms", _length), "has no length (duration_ms)")
    isrc = need("isrc", read("isrc", _isrc), "has no ISRC")
    position = (read("disc_number", cells.number), read("track_number", cells.number))
    explicit = read("explicit", cells.truth)
    if missing or title is None or credit is None or duration is None or isrc is None:
        faults += missing
        return None
    return Track(
        title, isrc, duration, credit, position,
        cells.texts(record.get("genres"), "genres", remarks), explicit,
        cells.text(record.get("p_line"), "p_line", remarks),
    )  # fmt: skip


def _name(record: Mapping[str, Any]) -> str:
    """Name a record for a person: "track 3 'Song' (track_id 12)"."""
    title = cells.text(record.get("title"))
    number = cells.text(record.get("track_number"))
    named = f"track {number} {title!r:.60}" if title and number else f"track {title or number or ''!r:.60}"
    ident = cells.text(record.get("track_id")) or cells.text(record.get("source_key"))
    return f"{named} (track_id {ident:.60})" if ident else named


def _length(value: Any) -> int | None:
    found = cells.number(value)
    if found and found > LONGEST:
        raise ValueError(f"{found} ms is longer than a hundred hours; duration_ms is in milliseconds")
    return found


def _isrc(value: Any) -> str | None:
    written = cells.texts(value)
    if not written:
        return None
    malformed: list[str] = []
    found = identifiers.parse_isrcs(written, "isrc", malformed)
    if not found or malformed:
        raise ValueError(f"{', '.join(written)!r:.60} is no ISRC; it should be like GBAYE6500521")
    return found[0]
