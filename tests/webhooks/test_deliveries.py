"""Webhooks: signed as the standard demands, in order, and none is lost."""

from __future__ import annotations

import base64
import json
import random
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.config.sections import WebhookEvent
from soulspot.errors import ConfigError
from soulspot.limits import LimitEvent
from soulspot.models import EnrichedTrack, Status
from soulspot.providers.addresses import is_private
from soulspot.store import enriched, events
from soulspot.store.database import Database
from soulspot.telemetry import Telemetry
from soulspot.webhooks.deliveries import CAP, LINGER, POLL, Deliveries, Receiver, describe_receiver
from soulspot.webhooks.message import (
    MANY,
    TEST_TYPE,
    TYPES,
    message_body,
    next_message,
    signed_headers,
)
from soulspot.webhooks.outbox import Outbox
from soulspot.webhooks.posting import Poster
from tests.support.factories import DAY, NOW
from tests.support.flow import soulspot, write_config

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ROOT = Path(__file__).parents[2]


@dataclass
class Hook:
    """A receiver that verifies every signature and answers `statuses` in turn, then 200."""

    statuses: list[int] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    url: str = ""
    clock: Callable[[], float] = time.time

    def now(self, tz: tzinfo) -> datetime:
        """Return the present for the clock check of the reference library."""
        return datetime.fromtimestamp(self.clock(), tz)

    async def handle(self, request: web.Request) -> web.Response:
        said = Webhook(SECRET).verify(await request.read(), dict(request.headers))
        self.tried.append(request.headers["webhook-id"])
        status = self.statuses.pop(0) if self.statuses else 200
        if 200 <= status < 300:
            self.taken.append(said)
        return web.Response(status=status, headers=self.answer_headers)


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hook]:
    made = Hook()
    clock = SimpleNamespace(now=made.now, fromtimestamp=datetime.fromtimestamp)
    monkeypatch.setattr("standardwebhooks.webhooks.datetime", clock)
    application = web.Application()
    application.router.add_post("/hook", made.handle)
    async with TestServer(application) as server:
        made.url = str(server.make_url("/hook"))
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "soulspot.db") as opened_:
        yield opened_


@dataclass
class Sender:
    """Deliveries with a clock that the test sets."""

    database: Database
    receiver: Hook
    more: dict[str, Any] = field(default_factory=dict)
    now: float = NOW
    telemetry: Telemetry = field(default_factory=Telemetry)

    async def begin(self, url: str | None = None) -> Deliveries:
        url = url or self.receiver.url
        poster = Poster(url, allow_private=True, timeout=5.0, agent="tests")
        told = Receiver(url, SECRET, **({"rate": 1000.0} | self.more))
        made = Deliveries(self.database, self.telemetry, poster, told, now=lambda: self.now, rng=random.Random(1))
        await made.start()
        return made

    async def tell(self, *kinds: str, **payload: Any) -> None:
        for kind in kinds:
            await self.database.write(lambda c, kind=kind: events.add(c, kind, payload, self.now))

    async def deliver(self, hooks: Deliveries, steps: int = 50) -> None:
        """Step until nothing is left to send, moving the clock by every pause."""
        for _ in range(steps):
            pause = await hooks.step()
            if pause is None or pause == POLL:
                return
            self.now += pause
        raise AssertionError("still not delivered")


@pytest.fixture
def sender(database: Database, receiver: Hook) -> Sender:
    made = Sender(database, receiver)
    receiver.clock = lambda: made.now
    return made


def add_track(connection: sqlite3.Connection, track_id: int, status: Status, now: float, **known: Any) -> None:
    connection.execute(
        "INSERT INTO tracks (track_id, tags, added_at, changed_at) VALUES (?, '{}', '', '')", (track_id,)
    )
    row = EnrichedTrack(track_id, known.pop("path", None), None, status, 0.9, **known)
    enriched.save(connection, [row], now)
    events.add(connection, f"track.{status.value}", {"track_id": track_id}, now)


# --- the standard ---------------------------------------------------------------------------------


