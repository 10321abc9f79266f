"""Groups of records, one for each release, from mappings, dataclasses or a data frame."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from soulspot.export.ddex import cells
from soulspot.text import fold

Record = Mapping[str, Any]
Key = Callable[[Record], str]
GroupBy = str | Sequence[str] | Callable[[Record], object] | None

RELEASE_COLUMNS = (
    "mb_release_id", "barcode", "label", "catalog_number", "album_artist", "album", "artist",
)  # fmt: skip
"""The columns that `release_key` reads."""
MOST_TRACKS = 2_000  # of one release; a larger group holds records that do not belong together
_FRAME_ROWS = 1_000  # rows of a frame that are mappings at one time


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """The records of one release. The key "" collects the records that name no release."""

    key: str
    records: tuple[Record, ...]  # the first `MOST_TRACKS` of them
    count: int


def records_of(given: Any) -> Iterator[Record]:
    """Yield the records of an iterable or of a data frame that narwhals knows.

    Raises TypeError for anything else, and for an element that is no mapping or dataclass."""
    if _is_frame(given):
        import narwhals as nw

        frame = nw.from_native(given)
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        yield from frame.iter_rows(named=True, buffer_size=_FRAME_ROWS)
        return
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"records should be an iterable of mappings or a data frame, not {type(given).__name__}")
    for number, record in enumerate(given, 1):
        if isinstance(record, Mapping):
            yield record
        elif dataclasses.is_dataclass(record) and not isinstance(record, type):
            yield {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
        else:
            raise TypeError(f"record {number} should be a mapping, not {type(record).__name__}")


def refuse_absent_columns(given: Any, group_by: GroupBy) -> None:
    """Raise ValueError when a data frame lacks a column to group by.

    Mappings are not checked: each may have columns of its own."""
    if group_by is None or callable(group_by) or not _is_frame(given):
        return
    import narwhals as nw

    columns = nw.from_native(given).collect_schema().names()
    for name in (group_by,) if isinstance(group_by, str) else group_by:
        if name not in columns:
            raise ValueError(f"there is no column {name!r} to group by; there are {', '.join(map(str, columns))}")


def _is_frame(given: Any) -> bool:
    # Asked of the type: a record may have an attribute of this name.
    return hasattr(type(given), "columns") or type(given).__module__.partition(".")[0] == "pyarrow"


def grouping_key(group_by: GroupBy = None) -> Key:
    """Return the function that gives a record's key: "" for a record that names no release.

    `group_by` is a column, several columns, or a callable; None stands for `release_key`. Raises
    ValueError when it names no column."""
    if group_by is None:
        return release_key
    if callable(group_by):
        name_release = group_by
        return lambda record: cells.text(name_release(record)) or ""
    columns = (group_by,) if isinstance(group_by, str) else tuple(group_by)
    if not columns or not all(isinstance(column, str) and column for column in columns):
        raise ValueError(f"group_by should be a column, several columns or a callable, not {group_by!r}")

    def key_of_columns(record: Record) -> str:
        parts = [cells.text(record.get(column)) or "" for column in columns]
        return " / ".join(parts) if any(parts) else ""

    return key_of_columns


def release_key(record: Record) -> str:
    """Return the record's key by the best that names its release, "mbid:..." or "album:..." say.

    In this order: release MBID, barcode, label and catalogue number, album artist and album, else
    "". Names are compared without case, accents and punctuation, barcodes by their number."""
    if mbid := cells.text(record.get("mb_release_id")):
        return f"mbid:{mbid.lower()}"
    if barcode := cells.text(record.get("barcode")):
        try:
            return f"barcode:{(cells.barcode(record['barcode']) or '').zfill(14)}"
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


def group_sorted_records(records: Iterable[Record], key: Key) -> Iterator[Group]:
    """Yield the groups of records that come sorted by `key`, holding one release at a time."""
    for name, members in itertools.groupby(records, key):
        rest = iter(members)
        held = tuple(itertools.islice(rest, MOST_TRACKS))
        yield Group(name, held, len(held) + sum(1 for _ in rest))


def gather_records(records: Iterable[Record], key: Key) -> Iterator[Group]:
    """Yield the groups of records in any order, by their first record. Holds all records."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    # Each group is released once its message is built.
    for name in list(groups):
        members = groups.pop(name)
        yield Group(name, tuple(members[:MOST_TRACKS]), len(members))
