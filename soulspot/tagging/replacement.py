"""Files replaced such that the journal and the file always agree, whenever the process ends.

A note of the folders; copies in them; the journal, on the disk; the copies take their files' places; the journal and the
library say so. What is half done when the process is killed is finished, or taken away, by the next `recover`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from soulspot.store import tag_journal as journal
from soulspot.store.database import Database
from soulspot.tagging import file_copies
from soulspot.tagging.file_copies import PreparedCopy, TagsNotWritten

T = TypeVar("T")


class Replacements:
    """Over one database, one `replace` at a time."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def replace(
        self,
        paths: Sequence[bytes],
        make: Callable[[], Sequence[PreparedCopy | TagsNotWritten]],
        note: Callable[[sqlite3.Connection, Sequence[tuple[int, PreparedCopy]]], Sequence[int]],
    ) -> list[TagsNotWritten | None]:
        """Have files at `paths` replaced by the copies that `make` makes: what kept each from it, or None.

        `note` journals the copies, each with its index in what `make` returned, and returns the number of each entry.
        Once begun it is finished, whoever is cancelled."""
        return await whole(self._replace(paths, make, note))

    async def _replace(
        self,
        paths: Sequence[bytes],
        make: Callable[[], Sequence[PreparedCopy | TagsNotWritten]],
        note: Callable[[sqlite3.Connection, Sequence[tuple[int, PreparedCopy]]], Sequence[int]],
    ) -> list[TagsNotWritten | None]:
        folders = {os.path.dirname(path) for path in paths}
        await self._database.write_durably(lambda c: journal.add_folders(c, folders))
        made = await asyncio.to_thread(make)
        copies = [(index, one) for index, one in enumerate(made) if isinstance(one, PreparedCopy)]
        try:
            ids = await self._database.write_durably(lambda c: note(c, copies))
        except BaseException:  # without a journal nothing changes
            for _, copy in copies:
                file_copies.give_up(copy)
            raise
        file_copies.report_step("journaled")
        results = await asyncio.to_thread(lambda: [_take_place(copy) for _, copy in copies])
        done = [one for one, why in zip(ids, results, strict=True) if why is None]
        await self._settle(ids, done)
        file_copies.report_step("settled")
        replaced = {index: why for (index, _), why in zip(copies, results, strict=True)}
        return [one if isinstance(one, TagsNotWritten) else replaced[index] for index, one in enumerate(made)]

    async def recover(self) -> None:
        """Finish, or take away, what a process left half done when it was killed."""
        pending, folders = await self._database.read(
            lambda c: (journal.list_pending(c), journal.list_folders(c))
        )
        if pending or folders:
            done = await asyncio.to_thread(lambda: [one.write_id for one in pending if _took_place(one)])
            await asyncio.to_thread(file_copies.sweep, folders)
            await self._settle([one.write_id for one in pending], done)

    async def _settle(self, ids: Sequence[int], done: Sequence[int]) -> None:
        """The journal and the library say which of the copies have taken their files' places."""

        def settle(connection: sqlite3.Connection) -> None:
            journal.record_replaced(connection, done, self._now())
            journal.discard(connection, set(ids) - set(done))
            journal.clear_folders(connection)

        await self._database.write(settle)


def _take_place(copy: PreparedCopy) -> TagsNotWritten | None:
    try:
        file_copies.replace(copy)
    except TagsNotWritten as why:
        return why
    return None


def _took_place(one: journal.PendingReplacement) -> bool:
    try:
        return file_copies.stamp_of(os.stat(one.path, follow_symlinks=False)) == one.after
    except OSError:
        return False


async def whole(work: Awaitable[T]) -> T:
    """Work that is finished once it has begun: a cancellation is obeyed after it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # seen: what ends the work is the cancellation
        raise
