"""The pages and records of a database file, read without SQLite: what is damaged is stepped over.

The formats are those of https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"SQLite format 3\0"
PAGE_SIZE = 4096  # of files whose header cannot be read; SoulSpot makes no others
TABLE_LEAF, TABLE_INTERIOR, INDEX_LEAF, INDEX_INTERIOR = 0x0D, 0x05, 0x0A, 0x02
WAL_HEADER, FRAME_HEADER = 32, 24
WAL_BIG_ENDIAN = 0x377F0683  # the magic of a log whose checksums read big-endian numbers

Value = int | float | str | bytes | None


class Unreadable(ValueError):
    """A page or cell that makes no sense."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a table, or an entry of an index, which has no `rowid` of its own."""

    rowid: int | None
    values: tuple[Value, ...]


@dataclass(slots=True)
class Damage:
    """How much of a b-tree could not be read."""

    pages: int = 0
    cells: int = 0


class Pages:
    """The pages of a database file, those in its write-ahead log in place of the older ones."""

    def __init__(self, database: Path, log: Path) -> None:
        """Raises OSError when the file cannot be read at all."""
        # Not kept in memory: a database may be larger than that.
        self._file = database.open("rb")
        header = self._file.read(100)
        size = int.from_bytes(header[16:18], "big")
        size = 65_536 if size == 1 else size
        is_sound = header.startswith(MAGIC) and size >= 512 and not size & (size - 1)
        self.size = size if is_sound else PAGE_SIZE
        self._usable = self.size - (header[20] if is_sound else 0)
        self.schema_version = int.from_bytes(header[60:64], "big") if is_sound else 0
        # By number of the page, where in the log its last version begins.
        self._log = log.open("rb") if log.exists() else None
        self._in_log = dict(_committed_frames(self._log, self.size)) if self._log else {}
        if 1 in self._in_log:
            self.schema_version = int.from_bytes(self[1][60:64], "big")
        in_file = self._file.seek(0, 2) // self.size
        self.count = max(in_file, 0, *self._in_log)
        self._seen: set[int] = set()

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._log:
            self._log.close()

    def __getitem__(self, number: int) -> bytes:
        if (at := self._in_log.get(number)) is not None and self._log:
            self._log.seek(at)
            return self._log.read(self.size)
        if not 1 <= number <= self.count:
            raise Unreadable(f"page {number} is outside of the file")
        self._file.seek((number - 1) * self.size)
        page = self._file.read(self.size)
        if len(page) < self.size:
            raise Unreadable(f"page {number} is cut off")
        return page

    def records(self, root: int, damage: Damage) -> Iterator[Record]:
        """Yield the records of the b-tree below a page, as far as they can be read; add to
        `damage` what cannot."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            try:
                if number in self._seen:
                    raise Unreadable(f"page {number} is in two places")
                page = self[number]
                kind, children = self._children(number, page)
            except (Unreadable, OSError):
                damage.pages += 1
                continue
            self._seen.add(number)
            # Backwards, so that rows come in their order.
            waiting.extend(reversed(children))
            if kind != TABLE_INTERIOR:
                yield from self._page_records(number, page, damage)

    def orphans(self) -> Iterator[Iterator[Record]]:
        """Yield the records of each page with rows that `records` has not come to: a page above it
        is damaged."""
        for number in range(1, self.count + 1):
            if number in self._seen:
                continue
            try:
                page = self[number]
                kind, _ = self._children(number, page)
            except (Unreadable, OSError):
                continue
            if kind != TABLE_INTERIOR:
                yield self._page_records(number, page, Damage())

    def pass_over_free_pages(self) -> None:
        """Take the pages that the header calls free out of the orphans: what is in them was
        deleted."""
        trunk, passed = int.from_bytes(self[1][32:36], "big"), set[int]()
        while 1 <= trunk <= self.count and trunk not in passed:
            passed.add(trunk)
            page = self[trunk]
            leaves = min(int.from_bytes(page[4:8], "big"), self.size // 4 - 2)
            passed.update(struct.unpack_from(f">{leaves}I", page, 8))
            trunk = int.from_bytes(page[:4], "big")
        self._seen |= passed

    def _children(self, number: int, page: bytes) -> tuple[int, list[int]]:
        """Return the kind of a b-tree page, and the pages below it."""
        start = 100 if number == 1 else 0
        kind = page[start]
        if kind in (TABLE_LEAF, INDEX_LEAF):
            return kind, []
        if kind not in (TABLE_INTERIOR, INDEX_INTERIOR):
            raise Unreadable(f"page {number} belongs to no b-tree")
        cells = [int.from_bytes(page[at : at + 4], "big") for at in self._cells(page, start, 12)]
        return kind, [*cells, int.from_bytes(page[start + 8 : start + 12], "big")]

    def _cells(self, page: bytes, start: int, header: int) -> list[int]:
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        if start + header + 2 * count > self.size:
            raise Unreadable("more cells than a page has room for")
        return list(struct.unpack_from(f">{count}H", page, start + header))

    def _page_records(self, number: int, page: bytes, damage: Damage) -> Iterator[Record]:
        start = 100 if number == 1 else 0
        kind = page[start]
        try:
            cells = self._cells(page, start, 12 if kind == INDEX_INTERIOR else 8)
        except Unreadable:
            damage.pages += 1
            return
        for at in cells:
            try:
                record = self._record(page, at, kind)
            except (ValueError, IndexError, struct.error, OSError, OverflowError):
                damage.cells += 1
            else:
                yield record

    def _record(self, page: bytes, at: int, kind: int) -> Record:
        if kind == INDEX_INTERIOR:
            at += 4
        size, at = _varint(page, at)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, at = _varint(page, at)
            rowid -= (rowid >> 63) << 64
        return Record(rowid, _values(self._payload(page, at, size, is_table=kind == TABLE_LEAF)))

    def _payload(self, page: bytes, at: int, size: int, *, is_table: bool) -> bytes:
        """Return the content of a cell; what a page has no room for is in a chain of others."""
        usable = self._usable
        most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
        if size <= most:
            return _exactly(page[at : at + size], size)
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= most else least
        if size > self.count * self.size:
            raise Unreadable("longer than the file")
        parts, missing = [page[at : at + here]], size - here
        following = int.from_bytes(page[at + here : at + here + 4], "big")
        while missing > 0:
            more = self[following]
            self._seen.add(following)
            parts.append(more[4 : 4 + min(missing, usable - 4)])
            missing -= len(parts[-1])
            following = int.from_bytes(more[:4], "big")
        return _exactly(b"".join(parts), size)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Unreadable("cut off")
    return data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9


def _values(payload: bytes) -> tuple[Value, ...]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    # The header and the values fill a record exactly: anything else is no record.
    if at != len(payload) or not kinds:
        raise Unreadable("the lengths in a record do not add up")
    return tuple(values)


_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: bytes


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if size := _INTEGERS.get(kind):
        return int.from_bytes(_exactly(payload[at : at + size], size), "big", signed=True), at + size
    if kind == 7:
        return float(struct.unpack_from(">d", payload, at)[0]), at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise Unreadable(f"serial type {kind}")
    size = (kind - 12) // 2
    data = _exactly(payload[at : at + size], size)
    # Text that is no UTF-8 (a ValueError too) was not written by us.
    return data.decode() if kind % 2 else data, at + size


def _committed_frames(log: BinaryIO, page_size: int) -> Iterator[tuple[int, int]]:
    """Yield number and place of the pages in a write-ahead log, later ones last.

    SQLite stops at the first frame with a wrong checksum. Here each frame is checked by itself, and
    the frames behind a damaged one count, up to the last that ends a transaction."""
    header = log.read(WAL_HEADER)
    if len(header) < WAL_HEADER:
        return
    order = ">" if int.from_bytes(header[:4], "big") == WAL_BIG_ENDIAN else "<"
    salts, before, at = header[16:24], header[24:32], WAL_HEADER
    uncommitted: list[tuple[int, int]] = []
    while len(frame := log.read(FRAME_HEADER + page_size)) == FRAME_HEADER + page_size:
        stored = frame[16:FRAME_HEADER]
        if frame[8:16] == salts:
            if _checksum(frame[:8] + frame[FRAME_HEADER:], before, order) == stored:
                uncommitted.append((int.from_bytes(frame[:4], "big"), at + FRAME_HEADER))
            if any(frame[4:8]):
                yield from uncommitted
                uncommitted = []
        before, at = stored, at + FRAME_HEADER + page_size


def _checksum(data: bytes, before: bytes, order: str) -> bytes:
    first, second = struct.unpack(">II", before)
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for left, right in zip(words[::2], words[1::2], strict=True):
        first = (first + left + second) & 0xFFFFFFFF
        second = (second + right + first) & 0xFFFFFFFF
    return struct.pack(">II", first, second)
