"""Tracks: what the library says of them, what is known of each, and what was made of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from soulspot.models import (
    Entity,
    FileStamp,
    LookupState,
    PersonDecision,
    Query,
    ScannedFile,
    TrackLookup,
    TrackOutcome,
    TrackState,
    TrackTags,
    Verdict,
)
from soulspot.store import album_turns, albums, enriched, queue, tags_json
from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class ImportedTrack:
    """A track without a file. `key` is the importer's own: the same key again updates its row.

    Without key, rows of equal tags and `group` are one track."""

    key: str | None
    tags: TrackTags
    group: str | None = None


def next_scan_id(connection: sqlite3.Connection) -> int:
    """A number for a new scan, greater than every earlier one."""
    connection.execute(
        "INSERT INTO counters (name, value) VALUES ('scans', 1) ON CONFLICT DO UPDATE SET value = value + 1"
    )
    return int(connection.execute("SELECT value FROM counters WHERE name = 'scans'").fetchone()[0])


def known_stamps(connection: sqlite3.Connection, paths: Iterable[bytes]) -> dict[bytes, FileStamp]:
    """The stamps of those of these paths that are known and have not vanished."""
    found = {}
    for path in paths:
        row = connection.execute(
            "SELECT size, mtime_ns, inode FROM tracks WHERE path = ? AND vanished_at IS NULL", (path,)
        ).fetchone()
        if row:
            found[path] = FileStamp(*row)
    return found


def mark_seen(connection: sqlite3.Connection, paths: Iterable[bytes], scan_id: int) -> None:
    """Note that this scan saw these files unchanged."""
    connection.executemany(
        # the latest scan that saw it: one that began earlier may still be under way
        "UPDATE tracks SET scan_id = max(scan_id, ?) WHERE path = ?",
        ((scan_id, path) for path in paths),
    )


def save_scanned(
    connection: sqlite3.Connection,
    files: Iterable[ScannedFile],
    scan_id: int,
    now: float,
    *,
    exists: Callable[[bytes], bool],
) -> list[int]:
    """Insert or update what was read; a file that moved keeps its track. Returns the tracks to decide anew.

    `exists` tells whether a path is still there: a row is taken over only from a path that is not."""
    changed = []
    for file in files:
        track_id = _row_of(connection, file, exists)
        tags = tags_json.encode(file.tags or TrackTags())
        stamp = (file.stamp.size, file.stamp.mtime_ns, file.stamp.inode)
        if track_id is None:
            made = connection.execute(
                "INSERT INTO tracks (path, size, mtime_ns, inode, tags, unreadable, scan_id, added_at, changed_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (file.path, *stamp, tags, file.unreadable, scan_id, iso(now), iso(now)),
            )
            assert made.lastrowid is not None
            changed.append(made.lastrowid)
            continue
        before = connection.execute(
            "SELECT tags, unreadable FROM tracks WHERE track_id = ?", (track_id,)
        ).fetchone()
        connection.execute(
            "UPDATE tracks SET path = ?, size = ?, mtime_ns = ?, inode = ?, tags = ?, unreadable = ?,"
            " scan_id = max(scan_id, ?),"
            " changed_at = ?, vanished_at = NULL, undecided = 1 WHERE track_id = ?",
            (file.path, *stamp, tags, file.unreadable, scan_id, iso(now), track_id),
        )
        if before != (tags, file.unreadable):
            unlink_lookups(connection, track_id)
        changed.append(track_id)
    return changed


def _row_of(connection: sqlite3.Connection, file: ScannedFile, exists: Callable[[bytes], bool]) -> int | None:
    """The track of this path, or of the file that was moved to it."""
    row = connection.execute("SELECT track_id FROM tracks WHERE path = ?", (file.path,)).fetchone()
    if row:
        return int(row[0])
    tags = tags_json.encode(file.tags or TrackTags())
    moved = connection.execute(
        "SELECT track_id, path FROM tracks WHERE size = ? AND mtime_ns = ? AND path IS NOT NULL"
        " AND (inode = ? OR tags = ?) ORDER BY inode = ? DESC, track_id",
        (file.stamp.size, file.stamp.mtime_ns, file.stamp.inode, tags, file.stamp.inode),
    )
    return next((int(track_id) for track_id, path in moved.fetchall() if not exists(path)), None)


def unlink_lookups(connection: sqlite3.Connection, track_id: int) -> None:
    """Forget which lookups served this track, because what it asks has changed. The answers stay for others."""
    connection.execute("DELETE FROM track_lookups WHERE track_id = ?", (track_id,))
    connection.execute("UPDATE enriched_tracks SET status = 'pending' WHERE track_id = ?", (track_id,))
    connection.execute("UPDATE tracks SET spotify_stage = 0 WHERE track_id = ?", (track_id,))


def mark_vanished(
    connection: sqlite3.Connection,
    roots: Iterable[bytes],
    scan_id: int,
    now: float,
    *,
    gone: Callable[[bytes], bool],
) -> int:
    """Mark the files under these roots that this scan did not see and that `gone` confirms; nothing is deleted.

    Returns how many."""
    count = 0
    for root in roots:
        folder = root.rstrip(b"/") + b"/"
        unseen = connection.execute(
            "SELECT track_id, path FROM tracks WHERE vanished_at IS NULL AND scan_id < ?"
            " AND (path = ? OR (path >= ? AND path < ?))",
            (scan_id, root, folder, folder[:-1] + b"0"),
        ).fetchall()
        vanished = [(iso(now), track_id) for track_id, path in unseen if gone(path)]
        connection.executemany("UPDATE tracks SET vanished_at = ? WHERE track_id = ?", vanished)
        album_turns.wake_albums_of(connection, [track_id for _, track_id in vanished])
        count += len(vanished)
    return count


def save_imported(
    connection: sqlite3.Connection, rows: Iterable[ImportedTrack], now: float
) -> tuple[list[int], list[int]]:
    """The same. Returns the track of each row, in order, and the tracks to decide anew."""
    ids, changed = [], []
    for row in rows:
        tags = tags_json.encode(row.tags)
        folded = tags if row.group is None else f"{tags}\n{row.group}"
        column, key = ("source_key", row.key) if row.key is not None else ("fold_key", folded)
        before = connection.execute(
            f"SELECT track_id, tags FROM tracks WHERE {column} = ?", (key,)
        ).fetchone()
        if before is None:
            made = connection.execute(
                f"INSERT INTO tracks ({column}, tags, added_at, changed_at) VALUES (?, ?, ?, ?)",
                (key, tags, iso(now), iso(now)),
            )
            assert made.lastrowid is not None
            ids.append(made.lastrowid)
            changed.append(made.lastrowid)
            continue
        ids.append(before[0])
        if before[1] != tags:
            connection.execute(
                "UPDATE tracks SET tags = ?, changed_at = ?, undecided = 1 WHERE track_id = ?",
                (tags, iso(now), before[0]),
            )
            unlink_lookups(connection, before[0])
            changed.append(before[0])
    return ids, changed


def mark_undecided(connection: sqlite3.Connection, track_ids: Iterable[int]) -> None:
    """Note that these tracks are to be decided anew."""
    connection.executemany(
        "UPDATE tracks SET undecided = 1 WHERE track_id = ?", ((one,) for one in track_ids)
    )


def record_rules(connection: sqlite3.Connection, fingerprint: str, now: float) -> bool:
    """Note by which rules tracks are decided from now on. Returns whether they were others before: then every track
    is to be decided anew."""
    row = connection.execute("SELECT value FROM provider_state WHERE key = 'rules'").fetchone()
    connection.execute(
        "INSERT INTO provider_state (key, provider, value, updated_at) VALUES ('rules', '', ?, ?)"
        " ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        (json.dumps({"fingerprint": fingerprint}), iso(now)),
    )
    changed = row is not None and json.loads(row[0]) != {"fingerprint": fingerprint}
    if changed:
        connection.execute("UPDATE tracks SET undecided = 1, spotify_stage = 0 WHERE unreadable IS NULL")
        connection.execute("DELETE FROM album_finds")
    return changed


def list_undecided(connection: sqlite3.Connection, limit: int) -> list[int]:
    """Tracks that have come in, or changed, and were not decided since."""
    found = connection.execute(
        "SELECT track_id FROM tracks WHERE undecided ORDER BY track_id LIMIT ?", (limit,)
    )
    return [track_id for (track_id,) in found]


def load_states(connection: sqlite3.Connection, track_ids: Sequence[int]) -> list[TrackState]:
    """All that is known of these tracks, in the order of track_id."""
    wanted = json.dumps(list(track_ids))
    asked = _asked(connection, wanted)
    rows = enriched.load(connection, track_ids)
    groups = albums.load_groups(connection, wanted)
    on_spotify = _on_spotify(connection, asked)
    decisions: dict[int, list[PersonDecision]] = {}
    for track_id, provider, entity_id, verdict, by, at, reason in connection.execute(
        "SELECT track_id, provider, entity_id, verdict, by, at, reason FROM decisions"
        " WHERE track_id IN (SELECT value FROM json_each(?)) ORDER BY at",
        (wanted,),
    ):
        one = PersonDecision(provider, entity_id, Verdict(verdict), by, at, reason)
        decisions.setdefault(track_id, []).append(one)
    return [
        TrackState(
            track_id, path, source_key, tags_json.decode(tags), unreadable,
            asked.get(track_id, {}), tuple(decisions.get(track_id, ())), rows.get(track_id), groups.get(track_id),
            on_spotify.get(track_id, frozenset()),
        )
        for track_id, path, source_key, tags, unreadable in connection.execute(
            "SELECT track_id, path, source_key, tags, unreadable FROM tracks"
            " WHERE track_id IN (SELECT value FROM json_each(?)) ORDER BY track_id",
            (wanted,),
        )
    ]  # fmt: skip


def _asked(connection: sqlite3.Connection, wanted: str) -> dict[int, dict[tuple[str, str, str], TrackLookup]]:
    """The lookups of these tracks with the facts that answered them; a shared lookup is read once."""
    lookups: dict[int, TrackLookup] = {}
    facts: dict[tuple[str, str, str], Entity | None] = {}
    for lookup_id, provider, kind, terms, hint, state, answered_at, error, answer in connection.execute(
        "SELECT lookup_id, provider, kind, query, hint, state, answered_at, last_error, answer FROM lookups"
        " WHERE lookup_id IN (SELECT lookup_id FROM track_lookups WHERE track_id IN (SELECT value FROM json_each(?)))",
        (wanted,),
    ):
        refs = [(ref[0], ref[1], ref[2]) for ref in json.loads(answer)]
        for ref in refs:
            if ref not in facts:
                facts[ref] = _fact(connection, ref)
        entities = tuple(entity for entity in (facts[ref] for ref in refs) if entity is not None)
        query = Query.of(provider, kind, json.loads(hint), **json.loads(terms))
        lookups[lookup_id] = TrackLookup(query, LookupState(state), answered_at is not None, entities, error)
    by_track: dict[int, dict[tuple[str, str, str], TrackLookup]] = {}
    for track_id, lookup_id in connection.execute(
        "SELECT track_id, lookup_id FROM track_lookups WHERE track_id IN (SELECT value FROM json_each(?))"
        " ORDER BY track_id, lookup_id",
        (wanted,),
    ):
        one = lookups[lookup_id]
        by_track.setdefault(track_id, {})[(one.query.provider, one.query.kind, one.query.key)] = one
    return by_track


def _on_spotify(
    connection: sqlite3.Connection, asked: Mapping[int, Mapping[tuple[str, str, str], TrackLookup]]
) -> dict[int, frozenset[str]]:
    """Of the Spotify tracks that sources link to these tracks, those that some answer has described, by track_id."""
    linked = {
        track_id: {
            link
            for one in answers.values()
            for entity in one.entities
            for link in entity.fields.get("spotify_track_ids", ())
        }
        for track_id, answers in asked.items()
    }
    described = {
        entity_id
        for (entity_id,) in connection.execute(
            "SELECT entity_id FROM facts WHERE provider = 'spotify' AND kind = 'track'"
            " AND entity_id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(set().union(*linked.values()))),),
        )
    }
    return {track_id: frozenset(links & described) for track_id, links in linked.items()}


def _fact(connection: sqlite3.Connection, ref: tuple[str, str, str]) -> Entity | None:
    row = connection.execute(
        "SELECT fields FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?", ref
    ).fetchone()
    return Entity(*ref, fields=json.loads(row[0])) if row else None


def save_outcomes(connection: sqlite3.Connection, outcomes: Sequence[TrackOutcome], now: float) -> set[int]:
    """Write rows and candidates and queue what is still wanted. Returns the tracks to decide anew at once,
    because a lookup they now share was answered before, or because they waited for another track of their album."""
    enriched.save(connection, (outcome.row for outcome in outcomes), now)
    connection.executemany(
        "UPDATE tracks SET undecided = 0 WHERE track_id = ? AND undecided",
        ((one.row.track_id,) for one in outcomes),
    )
    connection.executemany(
        "INSERT INTO events (kind, payload, created_at) VALUES (?, ?, ?)",
        (
            (f"track.{outcome.row.status}", json.dumps({"track_id": outcome.row.track_id}), iso(now))
            for outcome in outcomes
            if outcome.is_news
        ),
    )
    for outcome in outcomes:
        track_id = outcome.row.track_id
        connection.execute("DELETE FROM candidates WHERE track_id = ?", (track_id,))
        connection.executemany(
            "INSERT OR IGNORE INTO candidates (track_id, provider, entity_id, rank, score, verdict, reasons)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (track_id, one.provider, one.entity_id, rank, one.score, one.verdict.value,
                 json.dumps(one.reasons, ensure_ascii=False))
                for rank, one in enumerate(outcome.candidates)
            ),
        )  # fmt: skip
    wanted = {outcome.row.track_id: outcome.wanted for outcome in outcomes}
    queue.unlink_unwanted(connection, wanted)
    again = queue.enqueue(connection, wanted, now)
    return again | album_turns.record_progress(connection, outcomes)


def save_decision(connection: sqlite3.Connection, track_id: int, decision: PersonDecision) -> None:
    """Record what a person said; the last word on the same candidate counts."""
    connection.execute(
        "INSERT INTO decisions (track_id, provider, entity_id, verdict, by, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET verdict = excluded.verdict, by = excluded.by, at = excluded.at,"
        " reason = excluded.reason",
        (track_id, decision.provider, decision.entity_id, decision.verdict.value, decision.by, decision.at,
         decision.reason),
    )  # fmt: skip


def find_ids_by_path(connection: sqlite3.Connection, paths: Iterable[bytes]) -> dict[bytes, int]:
    """The tracks of those of these paths that are known."""
    rows = (
        (p, connection.execute("SELECT track_id FROM tracks WHERE path = ?", (p,)).fetchone()) for p in paths
    )
    return {path: row[0] for path, row in rows if row}


def unreadable_reasons(connection: sqlite3.Connection, track_ids: Iterable[int]) -> dict[int, str]:
    """Why those of these tracks that cannot be read cannot, by track_id."""
    rows = connection.execute(
        "SELECT track_id, unreadable FROM tracks WHERE unreadable IS NOT NULL"
        " AND track_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(track_ids)),),
    )
    return dict(rows.fetchall())
