"""The journal of written tags: files about to be replaced, files replaced, and the way back."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from soulspot.models import FileStamp, TrackTags
from soulspot.store import tags_json
from soulspot.store.sql import fetch_column, fetch_dicts, fetch_value, insert
from soulspot.store.times import iso

Changes = Mapping[str, tuple[Sequence[str], Sequence[str]]]  # field -> (values before, values after)


@dataclass(frozen=True, slots=True)
class TagWrite:
    """A file with new tags, ready to take the place of the old file."""

    track_id: int
    path: bytes
    temporary: bytes  # path of the new file
    before: FileStamp
    after: FileStamp
    tags: TrackTags  # as a scan will read them from the new file
    changes: Changes
    digest: str  # SHA-256 of the old file
    way_back: bytes  # everything but the audio of the old file: see tagging/undo.py


class PreparedCopy(Protocol):
    """A copy of a file that is about to take its place: a TagWrite, or one of the state before."""

    @property
    def path(self) -> bytes: ...
    @property
    def temporary(self) -> bytes: ...
    @property
    def after(self) -> FileStamp: ...
    @property
    def tags(self) -> TrackTags: ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A write that can be undone."""

    write_id: int
    operation_id: int
    track_id: int
    path: bytes
    path_now: bytes | None  # of its track, which may have moved
    digest: str
    way_back: bytes
    before: FileStamp  # without an inode: it was the old file's
    after: FileStamp


@dataclass(frozen=True, slots=True)
class PendingReplacement:
    """A copy that was about to take its file's place when the process ended."""

    write_id: int
    path: bytes
    temporary: bytes
    after: FileStamp


# --- replacing files ------------------------------------------------------------------------------


def add_folders(connection: sqlite3.Connection, folders: Iterable[bytes]) -> None:
    """Record folders before copies are made in them, so that a crash leaves none unnoticed."""
    connection.executemany("INSERT OR IGNORE INTO tag_folders (folder) VALUES (?)", ((folder,) for folder in folders))


def list_folders(connection: sqlite3.Connection) -> list[bytes]:
    """Return the folders in which copies may have been left behind."""
    return fetch_column(connection, "SELECT folder FROM tag_folders")


def clear_folders(connection: sqlite3.Connection) -> None:
    """Delete the record of folders, after they have been cleaned up."""
    connection.execute("DELETE FROM tag_folders")


def prepare_writes(
    connection: sqlite3.Connection, operation_id: int, writes: Sequence[TagWrite], now: float
) -> list[int]:
    """Record writes before their copies take the files' places. Returns the write_id of each."""
    ids = []
    for write in writes:
        row = {
            "operation_id": operation_id, "track_id": write.track_id, "path": write.path, "state": "prepared",
            "changes": json.dumps(write.changes, ensure_ascii=False), "digest": write.digest,
            "way_back": write.way_back, "size_before": write.before.size, "mtime_before": write.before.mtime_ns,
            "size_after": write.after.size, "mtime_after": write.after.mtime_ns,
            "inode_after": write.after.inode, "at": iso(now),
        }  # fmt: skip
        ids.append(insert(connection, "tag_writes", row))
        _add_pending(connection, ids[-1], False, write)
    return ids


def prepare_undos(connection: sqlite3.Connection, copies: Iterable[tuple[int, PreparedCopy]]) -> None:
    """Record copies of the state before, by write_id, before they take the files' places."""
    for write_id, copy in copies:
        _add_pending(connection, write_id, True, copy)


def _add_pending(connection: sqlite3.Connection, write_id: int, back: bool, copy: PreparedCopy) -> None:
    row = {
        "write_id": write_id, "back": back, "path": copy.path, "temporary": copy.temporary,
        "size": copy.after.size, "mtime_ns": copy.after.mtime_ns, "inode": copy.after.inode,
        "tags": tags_json.encode(copy.tags),
    }  # fmt: skip
    insert(connection, "tag_pending", row)


