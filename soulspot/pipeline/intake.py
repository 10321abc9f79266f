"""Bring tracks in: files that changed since the last scan, and rows of an import file."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Self

from soulspot.imports.files import ImportFile
from soulspot.imports.rows import BadRow, ImportRow, can_be_looked_up
from soulspot.library.reader import FileReader
from soulspot.library.scan import FoundFile, PassedLinks, Problem, Walk, is_inside
from soulspot.matching import identify_album
from soulspot.models import AlbumMember, ScannedFile
from soulspot.pipeline.losses import Losses, LossLimits, settle_losses
from soulspot.store import albums, named_places, tracks
from soulspot.store.database import Database
from soulspot.store.tracks import ImportedTrack
from soulspot.telemetry import MemoryLimit, run_in_pieces

CHUNK = 500  # files or rows that are read and committed together
MOST_NAMED = 100  # bad rows, and remarks, of an import that its report names one by one
# An album should be known whole before anything of it is asked, so tracks are decided at the end of
# a scan; but a large library must not wait for hours until its first lookup.
DECIDE_EVERY = 20_000


@dataclass(slots=True)
class ScanReport:
    """Counts of one scan, kept up to date while it runs."""

    found: int = 0
    unchanged: int = 0
    read: int = 0
    unreadable: int = 0
    vanished: int = 0
    problems: list[Problem] = field(default_factory=list)
    losses: list[Losses] = field(default_factory=list)  # one for each walk
    links: list[tuple[str, PassedLinks]] = field(default_factory=list)  # passed over, with the reason

    @property
    def links_passed(self) -> int:
        """The symbolic links that were passed over, though music may be behind them."""
        return sum(links.count for _, links in self.links)

    @property
    def unconfirmed(self) -> int:
        """The files that were not found, and are kept until a person has answered."""
        return sum(one.kept for one in self.losses)


@dataclass(slots=True)
class ImportReport:
    """Counts of one import, as far as it has come."""

    rows: int = 0
    queued: int = 0
    bad: int = 0  # rows that have nothing to look up, or could not be read
    remarked: int = 0  # values that could not be used, in rows that could
    bad_rows: list[tuple[int, str]] = field(default_factory=list)  # (line, reason), the first MOST_NAMED
    remarks: list[tuple[int, str]] = field(default_factory=list)  # (line, words), the first MOST_NAMED
    unknown_columns: list[str] = field(default_factory=list)  # columns that fill no field; set at the end

    def after(self, rows: Iterable[ImportRow | BadRow], queued: int) -> Self:
        """Return the report with these rows counted, and the reasons and remarks that it names."""
        new = replace(self, queued=self.queued + queued, bad_rows=[*self.bad_rows], remarks=[*self.remarks])
        for row in rows:
            new.rows += 1
            if isinstance(row, BadRow) or not row.can_be_looked_up:
                new.bad += 1
                if len(new.bad_rows) < MOST_NAMED:
                    words = row.reason if isinstance(row, BadRow) else "; ".join(row.remarks)
                    new.bad_rows.append((row.line, words))
                continue
            new.remarked += len(row.remarks)
            new.remarks += [(row.line, words) for words in row.remarks[: MOST_NAMED - len(new.remarks)]]
        return new


@dataclass(frozen=True, slots=True)
class LibraryRules:
    """The files that count as the library: its folders, and patterns for paths below them."""

    roots: tuple[bytes, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    follow_symlinks: bool = False
    max_file_size: int | None = None  # bytes; a larger file is unreadable
    losses: LossLimits = field(default_factory=LossLimits)


class Intake:
    """Brings files and rows into the store; awaits `decide_new()` when there are tracks to
    decide."""

    def __init__(
        self,
        database: Database,
        rules: LibraryRules,
        decide_new: Callable[[], Awaitable[None]],
        *,
        reader: FileReader,
        memory: MemoryLimit,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._rules = rules
        self._decide_new = decide_new
        self._reader = reader
        self._memory = memory
        self._now = now
        self._undecided = 0  # tracks since the last decision

    # --- files ------------------------------------------------------------------------------------

    async def scan(
        self, paths: Sequence[bytes] = (), progress: Callable[[ScanReport], None] = lambda report: None, *,
        confirm_vanished: bool = False,
    ) -> ScanReport:  # fmt: skip
        """Look through the library, or only through `paths`, and decide what is new or has changed.
        With `confirm_vanished`, missing files that were asked about have been deleted."""
        report = ScanReport()
        scan_id = await self._database.write(tracks.next_scan_id)
        if outside := places_outside(self._rules, paths):
            await self._database.write(lambda c: named_places.add_places(c, outside))
        for files in walks(self._rules, paths):
            await self._scan(files, scan_id, report, progress)
            await self._settle_losses(files, scan_id, report, confirm_vanished)
            progress(report)
        await self._decide_new()
        return report

    async def _scan(
        self, files: Walk, scan_id: int, report: ScanReport, progress: Callable[[ScanReport], None]
    ) -> None:
        candidates = self._reader.walk(files)
        while chunk := await _next_chunk(candidates, self._memory.piece_size(CHUNK)):
            read = report.read
            await run_in_pieces(self._memory, chunk, lambda piece: self._scan_chunk(piece, scan_id, report), "scan")
            await self._decide_if_many(report.read - read)
            progress(report)
        report.problems += files.problems
        report.links += [one for one in files.links.items() if one[1].count]

    async def _settle_losses(self, files: Walk, scan_id: int, report: ScanReport, confirmed: bool) -> None:
        limits, now = self._rules.losses, self._now()
        losses = await self._database.write(
            lambda c: settle_losses(c, files, scan_id, limits, now, confirmed=confirmed)
        )
        report.losses.append(losses)
        report.vanished += losses.vanished

    async def _scan_chunk(self, chunk: Sequence[FoundFile], scan_id: int, report: ScanReport) -> None:
        changed = await self._changed(chunk)
        files = await asyncio.to_thread(self._read, changed)
        changed_paths = {one.path for one in changed}

        def save(connection: sqlite3.Connection) -> None:
            unchanged = (one.path for one in chunk if one.path not in changed_paths)
            tracks.mark_seen(connection, unchanged, scan_id)
            self._save(connection, files, scan_id)

        await self._database.write(save)
        report.found += len(chunk)
        report.unchanged += len(chunk) - len(changed)
        report.read += len(changed)
        report.unreadable += sum(1 for file in files if file.unreadable)

    async def add_files(self, paths: Sequence[bytes]) -> dict[bytes, int | Exception]:
        """Add just these files, changed or not known. Return the track_id of each path, or why it
        could not be read.

        Deciding the tracks is left to the caller, who knows when the last of them is in."""
        found = await asyncio.to_thread(lambda: {path: _candidate(path) for path in paths})
        candidates = [one for one in found.values() if isinstance(one, FoundFile)]
        files = await asyncio.to_thread(self._read, await self._changed(candidates))
        scan_id = await self._database.write(tracks.next_scan_id)
        await self._database.write(lambda c: self._save(c, files, scan_id))
        ids = await self._database.read(lambda c: tracks.find_ids_by_path(c, (one.path for one in candidates)))
        return {path: one for path, one in found.items() if isinstance(one, Exception)} | ids

    async def _changed(self, candidates: Sequence[FoundFile]) -> list[FoundFile]:
        known = await self._database.read(lambda c: tracks.known_stamps(c, (one.path for one in candidates)))
        return [one for one in candidates if known.get(one.path) != one.stamp]

    def _read(self, candidates: Sequence[FoundFile]) -> list[ScannedFile]:
        return self._reader.read(candidates, self._rules.max_file_size)

    def _save(self, connection: sqlite3.Connection, files: Sequence[ScannedFile], scan_id: int) -> None:
        changed = tracks.save_scanned(connection, files, scan_id, self._now(), exists=os.path.lexists)
        albums.assign_tracks(connection, changed, self._identify_album(connection))

    async def count_files(self, paths: Sequence[bytes], on_count: Callable[[int], None]) -> None:
        """Count the files that a scan of these paths will find; call `on_count` with the number so
        far."""
        count = 0
        for files in walks(self._rules, paths):
            count = await _count(self._reader.walk(files), on_count, count)

    # --- rows -------------------------------------------------------------------------------------

    async def import_file(
        self,
        path: Path,
        progress: Callable[[ImportReport], None] = lambda report: None,
        done: ImportReport | None = None,
        keep: Callable[[sqlite3.Connection, ImportReport], None] = lambda connection, report: None,
        columns: Mapping[str, str] | None = None,
    ) -> ImportReport:
        """Add the rows of an import file behind those that `done` counts, in file order, and decide
        them; see `EnrichmentService.import_file`."""
        report = done or ImportReport()
        file = await asyncio.to_thread(ImportFile, path, columns)
        rows = file.rows_after(report.rows)

        async def save(piece: Sequence[ImportRow | BadRow]) -> None:
            nonlocal report

            def commit(connection: sqlite3.Connection) -> ImportReport:
                good = [row for row in piece if not isinstance(row, BadRow)]
                _, queued = self._save_rows(connection, [ImportedTrack(row.key, row.tags) for row in good])
                after = report.after(piece, queued)
                keep(connection, after)
                return after

            report = await self._database.write(commit)

        while chunk := await _next_chunk(rows, self._memory.piece_size(CHUNK)):
            queued = report.queued
            await run_in_pieces(self._memory, chunk, save, "import")
            await self._decide_if_many(report.queued - queued)
            progress(report)
        await self._decide_new()
        report.unknown_columns = list(file.unknown_columns)
        return report

    async def add_rows(self, rows: Sequence[ImportedTrack]) -> tuple[list[int], int]:
        """Add just these rows. Return the track_id of each, and how many tracks with something to
        look up are new or have changed.

        Deciding the tracks is left to the caller."""
        ids: list[int] = []
        queued = 0

        async def save(piece: Sequence[ImportedTrack]) -> None:
            nonlocal queued
            found, count = await self._database.write(lambda c: self._save_rows(c, piece))
            ids.extend(found)
            queued += count

        await run_in_pieces(self._memory, rows, save, "import")
        return ids, queued

    def _save_rows(self, connection: sqlite3.Connection, rows: Sequence[ImportedTrack]) -> tuple[list[int], int]:
        ids, changed = tracks.save_imported(connection, rows, self._now())
        albums.assign_tracks(connection, changed, self._identify_album(connection))
        hopeless = {one for one, row in zip(ids, rows, strict=True) if not can_be_looked_up(row.tags)}
        return ids, len({*changed} - hopeless)

    async def count_rows(
        self, path: Path, on_count: Callable[[int], None], columns: Mapping[str, str] | None = None
    ) -> None:
        """Count the rows of an import file; call `on_count` with the number so far."""
        await _count(await asyncio.to_thread(ImportFile, path, columns), on_count)

    # --- both -------------------------------------------------------------------------------------

    async def group_albums(self, track_ids: Mapping[str, Sequence[int]]) -> None:
        """Note that the tracks of each group are one album, whatever their tags and folders say."""

        def assign(connection: sqlite3.Connection) -> None:
            identify = self._identify_album(connection)
            for group, ids in track_ids.items():
                albums.assign_tracks(connection, ids, partial(identify, group=group))

        await self._database.write(assign)

    def _identify_album(self, connection: sqlite3.Connection) -> partial[AlbumMember | None]:
        return partial(identify_album, roots=named_places.beginnings(connection, self._rules.roots))

    async def _decide_if_many(self, added: int) -> None:
        self._undecided += added
        if self._undecided >= DECIDE_EVERY:
            self._undecided = 0
            await self._decide_new()


async def _next_chunk(items: Any, size: int) -> list[Any]:
    return await asyncio.to_thread(lambda: list(islice(items, size)))


async def _count(items: Iterable[object], on_count: Callable[[int], None], count: int = 0) -> int:
    """Count items in a thread and call `on_count` after every chunk; `count` are counted
    already."""
    left = iter(items)
    while found := await asyncio.to_thread(lambda: sum(1 for _ in islice(left, CHUNK))):
        count += found
        on_count(count)
    return count


def places_outside(rules: LibraryRules, paths: Sequence[bytes]) -> list[bytes]:
    """Return the folders among these places of a scan, and those of its files, that lie in none of
    the library's roots."""
    outside = (os.path.abspath(path) for path in paths if not any(is_inside(path, root) for root in rules.roots))
    return [path if os.path.isdir(path) else os.path.dirname(path) for path in outside]


def walks(rules: LibraryRules, paths: Sequence[bytes]) -> list[Walk]:
    """Return the walks of a scan: one of what lies inside the library's roots, one of what does
    not."""
    within = [path for path in paths if any(is_inside(path, root) for root in rules.roots)]
    known = set(within)
    outside = [path for path in paths if path not in known]
    start = partial(Walk, include=rules.include, exclude=rules.exclude, follow_symlinks=rules.follow_symlinks)
    library = [start(rules.roots, within=within)] if within or not paths else []
    return library + ([start(outside)] if outside else [])


def _candidate(path: bytes) -> FoundFile | Exception:
    if os.path.isdir(path):
        return IsADirectoryError(f"{os.fsdecode(path)}: is a folder")
    files = Walk([path])
    candidate = next(iter(files), None)
    reason = files.problems[0].reason if files.problems else "is not an audio file"
    return candidate or FileNotFoundError(f"{os.fsdecode(path)}: {reason}")
