"""The journal of what was written into tags: what is about to be, what was, and how to take it back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from soulspot.models import FileStamp, TrackTags
from soulspot.store import tags_json
from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class TagWrite:
    """A file whose copy is about to take its place. `changes`: field -> (values before, values after)."""

    track_id: int
    path: bytes
    temporary: bytes
    before: FileStamp
    after: FileStamp
    tags: TrackTags
    changes: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    digest: str
    way_back: bytes


class PreparedCopy(Protocol):
    """A file's copy that is about to take its place."""

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
    """One entry of the journal."""

    write_id: int
    operation_id: int
    track_id: int
    path: bytes
    path_now: bytes | None  # of its track, if it has moved
    digest: str
    way_back: bytes
    before: FileStamp
    after: FileStamp


@dataclass(frozen=True, slots=True)
class PendingReplacement:
    """A copy that was about to take its file's place when the process ended."""

    write_id: int
    path: bytes
    temporary: bytes
    after: FileStamp


# --- a file is replaced -------------------------------------------------------------------------------------------


def add_folders(connection: sqlite3.Connection, folders: Iterable[bytes]) -> None:
    """Note where copies are about to be made."""
    connection.executemany(
        "INSERT OR IGNORE INTO tag_folders (folder) VALUES (?)", ((one,) for one in folders)
    )


def list_folders(connection: sqlite3.Connection) -> list[bytes]:
    """Where copies may have been left behind."""
    return [folder for (folder,) in connection.execute("SELECT folder FROM tag_folders")]


def clear_folders(connection: sqlite3.Connection) -> None:
    """No copy is left anywhere."""
    connection.execute("DELETE FROM tag_folders")


def prepare_writes(
    connection: sqlite3.Connection, operation_id: int, writes: Sequence[TagWrite], now: float
) -> list[int]:
    """Note copies before they take their files' places. Returns the number of each entry."""
    ids = []
    for one in writes:
        made = connection.execute(
            "INSERT INTO tag_writes (operation_id, track_id, path, state, changes, digest, way_back, size_before,"
            " mtime_before, size_after, mtime_after, inode_after, at)"
            " VALUES (?, ?, ?, 'prepared', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (operation_id, one.track_id, one.path, json.dumps(one.changes, ensure_ascii=False), one.digest,
             one.way_back, one.before.size, one.before.mtime_ns, one.after.size, one.after.mtime_ns,
             one.after.inode, iso(now)),
        )  # fmt: skip
        assert made.lastrowid is not None
        ids.append(made.lastrowid)
        _pend(connection, made.lastrowid, False, one)
    return ids


def prepare_undos(connection: sqlite3.Connection, backs: Iterable[tuple[int, PreparedCopy]]) -> None:
    """The same for copies as the files were before."""
    for write_id, one in backs:
        _pend(connection, write_id, True, one)


def _pend(connection: sqlite3.Connection, write_id: int, back: bool, copy: PreparedCopy) -> None:
    stamp = copy.after
    connection.execute(
        "INSERT INTO tag_pending (write_id, back, path, temporary, size, mtime_ns, inode, tags)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            write_id,
            back,
            copy.path,
            copy.temporary,
            stamp.size,
            stamp.mtime_ns,
            stamp.inode,
            tags_json.encode(copy.tags),
        ),
    )


def record_replaced(connection: sqlite3.Connection, write_ids: Iterable[int], now: float) -> None:
    """These copies have taken their files' places: the journal says so, and the library knows the files as they are now,
    so that a scan finds nothing that somebody has changed."""
    for write_id in write_ids:
        row = connection.execute(
            "SELECT back, size, mtime_ns, inode, tags, track_id FROM tag_pending JOIN tag_writes USING (write_id)"
            " WHERE write_id = ?",
            (write_id,),
        ).fetchone()
        back, size, mtime_ns, inode, tags, track_id = row
        connection.execute(
            "UPDATE tracks SET size = ?, mtime_ns = ?, inode = ?, tags = ? WHERE track_id = ?",
            (size, mtime_ns, inode, tags, track_id),
        )
        connection.execute(
            "UPDATE tag_writes SET state = ?, undone_at = ? WHERE write_id = ?",
            ("undone" if back else "written", iso(now) if back else None, write_id),
        )
        if back:  # the file is what the entry before left, under another inode
            connection.execute(
                "UPDATE tag_writes SET inode_after = ? WHERE track_id = ? AND state = 'written' AND size_after = ?"
                " AND mtime_after = ?",
                (inode, track_id, size, mtime_ns),
            )
        connection.execute("DELETE FROM tag_pending WHERE write_id = ?", (write_id,))


