"""Writing what was found out into the tags of files, and taking it back: file by file, each journaled before it changes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from soulspot.errors import SoulSpotError
from soulspot.store import tag_journal as journal
from soulspot.store import taggable
from soulspot.store.cover_index import CoverRecord
from soulspot.store.database import Database
from soulspot.store.taggable import Taggable
from soulspot.tagging import file_copies, tagged_copies
from soulspot.tagging.file_copies import PreparedCopy, TagsNotWritten
from soulspot.tagging.formats.base import Picture
from soulspot.tagging.formats.names import COVER
from soulspot.tagging.preview import Planned, cover_to_embed, cover_would_change, display_path, preview_tags
from soulspot.tagging.replacement import Replacements
from soulspot.tagging.request import OnTagProgress, TagReport, TagRequest, changes_to_json
from soulspot.tagging.rules import TagRules
from soulspot.telemetry import Telemetry

PAGE = 100  # tracks looked at between two looks at whether to go on
AT_ONCE, BYTES_AT_ONCE = 16, 128 << 20  # files, and their bytes, that are copied before the first is replaced
TOLD = 200  # files and problems that a report names
TRY_AGAIN = 3600.0  # seconds after a failure until the daemon tries a file again


class CoverPostponed(TagsNotWritten):
    """The cover of a file was not put into it, and is to be tried again; its other tags may be written."""


class FrontCovers(Protocol):
    """Where front covers come from. `picture` raises SoulSpotError or OSError when it cannot be had now."""

    async def picture(self, url: str) -> Picture | None: ...
    async def known(self, url: str) -> CoverRecord | None: ...


class TagWriter:
    """Over one database. One piece of work at a time: the next one waits."""

    def __init__(
        self,
        database: Database,
        telemetry: Telemetry,
        rules: TagRules | None = None,
        *,
        covers: FrontCovers | None = None,
        max_file_size: int | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.rules = rules or TagRules()
        self._database = database
        self._telemetry = telemetry
        self._covers = covers
        self._max_file_size = max_file_size
        self._now = now
        self._replacements = Replacements(database, now)
        self._line = asyncio.Lock()
        self._due_after = 0

    async def write(
        self, wish: TagRequest, operation_id: int, tell: OnTagProgress = lambda report, total: None
    ) -> TagReport:
        """Compare the tags of accepted tracks with what was found out and, if it is wished, write what differs."""
        async with self._line:
            report = TagReport(wish.apply)
            total = await self._database.read(lambda c: taggable.count(c, wish.paths, wish.track_ids))
            if wish.apply:
                await self._replacements.recover()
            after = 0
            while page := await self._database.read(
                lambda c: taggable.page(c, after, PAGE, wish.paths, wish.track_ids)  # noqa: B023 - awaited here
            ):
                after = page[-1].track_id
                await self._page(page, wish, operation_id, report)
                tell(report, total)
            return report

    async def _page(
        self, page: Sequence[Taggable], wish: TagRequest, operation_id: int, report: TagReport
    ) -> None:
        now, limit = self._now(), self._max_file_size
        found = await asyncio.to_thread(
            lambda: [preview_tags(one, wish, self.rules.file_policy, now, limit) for one in page]
        )
        seen: dict[int, float | None] = {one.track_id: None for one in page}
        planned = []
        for one, result in zip(page, found, strict=True):
            if isinstance(result, TagsNotWritten):
                self._problem(report, one.path, result)
                seen[one.track_id] = self._now() + TRY_AGAIN if result.failed else None
            elif result is None:
                report.waiting += 1
                del seen[one.track_id]
            else:
                with_cover = await self._with_cover(result, wish)
                if isinstance(with_cover, CoverPostponed):
                    self._problem(report, one.path, with_cover)
                    seen[one.track_id] = self._now() + TRY_AGAIN
                planned.append(result if isinstance(with_cover, CoverPostponed) else with_cover)
        report.unchanged += sum(1 for one in planned if not one.changes)
        planned = [one for one in planned if one.changes]
        for piece in _pieces(planned):
            if wish.apply:
                failed = await self._replace(piece, operation_id, report)
                seen |= dict.fromkeys(failed, self._now() + TRY_AGAIN)
            else:
                for would in piece:
                    self._written(report, would)
        report.looked += len(page)
        if wish.apply:
            rows = [(one.track_id, one.row_at, seen[one.track_id]) for one in page if one.track_id in seen]
            await self._database.write(lambda c: taggable.record_compared(c, rows))

    async def _with_cover(self, planned: Planned, wish: TagRequest) -> Planned | CoverPostponed:
        """The same with the cover that is to be put into the file, if there is one to be had."""
        if self._covers is None or not (url := cover_to_embed(planned, wish)):
            return planned
        if not wish.apply:
            return (
                planned.with_cover(url)
                if cover_would_change(planned, await self._covers.known(url))
                else planned
            )
        try:
            new = await self._covers.picture(url)
        except (SoulSpotError, OSError) as error:
            return CoverPostponed(f"its cover cannot be had now: {error}")
        there = planned.said.front
        if new is None or (there and there.data == new.data):
            return planned
        return planned.with_cover(new)

    async def _replace(self, piece: Sequence[Planned], operation_id: int, report: TagReport) -> list[int]:
        """Write these files. Returns the tracks that failed."""

        def make() -> list[PreparedCopy | TagsNotWritten]:
            return [self._prepared(one) for one in piece]

        def note(connection: sqlite3.Connection, copies: Sequence[tuple[int, PreparedCopy]]) -> list[int]:
            writes = [_entry(piece[index], copy) for index, copy in copies]
            return journal.prepare_writes(connection, operation_id, writes, self._now())

        failed = []
        results = await self._replacements.replace([one.said.path for one in piece], make, note)
        for one, why in zip(piece, results, strict=True):
            if why is None:
                self._written(report, one)
            else:
                self._problem(report, one.track.path, why)
                failed += [one.track.track_id] if why.failed else []
        return failed

    def _prepared(self, one: Planned) -> PreparedCopy | TagsNotWritten:
        values = {name: new for name, (_, new) in one.changes.items() if name != COVER}
        try:
            return tagged_copies.prepare(
                one.said.path, one.said.stamp, values, one.front, self.rules.file_policy
            )
        except TagsNotWritten as why:
            return why

    async def undo(
        self, operation_id: int, *, force: bool = False, tell: OnTagProgress = lambda report, total: None
    ) -> TagReport:
        """Give every file of an operation the tags that it had before. One that has changed since is left alone, unless
        it is forced: then its audio must still be the same."""
        async with self._line:
            report = TagReport(applied=True)
            total = await self._database.read(lambda c: journal.count_writes(c, operation_id))
            await self._replacements.recover()
            after = 0
            while page := await self._database.read(
                lambda c: journal.list_undoable(c, operation_id, after, AT_ONCE)  # noqa: B023 - awaited here
            ):
                after = page[-1].write_id
                await self._undo(page, force, report)
                report.looked += len(page)
                tell(report, total)
            return report

    async def _undo(self, page: Sequence[journal.JournalEntry], force: bool, report: TagReport) -> None:
        again = await self._database.read(
            lambda c: [journal.find_later_operation(c, one.write_id) for one in page]
        )
        places = [_place(one) for one in page]

        def make() -> list[PreparedCopy | TagsNotWritten]:
            return [
                self._way_back(one, place, later, force)
                for one, place, later in zip(page, places, again, strict=True)
            ]

        def note(connection: sqlite3.Connection, copies: Sequence[tuple[int, PreparedCopy]]) -> list[int]:
            ids = [page[index].write_id for index, _ in copies]
            journal.prepare_undos(connection, zip(ids, (copy for _, copy in copies), strict=True))
            return ids

        results = await self._replacements.replace(places, make, note)
        for one, why in zip(page, results, strict=True):
            if why is None:
                report.written += 1
            else:
                self._problem(report, one.path, why)

    def _way_back(
        self, one: journal.JournalEntry, path: bytes, again: int | None, force: bool
    ) -> PreparedCopy | TagsNotWritten:
        try:
            if again is not None:
                raise TagsNotWritten(f"was written again by operation {again}: undo that first")
            found = file_copies.stamp_of(file_copies.may_be_replaced(path, self.rules.file_policy))
            if found != one.after and not force:
                raise TagsNotWritten(
                    "was changed since its tags were written: --force takes them back all the same"
                )
            return tagged_copies.prepare_back(
                path, one.digest, one.way_back, one.before, self.rules.file_policy
            )
        except TagsNotWritten as why:
            return why

    async def due(self) -> list[int]:
        """Tracks that the daemon should write by itself now: the next of those that are news."""
        found, self._due_after = await self._database.read(self._due)
        return found

    def _due(self, connection: sqlite3.Connection) -> tuple[list[int], int]:
        found, after = taggable.list_due(connection, self._due_after, 1000, self._now())
        return found, after or 0

    async def prune(self) -> None:
        """Forget what was written too long ago to be taken back."""
        before = self._now() - self.rules.keep_undo
        await self._database.write(lambda c: journal.prune(c, before))

    def _written(self, report: TagReport, one: Planned) -> None:
        report.written += 1
        report.fields.update(one.changes.keys())
        if len(report.files) < TOLD:
            report.files.append(
                {"path": display_path(one.track.path), "changes": changes_to_json(one.changes)}
            )

    def _problem(self, report: TagReport, path: bytes, why: TagsNotWritten) -> None:
        if isinstance(why, CoverPostponed):
            report.covers_postponed += 1
        elif why.failed:
            report.failed += 1
        else:
            report.skipped += 1
        if len(report.problems) < TOLD:
            report.problems.append({"path": display_path(path), "reason": str(why)})
        if report.applied and not isinstance(why, CoverPostponed):  # of that its gate tells, once
            self._telemetry.warning("tag_problem", path=display_path(path), reason=str(why))


def _entry(one: Planned, copy: PreparedCopy) -> journal.TagWrite:
    return journal.TagWrite(
        one.track.track_id, copy.path, copy.temporary, copy.before, copy.after, copy.tags, one.changes,
        copy.digest, copy.way_back,
    )  # fmt: skip


def _place(one: journal.JournalEntry) -> bytes:
    """Where the file is now: its track knows, when it has been moved."""
    if one.path_now is None or os.path.lexists(one.path):
        return one.path
    return os.path.realpath(one.path_now)


def _pieces(planned: Sequence[Planned]) -> Iterator[list[Planned]]:
    piece: list[Planned] = []
    size = 0
    for one in planned:
        if piece and (len(piece) == AT_ONCE or size + one.said.stamp.size > BYTES_AT_ONCE):
            yield piece
            piece, size = [], 0
        piece.append(one)
        size += one.said.stamp.size
    if piece:
        yield piece
