"""What `write-tags` does once its arguments are known: in the daemon if one runs, else here, under the same lock."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soulspot.assembly import cover_places, open_service, tag_rules
from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import DaemonRefused, OperationFailed, running_daemon
from soulspot.config import Config
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.store import cover_index as cover_rows
from soulspot.store import operations as rows
from soulspot.store import tag_journal, taggable
from soulspot.store.database import Database, require_current_schema
from soulspot.store.ownership import read_owner
from soulspot.tagging.file_copies import TagsNotWritten
from soulspot.tagging.preview import cover_to_embed, cover_would_change, display_path, preview_tags
from soulspot.tagging.request import TagRequest, changes_to_json, nothing_to_undo_message

PAGE = 100  # tracks
LOOK = 0.1  # seconds between two looks at how far it is
LISTED = 100  # operations


@dataclass(frozen=True, slots=True)
class Looked:
    """What would become of one file: `outcome` is written, unchanged or skipped; then `reason` says why."""

    path: str
    outcome: str
    changes: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        about = {"reason": self.reason} if self.reason else {"changes": self.changes}
        return {"path": self.path, "outcome": self.outcome, **about}


def would_write(config: Config, wish: TagRequest) -> Iterator[Looked]:
    """What would change in each file. Reads the database and the files, and writes nothing, whoever else is at work."""
    file_policy, covers = tag_rules(config).file_policy, cover_places(config)
    connection = Database.open_read_only(config.database.path, long_running=True)
    try:
        require_current_schema(connection, config.database.path)
        after = 0
        while page := taggable.page(connection, after, PAGE, wish.paths):
            for track in page:
                found = preview_tags(track, wish, file_policy, time.time(), config.limits.max_file_size)
                path = display_path(track.path)
                if isinstance(found, TagsNotWritten):
                    yield Looked(path, "skipped", reason=str(found))
                elif found is not None:
                    if config.export.covers.enabled and (url := cover_to_embed(found, wish)):
                        known = cover_rows.find(connection, covers.address(url), time.time())
                        found = found.with_cover(url) if cover_would_change(found, known) else found
                    yield Looked(
                        path, "written" if found.changes else "unchanged", changes_to_json(found.changes)
                    )
            after = page[-1].track_id
    finally:
        connection.close()


def readable(config: Config) -> bool:
    """Whether this user may look into the database."""
    return os.access(config.database.path, os.R_OK)


def there_is_a_daemon(config: Config) -> bool:
    """Whether a daemon works on the database, as far as we may know."""
    try:
        owner = read_owner(config.database.path)
    except OSError:
        return True  # not for us to see: it is asked
    return owner is not None and owner.address is not None


async def would_write_there(config: Config, wish: TagRequest, bars: Bars) -> dict[str, Any]:
    """The same by the daemon, where its database is not for us to read: the report names the first files only."""
    remote = running_daemon(config)
    if remote is None:
        raise PermissionError(f"{config.database.path} may not be read by this user")
    async with remote:
        how = {"fields": list(wish.fields), "policy": wish.policy, "embed_covers": wish.embed_covers}
        number = await remote.write_tags(wish.paths, how)
        return _report(await remote.finished(number, _progress(bars)), bars)


async def written(config: Config, wish: TagRequest, bars: Bars) -> dict[str, Any]:
    """Write. Returns the report, with the number of the operation."""
    if remote := running_daemon(config):
        how = {
            "fields": list(wish.fields),
            "policy": wish.policy,
            "embed_covers": wish.embed_covers,
            "apply": True,
        }
        async with remote:
            number = await remote.write_tags(wish.paths, how)
            return _report(await remote.finished(number, _progress(bars)), bars)
    async with open_service(config, work=False) as service:
        operations = Operations(service)
        return await _followed(service, operations, await operations.write_tags(wish), bars)


async def taken_back(config: Config, number: int, force: bool, bars: Bars) -> dict[str, Any]:
    """Undo what an operation wrote."""
    if remote := running_daemon(config):
        async with remote:
            started = await remote.undo_tags(number, force=force)
            return _report(await remote.finished(started, _progress(bars)), bars)
    async with open_service(config, work=False) as service:
        if not await service.database.read(lambda c: tag_journal.has_undoable_writes(c, number)):
            raise DaemonRefused(nothing_to_undo_message(number), 404)
        operations = Operations(service)
        return await _followed(service, operations, await operations.undo_tags(number, force=force), bars)


def writes(config: Config) -> list[dict[str, Any]]:
    """The operations that wrote tags, the latest first."""
    if not readable(config):
        return asyncio.run(_told_by_daemon(config))
    connection = Database.open_read_only(config.database.path)
    try:
        return tag_journal.list_operations(connection, LISTED)
    finally:
        connection.close()


async def _told_by_daemon(config: Config) -> list[dict[str, Any]]:
    if remote := running_daemon(config):
        async with remote:
            return await remote.tag_writes()
    raise PermissionError(f"{config.database.path} may not be read by this user")


async def _followed(
    service: EnrichmentService, operations: Operations, number: int, bars: Bars
) -> dict[str, Any]:
    """Follow an operation of this process to its end; when we are told to stop, it stops."""
    progress = _progress(bars)

    async def row() -> dict[str, Any]:
        found = await service.database.read(lambda c: rows.find(c, number))
        assert found is not None
        return found

    try:
        ending = asyncio.create_task(operations.idle())
        while not ending.done():
            await asyncio.wait([ending], timeout=LOOK)
            progress(await row())
    except asyncio.CancelledError:
        await operations.cancel(number)
        raise
    finally:
        await operations.stop()
    ended = await row()
    if ended["status"] != "completed":
        raise OperationFailed(f"{ended['kind']}: {ended['error_message']}")
    return _report(ended, bars)


def _progress(bars: Bars) -> Any:
    def progress(operation: Mapping[str, Any]) -> None:
        bars.show("files", operation["processed_items"], operation["total_items"] or None)

    return progress


def _report(operation: Mapping[str, Any], bars: Bars) -> dict[str, Any]:
    metadata = operation["metadata"]
    for note in metadata.get("notes", ()):
        bars.note(note)
    return {"operation": operation["id"], **metadata["report"]}
