"""Reads tracks without files from CSV, JSON or NDJSON, row by row."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from soulspot.library import identifiers, values
from soulspot.library.records import COLUMNS, KNOWN, READERS, Reader, WholeFile
from soulspot.models import Identifiers, TrackTags

_MAX_UNKNOWN = 100  # unknown column names that are remembered
_MAX_REMARKS = 100
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


class UnusableFile(ValueError):
    """An import file that cannot be understood; the message says why."""


@dataclass(slots=True)
class Preview:
    """What an import will not take as it is written: the first hundred remarks (line, words), and how many there are."""

    remarks: list[tuple[int, str]] = field(default_factory=list)
    remarked: int = 0


def preview(path: Path) -> Preview:
    """Read an import file to its end without taking anything. Raises UnusableFile, or OSError as reading does."""
    if path.is_dir():
        raise UnusableFile(
            f"{path} is a folder; name a file (`soulspot enrich {path}` reads the music in it)"
        )
    found = Preview()
    try:
        for row in read_rows(path):
            if isinstance(row, BadRow):
                if row.ends:
                    raise UnusableFile(f"{path}: {row.reason}")
                continue
            for remark in row.remarks:
                found.remarked += 1
                if len(found.remarks) < _MAX_REMARKS:
                    found.remarks.append((row.line, remark))
    except UnusableFile:
        raise
    except ValueError as error:  # an ending that nobody knows
        raise UnusableFile(str(error)) from error
    return found


def read_rows(path: Path) -> Rows:
    """The rows of an import file. Its suffix says what it is: .csv .tsv .json .ndjson .jsonl, each also .gz.

    CSV needs a header line and has `,`, `;` or tabs between its columns. Its memory use does not grow with
    the file, nor does that of NDJSON; a .json file is one array of objects and is loaded whole.
    Raises ValueError for another suffix, and OSError while iterating when the file cannot be read."""
    endings = [ending.lower() for ending in path.suffixes]
    packed = endings[-1:] == [".gz"]
    kind = "".join((endings[:-1] if packed else endings)[-1:])
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join(READERS)
        raise ValueError(f"{path.name}: an import file ends in one of {known}, or in one of them and .gz")
    return Rows(path, packed, reader)


class Rows:
    """The rows of one file in its order. Iterating again reads the file again.

    `unknown_columns` has the columns that were ignored, complete at the end."""

    def __init__(self, path: Path, packed: bool, reader: Reader) -> None:
        self._path = path
        self._packed = packed
        self._reader = reader
        self.unknown_columns: list[str] = []

    def __iter__(self) -> Iterator[ImportRow | BadRow]:
        self.unknown_columns = []
        last = 0
        try:
            with self._open() as file:
                for line, record in self._reader(file):
                    last = line
                    if isinstance(record, str):
                        yield BadRow(line, str(record), ends=isinstance(record, WholeFile))
                    else:
                        self._note_unknown(record)
                        yield row_of(line, record)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield BadRow(last + 1, f"the compressed file is damaged from here on ({error})", ends=last == 0)

    def _open(self) -> TextIO:
        raw: Any = gzip.GzipFile(self._path) if self._packed else self._path.open("rb", buffering=0)
        file = io.BufferedReader(raw)
        try:
            wide = file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")  # what spreadsheets save as "Unicode text"
        except BaseException:
            file.close()
            raise
        if wide:
            return io.TextIOWrapper(file, "utf-16", errors="replace", newline="")
        return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")

    def _note_unknown(self, record: Mapping[str, Any]) -> None:
        for name in record.keys() - KNOWN:
            if name not in self.unknown_columns and len(self.unknown_columns) < _MAX_UNKNOWN:
                self.unknown_columns.append(values.clean(name))


def row_of(line: int, record: Mapping[str, Any]) -> ImportRow | BadRow:
    """What a record's cells, text, numbers or lists of text by column, say of a track."""
    text = {name: values.split(_strings(record[name])) for name in COLUMNS if name in record}

    def first(name: str) -> str | None:
        return next(iter(text.get(name, ())), None)

    malformed: list[str] = []
    spotify = identifiers.spotify_tracks(text.get("spotify_id", ()), "spotify_id", malformed)
    isrcs = identifiers.isrcs(text.get("isrc", ()), "isrc", malformed)
    recordings = identifiers.mbids(text.get("mb_recording_id", ()), "recording", "mb_recording_id", malformed)
    releases = identifiers.mbids(text.get("mb_release_id", ()), "release", "mb_release_id", malformed)
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
        track_number=values.position(first("track_number") or "")[0],
        disc_number=values.position(first("disc_number") or "")[0],
        duration_ms=values.duration(record.get("duration_ms")),
        ids=Identifiers(
            mb_recording_ids=recordings,
            mb_release_id=next(iter(releases), None),
            isrcs=isrcs,
            spotify_track_id=next(iter(spotify), None),
            malformed=tuple(malformed),
        ),
    )
    lost = () if title or spotify or isrcs or recordings or releases else (NOTHING_LEFT,)
    return ImportRow(line, first("key"), tags, (*_malformed(malformed), *_unusable(record, tags), *lost))


def _malformed(notes: Iterable[str]) -> Iterator[str]:
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
