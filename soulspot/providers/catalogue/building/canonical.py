"""The canonical dump of MetaBrainz: names alone, one recording a row, without lengths and ISRCs."""

import csv
from collections.abc import Iterator
from typing import IO, Any

from soulspot.errors import CatalogueError
from soulspot.providers.catalogue.building.copy_text import CHUNK

DATA = "canonical_musicbrainz_data.csv"
COLUMNS = ("id", "artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid", "release_name",
           "recording_mbid", "recording_name")  # fmt: skip
# (table, values) for one row
Insertion = tuple[str, tuple[Any, ...]]


def canonical_rows(file: IO[bytes], name: str) -> Iterator[Insertion]:
    """Yield what each recording adds to which table. The dump has MBIDs where the catalogue has
    numbers: those of artists and releases are made of their MBIDs."""
    rows = csv.DictReader(_lines(file))
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise CatalogueError(f"{name} has no column {missing[0]}")
    try:
        for row in rows:
            yield from _insertions(row)
    except (ValueError, TypeError, csv.Error):
        raise CatalogueError(f"row {rows.line_num} of {name} cannot be read: the file was cut off") from None


def _lines(file: IO[bytes]) -> Iterator[str]:
    rest = b""
    while chunk := file.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace") + "\n"
    yield rest.decode("utf-8", "replace")


def _insertions(row: dict[str, str]) -> Iterator[Insertion]:
    recording, credit, name = int(row["id"]), int(row["artist_credit_id"]), row["artist_credit_name"]
    yield "recording", (recording, _gid(row["recording_mbid"]), row["recording_name"], credit, None, None, None)
    artists = [_gid(mbid) for mbid in row["artist_mbids"].strip("{}").split(",")]
    for position, gid in enumerate(artists):
        # which part of a credit is whose nobody tells: the first has the whole
        credited = None if position else name
        yield "credit_name", (credit, position, _number(gid), credited, None)
        yield "artist", (_number(gid), gid, name if len(artists) == 1 else None, None, None)
    gid = _gid(row["release_mbid"])
    release = _number(gid)
    yield "release", (release, gid, row["release_name"], None, None, None, None, None)
    yield "medium", (release, release, None, None, None)
    yield "staging.track", (release, 0, recording, row["recording_name"])


def _gid(mbid: str) -> bytes:
    gid = bytes.fromhex(mbid.strip().replace("-", ""))
    if len(gid) != 16:
        raise ValueError(mbid)
    return gid


def _number(gid: bytes) -> int:
    return int.from_bytes(gid[:8], "big") >> 1