def test_a_message_is_signed_as_the_reference_library_signs_it() -> None:
    at, body = int(time.time()), message_body("webhook.test", "2026-01-01T00:00:00.000Z", {"name": "café ☂"})
    sent = signed_headers(SECRET, "msg_1", at, body)
    assert Webhook(SECRET).verify(body, sent) == json.loads(body)
    for tampered in (body + b" ", body.replace(b"test", b"best")):
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(SECRET).verify(tampered, sent)


@pytest.mark.parametrize(
    "secret", ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", base64.b64encode(bytes(65)).decode()]
)
def test_a_secret_that_the_standard_does_not_know_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="24 to 64 bytes"):
        make_config({"providers.musicbrainz.contact": "a@example.org", "webhooks.url": "https://example.org/",
                     "webhooks.secret": secret})  # fmt: skip


def test_every_type_can_be_chosen_and_is_documented() -> None:
    types = {told for told, _ in TYPES.values()}
    assert types == set(get_args(WebhookEvent))
    page = (ROOT / "docs/howto/receive-webhooks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z.]+)` \|", page, re.MULTILINE)) == {*types, TEST_TYPE}


# --- what is told ---------------------------------------------------------------------------------


async def test_what_happens_is_told_in_its_order(sender: Sender, receiver: Hook) -> None:
    hooks = await sender.begin()
    await sender.tell("provider.limited", provider="spotify", host="h", until=None, why="HTTP 429")
    await sender.tell("operation.started", operation_id=1)
    await sender.tell("operation.finished", operation_id=1, kind="scan", status="completed")
    await sender.tell("provider.recovered", provider="spotify", host="h")
    with capture_logs() as said:
        await sender.deliver(hooks)
    assert [one["type"] for one in receiver.taken] == [
        "provider.limited", "operation.finished", "provider.recovered"
    ]  # fmt: skip
    assert receiver.taken[0]["data"] == {"provider": "spotify", "host": "h", "until": None, "why": "HTTP 429"}
    assert [line["event"] for line in said] == ["webhook_delivered"] * 3
    assert len(set(receiver.tried)) == 3


async def test_tracks_of_one_kind_come_together_and_each_is_described(sender: Sender, receiver: Hook) -> None:
    hooks = await sender.begin()

    def add(connection: sqlite3.Connection) -> None:
        for number in range(1, MANY + 4):
            add_track(connection, number, Status.ACCEPTED, sender.now, title=f"t{number}", path=b"/m/caf\xe9.mp3")
        add_track(connection, 900, Status.REVIEW, sender.now)

    await sender.database.write(add)
    await sender.deliver(hooks)
    assert [(one["type"], len(one["data"]["tracks"])) for one in receiver.taken] == [
        ("track.enriched", MANY), ("track.enriched", 3), ("review.needed", 1)
    ]  # fmt: skip
    first = receiver.taken[0]["data"]["tracks"][0]
    assert (first["track_id"], first["status"], first["title"]) == (1, "accepted", "t1")
    assert first["path"] == "/m/caf\\xe9.mp3"


async def test_a_message_about_tracks_waits_a_little_for_more_of_them(sender: Sender, receiver: Hook) -> None:
    hooks = await sender.begin()
    await sender.database.write(lambda c: add_track(c, 1, Status.ACCEPTED, sender.now))
    assert await hooks.step() == pytest.approx(LINGER, abs=0.01)
    assert receiver.taken == []
    await sender.database.write(lambda c: add_track(c, 2, Status.ACCEPTED, sender.now + 1))
    sender.now += LINGER
    await sender.deliver(hooks)
    assert [len(one["data"]["tracks"]) for one in receiver.taken] == [2]


async def test_a_clock_that_is_put_back_by_a_year_holds_nothing_up(sender: Sender, receiver: Hook) -> None:
    hooks = await sender.begin()
    receiver.statuses = [503]
    await sender.database.write(lambda c: add_track(c, 1, Status.ACCEPTED, sender.now - LINGER))
    assert (await hooks.step() or 0) > 0  # the wait after a failure
    await sender.database.write(lambda c: add_track(c, 2, Status.REVIEW, sender.now))
    sender.now -= 365 * 86_400.0
    await hooks.step()
    await hooks.step()
    assert [one["type"] for one in receiver.taken] == ["track.enriched", "review.needed"]


