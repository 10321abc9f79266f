"""How tracks come in: files that changed since the last scan, and rows of an import file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from soulspot.imports.files import read_rows
from soulspot.imports.rows import BadRow, ImportRow
from soulspot.library.scan import FoundFile, Problem, Walk, walk
from soulspot.library.tags import read_file
from soulspot.matching import identify_album
from soulspot.models import ScannedFile
from soulspot.store import albums, tracks
from soulspot.store.database import Database
from soulspot.telemetry import Memory, Telemetry, in_pieces

CHUNK = 500  # files looked at, read and committed together
NAMED = 100  # bad rows, and remarks, of an import that its report names one by one
DECIDE_EVERY = 20_000  # tracks read before the first of them are asked about


@dataclass(slots=True)
class ScanReport:
    """Counts of one scan, kept up to date while it runs."""

    found: int = 0
    unchanged: int = 0
    read: int = 0
    unreadable: int = 0
    vanished: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """Counts of one import, kept up to date while it runs: `bad` rows were not taken, of `remarked` values no use was made.

    `bad_rows` and `remarks` have (line, words) of the first hundred of them; `unknown_columns` are those that no field
    of ours is filled from, complete at the end."""

    rows: int = 0
    queued: int = 0
    bad: int = 0
    remarked: int = 0
    bad_rows: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)

    def take(self, rows: Iterable[ImportRow | BadRow]) -> None:
        """Count these rows, and note what is to be said of them."""
        for row in rows:
            self.rows += 1
            if isinstance(row, BadRow):
                self.bad += 1
                if len(self.bad_rows) < NAMED:
                    self.bad_rows.append((row.line, row.reason))
                continue
            self.remarked += len(row.remarks)
            self.remarks += [(row.line, words) for words in row.remarks[: NAMED - len(self.remarks)]]


@dataclass(frozen=True, slots=True)
class LibraryRules:
    """Which files count as the library."""

    roots: tuple[bytes, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    follow_symlinks: bool = False
    max_file_size: int | None = None


class Intake:
    """Brings files and rows into the store. `decide_new()` is awaited when there are tracks to decide: at the end,
    because an album should be known whole before anything of it is asked, and every DECIDE_EVERY tracks."""

    def __init__(
        self,
        database: Database,
        rules: LibraryRules,
        decide_new: Callable[[], Awaitable[None]],
        *,
        now: Callable[[], float] = time.time,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory or Memory(Telemetry())
        self._database = database
        self._rules = rules
        self._decide_new = decide_new
        self._undecided = 0
        self._now = now

    async def scan(
        self, places: Sequence[bytes] = (), progress: Callable[[ScanReport], None] = lambda report: None
    ) -> ScanReport:
        """Look through the library, or only through `places`, and queue what is new or has changed."""
        report = ScanReport()
        scan_id = await self._database.write(tracks.next_scan)
        for looked_at in walks(self._rules, places):
            await self._scan(looked_at, scan_id, report, progress)
        await self._decide_new()
        return report

    async def count(self, places: Sequence[bytes], tell: Callable[[int], None]) -> None:
        """Tell how many files a scan of these places will find, the number so far again and again until it is whole."""
        count = 0
        for looked_at in walks(self._rules, places):
            files = iter(looked_at)
            while found := await asyncio.to_thread(lambda: sum(1 for _ in islice(files, CHUNK))):  # noqa: B023 - awaited here
                count += found
                tell(count)

    async def count_rows(self, path: Path, tell: Callable[[int], None]) -> None:
        """The same for the rows of an import file."""
        rows, count = iter(await asyncio.to_thread(read_rows, path)), 0
        while found := await asyncio.to_thread(lambda: sum(1 for _ in islice(rows, CHUNK))):
            count += found
            tell(count)

    async def _took(self, count: int) -> None:
        self._undecided += count
        if self._undecided >= DECIDE_EVERY:
            self._undecided = 0
            await self._decide_new()

    async def _scan(
        self, looked_at: Walk, scan_id: int, report: ScanReport, progress: Callable[[ScanReport], None]
    ) -> None:
        files = iter(looked_at)
        while chunk := await asyncio.to_thread(lambda: list(islice(files, self._memory.size(CHUNK)))):
            read = report.read
            await in_pieces(self._memory, chunk, lambda piece: self._take(piece, scan_id, report), "scan")
            await self._took(report.read - read)
            progress(report)
        report.problems += looked_at.problems

        def mark(connection: sqlite3.Connection) -> int:
            roots, gone = looked_at.finished_roots, looked_at.confirms_deletion
            return tracks.mark_vanished(connection, roots, scan_id, self._now(), gone=gone)

        report.vanished += await self._database.write(mark)
        progress(report)

    async def _take(self, chunk: Sequence[FoundFile], scan_id: int, report: ScanReport) -> None:
        known = await self._database.read(lambda c: tracks.known_stamps(c, (one.path for one in chunk)))
        changed = [one for one in chunk if known.get(one.path) != one.stamp]
        files = await asyncio.to_thread(self._read, changed)
        fresh = {one.path for one in changed}

        def save(connection: sqlite3.Connection) -> None:
            tracks.mark_seen(connection, (one.path for one in chunk if one.path not in fresh), scan_id)
            self._save(connection, files, scan_id)

        await self._database.write(save)
        report.found += len(chunk)
        report.unchanged += len(chunk) - len(changed)
        report.read += len(changed)
        report.unreadable += sum(1 for file in files if file.unreadable)

    def _read(self, candidates: Iterable[FoundFile]) -> list[ScannedFile]:
        limit = self._rules.max_file_size
        return [read_file(one.path, one.stamp, max_file_size=limit) for one in candidates]

    def _save(self, connection: sqlite3.Connection, files: Sequence[ScannedFile], scan_id: int) -> list[int]:
        changed = tracks.save_scanned(connection, files, scan_id, self._now(), exists=os.path.lexists)
        albums.assign(connection, changed, identify_album)
        return changed

    async def files(self, paths: Sequence[bytes]) -> dict[bytes, int | Exception]:
        """Bring in just these files, changed or not known: track_id by path, or what kept it from being read.

        Deciding them is left to the caller, who knows when the last of them is in."""
        looked_at = await asyncio.to_thread(lambda: {path: _look_at(path) for path in paths})
        found = {path: one for path, one in looked_at.items() if isinstance(one, Exception)}
        candidates = [one for one in looked_at.values() if isinstance(one, FoundFile)]
        known = await self._database.read(lambda c: tracks.known_stamps(c, (one.path for one in candidates)))
        changed = [one for one in candidates if known.get(one.path) != one.stamp]
        files = await asyncio.to_thread(self._read, changed)
        scan_id = await self._database.write(tracks.next_scan)
        await self._database.write(lambda c: self._save(c, files, scan_id))
        ids = await self._database.read(lambda c: tracks.ids_of_paths(c, (one.path for one in candidates)))
        return {**found, **ids}

    async def records(self, rows: Sequence[tracks.ImportedTrack]) -> tuple[list[int], int]:
        """Bring in just these rows: the track of each, and how many tracks are new or have changed.

        Deciding them is left to the caller."""
        ids: list[int] = []
        queued = 0

        async def take(some: Sequence[tracks.ImportedTrack]) -> None:
            nonlocal queued
            found, changed = await self._database.write(lambda c: self._place(c, some))
            ids.extend(found)
            queued += changed

        await in_pieces(self._memory, rows, take, "import")
        return ids, queued

    def _place(
        self, connection: sqlite3.Connection, rows: Sequence[tracks.ImportedTrack]
    ) -> tuple[list[int], int]:
        found, changed = tracks.save_rows(connection, rows, self._now())
        albums.assign(connection, changed, identify_album)
        return found, len(changed)

    async def group(self, members: Mapping[str, Sequence[int]]) -> None:
        """Note that the tracks of each of these groups are one album, whatever their names and places say."""

        def assign(connection: sqlite3.Connection) -> None:
            for group, ids in members.items():
                albums.assign(connection, ids, partial(identify_album, group=group))

        await self._database.write(assign)

    async def rows(
        self, path: Path, progress: Callable[[ImportReport], None] = lambda report: None
    ) -> ImportReport:
        """Queue the rows of an import file, in file order. OSError or ValueError when it cannot be read at all."""
        report = ImportReport()
        file = await asyncio.to_thread(read_rows, path)
        rows = iter(file)
        while chunk := await asyncio.to_thread(lambda: list(islice(rows, self._memory.size(CHUNK)))):
            good = [tracks.ImportedTrack(row.key, row.tags) for row in chunk if not isinstance(row, BadRow)]
            _, queued = await self.records(good)
            report.queued += queued
            await self._took(queued)
            report.take(chunk)
            progress(report)
        await self._decide_new()
        report.unknown_columns = list(file.unknown_columns)
        return report


def walks(rules: LibraryRules, places: Sequence[bytes]) -> list[Walk]:
    """One walk of what lies inside the library's roots, with its patterns, and one of what does not."""
    within = [place for place in places if any(inside(place, root) for root in rules.roots)]
    outside = [place for place in places if place not in within]
    found = []
    if within or not places:
        found.append(walk(rules.roots, include=rules.include, exclude=rules.exclude,
                          follow_symlinks=rules.follow_symlinks, within=within))  # fmt: skip
    if outside:
        found.append(walk(outside, include=rules.include, exclude=rules.exclude,
                          follow_symlinks=rules.follow_symlinks))  # fmt: skip
    return found


def _look_at(path: bytes) -> FoundFile | Exception:
    if os.path.isdir(path):
        return IsADirectoryError(f"{os.fsdecode(path)}: is a folder")
    looked_at = walk([path])
    one = next(iter(looked_at), None)
    reason = looked_at.problems[0].reason if looked_at.problems else "is not an audio file"
    return one or FileNotFoundError(f"{os.fsdecode(path)}: {reason}")


def inside(path: bytes, root: bytes) -> bool:
    """Whether `path` is `root` or lies below it."""
    return path == root or path.startswith(root.rstrip(b"/") + b"/")
