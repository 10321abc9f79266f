"""Deliveries of the outbox to a receiver: in order, each message until it is delivered."""

import asyncio
import contextlib
import hashlib
import json
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from soulspot.errors import SoulSpotError
from soulspot.limits import Pace, full_jitter
from soulspot.store import events
from soulspot.store.database import Database
from soulspot.store.provider_state import ProviderState
from soulspot.store.times import epoch_seconds, iso
from soulspot.telemetry import Telemetry, get_logger
from soulspot.webhooks.message import Message, next_message, signed_headers
from soulspot.webhooks.posting import Poster, Reply

log = get_logger(__name__)

POLL = 2.0  # seconds between two reads of the outbox
LINGER = 5.0  # seconds that a message waits for more events of its type
BASE, CAP = 5.0, 3600.0  # seconds; the wait after the first failure, and the longest
STORE_AGAIN = 30.0  # seconds after the database could not be read or written
GONE = 410


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver of webhooks."""

    url: str = field(repr=False)  # may be a secret itself
    secret: str = field(repr=False)  # "whsec_" and base64, as the configuration has checked
    types: Collection[str] = ()  # of messages that it wants; empty: all
    rate: float = 5.0  # messages a second, at most
    give_up_after: float = 3 * 86_400.0  # seconds until a refused message makes way for the next

    @property
    def host(self) -> str:
        """The name of its host, for logs: the whole URL may be a secret itself."""
        return urlsplit(self.url).hostname or ""

    @property
    def key(self) -> str:
        """The key of its standing in `provider_state`; it does not reveal the URL."""
        return f"webhook:{hashlib.sha256(self.url.encode()).hexdigest()[:16]}"


@dataclass(slots=True)
class Standing:
    """The stored progress of deliveries to a receiver; the fields are keys of its JSON."""

    told: int = 0  # every event up to this one is delivered, given up or of no interest
    # Last event and id of the message that is being sent: each attempt sends the same.
    last: int | None = None
    message_id: str = ""
    attempts: int = 0
    due_at: float = 0.0  # epoch seconds
    failing_since: float | None = None
    error: str = ""
    gone: bool = False  # the receiver has answered 410

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Return the stored standing, without keys of other versions."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__slots__})


class Deliveries:
    """The deliveries to one receiver. `standing` is their progress."""

    def __init__(
        self, database: Database, telemetry: Telemetry, poster: Poster, receiver: Receiver, *,
        now: Callable[[], float] = time.time, rng: random.Random | None = None,
    ) -> None:  # fmt: skip
        self._database = database
        self._telemetry = telemetry
        self._poster = poster
        self._receiver = receiver
        self._types = frozenset(receiver.types)
        self._pace = Pace(receiver.rate)
        self._now = now
        self._rng = rng or random.Random()
        self._state = ProviderState(database, now=now)
        self.standing = Standing()

    async def start(self) -> None:
        """Continue where an earlier process stopped; a new receiver gets what happens from now on.
        A receiver that answered 410 is tried again: somebody has restarted SoulSpot since."""
        stored = await self._state.load(self._receiver.key)
        if stored is not None:
            self.standing = Standing.from_stored(stored)
            self.standing.gone = False
            return
        _, newest = await self._database.read(events.kept_range)
        await self._advance(newest)

    async def run(self) -> None:
        """Deliver until cancelled, or until the receiver answers 410."""
        while True:
            pause: float | None = STORE_AGAIN
            try:
                pause = await self.step()
            except (SoulSpotError, sqlite3.Error) as error:
                log.warning("webhook_stalled", error=str(error), again_in_seconds=STORE_AGAIN)
            except Exception as error:
                # A fault of ours would end this task, and nobody would miss the deliveries.
                log.exception("webhook_stalled", error=str(error), again_in_seconds=STORE_AGAIN)
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def finish(self, within: float) -> None:
        """Deliver for `within` seconds at most; the next process sends the rest."""
        with contextlib.suppress(TimeoutError, SoulSpotError, sqlite3.Error):
            async with asyncio.timeout(within):
                while (pause := await self.step(linger=False)) is not None and pause <= 0:
                    pass

    async def step(self, *, linger: bool = True) -> float | None:
        """Send one message, if one is due. Return the seconds until the next step; None after a
        410. Without `linger`, a message does not wait for more events of its type."""
        if self.standing.gone:
            return None
        # No wait is longer than CAP: beyond that the clock has been put back.
        early = self.standing.due_at - self._now()
        if 0 < early <= CAP:
            return early
        found = await self._database.read(self._next_message)
        standing = self.standing
        if isinstance(found, int):
            return await self._skip_to(found)
        young = LINGER - (self._now() - epoch_seconds(found.at))
        if linger and standing.last is None and not found.is_full and 0 < young <= LINGER:
            return young
        if standing.last is None:
            # Saved before the message is sent, so that a later process sends the same message.
            standing.last, standing.message_id = found.last, f"msg_{uuid.uuid4().hex}"
            await self._save()
        await self._pace.wait()
        headers = signed_headers(self._receiver.secret, standing.message_id, int(self._now()), found.body)
        await self._record_reply(found, await self._poster.post(headers, found.body))
        return None if standing.gone else max(0.0, min(standing.due_at - self._now(), CAP))

    def _next_message(self, connection: sqlite3.Connection) -> Message | int:
        told = self.standing.told
        oldest, newest = events.kept_range(connection)
        lost = min(oldest - 1, newest) - told
        # Events are kept for a month; older ones are lost to a receiver that was down for longer.
        if lost > 0:
            self._telemetry.warning("webhook_lost", host=self._receiver.host, events=lost)
            self.standing = Standing(told=told + lost)
        return next_message(connection, self.standing.told, self._types, self.standing.last)

    async def _skip_to(self, event_id: int) -> float:
        """Move past events without a message. Return the seconds until the next step."""
        is_behind = event_id > self.standing.told
        # With `last` set, the events of the message to be sent have been pruned meanwhile.
        if is_behind or self.standing.last is not None:
            await self._advance(event_id)
        return 0.0 if is_behind else POLL

    async def _record_reply(self, message: Message, reply: Reply) -> None:
        standing = self.standing
        host = self._receiver.host
        if reply.delivered:
            self._telemetry.deliveries["delivered"] += 1
            self._telemetry.event(
                "webhook_delivered", host=host, type=message.type, events=message.events, message=standing.message_id,
                attempt=standing.attempts + 1, duration_ms=reply.duration_ms,
            )  # fmt: skip
            return await self._advance(message.last)
        now = self._now()
        self._telemetry.deliveries["failed"] += 1
        standing.attempts += 1
        standing.error = reply.why
        standing.gone = reply.status == GONE
        wait = max(1.0, full_jitter(standing.attempts - 1, base=BASE, cap=CAP, rng=self._rng))
        if reply.retry_after is not None:
            wait = max(wait, min(reply.retry_after, CAP))
        standing.due_at = now + wait
        if standing.gone:
            self._telemetry.warning("webhook_gone", host=host)
            return await self._save()
        if standing.failing_since is None:
            standing.failing_since = now
            self._telemetry.warning("webhook_failed", host=host, type=message.type, why=reply.why)
        if reply.refused and now - standing.failing_since >= self._receiver.give_up_after:
            self._telemetry.deliveries["given_up"] += 1
            self._telemetry.warning(
                "webhook_given_up", host=host, type=message.type, events=message.events, message=standing.message_id,
                why=reply.why,
            )  # fmt: skip
            return await self._advance(message.last)
        return await self._save()

    async def _advance(self, event_id: int) -> None:
        self.standing = Standing(told=event_id)
        await self._save()

    async def _save(self) -> None:
        await self._state.save(self._receiver.key, asdict(self.standing))


def describe_receiver(connection: sqlite3.Connection, url: str) -> dict[str, Any] | None:
    """Return how the deliveries to this URL stand, for people; None when nothing is stored.

    `{"host", "waiting_events", "attempts", "error", "gone", "failing_since", "next_attempt"}`."""
    receiver = Receiver(url, "")
    row = connection.execute("SELECT value FROM provider_state WHERE key = ?", (receiver.key,)).fetchone()
    if row is None:
        return None
    standing = Standing.from_stored(json.loads(row[0]))
    waiting = "SELECT count(*) FROM events WHERE event_id > ?"
    times = {"failing_since": standing.failing_since, "next_attempt": standing.due_at or None}
    return {
        "host": urlsplit(url).hostname,
        "waiting_events": connection.execute(waiting, (standing.told,)).fetchone()[0],
        "attempts": standing.attempts, "error": standing.error or None, "gone": standing.gone,
        **{name: None if at is None else iso(at) for name, at in times.items()},
    }  # fmt: skip
