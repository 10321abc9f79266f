"""What waits for a person: tracks in review, their candidates, and what is known of each."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from soulspot.models import EnrichedTrack, Status
from soulspot.store import codec, enriched

SHOWN_FIELDS = (
    "title", "artist", "album", "duration_ms", "isrcs", "release_date", "original_date", "disambiguation",
    "track_number", "disc_number", "cover_url",
)  # fmt: skip


def waiting(connection: sqlite3.Connection, *, after: int = 0, limit: int = 50) -> list[EnrichedTrack]:
    """Tracks in review by track_id, from behind `after` on."""
    ids = connection.execute(
        "SELECT track_id FROM enriched_tracks WHERE status = ? AND track_id > ? ORDER BY track_id LIMIT ?",
        (Status.REVIEW.value, after, limit),
    )
    found = enriched.load(connection, [track_id for (track_id,) in ids])
    return [found[track_id] for track_id in sorted(found)]


def case(connection: sqlite3.Connection, track_id: int) -> dict[str, Any] | None:
    """One track with what the library says of it, its candidates best first, and persons' decisions on it;
    None when there is no such track."""
    row = connection.execute(
        "SELECT t.path, t.source_key, t.tags, e.status, e.confidence FROM tracks t"
        " LEFT JOIN enriched_tracks e USING (track_id) WHERE track_id = ?",
        (track_id,),
    ).fetchone()
    if row is None:
        return None
    path, source_key, tags, status, confidence = row
    own = codec.decode(tags)
    return {
        "track_id": track_id,
        "path": path.decode("utf-8", "backslashreplace") if path is not None else None,
        "source_key": source_key,
        "status": status,
        "confidence": confidence,
        "tags": {
            "title": own.title, "artist": own.artist, "album": own.album, "duration_ms": own.duration_ms,
            "track_number": own.track_number, "disc_number": own.disc_number, "date": own.date,
            "isrcs": list(own.ids.isrcs), "mb_recording_ids": list(own.ids.mb_recording_ids),
            "spotify_track_id": own.ids.spotify_track_id,
        },
        "candidates": [_candidate(connection, *one) for one in connection.execute(
            "SELECT provider, entity_id, score, verdict, reasons FROM candidates WHERE track_id = ?"
            " ORDER BY provider, rank", (track_id,)).fetchall()],
        "decisions": [
            {"provider": provider, "entity_id": entity_id, "verdict": verdict, "by": by, "at": at, "reason": reason}
            for provider, entity_id, verdict, by, at, reason in connection.execute(
                "SELECT provider, entity_id, verdict, by, at, reason FROM decisions WHERE track_id = ? ORDER BY at",
                (track_id,))
        ],
    }  # fmt: skip


def _candidate(
    connection: sqlite3.Connection, provider: str, entity_id: str, score: float, verdict: str, reasons: str
) -> dict[str, Any]:
    """A candidate with what any source says of it; `provider` names the identity, ListenBrainz describes it too."""
    fields: dict[str, Any] = {}
    for (text,) in connection.execute(
        "SELECT fields FROM facts WHERE entity_id = ? AND kind IN ('recording', 'track') ORDER BY provider",
        (entity_id,),
    ):
        fields |= json.loads(text)
    release: dict[str, Any] = next(iter(fields.get("releases", ())), {})
    fields.setdefault("album", release.get("title"))
    shown = {name: fields[name] for name in SHOWN_FIELDS if fields.get(name) not in (None, "", [])}
    return {
        "provider": provider, "entity_id": entity_id, "score": score, "verdict": verdict,
        "reasons": json.loads(reasons), "fields": shown, "url": _url(provider, entity_id),
    }  # fmt: skip


def _url(provider: str, entity_id: str) -> str:
    if provider == "spotify":
        return f"https://open.spotify.com/track/{entity_id}"
    return f"https://musicbrainz.org/recording/{entity_id}"