def record_replaced(connection: sqlite3.Connection, write_ids: Iterable[int], now: float) -> None:
    """Record that these copies have taken their files' places, in the journal and in `tracks`. The
    new stamps and tags keep the next scan from taking the files for changed."""
    for write_id in write_ids:
        back, size, mtime_ns, inode, tags, track_id = connection.execute(
            "SELECT back, size, mtime_ns, inode, tags, track_id FROM tag_pending JOIN tag_writes USING (write_id)"
            " WHERE write_id = ?",
            (write_id,),
        ).fetchone()
        connection.execute(
            "UPDATE tracks SET size = ?, mtime_ns = ?, inode = ?, tags = ? WHERE track_id = ?",
            (size, mtime_ns, inode, tags, track_id),
        )
        connection.execute(
            "UPDATE tag_writes SET state = ?, undone_at = ? WHERE write_id = ?",
            ("undone" if back else "written", iso(now) if back else None, write_id),
        )
        # After an undo the file is what the write before this one left, but has another inode.
        if back:
            connection.execute(
                "UPDATE tag_writes SET inode_after = ? WHERE track_id = ? AND state = 'written' AND size_after = ?"
                " AND mtime_after = ?",
                (inode, track_id, size, mtime_ns),
            )
        connection.execute("DELETE FROM tag_pending WHERE write_id = ?", (write_id,))


def discard(connection: sqlite3.Connection, write_ids: Iterable[int]) -> None:
    """Delete the record of copies that will not take their files' places."""
    for write_id in write_ids:
        connection.execute("DELETE FROM tag_pending WHERE write_id = ?", (write_id,))
        connection.execute("DELETE FROM tag_writes WHERE write_id = ? AND state = 'prepared'", (write_id,))


def list_pending(connection: sqlite3.Connection) -> list[PendingReplacement]:
    """Return the replacements that an earlier process was about to make when it ended."""
    rows = connection.execute("SELECT write_id, path, temporary, size, mtime_ns, inode FROM tag_pending")
    return [
        PendingReplacement(write_id, path, temporary, FileStamp(*stamp)) for write_id, path, temporary, *stamp in rows
    ]


# --- reading the journal --------------------------------------------------------------------------


def count_writes(connection: sqlite3.Connection, operation_id: int, state: str = "written") -> int:
    """Return how many writes of an operation are in a state: prepared, written or undone."""
    sql = "SELECT count(*) FROM tag_writes WHERE operation_id = ? AND state = ?"
    return int(fetch_value(connection, sql, operation_id, state))


def has_undoable_writes(connection: sqlite3.Connection, operation_id: int) -> bool:
    """Whether an operation has writes that were not undone, including those that a crash cut
    off."""
    sql = "SELECT EXISTS (SELECT 1 FROM tag_writes WHERE operation_id = ? AND state != 'undone')"
    return bool(fetch_value(connection, sql, operation_id))


def list_undoable(connection: sqlite3.Connection, operation_id: int, after: int, limit: int) -> list[JournalEntry]:
    """Return the writes of an operation that were not undone, the latest first. `after` is the last
    write_id of the page before, or 0 for the first page."""
    rows = connection.execute(
        "SELECT write_id, operation_id, track_id, w.path, t.path, digest, way_back, size_before, mtime_before,"
        " size_after, mtime_after, inode_after FROM tag_writes AS w JOIN tracks AS t USING (track_id)"
        " WHERE operation_id = ? AND state = 'written' AND write_id < ? ORDER BY write_id DESC LIMIT ?",
        (operation_id, after or 1 << 62, limit),
    )
    found = []
    for row in rows:
        write_id, written_by, track_id, path, path_now, digest, way_back, *stamps = row
        old, new = FileStamp(stamps[0], stamps[1], 0), FileStamp(*stamps[2:])
        found.append(JournalEntry(write_id, written_by, track_id, path, path_now, digest, way_back, old, new))
    return found


def find_later_operation(connection: sqlite3.Connection, write_id: int) -> int | None:
    """Return the last operation that wrote the same file after this write; None when none did."""
    found: int | None = fetch_value(
        connection,
        "SELECT later.operation_id FROM tag_writes AS one JOIN tag_writes AS later USING (track_id)"
        " WHERE one.write_id = ? AND later.write_id > one.write_id AND later.state = 'written'"
        " ORDER BY later.write_id DESC LIMIT 1",
        write_id,
    )
    return found


def list_operations(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Return the operations that wrote tags, the latest first: `operation`, `at` (ISO 8601),
    `written` and `undone` (files), `bytes` (of undo data)."""
    return fetch_dicts(
        connection,
        "SELECT operation_id AS operation, min(at) AS at, sum(state != 'undone') AS written,"
        " sum(state = 'undone') AS undone, sum(length(way_back)) AS bytes FROM tag_writes"
        " GROUP BY operation_id ORDER BY operation_id DESC LIMIT ?",
        limit,
    )


def prune(connection: sqlite3.Connection, before: float) -> int:
    """Delete writes older than `before` (epoch seconds), without undo then. Returns how many."""
    return connection.execute(
        "DELETE FROM tag_writes WHERE at < ? AND write_id NOT IN (SELECT write_id FROM tag_pending)", (iso(before),)
    ).rowcount
