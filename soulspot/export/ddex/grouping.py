"""Which records make one release: the key of a record, and records put together by it.

Records that come sorted by their key are taken as they come, one release in memory at a time; others are gathered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.export.ddex import cells
from soulspot.export.ddex.gtin import gtin
from soulspot.text import fold

Record = Mapping[str, Any]
Key = Callable[[Record], str]
GroupBy = str | Sequence[str] | Callable[[Record], object] | None

RELEASE_COLUMNS = (
    "mb_release_id", "barcode", "label", "catalog_number", "album_artist", "album", "artist",
)  # fmt: skip
"""What `release_key` looks at."""
MOST_TRACKS = 2_000  # of one release: beyond it, records were put together that do not belong together


@dataclass(frozen=True, slots=True)
class Group:
    """The `count` records of one release, the first `MOST_TRACKS` of them; with the key "", records of none."""

    key: str
    records: tuple[Record, ...]
    count: int


def key_of(group_by: GroupBy = None) -> Key:
    """The key of a record: a column, several, what a callable says, or `release_key`.

    Raises ValueError for columns that are no names. A record without any of the columns has the key ""."""
    if group_by is None:
        return release_key
    if callable(group_by):
        asked = group_by
        return lambda record: cells.text(asked(record)) or ""
    columns = (group_by,) if isinstance(group_by, str) else tuple(group_by)
    if not columns or not all(isinstance(column, str) and column for column in columns):
        raise ValueError(f"group_by should be a column, several columns or a callable, not {group_by!r}")

    def of_columns(record: Record) -> str:
        parts = [cells.text(record.get(column)) or "" for column in columns]
        return " / ".join(parts) if any(parts) else ""

    return of_columns


def release_key(record: Record) -> str:
    """Release MBID, else barcode, else label and catalogue number, else album artist and album, else "".

    Names are compared without case, accents and punctuation, barcodes by their number."""
    if mbid := cells.text(record.get("mb_release_id")):
        return f"mbid:{mbid.lower()}"
    if barcode := cells.text(record.get("barcode")):
        try:
            return f"barcode:{gtin(record['barcode']).zfill(14)}"
        except ValueError:
            return f"barcode:{barcode}"
    label, number = (cells.text(record.get(name)) for name in ("label", "catalog_number"))
    if label and number:
        return f"catalog:{fold(label)}/{fold(number)}"
    album = cells.text(record.get("album"))
    if not album:
        return ""
    artist = cells.text(record.get("album_artist")) or cells.text(record.get("artist")) or ""
    return f"album:{fold(artist) or artist}/{fold(album) or album}"


def sorted_groups(records: Iterable[Record], key: Key) -> Iterator[Group]:
    """The groups of records that come sorted by `key`: one release is held at a time, and no more of it than counts."""
    for name, members in itertools.groupby(records, key):
        held: list[Record] = []
        count = 0
        for count, record in enumerate(members, 1):  # noqa: B007 - the last is how many they are
            if len(held) < MOST_TRACKS:
                held.append(record)
        yield Group(name, tuple(held), count)


def gathered(records: Iterable[Record], key: Key) -> Iterator[Group]:
    """The groups of records in any order, by their first record. All records are held at once."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    for name in list(groups):
        records_ = groups.pop(name)
        yield Group(name, tuple(records_[:MOST_TRACKS]), len(records_))
