"""GET /metrics: the counters of telemetry and the numbers of status, for Prometheus."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from soulspot.limits import RequestRecord
from soulspot.web.metrics import FAMILIES
from tests.support.factories import NOW, add_lookups
from tests.web.conftest import Running, Start

DOC = Path(__file__).parent.parent.parent / "docs" / "reference" / "metrics.md"


async def scraped(running: Running) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels."""
    async with running.http.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = await answer.text()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def labelled(**labels: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


async def test_every_request_answer_and_batch_is_counted_under_the_name_of_its_event(
    running: Running,
) -> None:
    telemetry = running.service.telemetry
    with capture_logs() as said:
        for status in (200, 200, 429, None):
            telemetry.on_request(RequestRecord("spotify", "api", "tracks", status, 3.0, 1))
        telemetry.on_answers("spotify", {"ok": 8, "missing": 1})
        telemetry.on_tracks("spotify", range(20))
        telemetry.on_batch(
            "spotify",
            {"ok": 8, "missing": 1},
            items=9,
            room=50,
            waited_ms=900.0,
            duration_ms=30.0,
            reason="timer",
        )
        telemetry.on_results({"accepted": 7})
    found = await scraped(running)
    one = labelled(provider="spotify")
    assert found["soulspot_requests_total", labelled(provider="spotify", status="200")] == 2
    assert found["soulspot_requests_total", labelled(provider="spotify", status="none")] == 1
    assert found["soulspot_request_duration_seconds_count", one] == 4
    assert found["soulspot_request_duration_seconds_sum", one] == pytest.approx(0.012)
    assert found["soulspot_request_duration_seconds_bucket", labelled(provider="spotify", le="0.001")] == 0
    assert found["soulspot_request_duration_seconds_bucket", labelled(provider="spotify", le="0.004")] == 4
    assert found["soulspot_answers_total", labelled(provider="spotify", outcome="ok")] == 8
    assert found["soulspot_tracks_served_total", one] == 20
    assert found["soulspot_requests_saved", ()] == 16
    assert found["soulspot_batch_items_total", one] / found["soulspot_batch_room_total", one] == 9 / 50
    assert found["soulspot_results_total", labelled(status="accepted")] == 7
    for event in ("request", "batch_flushed", "decided"):
        counted = found["soulspot_events_total", labelled(event=event, level="info")]
        assert counted == sum(1 for line in said if line["event"] == event)


async def test_metrics_and_status_tell_the_same(running: Running) -> None:
    await running.service.database.write(lambda c: add_lookups(c, 1, 2, 3, now=NOW))
    running.service.telemetry.on_alarm("stall", "nothing moves")
    async with running.http.get("/api/v1/status") as answer:
        status: dict[str, Any] = await answer.json()
    found = await scraped(running)
    assert status["lookups"] == {"musicbrainz": {"pending": 3}}
    assert found["soulspot_lookups", labelled(provider="musicbrainz", state="pending")] == 3
    assert found["soulspot_oldest_waiting_seconds", ()] > 0
    assert status["alarms"] == [{"alarm": "stall", "why": "nothing moves"}]
    assert found["soulspot_alarm", labelled(alarm="stall")] == 1
    assert found["soulspot_memory_bytes", ()] > 1_000_000
    counts = status["tracks"]
    assert found["soulspot_files", labelled(state="vanished")] == counts["vanished"]
    statuses = {dict(labels)["status"]: n for (name, labels), n in found.items() if name == "soulspot_tracks"}
    assert statuses == {name: n for name, n in counts.items() if name not in ("total", "unreadable", "vanished")}
    assert sum(statuses.values()) == counts["total"]


async def test_an_open_metrics_scraper_is_answered_in_its_own_form(running: Running) -> None:
    async with running.http.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as answer:
        assert answer.content_type == "application/openmetrics-text"
        assert (await answer.text()).endswith("# EOF\n")


async def test_metrics_want_the_token_like_everything_else(start: Start) -> None:
    running = await start(token="tell me")
    async with running.http.get("/metrics") as answer:
        assert answer.status == 401
    async with running.http.get("/metrics", headers={"Authorization": "Bearer tell me"}) as answer:
        assert answer.status == 200


def test_every_metric_is_documented_and_no_other() -> None:
    section = DOC.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(soulspot_\w+)` \| (\w+) \| ([^|]*) \| (.+) \|$", section, re.MULTILINE)
    documented = {name: (kind, tuple(re.findall(r"`(\w+)`", labels)), text) for name, kind, labels, text in rows}
    assert documented == {name: tuple(family) for name, family in FAMILIES.items()}