def discard(connection: sqlite3.Connection, write_ids: Iterable[int]) -> None:
    """These copies have not taken their files' places, and will not."""
    for write_id in write_ids:
        connection.execute("DELETE FROM tag_pending WHERE write_id = ?", (write_id,))
        connection.execute("DELETE FROM tag_writes WHERE write_id = ? AND state = 'prepared'", (write_id,))


def list_pending(connection: sqlite3.Connection) -> list[PendingReplacement]:
    """What was about to be replaced when an earlier process ended."""
    rows = connection.execute("SELECT write_id, path, temporary, size, mtime_ns, inode FROM tag_pending")
    return [PendingReplacement(row[0], row[1], row[2], FileStamp(*row[3:])) for row in rows]


# --- what was written ---------------------------------------------------------------------------------------------


def count_writes(connection: sqlite3.Connection, operation_id: int, state: str = "written") -> int:
    """How many files an operation has written, or has been taken back of."""
    found = connection.execute(
        "SELECT count(*) FROM tag_writes WHERE operation_id = ? AND state = ?", (operation_id, state)
    ).fetchone()
    return int(found[0])


def has_undoable_writes(connection: sqlite3.Connection, operation_id: int) -> bool:
    """Whether an operation has written anything that was not taken back, or was killed while it did."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM tag_writes WHERE operation_id = ? AND state != 'undone')",
        (operation_id,),
    ).fetchone()
    return bool(found[0])


def list_undoable(
    connection: sqlite3.Connection, operation_id: int, after: int, limit: int
) -> list[JournalEntry]:
    """What an operation wrote and was not taken back, the latest first; `after` is the last write_id seen, or 0."""
    rows = connection.execute(
        "SELECT write_id, operation_id, track_id, w.path, t.path, digest, way_back, size_before, mtime_before,"
        " size_after, mtime_after, inode_after FROM tag_writes AS w JOIN tracks AS t USING (track_id)"
        " WHERE operation_id = ? AND state = 'written' AND write_id < ? ORDER BY write_id DESC LIMIT ?",
        (operation_id, after or 1 << 62, limit),
    )
    return [
        JournalEntry(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            row[5],
            row[6],
            FileStamp(row[7], row[8], 0),
            FileStamp(*row[9:]),
        )
        for row in rows
    ]


def find_later_operation(connection: sqlite3.Connection, write_id: int) -> int | None:
    """The operation that has written the same file after this entry; None when none has."""
    found = connection.execute(
        "SELECT later.operation_id FROM tag_writes AS one JOIN tag_writes AS later USING (track_id)"
        " WHERE one.write_id = ? AND later.write_id > one.write_id AND later.state = 'written'"
        " ORDER BY later.write_id DESC LIMIT 1",
        (write_id,),
    ).fetchone()
    return int(found[0]) if found else None


def list_operations(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The operations that wrote tags, the latest first: operation, when, files that can be taken back, files that were."""
    cursor = connection.execute(
        "SELECT operation_id AS operation, min(at) AS at, sum(state != 'undone') AS written,"
        " sum(state = 'undone') AS undone, sum(length(way_back)) AS bytes FROM tag_writes"
        " GROUP BY operation_id ORDER BY operation_id DESC LIMIT ?",
        (limit,),
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def prune(connection: sqlite3.Connection, before: float) -> int:
    """Forget entries that are older than `before` (epoch seconds): they cannot be taken back any more."""
    return connection.execute(
        "DELETE FROM tag_writes WHERE at < ? AND write_id NOT IN (SELECT write_id FROM tag_pending)",
        (iso(before),),
    ).rowcount
