"""A real daemon: status, /metrics and the log agree, and webhooks survive a kill."""

from __future__ import annotations

import base64
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families
from standardwebhooks.webhooks import Webhook

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from tests.flow.test_daemon import daemon
from tests.support.flow import rows, settings, soulspot, write_config

pytestmark = pytest.mark.process

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Receiver:
    """A receiver of webhooks that answers while `up`. `taken` has each message once, in order."""

    def __init__(self) -> None:
        self.up = True
        self.refused = 0
        self.taken: dict[str, dict[str, Any]] = {}

    async def handle(self, request: web.Request) -> web.Response:
        said = Webhook(SECRET).verify(await request.read(), dict(request.headers))
        if not self.up:
            self.refused += 1
            return web.Response(status=503)
        self.taken.setdefault(request.headers["webhook-id"], said)
        return web.Response(status=204)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one["data"] for one in self.taken.values() if one["type"] == kind]


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    made = Receiver()
    application = web.Application()
    application.router.add_post("/hook", made.handle)
    async with TestServer(application) as server:
        yield made, str(server.make_url("/hook"))


def summed(samples: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, label: str) -> dict[str, int]:
    """Return the sums of a metric's samples by the values of one label."""
    found: Counter[str] = Counter()
    for (sample, labels), value in samples.items():
        if sample == name:
            found[dict(labels)[label]] += int(value)
    return dict(found)


async def test_status_metrics_log_and_database_agree_when_the_work_is_done(tmp_path: Path) -> None:
    catalogue = invent_catalogue(4, 1500)
    music, database, log = tmp_path / "music", tmp_path / "soulspot.db", tmp_path / "soulspot.log"
    sample = write_sample_library(catalogue, music, seed=4, tracks=20)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, database, library__paths=[str(music)])
        config = write_config(tmp_path / "config.toml", values)
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            ended = await soulspot("enrich", "--config", config, "--json")
            assert ended.code == 0, ended.err
            status = (await soulspot("status", "--config", config, "--json")).json
            async with aiohttp.ClientSession(status["daemon"]) as client, client.get("/metrics") as answer:
                text = await answer.text()
            running.process.send_signal(signal.SIGTERM)
            await running.hears("daemon_stopped")
            assert await running.ends() == 0
    log.write_text("".join(json.dumps(line) + "\n" for line in running.said), encoding="utf-8")
    told = (await soulspot("stats", "--log", log, "--json")).json
    samples = {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }
    assert status["requests"] == summed(samples, "soulspot_requests_total", "provider")
    assert status["requests"] == {name: one["requests"] for name, one in told["services"].items()}
    assert sum(status["requests"].values()) == told["requests"] > 0
    assert status["requests_saved"] == told["requests_saved"] == samples["soulspot_requests_saved", frozenset()]
    for name, answers in status["answers"].items():
        logged = told["services"][name]["outcomes"]
        assert {outcome: count for outcome, count in logged.items() if count} == answers
    assert status["results"] == summed(samples, "soulspot_results_total", "status")
    assert status["results"] == {name: count for name, count in told["results"].items() if count}
    in_database = Counter(row["status"] for row in rows(database))
    assert summed(samples, "soulspot_tracks", "status") == dict(in_database)
    assert in_database.total() == len(sample)


async def test_a_webhook_receiver_that_was_down_while_the_daemon_was_killed_gets_every_message(
    tmp_path: Path, receiver: tuple[Receiver, str]
) -> None:
    hooks, url = receiver
    catalogue = invent_catalogue(4, 1500)
    music, database = tmp_path / "music", tmp_path / "soulspot.db"
    write_sample_library(catalogue, music, seed=4, tracks=20)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, database, library__paths=[str(music)], library__watch=False)
        values |= {"webhooks.url": url, "webhooks.secret": SECRET, "webhooks.allow_private": True,
                   "webhooks.rate": 1000.0}  # fmt: skip
        config = write_config(tmp_path / "config.toml", values)
        hooks.up = False
        async with daemon(config) as first:
            await first.hears("daemon_ready")
            assert (await soulspot("enrich", "--config", config, "--json")).code == 0
            await first.hears("webhook_failed")
            await first.ends(signal.SIGKILL)
        assert hooks.refused > 0
        assert hooks.taken == {}
        hooks.up = True
        async with daemon(config) as second:
            await second.hears("webhook_delivered", lambda said: said["type"] == "operation.finished")
            assert await second.ends(signal.SIGTERM) == 0
        # the messages that the second daemon could not deliver before it ended
        async with daemon(config) as third:
            await third.hears("operation_finished")
            assert await third.ends(signal.SIGTERM) == 0
    news = rows(database, "SELECT event_id, kind, payload FROM events ORDER BY event_id")
    accepted = [one for one in news if one["kind"] == "track.accepted"]
    heard = [track["track_id"] for data in hooks.of("track.enriched") for track in data["tracks"]]
    assert len(heard) >= len(accepted) > 10
    finished = [one for one in news if one["kind"] == "operation.finished"]
    assert len(hooks.of("operation.finished")) == len(finished) >= 3
    assert (await soulspot("webhooks", "status", "--config", config, "--json")).json["waiting_events"] == 0