async def test_only_the_types_that_were_asked_for_are_sent(sender: Sender, receiver: Hook) -> None:
    sender.more = {"types": ("review.needed",)}
    hooks = await sender.begin()
    await sender.tell("provider.limited", "operation.finished")
    await sender.database.write(lambda c: add_track(c, 1, Status.REVIEW, sender.now))
    await sender.tell("provider.recovered")
    await sender.deliver(hooks)
    assert [one["type"] for one in receiver.taken] == ["review.needed"]
    assert hooks.standing.told == 4


async def test_a_new_receiver_is_not_told_of_the_past(sender: Sender, receiver: Hook) -> None:
    await sender.tell("provider.limited")
    hooks = await sender.begin()
    await sender.tell("provider.recovered")
    await sender.deliver(hooks)
    assert [one["type"] for one in receiver.taken] == ["provider.recovered"]


# --- when the receiver is down --------------------------------------------------------------------


async def test_a_receiver_that_is_down_for_a_while_loses_nothing_and_keeps_the_order(
    sender: Sender, receiver: Hook
) -> None:
    receiver.statuses = [500, 503, 502, 429, 408, 500, 503]
    hooks = await sender.begin()
    for number in range(5):
        await sender.tell("operation.finished", operation_id=number)
    with capture_logs() as said:
        await sender.deliver(hooks)
    assert [one["data"]["operation_id"] for one in receiver.taken] == [0, 1, 2, 3, 4]
    assert len(set(receiver.tried[:8])) == 1  # the first message under one id, however often
    names = [line["event"] for line in said]
    assert names == ["webhook_failed"] + ["webhook_delivered"] * 5  # once, until it takes one again
    assert said[1]["attempt"] == 8
    assert sender.telemetry.deliveries == {"failed": 7, "delivered": 5}


async def test_a_receiver_that_cannot_be_reached_is_tried_for_days(sender: Sender, receiver: Hook) -> None:
    nobody = "http://127.0.0.1:9/hook"
    hooks = await sender.begin(nobody)
    await sender.tell("operation.finished", operation_id=1)
    began, pauses = sender.now, []
    while sender.now < began + 6 * DAY:
        pause = await hooks.step()
        assert pause is not None
        pauses.append(pause)
        sender.now += pause
    assert hooks.standing.told == 0
    assert hooks.standing.attempts > 50
    assert max(pauses) <= CAP
    assert min(pauses) >= 0.9
    assert "refused" in hooks.standing.error.lower()


async def test_the_same_message_goes_out_after_a_restart_although_more_has_happened(
    sender: Sender, receiver: Hook
) -> None:
    receiver.statuses = [500]
    hooks = await sender.begin()
    await sender.database.write(lambda c: add_track(c, 1, Status.ACCEPTED, sender.now - LINGER))
    await hooks.step()
    await sender.database.write(lambda c: add_track(c, 2, Status.ACCEPTED, sender.now))
    again = await sender.begin()
    await sender.deliver(again)
    assert receiver.tried[0] == receiver.tried[1] != receiver.tried[2]
    assert [[one["track_id"] for one in said["data"]["tracks"]] for said in receiver.taken] == [[1], [2]]


async def test_a_retry_is_not_earlier_than_the_receiver_asks(sender: Sender, receiver: Hook) -> None:
    receiver.statuses, receiver.answer_headers = [429], {"Retry-After": "1800"}
    hooks = await sender.begin()
    await sender.tell("operation.finished")
    assert await hooks.step() == pytest.approx(1800, abs=1)
    assert await hooks.step() == pytest.approx(1800, abs=1)
    assert len(receiver.tried) == 1


async def test_a_message_that_is_refused_for_days_makes_way_for_the_next(sender: Sender, receiver: Hook) -> None:
    sender.more = {"give_up_after": 3 * DAY}
    receiver.statuses = [400] * 5000
    hooks = await sender.begin()
    await sender.tell("operation.finished", operation_id=1)
    began = sender.now
    with capture_logs() as said:
        while hooks.standing.told == 0:
            pause = await hooks.step()
            assert pause is not None
            sender.now += pause
    assert [line["event"] for line in said] == ["webhook_failed", "webhook_given_up"]
    assert sender.now - began >= 3 * DAY
    receiver.statuses.clear()
    await sender.tell("operation.finished", operation_id=2)
    await sender.deliver(hooks)
    assert [one["data"]["operation_id"] for one in receiver.taken] == [2]


