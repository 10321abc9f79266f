"""A webhook message: the events that it reports, its body, and its signature."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from standardwebhooks.webhooks import Webhook

from soulspot.models import EnrichedTrack
from soulspot.store import enriched, events
from soulspot.store.browse import printable_path
from soulspot.store.events import Event

SINGLE, MANY = 1, 50  # events in a message; fifty tracks stay near the 20 kB that the standard recommends
# Kind of event in the outbox -> (type of its message, the most such events in one message).
TYPES: dict[str, tuple[str, int]] = {
    "operation.finished": ("operation.finished", SINGLE),
    "provider.limited": ("provider.limited", SINGLE),
    "provider.recovered": ("provider.recovered", SINGLE),
    "alarm.raised": ("alarm.raised", SINGLE),
    "alarm.over": ("alarm.over", SINGLE),
    "track.accepted": ("track.enriched", MANY),
    "track.review": ("review.needed", MANY),
    "track.unmatched": ("track.unmatched", MANY),
    "track.failed": ("track.failed", MANY),
}

TEST_TYPE = "webhook.test"
WINDOW = 1000  # events that are read to find the next message
TRACK_FIELDS = (
    "title", "artist", "album", "isrc", "mb_recording_id", "spotify_track_id", "source_key", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A message about `events` events of the outbox up to `last`, the first of which happened `at`.
    `is_full`: waiting adds nothing, because it has the most events or another type comes next."""

    type: str
    last: int
    events: int
    is_full: bool
    at: str
    body: bytes


def signed_headers(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt at `at` (epoch seconds), signed with the "whsec_..."
    secret. The signature is v1 of standardwebhooks.com, over "id.timestamp.body"."""
    signature = Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())
    return {
        "webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signature,
        "Content-Type": "application/json",
    }  # fmt: skip


def message_body(type_: str, at: str, data: Mapping[str, Any]) -> bytes:
    """Return the standard's envelope: `{"type": ..., "timestamp": ..., "data": {...}}`."""
    text = json.dumps({"type": type_, "timestamp": at, "data": data}, ensure_ascii=False)
    # Names of files may hold half characters (lone surrogates), which UTF-8 cannot say.
    return text.encode("utf-8", "backslashreplace")


def next_message(
    connection: sqlite3.Connection, after: int, wanted: Collection[str], last: int | None = None
) -> Message | int:
    """Return the next message about events after `after`, of the `wanted` types (empty: all);
    without one, the event up to which there is nothing to send. With `last`, the message that ended
    with this event is built again. Tracks are described as they are now."""
    found = events.list_after(connection, after, WINDOW)
    reported = [
        event for event in found
        if event.kind in TYPES and (not wanted or TYPES[event.kind][0] in wanted)
        and (last is None or event.event_id <= last)
    ]  # fmt: skip
    if not reported:
        return last if last is not None else found[-1].event_id if found else after
    type_, most = TYPES[reported[0].kind]
    run = list(takewhile(lambda event: TYPES[event.kind][0] == type_, reported))[:most]
    data = dict(run[0].payload) if most == SINGLE else {"tracks": _tracks(connection, run)}
    is_full = len(run) == most or len(run) < len(reported)
    body = message_body(type_, run[-1].at, data)
    return Message(type_, run[-1].event_id, len(run), is_full, run[0].at, body)


def _tracks(connection: sqlite3.Connection, run: Sequence[Event]) -> list[dict[str, Any]]:
    ids = [int(event.payload["track_id"]) for event in run]
    rows = enriched.load(connection, ids)
    return [_track(rows[track_id]) for track_id in dict.fromkeys(ids) if track_id in rows]


def _track(row: EnrichedTrack) -> dict[str, Any]:
    known = {name: getattr(row, name) for name in TRACK_FIELDS}
    return {"track_id": row.track_id, "status": row.status.value, "path": printable_path(row.path), **known}
