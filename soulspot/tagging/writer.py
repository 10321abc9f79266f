"""Writing accepted values into files' tags, and undoing it; journaled before a file changes."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from soulspot.errors import SoulSpotError, UnreadableFile
from soulspot.library.bounded_file import stamp_of
from soulspot.library.reader import FileReader
from soulspot.library.tags import unreadable_reason
from soulspot.store import tag_journal as journal
from soulspot.store import taggable
from soulspot.store.database import Database
from soulspot.store.taggable import Taggable
from soulspot.tagging import tagged_copies
from soulspot.tagging.covers import CoverCache
from soulspot.tagging.file_copies import PreparedCopy, TagsNotWritten, attempt, check_replaceable
from soulspot.tagging.formats.names import COVER
from soulspot.tagging.preview import PlannedWrite, cover_to_embed, cover_would_change, display_path, preview_tags
from soulspot.tagging.replacement import Replacements
from soulspot.tagging.request import OnTagProgress, TagReport, TagRequest, changes_to_json
from soulspot.tagging.rules import TagRules
from soulspot.telemetry import Telemetry

PAGE = 100  # tracks compared between two reports of progress
# Files, and their bytes, that are copied before the first of them is replaced.
FILES_AT_ONCE, BYTES_AT_ONCE = 16, 128 << 20
MAX_LISTED = 200  # files and problems that a report lists
RETRY_AFTER = 3600.0  # seconds after a failure until the daemon tries a file again


class CoverPostponed(TagsNotWritten):
    """The cover of a file could not be fetched now; the file's other tags may be written."""


