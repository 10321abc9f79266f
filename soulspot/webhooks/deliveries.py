"""Deliveries: tells a receiver what stands in the outbox, in order, each message until it is taken."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import structlog

from soulspot.errors import SoulSpotError
from soulspot.limits import Pace, full_jitter
from soulspot.store import events
from soulspot.store.database import Database
from soulspot.store.provider_state import ProviderState
from soulspot.store.times import epoch_seconds, iso
from soulspot.telemetry import Telemetry
from soulspot.webhooks.message import Message, next_message, signed_headers
from soulspot.webhooks.posting import Reply

log = structlog.get_logger()

POLL = 2.0  # seconds between two looks at the outbox
LINGER = 5.0  # seconds that a message waits for more of its type
BASE, CAP = 5.0, 3600.0  # seconds; the wait after the first failure, and the longest
STORE_AGAIN = 30.0  # seconds after the database could not be read or written
GONE = 410


class Posting(Protocol):
    """How a message is sent; `webhooks_post.Poster` is the real one."""

    async def post(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """One attempt; never raises for what the network or the receiver does."""
        ...


@dataclass(slots=True)
class Standing:
    """How far a receiver has been told, durably: everything up to event `told`.

    `last` and `message_id` are of the message that is being sent, so that every attempt, after a restart too, sends
    the same under the same id. `due_at` and `failing_since` are epoch seconds; `gone` after a 410."""

    told: int = 0
    last: int | None = None
    message_id: str = ""
    attempts: int = 0
    due_at: float = 0.0
    failing_since: float | None = None
    error: str = ""
    gone: bool = False

    @classmethod
    def of(cls, saved: Mapping[str, Any]) -> Self:
        return cls(**{name: value for name, value in saved.items() if name in cls.__slots__})


class Webhooks:
    """Tells one receiver. `types` are the types of messages it wants (empty: all), `rate` messages a second,
    `give_up_after` the seconds after which a message that is refused (and not merely not taken) makes way."""

    def __init__(
        self,
        database: Database,
        telemetry: Telemetry,
        poster: Posting,
        *,
        url: str,
        key: bytes,
        types: Collection[str] = (),
        rate: float = 5.0,
        give_up_after: float = 3 * 86_400.0,
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        self._database = database
        self._telemetry = telemetry
        self._poster = poster
        self._key = key
        self._types = frozenset(types)
        self._host = urlsplit(url).hostname or ""
        self._pace = Pace(rate)
        self._give_up_after = give_up_after
        self._now = now
        self._rng = rng or random.Random()
        self._port = ProviderState(database, now=now)
        self._name = name_of(url)
        self.standing = Standing()

    async def start(self) -> None:
        """Take up where an earlier process was; a receiver that is new is told what happens from now on.

        One that had said 410 is tried again: somebody has started us since."""
        saved = await self._port.load(self._name)
        if saved is not None:
            self.standing = Standing.of(saved)
            self.standing.gone = False
            return
        _, newest = await self._database.read(events.kept_range)
        self.standing = Standing(told=newest)
        await self._save()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            try:
                pause = await self.step()
            except (SoulSpotError, sqlite3.Error) as error:
                log.warning("webhook_stalled", error=str(error), again_in_seconds=STORE_AGAIN)
                pause = STORE_AGAIN
            except Exception as error:  # whatever it is, nobody would notice that nothing is told any more
                log.exception("webhook_stalled", error=str(error), again_in_seconds=STORE_AGAIN)
                pause = STORE_AGAIN
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def finish(self, within: float) -> None:
        """Tell what there is to be told at once, for `within` seconds at most; the rest is for the next process."""
        with contextlib.suppress(TimeoutError, SoulSpotError, sqlite3.Error):
            async with asyncio.timeout(within):
                while (pause := await self.step(linger=False)) is not None and pause <= 0:
                    pass

    async def step(self, *, linger: bool = True) -> float | None:
        """Send one message, if there is one and its time has come. Seconds until there can be more to do, None when
        the receiver has gone."""
        if self.standing.gone:
            return None
        early = self.standing.due_at - self._now()
        if 0 < early <= CAP:  # no wait is longer: beyond that the clock has been put back
            return early
        found = await self._database.read(self._look)
        standing = self.standing
        if isinstance(found, int):
            return await self._nothing(found)
        young = LINGER - (self._now() - epoch_seconds(found.at))
        if linger and standing.last is None and not found.full and 0 < young <= LINGER:  # as above
            return young
        if standing.last is None:
            standing.last, standing.message_id = found.last, f"msg_{uuid.uuid4().hex}"
            await self._save()  # before it is sent: whoever sends it again must send the same
        await self._pace.wait()
        sent = signed_headers(self._key, standing.message_id, int(self._now()), found.body)
        await self._heard(found, await self._poster.post(sent, found.body))
        return None if standing.gone else max(0.0, min(standing.due_at - self._now(), CAP))

    def _look(self, connection: sqlite3.Connection) -> Message | int:
        told = self.standing.told
        oldest, newest = events.kept_range(connection)
        lost = min(oldest - 1, newest) - told
        if lost > 0:  # events are kept for a month
            self._telemetry.warning("webhook_lost", host=self._host, events=lost)
            self.standing = Standing(told=told + lost)
        return next_message(connection, self.standing.told, self._types, self.standing.last)

    async def _nothing(self, up_to: int) -> float:
        """There is nothing to tell up to that event, so that is told; more than one look's worth is looked at again."""
        more = up_to > self.standing.told
        if more or self.standing.last is not None:  # what was to be told has been pruned meanwhile
            self._take_next(up_to)
            await self._save()
        return 0.0 if more else POLL

    async def _heard(self, message: Message, reply: Reply) -> None:
        standing, now = self.standing, self._now()
        if reply.delivered:
            self._telemetry.deliveries["delivered"] += 1
            self._telemetry.event(
                "webhook_delivered", host=self._host, type=message.type, events=message.events,
                message=standing.message_id, attempt=standing.attempts + 1, duration_ms=reply.duration_ms,
            )  # fmt: skip
            self._take_next(message.last)
        else:
            self._failed(message, reply, now)
        await self._save()

    def _failed(self, message: Message, reply: Reply, now: float) -> None:
        standing = self.standing
        self._telemetry.deliveries["failed"] += 1
        standing.attempts += 1
        standing.error = reply.why
        standing.gone = reply.status == GONE
        wait = max(1.0, full_jitter(standing.attempts - 1, base=BASE, cap=CAP, rng=self._rng))
        if reply.retry_after is not None:
            wait = max(wait, min(reply.retry_after, CAP))
        standing.due_at = now + wait
        if standing.gone:
            self._telemetry.warning("webhook_gone", host=self._host)
            return
        if standing.failing_since is None:
            standing.failing_since = now
            self._telemetry.warning("webhook_failed", host=self._host, type=message.type, why=reply.why)
        if reply.refused and now - standing.failing_since >= self._give_up_after:
            self._telemetry.deliveries["given_up"] += 1
            self._telemetry.warning(
                "webhook_given_up", host=self._host, type=message.type, events=message.events,
                message=standing.message_id, why=reply.why,
            )  # fmt: skip
            self._take_next(message.last)

    def _take_next(self, told: int) -> None:
        self.standing = Standing(told=told)

    async def _save(self) -> None:
        await self._port.save(self._name, asdict(self.standing))


def name_of(url: str) -> str:
    """Where a receiver's standing is kept: not under its URL, which may be a secret itself."""
    return f"webhook:{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def describe_receiver(connection: sqlite3.Connection, url: str) -> dict[str, Any] | None:
    """How a receiver stands, for people: what waits for it, since when it fails and why; None when it is new."""
    saved = next((one for one in _standings(connection) if one[0] == name_of(url)), None)
    if saved is None:
        return None
    standing = saved[1]
    waiting = connection.execute(
        "SELECT count(*) FROM events WHERE event_id > ?", (standing.told,)
    ).fetchone()[0]
    moments = {"failing_since": standing.failing_since, "next_attempt": standing.due_at or None}
    return {
        "host": urlsplit(url).hostname, "waiting_events": waiting, "attempts": standing.attempts,
        "error": standing.error or None, "gone": standing.gone,
        **{name: None if moment is None else iso(moment) for name, moment in moments.items()},
    }  # fmt: skip


def _standings(connection: sqlite3.Connection) -> list[tuple[str, Standing]]:
    rows = connection.execute("SELECT key, value FROM provider_state WHERE key LIKE 'webhook:%'")
    return [(key, Standing.of(json.loads(value))) for key, value in rows.fetchall()]
