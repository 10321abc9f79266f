"""The reports at the end of an operation: its performance, its errors, and advice."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from soulspot.assembly import open_service
from soulspot.cli.main import app
from soulspot.config.loading import make_config
from soulspot.limits import LimitEvent, RequestRecord
from soulspot.models import FileStamp, LookupState, ScannedFile, Settlement
from soulspot.operations.reports.errors import OF_FILES, OF_LOOKUPS, category_of, error_lines, error_report
from soulspot.operations.reports.performance import Measurement, performance_lines
from soulspot.operations.reports.results import EnrichmentRun, EnrichReport
from soulspot.operations.runner import Operations
from soulspot.pipeline import wait_until_settled
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store import operations as rows
from soulspot.store import queue, tracks
from soulspot.store.database import Database
from soulspot.telemetry import Telemetry
from tests.support.factories import NOW, add_lookups, claim
from tests.support.flow import settings, write_config, write_rows

CATALOGUE = invent_catalogue(3, 300)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "soulspot.db") as opened_:
        yield opened_


# --- errors by category ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("musicbrainz.org: HTTP 503 Service Unavailable", "server_error"),
        ("api.spotify.com: HTTP 502 Bad Gateway", "server_error"),
        ("api.listenbrainz.org: no answer within 30 s", "unreachable"),
        ("musicbrainz.org: connection trouble (ConnectionError)", "unreachable"),
        ("h: no connection within 10 s", "unreachable"),
        ("h: HTTP 401 Unauthorized", "refused"),
        (
            "Spotify gives no token (invalid_client): check providers.spotify.client_id and client_secret",
            "refused",
        ),
        (
            "Spotify serves this app only while its owner has Premium: renew it, or use another owner's app",
            "refused",
        ),
        ("h: HTTP 400 Bad Request: Invalid mbid", "rejected"),
        ("Spotify: Invalid base62 id", "rejected"),
        ("h: HTTP 414 Request-URI Too Long", "too_long"),
        ("h: HTTP 413 Request Entity Too Large", "too_long"),
        ("h: HTTP 431 Request Header Fields Too Large", "too_long"),
        ("h: HTTP 414 Request-URI Too Long: the database takes 2 kB", "too_long"),
        ("database.example.org:8080: HTTP 413 Request Entity Too Large", "too_long"),
        ("h: HTTP 400 Bad Request: no answer from the database: HTTP 503", "rejected"),
        ("h: HTTP 502 Bad Gateway: invalid response from disk cache", "server_error"),
        ("h: HTTP 404 Not Found", "bad_answer"),
        ("the search answer has no recordings", "bad_answer"),
        ("the answer is not usable JSON: Expecting value", "bad_answer"),
        ("h redirects more than 5 times", "bad_answer"),
        ("there was not enough memory", "memory"),
        ("the disk is full: database or disk is full", "storage"),
        ("", "other"),
        ("☂", "other"),
    ],
)
def test_every_failure_of_a_lookup_has_its_category(words: str, category: str) -> None:
    assert category_of(words, OF_LOOKUPS).name == category


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("permission denied", "permission"),
        ("larger than max_file_size (5 bytes, allowed are 3)", "too_large"),
        ("DSF cannot be read yet", "unsupported"),
        ("input/output error", "disk"),
        ("damaged: its tags have no end", "damaged"),
        ("the file is empty", "damaged"),
        ("not a .mp3 file, or one without any audio", "damaged"),
        ("no idea", "unreadable"),
    ],
)
def test_every_unreadable_file_has_its_category(words: str, category: str) -> None:
    assert category_of(words, OF_FILES).name == category


def test_every_category_says_what_it_is_and_what_to_do() -> None:
    for one in (*OF_LOOKUPS, *OF_FILES):
        assert len(one.what) > 10
        assert len(one.advice) > 10
        assert one.retryable == ("soulspot retry" in one.advice)


def fill(connection: sqlite3.Connection) -> None:
    """Add lookups that failed in two ways, one not found, and two unreadable files."""
    add_lookups(connection, 1, 2, 3, 4)
    first, second, third, fourth = claim(connection)
    busy, wrong = "h: HTTP 500 Internal Server Error", "h: HTTP 400 Bad Request"
    queue.settle(
        connection,
        [
            Settlement(first, LookupState.BURIED, NOW, error=busy),
            Settlement(second, LookupState.BURIED, NOW, error=busy),
            Settlement(third, LookupState.FAILED, NOW, error=wrong),
            Settlement(fourth, LookupState.MISSING, NOW),
        ],
        NOW,
    )
    broken = [
        ScannedFile(path, FileStamp(1, 1, number), unreadable="the file is empty")
        for number, path in enumerate([b"/m/caf\xe9.mp3", b"/m/a.mp3"])
    ]
    tracks.save_scanned(connection, broken, 1, NOW, exists=lambda path: True)


def test_errors_are_counted_by_category_with_examples_and_the_retryable_ones_known(
    database: Database,
) -> None:
    database.write_now(fill)
    found = database.write_now(error_report)
    assert [(one["category"], one["count"], one["services"]) for one in found["lookups"]] == [
        ("server_error", 2, {"musicbrainz": 2}), ("rejected", 1, {"musicbrainz": 1})
    ]  # fmt: skip
    assert found["retryable"] == 2
    assert "isrc" in found["lookups"][0]["examples"][0]
    assert [(one["category"], one["count"]) for one in found["files"]] == [("damaged", 2)]
    assert "/m/a.mp3" in found["files"][0]["examples"][0]
    assert [(one["category"], one["count"]) for one in found["tracks"]] == []
    lines = list(error_lines(found))
    assert lines[0] == "2 lookups: the service answered with an error of its own (musicbrainz)"
    assert any("what to do: wait until it is well again" in line for line in lines)
    json.dumps(found)


def test_where_nothing_failed_nothing_is_said(database: Database) -> None:
    found = database.write_now(error_report)
    assert (found["lookups"], found["files"], found["retryable"]) == ([], [], 0)
    assert list(error_lines(found)) == []


# --- performance ----------------------------------------------------------------------------------


def work(telemetry: Telemetry, status: int = 200, ms: float = 100.0) -> None:
    telemetry.on_request(RequestRecord("spotify", "h", "tracks", status, ms, 1))
    telemetry.on_answers("spotify", {"ok": 24, "failed": 1})
    telemetry.on_batch("spotify", {"ok": 24}, items=25, room=50, waited_ms=2000.0, duration_ms=90.0, reason="timer")


def test_only_what_came_since_the_beginning_is_reported() -> None:
    telemetry = Telemetry()
    with capture_logs():
        work(telemetry, 503, ms=9000.0)
        telemetry.on_tracks("spotify", range(500))
        telemetry.on_results({"accepted": 500})
        measurement = Measurement(telemetry)
        work(telemetry)
        work(telemetry, 429)
        telemetry.on_limit(LimitEvent("spotify", "h", "limited", None, "429"))
        telemetry.on_tracks("spotify", range(500, 560))
        telemetry.on_results({"accepted": 50, "review": 3})
        work(telemetry)
    told = measurement.report()
    one = told["services"]["spotify"]
    assert (told["tracks"], told["results"]) == (53, {"accepted": 50, "review": 3})
    assert (told["requests"], told["requests_saved"]) == (3, 57)
    assert (one["http_429"], one["http_503"], one["limited"], one["batches"]) == (1, 0, 1, 3)
    assert (told["success_rate"], told["batch_fill"]) == (96.0, 50.0)
    assert one["request_ms"]["p95"] == pytest.approx(100, rel=0.03)
    assert one["waited_ms"]["p50"] == pytest.approx(2000, rel=0.03)
    assert told["peak_rss_mb"] > 1
    first, second = performance_lines(told)
    assert first.startswith("53 tracks in")
    assert "peak memory" in first
    assert "spotify: 3 requests" in second
    assert "1 times 429" in second


def test_work_that_asked_for_nothing_has_a_report_too() -> None:
    told = Measurement(Telemetry()).report()
    assert (told["tracks"], told["services"], told["success_rate"]) == (0, {}, None)
    assert len(list(performance_lines(told))) == 1


# --- at the end of an operation -------------------------------------------------------------------


async def enriched(tmp_path: Path, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Enrich 30 tracks as an operation; return its row, and telemetry's numbers."""
    found = [one for one in CATALOGUE.recordings if one.isrcs][:30]
    file = write_rows(tmp_path / "rows.csv", [{"key": str(n), "isrc": one.isrcs[0]} for n, one in enumerate(found)])
    async with Sandbox(CATALOGUE, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "s.db", **more))
        write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "s.db", **more))
        async with open_service(config) as service:
            running = Operations(service)
            await running.import_file(file, name="rows.csv")
            operation = await running.enrich()
            await running.idle()
            row = await service.database.read(lambda c: rows.find(c, operation))
            assert row is not None
            return row, service.telemetry.status_numbers()


