"""Tracks: what the library says of each, all that is known of it, and what was decided about it."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from soulspot.matching import music_path
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
from soulspot.store import album_turns, albums, enriched, facts, queue, tags_json
from soulspot.store.named_places import beginnings
from soulspot.store.sql import AT_OR_BELOW, IN_ARRAY, fetch_column, fetch_value, insert, path_bounds, to_array, upsert
from soulspot.store.times import iso

LookupKey = tuple[str, str, str]  # (provider, kind, query key)


@dataclass(frozen=True, slots=True)
class ImportedTrack:
    """A track without a file."""

    key: str | None  # the importer's own: the same key again updates its row
    tags: TrackTags
    group: str | None = None  # without a key, rows of equal tags and group are one track


def next_scan_id(connection: sqlite3.Connection) -> int:
    """Return the id for a new scan, greater than every earlier one."""
    connection.execute(
        "INSERT INTO counters (name, value) VALUES ('scans', 1) ON CONFLICT DO UPDATE SET value = value + 1"
    )
    return int(fetch_value(connection, "SELECT value FROM counters WHERE name = 'scans'"))


def known_stamps(connection: sqlite3.Connection, paths: Iterable[bytes]) -> dict[bytes, FileStamp]:
    """Return the stamps of those of these files that are known and have not vanished."""
    found = {}
    for path in paths:
        row = connection.execute(
            "SELECT size, mtime_ns, inode FROM tracks WHERE path = ? AND vanished_at IS NULL", (path,)
        ).fetchone()
        if row:
            found[path] = FileStamp(*row)
    return found


def mark_seen(connection: sqlite3.Connection, paths: Iterable[bytes], scan_id: int) -> None:
    """Record that a scan saw these files unchanged."""
    # max(): a scan that began earlier may still be under way.
    connection.executemany(
        "UPDATE tracks SET scan_id = max(scan_id, ?) WHERE path = ?", ((scan_id, path) for path in paths)
    )


def save_scanned(
    connection: sqlite3.Connection, files: Iterable[ScannedFile], scan_id: int, now: float, *,
    exists: Callable[[bytes], bool],
) -> list[int]:  # fmt: skip
    """Insert or update the tracks of these files. Returns the tracks to decide anew. A moved file
    keeps its track: a known file of the same stamp is gone, as `exists(path)` tells."""
    changed = []
    for file in files:
        tags = tags_json.encode(file.tags or TrackTags())
        track_id = _find_track(connection, file, tags, exists)
        stamp = {
            "path": file.path, "size": file.stamp.size, "mtime_ns": file.stamp.mtime_ns, "inode": file.stamp.inode,
            "tags": tags, "unreadable": file.unreadable,
        }  # fmt: skip
        if track_id is None:
            row = {**stamp, "scan_id": scan_id, "added_at": iso(now), "changed_at": iso(now)}
            changed.append(insert(connection, "tracks", row))
            continue
        before = connection.execute("SELECT tags, unreadable FROM tracks WHERE track_id = ?", (track_id,)).fetchone()
        connection.execute(
            f"UPDATE tracks SET {', '.join(f'{name} = ?' for name in stamp)}, scan_id = max(scan_id, ?),"
            " changed_at = ?, vanished_at = NULL, undecided = 1, has_result = 0 WHERE track_id = ?",
            (*stamp.values(), scan_id, iso(now), track_id),
        )
        if before != (tags, file.unreadable):
            unlink_lookups(connection, track_id)
        changed.append(track_id)
    return changed


def _find_track(
    connection: sqlite3.Connection, file: ScannedFile, tags: str, exists: Callable[[bytes], bool]
) -> int | None:
    """Return the track of this path, or of the file that was moved to it; None for a new file."""
    if known := fetch_value(connection, "SELECT track_id FROM tracks WHERE path = ?", file.path):
        return int(known)
    # A move within a file system keeps the inode; a copy to another keeps the tags. Some file
    # systems give many files one inode: then it says nothing.
    moved = connection.execute(
        "SELECT track_id, path FROM tracks WHERE size = ? AND mtime_ns = ? AND path IS NOT NULL"
        " AND (tags = ? OR (inode = ? AND NOT EXISTS (SELECT 1 FROM tracks AS other"
        " WHERE other.inode = tracks.inode AND other.track_id <> tracks.track_id AND other.path IS NOT NULL)))"
        " ORDER BY inode = ? DESC, track_id",
        (file.stamp.size, file.stamp.mtime_ns, tags, file.stamp.inode, file.stamp.inode),
    )
    return next((int(track_id) for track_id, path in moved.fetchall() if not exists(path)), None)


def unlink_lookups(connection: sqlite3.Connection, track_id: int) -> None:
    """Unlink a changed track from all lookups, whose answers stay, and set it back to pending."""
    connection.execute("DELETE FROM track_lookups WHERE track_id = ?", (track_id,))
    connection.execute("UPDATE enriched_tracks SET status = 'pending' WHERE track_id = ?", (track_id,))
    connection.execute("UPDATE tracks SET spotify_stage = 0 WHERE track_id = ?", (track_id,))


def mark_vanished(
    connection: sqlite3.Connection, roots: Iterable[bytes], scan_id: int, now: float, *, gone: Callable[[bytes], bool]
) -> int:
    """Mark files at or below `roots` as vanished that this scan did not see and `gone(path)`
    confirms. Returns how many were marked; nothing is deleted."""
    count = 0
    for root in roots:
        unseen = connection.execute(
            f"SELECT track_id, path FROM tracks WHERE vanished_at IS NULL AND scan_id < ? AND {AT_OR_BELOW}",
            (scan_id, *path_bounds(root)),
        ).fetchall()
        vanished = [track_id for track_id, path in unseen if gone(path)]
        connection.execute(
            f"UPDATE tracks SET vanished_at = ? WHERE track_id {IN_ARRAY}", (iso(now), to_array(vanished))
        )
        album_turns.wake_albums_of(connection, vanished)
        count += len(vanished)
    return count


def save_imported(
    connection: sqlite3.Connection, rows: Iterable[ImportedTrack], now: float
) -> tuple[list[int], list[int]]:
    """Insert or update tracks without files. Returns the track of each row, and the tracks to
    decide anew. New tracks get rising ids in the order of the rows."""
    ids, changed = [], []
    for row in rows:
        tags = tags_json.encode(row.tags)
        folded = tags if row.group is None else f"{tags}\n{row.group}"
        column, key = ("source_key", row.key) if row.key is not None else ("fold_key", folded)
        before = connection.execute(f"SELECT track_id, tags FROM tracks WHERE {column} = ?", (key,)).fetchone()
        if before is None:
            new = {column: key, "tags": tags, "added_at": iso(now), "changed_at": iso(now)}
            ids.append(insert(connection, "tracks", new))
            changed.append(ids[-1])
            continue
        ids.append(before[0])
        if before[1] != tags:
            connection.execute(
                "UPDATE tracks SET tags = ?, changed_at = ?, undecided = 1, has_result = 0 WHERE track_id = ?",
                (tags, iso(now), before[0]),
            )
            unlink_lookups(connection, before[0])
            changed.append(before[0])
    return ids, changed


def mark_undecided(connection: sqlite3.Connection, track_ids: Iterable[int]) -> None:
    """Mark these tracks to be decided anew."""
    connection.execute(f"UPDATE tracks SET undecided = 1 WHERE track_id {IN_ARRAY}", (to_array(track_ids),))


def record_rules(connection: sqlite3.Connection, fingerprint: str, now: float) -> bool:
    """Record the fingerprint of the rules that tracks are decided by. Returns whether it has
    changed; then every readable track is marked to be decided anew."""
    before = fetch_value(connection, "SELECT value FROM provider_state WHERE key = 'rules'")
    value = {"fingerprint": fingerprint}
    row = {"value": json.dumps(value), "updated_at": iso(now)}
    upsert(connection, "provider_state", {"key": "rules", "provider": ""}, row)
    changed = before is not None and json.loads(before) != value
    if changed:
        connection.execute("UPDATE tracks SET undecided = 1, spotify_stage = 0 WHERE unreadable IS NULL")
        connection.execute("DELETE FROM album_finds")
    return changed


def list_undecided(connection: sqlite3.Connection, limit: int) -> list[int]:
    """Return the first `limit` tracks to be decided: new, changed, or marked to be decided anew."""
    sql = "SELECT track_id FROM tracks WHERE undecided ORDER BY track_id LIMIT ?"
    return fetch_column(connection, sql, limit)


def load_states(
    connection: sqlite3.Connection, track_ids: Sequence[int], *, roots: Collection[bytes] = ()
) -> list[TrackState]:
    """Return all that decisions need to know of these tracks, in the order of track_id. The names
    of the library's `roots`, and of other folders that were scanned, tell nothing of its music."""
    roots = beginnings(connection, roots)
    lookups = _load_lookups(connection, to_array(track_ids))
    rows = enriched.load(connection, track_ids)
    groups = albums.load_groups(connection, track_ids, roots)
    on_spotify = _described_on_spotify(connection, lookups)
    decisions = load_decisions(connection, track_ids)
    return [
        TrackState(
            track_id, path, source_key, tags_json.decode(tags), unreadable,
            lookups.get(track_id, {}), tuple(decisions.get(track_id, ())), rows.get(track_id), groups.get(track_id),
            on_spotify.get(track_id, frozenset()), bool(has_result), music_path(path, roots) if path else None,
        )
        for track_id, path, source_key, tags, unreadable, has_result in connection.execute(
            f"SELECT track_id, path, source_key, tags, unreadable, has_result FROM tracks WHERE track_id {IN_ARRAY}"
            " ORDER BY track_id",
            (to_array(track_ids),),
        )
    ]  # fmt: skip