async def test_410_ends_it_until_the_next_start(sender: Sender, receiver: Hook) -> None:
    receiver.statuses = [410]
    hooks = await sender.begin()
    await sender.tell("operation.finished", operation_id=1)
    with capture_logs() as said:
        assert await hooks.step() is None
        assert await hooks.step() is None
        await hooks.run()
    assert [line["event"] for line in said] == ["webhook_gone"]
    assert len(receiver.tried) == 1
    again = await sender.begin()
    await sender.deliver(again)
    assert [one["data"]["operation_id"] for one in receiver.taken] == [1]


async def test_events_that_became_too_old_are_named_and_do_not_stop_the_others(sender: Sender, receiver: Hook) -> None:
    receiver.statuses = [500]
    hooks = await sender.begin()
    for number in range(6):
        await sender.tell("operation.finished", operation_id=number)
    await hooks.step()
    await sender.database.write(lambda c: c.execute("DELETE FROM events WHERE event_id <= 4"))
    with capture_logs() as said:
        await sender.deliver(hooks)
    assert [line["events"] for line in said if line["event"] == "webhook_lost"] == [4]
    assert [one["data"]["operation_id"] for one in receiver.taken] == [4, 5]


async def test_whatever_goes_wrong_it_is_said_and_tried_again(
    sender: Sender, receiver: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulspot.webhooks.deliveries.STORE_AGAIN", 0.0)
    hooks = await sender.begin()
    await sender.tell("operation.finished")
    troubles = [RuntimeError("a fault of ours"), sqlite3.OperationalError("locked")]
    step = hooks.step

    async def failing(*, linger: bool = True) -> float | None:
        if troubles:
            raise troubles.pop()
        hooks.standing.gone = True
        return await step(linger=linger)

    monkeypatch.setattr(hooks, "step", failing)
    with capture_logs() as said:
        await hooks.run()
    assert [(line["event"], line["log_level"]) for line in said] == [
        ("webhook_stalled", "warning"), ("webhook_stalled", "error")
    ]  # fmt: skip


async def test_how_the_receiver_stands_can_be_seen(sender: Sender, receiver: Hook) -> None:
    receiver.statuses = [500]
    assert await sender.database.read(lambda c: describe_receiver(c, receiver.url)) is None
    hooks = await sender.begin()
    await sender.tell("operation.finished", "operation.finished")
    await hooks.step()
    found = await sender.database.read(lambda c: describe_receiver(c, receiver.url))
    assert found is not None
    assert (found["host"], found["waiting_events"], found["error"], found["gone"]) == (
        "127.0.0.1",
        2,
        "HTTP 500",
        False,
    )
    assert found["failing_since"]
    [key] = [row[0] for row in await sender.database.read(
        lambda c: c.execute("SELECT key FROM provider_state").fetchall())]  # fmt: skip
    assert "127.0.0.1" not in key


# --- whom it reaches ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:0a00:0001::1",
    ],
)  # fmt: skip
def test_an_address_here_or_in_a_private_network_is_known_in_every_spelling(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_fine(address: str) -> None:
    assert not is_private(address)


async def test_a_name_that_leads_to_this_machine_is_refused_when_it_is_dialled(receiver: Hook) -> None:
    for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
        reply = await Poster(url, allow_private=False, timeout=5.0, agent="tests").post({}, b"{}")
        assert not reply.delivered
        assert reply.status is None
        assert "allow_private" in reply.why
    assert receiver.tried == []


async def test_a_redirect_is_not_followed(receiver: Hook, sender: Sender) -> None:
    receiver.statuses, receiver.answer_headers = [307], {"Location": "/elsewhere"}
    hooks = await sender.begin()
    await sender.tell("operation.finished")
    await hooks.step()
    assert hooks.standing.error == "HTTP 307, and redirects are not followed"
    assert hooks.standing.told == 0


def test_a_receiver_on_this_machine_must_be_meant() -> None:
    values = {"providers.musicbrainz.contact": "a@example.org", "webhooks.url": "http://localhost:1/",
              "webhooks.secret": SECRET}  # fmt: skip
    with pytest.raises(ConfigError, match=r"webhooks\.allow_private = true"):
        make_config(values)
    assert make_config(values | {"webhooks.allow_private": True}).webhooks.allow_private
    public = make_config(values | {"webhooks.url": "http://example.org/hook"})
    assert any("webhooks.url is not https" in one for one in public.warnings)


# --- as a whole -----------------------------------------------------------------------------------


def settings(tmp_path: Path, receiver: Hook) -> dict[str, Any]:
    nobody = "http://127.0.0.1:9"
    return {
        "database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org",
        "providers.musicbrainz.base_url": nobody, "providers.listenbrainz.base_url": nobody,
        "providers.listenbrainz.labs_url": nobody,
        "webhooks.url": receiver.url, "webhooks.secret": SECRET, "webhooks.allow_private": True,
        "webhooks.rate": 1000.0,
    }  # fmt: skip


async def test_a_service_tells_of_limits_before_it_ends(tmp_path: Path, receiver: Hook) -> None:
    config = make_config(settings(tmp_path, receiver))
    assert SECRET not in str(config.model_dump(mode="json"))
    with capture_logs() as said:
        async with open_service(config) as service:
            gate = service.parts.gates.for_url("musicbrainz", "http://127.0.0.1:9")
            await gate.pause(60.0, "said so")
    # a receiver that answers late is told again, under the same id
    assert {one["type"] for one in receiver.taken} == {"provider.limited"}
    assert len(set(receiver.tried)) == 1
    assert receiver.taken[0]["data"]["why"] == "said so"
    assert SECRET not in str(said)
    assert receiver.url not in str(said)


async def test_the_outbox_keeps_the_order_and_outlives_a_full_disk(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulspot.webhooks.outbox.AGAIN", 0.0)
    write, failures = database.write, [sqlite3.OperationalError("locked")]

    async def sometimes(change: Any) -> Any:
        if failures:
            raise failures.pop()
        return await write(change)

    monkeypatch.setattr(database, "write", sometimes)
    outbox = Outbox(database, now=lambda: NOW)
    outbox.on_limit(LimitEvent("spotify", "h", "limited", NOW + 60, "HTTP 429"))
    outbox.on_limit(LimitEvent("spotify", "h", "recovered", None, ""))
    with capture_logs() as said:
        await outbox.close()
    found = await database.read(lambda c: events.list_after(c, 0, 10))
    assert [one.kind for one in found] == ["provider.limited", "provider.recovered"]
    assert found[0].payload["until"] == "2023-11-14T22:14:20.000Z"
    assert [line["event"] for line in said] == ["outbox_failed"]


@pytest.mark.process
async def test_the_command_sends_a_test_message_and_says_how_it_was_answered(tmp_path: Path, receiver: Hook) -> None:
    config = write_config(tmp_path / "config.toml", settings(tmp_path, receiver))
    ended = await soulspot("webhooks", "test", "--config", config)
    assert ended.code == 0, ended.err
    assert "delivered: HTTP 200" in ended.out
    assert receiver.taken[0]["type"] == "webhook.test"
    receiver.statuses = [401]
    ended = await soulspot("webhooks", "test", "--config", config, "--json")
    assert (ended.code, ended.json["status"], ended.json["why"]) == (1, 401, "HTTP 401")
    assert SECRET not in ended.out + ended.err
    ended = await soulspot("webhooks", "status", "--config", config, "--json")
    assert (ended.code, ended.json) == (0, None)


def test_nothing_to_tell_is_no_message(database: Database) -> None:
    assert database.write_now(lambda c: next_message(c, 0, ())) == 0
    database.write_now(lambda c: events.add(c, "operation.started", {}, NOW))
    assert database.write_now(lambda c: next_message(c, 0, ())) == 1