async def test_an_operation_ends_with_its_cost_and_its_errors(tmp_path: Path) -> None:
    row, numbers = await enriched(tmp_path)
    performance, found = row["metadata"]["performance"], row["metadata"]["errors"]
    assert row["status"] == "completed"
    assert performance["requests"] == sum(numbers["requests"].values())
    assert performance["requests_saved"] == numbers["requests_saved"] > 10
    assert performance["success_rate"] == 100.0
    assert (found["lookups"], found["retryable"]) == ([], 0)
    assert "performance" not in row["metadata"]["report"]
    whole = EnrichReport.from_json(row["metadata"]["report"] | {"performance": performance, "errors": found})
    assert whole.served.keys() == performance["services"].keys()
    # in a thread: a command has an event loop of its own
    config = ["--config", str(tmp_path / "config.toml")]
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["report", *config])
    assert shown.exit_code == 0, shown.output
    assert "enrich 2: completed" in shown.stdout
    assert "peak memory" in shown.stdout
    shown = await asyncio.to_thread(
        CliRunner().invoke, app, ["report", "1", "--json", "--config", str(tmp_path / "config.toml")]
    )
    assert json.loads(shown.stdout)["kind"] == "import"
    shown = await asyncio.to_thread(
        CliRunner().invoke, app, ["report", "99", "--config", str(tmp_path / "config.toml")]
    )
    assert shown.exit_code == 2


async def test_an_enrichment_without_a_daemon_has_both_reports(tmp_path: Path) -> None:
    async with Sandbox(CATALOGUE, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "s.db"))
        async with open_service(config) as service:
            enrichment = EnrichmentRun(service)
            await wait_until_settled(service, 1.0)
            told = await enrichment.report([])
    assert told.performance["tracks"] == 0
    assert told.errors["retryable"] == 0
    assert EnrichReport.from_json(json.loads(json.dumps(told.as_json()))) == told