def load_decisions(connection: sqlite3.Connection, track_ids: Iterable[int]) -> dict[int, list[PersonDecision]]:
    """Return people's decisions on these tracks by track_id, the oldest first."""
    decisions: dict[int, list[PersonDecision]] = {}
    for track_id, provider, entity_id, verdict, by, at, reason in connection.execute(
        "SELECT track_id, provider, entity_id, verdict, by, at, reason FROM decisions"
        f" WHERE track_id {IN_ARRAY} ORDER BY at",
        (to_array(track_ids),),
    ):
        decision = PersonDecision(provider, entity_id, Verdict(verdict), by, at, reason)
        decisions.setdefault(track_id, []).append(decision)
    return decisions


def _load_lookups(connection: sqlite3.Connection, wanted: str) -> dict[int, dict[LookupKey, TrackLookup]]:
    """Return the lookups of the tracks in `wanted` (a JSON array) with entities, by track_id."""
    lookups: dict[int, TrackLookup] = {}
    # Many tracks share lookups, and many lookups facts: each is read and decoded once.
    entities: dict[facts.Reference, Entity | None] = {}
    for lookup_id, provider, kind, terms, hint, state, answered_at, error, answer in connection.execute(
        "SELECT lookup_id, provider, kind, query, hint, state, answered_at, last_error, answer FROM lookups"
        f" WHERE lookup_id IN (SELECT lookup_id FROM track_lookups WHERE track_id {IN_ARRAY})",
        (wanted,),
    ):
        refs = [(ref[0], ref[1], ref[2]) for ref in json.loads(answer)]
        for ref in refs:
            if ref not in entities:
                entities[ref] = facts.load(connection, ref)
        found = tuple(entity for ref in refs if (entity := entities[ref]) is not None)
        query = Query.of(provider, kind, json.loads(hint), **json.loads(terms))
        lookups[lookup_id] = TrackLookup(query, LookupState(state), answered_at is not None, found, error)
    by_track: dict[int, dict[LookupKey, TrackLookup]] = {}
    for track_id, lookup_id in connection.execute(
        f"SELECT track_id, lookup_id FROM track_lookups WHERE track_id {IN_ARRAY} ORDER BY track_id, lookup_id",
        (wanted,),
    ):
        lookup = lookups[lookup_id]
        by_track.setdefault(track_id, {})[lookup.query.provider, lookup.query.kind, lookup.query.key] = lookup
    return by_track


