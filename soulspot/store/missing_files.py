"""Files that a scan did not find, the questions to a person about them, and the library's disks."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.store.sql import AT_OR_BELOW, fetch_column, fetch_dicts, fetch_value, path_bounds, upsert
from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class Question:
    """Whether `tracks` of the `known` files at `place` were deleted. `reason` says why that is not
    simply believed."""

    place: bytes
    tracks: int
    known: int
    reason: str
    scan_id: int  # of the last scan that did not find them

    def __str__(self) -> str:
        return question_text(self.place, self.tracks, self.known, self.reason)


def question_text(place: bytes, tracks: int, known: int, reason: str) -> str:
    """Return a question in words for people, with what to do."""
    return (
        f"{tracks} of {known} files in {place.decode('utf-8', 'backslashreplace')} are missing: {reason}."
        " They are kept. Mount the disk or bring them back, then run `soulspot scan`;"
        " if they were deleted on purpose, run `soulspot scan --confirm-vanished`"
    )


def list_unseen(connection: sqlite3.Connection, place: bytes, scan_id: int) -> list[tuple[bytes, int]]:
    """Return the known files at or below `place` that no scan from this one on has seen, each with
    the last scan that did."""
    return connection.execute(
        f"SELECT path, scan_id FROM tracks WHERE vanished_at IS NULL AND scan_id < ? AND {AT_OR_BELOW}",
        (scan_id, *path_bounds(place)),
    ).fetchall()


def has_seen_any(connection: sqlite3.Connection, folder: bytes, scan_id: int) -> bool:
    """Whether this scan, or a later one, has seen a file below the folder."""
    sql = f"SELECT 1 FROM tracks WHERE scan_id >= ? AND vanished_at IS NULL AND {AT_OR_BELOW} LIMIT 1"
    return fetch_value(connection, sql, scan_id, *path_bounds(folder)) is not None


def list_questions(connection: sqlite3.Connection) -> list[Question]:
    """Return the open questions, by place."""
    sql = "SELECT place, tracks, known, reason, scan_id FROM missing_files ORDER BY place"
    return [Question(*row) for row in connection.execute(sql)]


def replace_questions(
    connection: sqlite3.Connection, settled: Iterable[bytes], asked: Sequence[Question], now: float
) -> list[Question]:
    """Close the questions about the places in `settled`, ask those in `asked`, and return those
    that are new or whose counts have changed."""
    before = {one.place: one for one in list_questions(connection)}
    places = {one.place for one in asked}
    connection.executemany("DELETE FROM missing_files WHERE place = ?", ((p,) for p in settled if p not in places))
    news = []
    for one in asked:
        known = before.get(one.place)
        is_news = known is None or (known.tracks, known.reason) != (one.tracks, one.reason)
        row: dict[str, Any] = {
            "tracks": one.tracks, "known": one.known, "reason": one.reason, "scan_id": one.scan_id,
        }  # fmt: skip
        if is_news:
            row["asked_at"] = iso(now)
            news.append(one)
        else:
            row["asked_at"] = fetch_value(connection, "SELECT asked_at FROM missing_files WHERE place = ?", one.place)
        upsert(connection, "missing_files", {"place": one.place}, row)
    return news


def questions_as_json(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return the open questions as `status` shows them: `place` `tracks` `known` `reason`
    `asked_at`, and `question`, all of it in words."""
    # A database that an older SoulSpot wrote, and that is only read, has no such table.
    if not fetch_value(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'missing_files'"):
        return []
    rows = fetch_dicts(connection, "SELECT place, tracks, known, reason, asked_at FROM missing_files ORDER BY place")
    return [
        {**row, "place": row["place"].decode("utf-8", "backslashreplace"),
         "question": question_text(row["place"], row["tracks"], row["known"], row["reason"])}
        for row in rows
    ]  # fmt: skip


def list_mounts(connection: sqlite3.Connection) -> set[bytes]:
    """Return the folders that earlier scans found to be disks of their own."""
    return set(fetch_column(connection, "SELECT path FROM library_mounts"))


def save_mounts(connection: sqlite3.Connection, mounted: Iterable[bytes], forgotten: Iterable[bytes]) -> None:
    """Remember folders that are disks of their own, and forget some that are no more."""
    connection.executemany("INSERT OR IGNORE INTO library_mounts VALUES (?)", ((path,) for path in mounted))
    connection.executemany("DELETE FROM library_mounts WHERE path = ?", ((path,) for path in forgotten))
