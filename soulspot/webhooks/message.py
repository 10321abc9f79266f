"""What a webhook says: which events of the outbox make up one message, its body, and its Standard Webhooks signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.models import EnrichedTrack
from soulspot.store import enriched, events
from soulspot.store.events import Event

SINGLE, MANY = 1, 50  # events in a message; fifty tracks stay near the 20 kB that the standard recommends
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
"""Kind of an event in the outbox -> the type of the message that tells of it, and of how many such events."""

TEST_TYPE = "webhook.test"
LOOKED_AT = 1000  # events that are read to find the next message
PREFIX = "whsec_"
SHOWN = (
    "title", "artist", "album", "isrc", "mb_recording_id", "spotify_track_id", "source_key", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """Events `first` to `last` of the outbox as one message. `events` of them are told; `full`: no more would fit,
    or another type comes next. `at` is when the first happened."""

    type: str
    first: int
    last: int
    events: int
    full: bool
    at: str
    body: bytes


def signing_key(secret: str) -> bytes:
    """The signing key: base64 of 24 to 64 bytes, with or without "whsec_". ValueError when it is anything else."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise ValueError("should be whsec_ and base64 of 24 to 64 bytes: `openssl rand -base64 32` makes one")
    return key


def signed_headers(key: bytes, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt at `at` (epoch seconds): signature v1 over "id.timestamp.body" (standardwebhooks.com)."""
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        "Content-Type": "application/json",
    }


def message_body(kind: str, at: str, data: Mapping[str, Any]) -> bytes:
    """The envelope that the standard recommends."""
    return json.dumps({"type": kind, "timestamp": at, "data": data}, ensure_ascii=False).encode(
        "utf-8", "backslashreplace"  # half characters out of file names
    )  # fmt: skip


def next_message(
    connection: sqlite3.Connection, after: int, wanted: Collection[str], last: int | None = None
) -> Message | int:
    """What is to be told next after event `after`, of the types that are `wanted` (empty: all).

    With `last` the message of before, up to that event, is put together again. Without anything to tell: the event up
    to which there is nothing. Tracks are told of as they are now."""
    found = events.list_after(connection, after, LOOKED_AT)
    kind: str | None = None
    run: list[Event] = []
    full = False
    for event in found:
        if last is not None and event.event_id > last:
            full = True
            break
        told, most = TYPES.get(event.kind, (None, 0))
        if told is None or (wanted and told not in wanted):
            continue
        if kind is not None and (told != kind or len(run) >= most):
            full = True
            break
        kind = told
        run.append(event)
        if len(run) >= most:
            full = True
            break
    if kind is None:
        return last if last is not None else found[-1].event_id if found else after
    data = dict(run[0].payload) if TYPES[run[0].kind][1] == SINGLE else {"tracks": _tracks(connection, run)}
    body = message_body(kind, run[-1].at, data)
    return Message(kind, run[0].event_id, run[-1].event_id, len(run), full, run[0].at, body)


def _tracks(connection: sqlite3.Connection, run: Sequence[Event]) -> list[dict[str, Any]]:
    ids = [int(event.payload["track_id"]) for event in run]
    rows = enriched.load(connection, ids)
    return [_track(rows[one]) for one in dict.fromkeys(ids) if one in rows]


def _track(row: EnrichedTrack) -> dict[str, Any]:
    path = None if row.path is None else row.path.decode("utf-8", "backslashreplace")
    known = {name: getattr(row, name) for name in SHOWN}
    return {"track_id": row.track_id, "status": row.status.value, "path": path, **known}
