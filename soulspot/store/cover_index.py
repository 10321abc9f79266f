"""Index of the cover cache: images on disk, missing covers, and when each was last used."""

import sqlite3
from dataclasses import dataclass

from soulspot.store.sql import fetch_value
from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class CoverRecord:
    """An image on disk, or with `digest` None a cover that its server does not have."""

    digest: str | None  # SHA-256 of the image
    kind: str | None  # media type
    size: int | None  # bytes


def find(connection: sqlite3.Connection, url: str, now: float) -> CoverRecord | None:
    """Return the record of a cover's address; None when the cover is to be fetched."""
    row = connection.execute(
        "SELECT digest, kind, size, missing_until, used_at FROM covers WHERE url = ?", (url,)
    ).fetchone()
    # A miss of the future was recorded by a clock that ran ahead: its end cannot be believed.
    if row is None or (row[0] is None and (row[3] <= iso(now) or row[4] > iso(now))):
        return None
    return CoverRecord(*row[:3])


def track_cover_url(connection: sqlite3.Connection, track_id: int) -> str | None:
    """Return the address of a track's cover; None for a track without one."""
    url: str | None = fetch_value(connection, "SELECT cover_url FROM enriched_tracks WHERE track_id = ?", track_id)
    return url


def mark_used(connection: sqlite3.Connection, url: str, now: float, every: float) -> None:
    """Note that a cover was used now, unless that was noted in the last `every` seconds."""
    connection.execute("UPDATE covers SET used_at = ? WHERE url = ? AND used_at < ?", (iso(now), url, iso(now - every)))


def save(connection: sqlite3.Connection, url: str, digest: str, kind: str, size: int, now: float) -> None:
    """Record a fetched image by its address."""
    connection.execute(
        "INSERT OR REPLACE INTO covers (url, digest, kind, size, used_at) VALUES (?, ?, ?, ?, ?)",
        (url, digest, kind, size, iso(now)),
    )


def save_missing(connection: sqlite3.Connection, url: str, until: float, now: float) -> None:
    """Record that an address has no image: it is not tried before `until` (epoch seconds)."""
    connection.execute(
        "INSERT OR REPLACE INTO covers (url, used_at, missing_until) VALUES (?, ?, ?)", (url, iso(now), iso(until))
    )


def evict(connection: sqlite3.Connection, room: int) -> list[str]:
    """Delete records of the least recently used images until the rest fits into `room` bytes.
    Returns the digests of those images: their files can be deleted."""
    # Several addresses may lead to the same image: it is as recently used as the latest of them.
    images = connection.execute(
        "SELECT digest, max(size), max(used_at) FROM covers WHERE digest IS NOT NULL GROUP BY digest ORDER BY 3"
    ).fetchall()
    total = sum(size for _, size, _ in images)
    evicted = []
    for digest, size, _ in images:
        if total <= room:
            break
        connection.execute("DELETE FROM covers WHERE digest = ?", (digest,))
        evicted.append(digest)
        total -= size
    return evicted