class TagWriter:
    """Writes and undoes tags of the files in one database, one piece of work at a time.
    `max_file_size` is in bytes. Without `covers` no cover is embedded."""

    def __init__(
        self, database: Database, telemetry: Telemetry, rules: TagRules | None = None, *,
        reader: FileReader, covers: CoverCache | None = None, max_file_size: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.rules = rules or TagRules()
        self._database = database
        self._telemetry = telemetry
        self._reader = reader
        self._covers = covers
        self._max_file_size = max_file_size
        self._now = now
        self._replacements = Replacements(database, now)
        self._turn = asyncio.Lock()
        self._due_after = 0

    async def write(
        self, request: TagRequest, operation_id: int, on_progress: OnTagProgress = lambda report, total: None
    ) -> TagReport:
        """Compare the tags of accepted tracks with their rows; write the differences if
        `request.apply`. Returns the report; `on_progress` gets it after every page of tracks."""
        async with self._turn:
            report = TagReport(request.apply)
            chosen = request.paths, request.track_ids
            total = await self._database.read(lambda c: taggable.count(c, *chosen))
            if request.apply:
                await self._replacements.recover()
            after = 0
            while page := await self._database.read(
                lambda c: taggable.page(c, after, PAGE, *chosen)  # noqa: B023 - awaited here
            ):
                after = page[-1].track_id
                await self._write_page(page, request, operation_id, report)
                on_progress(report, total)
            return report

    async def _write_page(
        self, page: Sequence[Taggable], request: TagRequest, operation_id: int, report: TagReport
    ) -> None:
        preview = partial(preview_tags, request=request, policy=self.rules.file_policy, now=self._now(),
                          max_file_size=self._max_file_size)  # fmt: skip
        previews = await asyncio.to_thread(self._reader.each, preview, page, _unreadable)
        # Track -> when to try it again, None for a track that is settled until its row changes.
        retry_at: dict[int, float | None] = {}
        planned = []
        for track, found in zip(page, previews, strict=True):
            if found is None:
                report.waiting += 1
                continue
            retry_at[track.track_id] = None
            outcome: PlannedWrite | TagsNotWritten = found
            if isinstance(found, PlannedWrite):
                outcome = await self._with_cover(found, request)
                planned.append(outcome if isinstance(outcome, PlannedWrite) else found)
            if isinstance(outcome, TagsNotWritten):
                self._add_problem(report, track.path, outcome)
                if outcome.failed:
                    retry_at[track.track_id] = self._now() + RETRY_AFTER
        changing = [write for write in planned if write.changes]
        report.unchanged += len(planned) - len(changing)
        # All copies of a batch are on the disk at once, so a batch is small.
        for batch in _batches(changing):
            if request.apply:
                failed = await self._replace(batch, operation_id, report)
                retry_at |= dict.fromkeys(failed, self._now() + RETRY_AFTER)
            else:
                for write in batch:
                    self._add_written(report, write)
        report.looked += len(page)
        if request.apply:
            settled = (track for track in page if track.track_id in retry_at)
            compared = [(track.track_id, track.row_at, retry_at[track.track_id]) for track in settled]
            await self._database.write(lambda c: taggable.record_compared(c, compared))

    async def _with_cover(self, planned: PlannedWrite, request: TagRequest) -> PlannedWrite | CoverPostponed:
        if self._covers is None or not (url := cover_to_embed(planned, request)):
            return planned
        if not request.apply:
            cached = await self._covers.cached_record(url)
            return planned.with_cover(url) if cover_would_change(planned, cached) else planned
        try:
            new = await self._covers.picture(url)
        except (SoulSpotError, OSError) as error:
            return CoverPostponed(f"its cover cannot be had now: {error}", failed=True)
        present = planned.current.front
        if new is None or (present and present.data == new.data):
            return planned
        return planned.with_cover(new)

    async def _replace(self, batch: Sequence[PlannedWrite], operation_id: int, report: TagReport) -> list[int]:
        def prepare() -> list[PreparedCopy | TagsNotWritten]:
            return [attempt(lambda: self._prepare_write(write)) for write in batch]  # noqa: B023 - called here

        def record(connection: sqlite3.Connection, copies: Sequence[tuple[int, PreparedCopy]]) -> list[int]:
            entries = [_journal_entry(batch[index], copy) for index, copy in copies]
            return journal.prepare_writes(connection, operation_id, entries, self._now())

        failed = []
        results = await self._replacements.replace([write.current.path for write in batch], prepare, record)
        for write, reason in zip(batch, results, strict=True):
            if reason is None:
                self._add_written(report, write)
            else:
                self._add_problem(report, write.track.path, reason)
                failed += [write.track.track_id] if reason.failed else []
        return failed

    def _prepare_write(self, write: PlannedWrite) -> PreparedCopy:
        values = {name: new for name, (_, new) in write.changes.items() if name != COVER}
        now, policy = write.current, self.rules.file_policy
        return tagged_copies.prepare_tagged_copy(now.path, now.stamp, values, write.front, policy)

    async def undo(
        self, operation_id: int, *, force: bool = False, on_progress: OnTagProgress = lambda report, total: None
    ) -> TagReport:  # fmt: skip
        """Restore every file that an operation wrote. A file that has changed since is left alone.
        With `force` such a file is restored too, provided that its audio is still the same."""
        async with self._turn:
            report = TagReport(applied=True)
            total = await self._database.read(lambda c: journal.count_writes(c, operation_id))
            await self._replacements.recover()
            after = 0
            while page := await self._database.read(
                lambda c: journal.list_undoable(c, operation_id, after, FILES_AT_ONCE)  # noqa: B023 - awaited here
            ):
                after = page[-1].write_id
                await self._undo_page(page, force, report)
                report.looked += len(page)
                on_progress(report, total)
            return report

    async def _undo_page(self, page: Sequence[journal.JournalEntry], force: bool, report: TagReport) -> None:
        later = await self._database.read(lambda c: [journal.find_later_operation(c, entry.write_id) for entry in page])
        paths = [_present_path(entry) for entry in page]

        def prepare() -> list[PreparedCopy | TagsNotWritten]:
            return [
                attempt(lambda: self._prepare_undo(entry, path, operation, force))  # noqa: B023 - called here
                for entry, path, operation in zip(page, paths, later, strict=True)
            ]

        def record(connection: sqlite3.Connection, copies: Sequence[tuple[int, PreparedCopy]]) -> list[int]:
            ids = [page[index].write_id for index, _ in copies]
            journal.prepare_undos(connection, zip(ids, (copy for _, copy in copies), strict=True))
            return ids

        results = await self._replacements.replace(paths, prepare, record)
        for entry, reason in zip(page, results, strict=True):
            if reason is None:
                report.written += 1
            else:
                self._add_problem(report, entry.path, reason)

    def _prepare_undo(
        self, entry: journal.JournalEntry, path: bytes, later_operation: int | None, force: bool
    ) -> PreparedCopy:
        if later_operation is not None:
            raise TagsNotWritten(f"was written again by operation {later_operation}: undo that first")
        policy = self.rules.file_policy
        if stamp_of(check_replaceable(path, policy)) != entry.after and not force:
            raise TagsNotWritten("was changed since its tags were written: --force takes them back all the same")
        return tagged_copies.prepare_restored_copy(path, entry.digest, entry.way_back, entry.before, policy)

    async def due(self) -> list[int]:
        """Return the next tracks for the daemon to write; [] when all were returned once."""
        now = self._now()
        found, after = await self._database.read(
            lambda c: taggable.list_due(c, self._due_after, 1000, now, rest=RETRY_AFTER)
        )
        self._due_after = after or 0
        return found

    async def prune(self) -> None:
        before = self._now() - self.rules.keep_undo
        await self._database.write(lambda c: journal.prune(c, before))

    def _add_written(self, report: TagReport, write: PlannedWrite) -> None:
        report.written += 1
        report.fields.update(write.changes.keys())
        if len(report.files) < MAX_LISTED:
            changes = changes_to_json(write.changes)
            report.files.append({"path": display_path(write.track.path), "changes": changes})

    def _add_problem(self, report: TagReport, path: bytes, reason: TagsNotWritten) -> None:
        is_postponed = isinstance(reason, CoverPostponed)
        if is_postponed:
            report.covers_postponed += 1
        elif reason.failed:
            report.failed += 1
        else:
            report.skipped += 1
        if len(report.problems) < MAX_LISTED:
            report.problems.append({"path": display_path(path), "reason": str(reason)})
        # The gate of the covers' host logs an outage, once for all files.
        if report.applied and not is_postponed:
            self._telemetry.warning("tag_problem", path=display_path(path), reason=str(reason))


def _unreadable(track: Taggable, error: UnreadableFile | OSError) -> TagsNotWritten:
    return TagsNotWritten(unreadable_reason(track.path, error))


def _journal_entry(write: PlannedWrite, copy: PreparedCopy) -> journal.TagWrite:
    return journal.TagWrite(
        write.track.track_id, copy.path, copy.temporary, copy.before, copy.after, copy.tags, write.changes,
        copy.digest, copy.way_back,
    )  # fmt: skip


def _present_path(entry: journal.JournalEntry) -> bytes:
    # The track of a file that was moved knows its new path.
    if entry.path_now is None or os.path.lexists(entry.path):
        return entry.path
    return os.path.realpath(entry.path_now)


def _batches(planned: Sequence[PlannedWrite]) -> Iterator[list[PlannedWrite]]:
    batch: list[PlannedWrite] = []
    size = 0
    for write in planned:
        if batch and (len(batch) == FILES_AT_ONCE or size + write.current.stamp.size > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(write)
        size += write.current.stamp.size
    if batch:
        yield batch
