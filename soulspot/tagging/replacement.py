"""Replacing files so that the journal and the files always agree, whenever the process ends.

The steps, in order: the folders are noted; copies are made in them; the journal has the copies,
synced to disk; the copies take their files' places; the journal and the library say so. When the
process is killed in between, the next `recover` finishes or undoes what it left."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence

from soulspot.library.bounded_file import stamp_of
from soulspot.store import tag_journal as journal
from soulspot.store.database import Database
from soulspot.tagging import file_copies
from soulspot.tagging.file_copies import PreparedCopy, TagsNotWritten, attempt

Prepare = Callable[[], Sequence[PreparedCopy | TagsNotWritten]]
"""Makes the copies; runs in a thread. A TagsNotWritten stands for a file that gets none."""

Record = Callable[[sqlite3.Connection, Sequence[tuple[int, PreparedCopy]]], Sequence[int]]
"""Journals (index among the prepared, copy) pairs; returns the id of each journal entry."""


class Replacements:
    """Journaled replacements of files over one database; one `replace` at a time."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def replace(self, paths: Sequence[bytes], prepare: Prepare, record: Record) -> list[TagsNotWritten | None]:
        """Replace the files at `paths` by the copies that `prepare` makes. Returns for each file
        None, or the reason why it was not replaced. Cancelling the caller does not end the work."""
        task = asyncio.ensure_future(self._replace(paths, prepare, record))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            # The cancellation ends the work; asyncio must not complain of a lost exception.
            if not task.cancelled():
                task.exception()
            raise

    async def _replace(self, paths: Sequence[bytes], prepare: Prepare, record: Record) -> list[TagsNotWritten | None]:
        # Durably, so that after a power cut `recover` knows where copies may have been left.
        folders = {os.path.dirname(path) for path in paths}
        await self._database.write_durably(lambda c: journal.add_folders(c, folders))
        prepared = await asyncio.to_thread(prepare)
        copies = [(index, copy) for index, copy in enumerate(prepared) if isinstance(copy, PreparedCopy)]
        try:
            ids = await self._database.write_durably(lambda c: record(c, copies))
        except BaseException:
            # Without a journal no file may change.
            for _, copy in copies:
                file_copies.discard(copy)
            raise
        file_copies.report_step("journaled")
        results = await asyncio.to_thread(lambda: [_replace_original(copy) for _, copy in copies])
        await self._settle(ids, [id for id, failed in zip(ids, results, strict=True) if failed is None])
        file_copies.report_step("settled")
        outcomes = {index: failed for (index, _), failed in zip(copies, results, strict=True)}
        return [copy if isinstance(copy, TagsNotWritten) else outcomes[index] for index, copy in enumerate(prepared)]

    async def recover(self) -> None:
        """Finish or undo the replacements that a process left half done when it was killed."""
        pending, folders = await self._database.read(lambda c: (journal.list_pending(c), journal.list_folders(c)))
        if pending or folders:
            replaced = await asyncio.to_thread(lambda: [one.write_id for one in pending if _is_replaced(one)])
            await asyncio.to_thread(file_copies.remove_leftovers, folders)
            await self._settle([one.write_id for one in pending], replaced)

    async def _settle(self, ids: Sequence[int], replaced: Sequence[int]) -> None:
        def settle(connection: sqlite3.Connection) -> None:
            journal.record_replaced(connection, replaced, self._now())
            journal.discard(connection, set(ids) - set(replaced))
            journal.clear_folders(connection)

        await self._database.write(settle)


def _replace_original(copy: PreparedCopy) -> TagsNotWritten | None:
    return attempt(lambda: file_copies.replace_original(copy))


def _is_replaced(pending: journal.PendingReplacement) -> bool:
    try:
        return stamp_of(os.stat(pending.path, follow_symlinks=False)) == pending.after
    except OSError:
        return False
