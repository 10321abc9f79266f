"""Which covers are on disk, which were not there, and which have not been used for longest."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class CoverRecord:
    """What is known of an address: an image on disk, or (`digest` None) that there was none."""

    digest: str | None
    kind: str | None
    size: int | None


def find(connection: sqlite3.Connection, url: str, now: float) -> CoverRecord | None:
    """What is known of an address; None when it is to be asked."""
    row = connection.execute(
        "SELECT digest, kind, size, missing_until FROM covers WHERE url = ?", (url,)
    ).fetchone()
    if row is None or (row[0] is None and row[3] <= iso(now)):
        return None
    return CoverRecord(row[0], row[1], row[2])


def track_cover_url(connection: sqlite3.Connection, track_id: int) -> str | None:
    """The address of a track's cover."""
    row = connection.execute(
        "SELECT cover_url FROM enriched_tracks WHERE track_id = ?", (track_id,)
    ).fetchone()
    return row[0] if row else None


def mark_used(connection: sqlite3.Connection, url: str, now: float, every: float) -> None:
    """Note that it was used; written at most once in `every` seconds."""
    connection.execute(
        "UPDATE covers SET used_at = ? WHERE url = ? AND used_at < ?", (iso(now), url, iso(now - every))
    )


def save(connection: sqlite3.Connection, url: str, digest: str, kind: str, size: int, now: float) -> None:
    """An image has been fetched."""
    connection.execute(
        "INSERT OR REPLACE INTO covers (url, digest, kind, size, used_at) VALUES (?, ?, ?, ?, ?)",
        (url, digest, kind, size, iso(now)),
    )


def save_missing(connection: sqlite3.Connection, url: str, until: float, now: float) -> None:
    """There is none at this address; it is asked again after `until`."""
    connection.execute(
        "INSERT OR REPLACE INTO covers (url, used_at, missing_until) VALUES (?, ?, ?)",
        (url, iso(now), iso(until)),
    )


def evict(connection: sqlite3.Connection, room: int) -> list[str]:
    """Forget images, those that were not used for longest first, until the rest fits into `room` bytes. Returns their
    digests."""
    images = connection.execute(
        "SELECT digest, max(size), max(used_at) FROM covers WHERE digest IS NOT NULL GROUP BY digest ORDER BY 3"
    ).fetchall()
    total = sum(size for _, size, _ in images)
    gone = []
    for digest, size, _ in images:
        if total <= room:
            break
        connection.execute("DELETE FROM covers WHERE digest = ?", (digest,))
        gone.append(digest)
        total -= size
    return gone