def _described_on_spotify(
    connection: sqlite3.Connection, lookups: Mapping[int, Mapping[LookupKey, TrackLookup]]
) -> dict[int, frozenset[str]]:
    """Return the Spotify tracks that answers link to each track and some answer has described."""
    linked = {
        track_id: {
            link
            for lookup in answers.values()
            for entity in lookup.entities
            for link in entity.fields.get("spotify_track_ids", ())
        }
        for track_id, answers in lookups.items()
    }
    described = fetch_column(
        connection,
        f"SELECT entity_id FROM facts WHERE provider = 'spotify' AND kind = 'track' AND entity_id {IN_ARRAY}",
        to_array(sorted(set().union(*linked.values()))),
    )
    return {track_id: frozenset(links.intersection(described)) for track_id, links in linked.items()}


def save_outcomes(connection: sqlite3.Connection, outcomes: Sequence[TrackOutcome], now: float) -> set[int]:
    """Write the rows and candidates of decided tracks, queue the lookups they want, and add events.
    Returns the tracks to decide anew at once: a lookup they now share was answered before, or they
    waited for another track of their album."""
    enriched.save(connection, (outcome.row for outcome in outcomes), now)
    ids = to_array(outcome.row.track_id for outcome in outcomes)
    connection.execute(f"UPDATE tracks SET undecided = 0 WHERE track_id {IN_ARRAY} AND undecided", (ids,))
    news = to_array(outcome.row.track_id for outcome in outcomes if outcome.is_news)
    connection.execute(f"UPDATE tracks SET has_result = 1 WHERE track_id {IN_ARRAY} AND NOT has_result", (news,))
    connection.execute(f"DELETE FROM candidates WHERE track_id {IN_ARRAY}", (ids,))
    connection.executemany(
        "INSERT INTO events (kind, payload, created_at) VALUES (?, ?, ?)",
        (
            (f"track.{outcome.row.status}", json.dumps({"track_id": outcome.row.track_id}), iso(now))
            for outcome in outcomes
            if outcome.is_news
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO candidates (track_id, provider, entity_id, rank, score, verdict, reasons)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (outcome.row.track_id, shown.provider, shown.entity_id, rank, shown.score, shown.verdict.value,
             json.dumps(shown.reasons, ensure_ascii=False))
            for outcome in outcomes
            for rank, shown in enumerate(outcome.candidates)
        ),
    )  # fmt: skip
    wanted = {outcome.row.track_id: outcome.wanted for outcome in outcomes}
    queue.unlink_unwanted(connection, wanted)
    return queue.enqueue(connection, wanted, now) | album_turns.record_progress(connection, outcomes)


def save_decision(connection: sqlite3.Connection, track_id: int, decision: PersonDecision) -> None:
    """Save a person's decision; it replaces an earlier one on the same track and entity."""
    key = {"track_id": track_id, "provider": decision.provider, "entity_id": decision.entity_id}
    row = {
        "verdict": decision.verdict.value, "by": decision.by, "at": decision.at, "reason": decision.reason,
    }  # fmt: skip
    upsert(connection, "decisions", key, row)


def find_ids_by_path(connection: sqlite3.Connection, paths: Iterable[bytes]) -> dict[bytes, int]:
    """Return the tracks of those of these files that are known, also of vanished ones."""
    sql = "SELECT track_id FROM tracks WHERE path = ?"
    return {path: found for path in paths if (found := fetch_value(connection, sql, path))}


def unreadable_reasons(connection: sqlite3.Connection, track_ids: Iterable[int]) -> dict[int, str]:
    """Return why files cannot be read, for those of these tracks whose file cannot, by track_id."""
    rows = connection.execute(
        f"SELECT track_id, unreadable FROM tracks WHERE unreadable IS NOT NULL AND track_id {IN_ARRAY}",
        (to_array(track_ids),),
    )
    return dict(rows.fetchall())
