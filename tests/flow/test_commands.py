"""Commands beside a daemon, and what they say when something foreseeable goes wrong."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from soulspot.assembly import open_service
from soulspot.cli.main import app
from soulspot.cli.retry import retry_lookups
from soulspot.cli.status import read_status
from soulspot.client.daemon_client import DaemonClient, DaemonUnreachable, OperationFailed
from soulspot.config.loading import make_config
from soulspot.errors import DatabaseError
from soulspot.operations.kinds import retry_request
from soulspot.operations.reports.results import EnrichReport
from soulspot.pipeline import Postponed
from soulspot.pipeline.status import status_of
from soulspot.store import library_counts
from soulspot.store.database import Database
from soulspot.store.ownership import Ownership
from soulspot.store.times import iso
from soulspot.terminal.bars import Bars
from tests.support.flow import soulspot, write_config
from tests.support.virtual_time import run_virtual

Handler = Callable[[web.Request], web.Response]
PAUSED = Postponed("spotify", 5, 1_800_000_000.0, "the daily quota is spent")


def operation(status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"id": 1, "kind": "enrich", "status": status, "error_message": None, "metadata": {}, "total_items": 5,
            "processed_items": 0, "updated_at": "2026-11-22T00:00:00.000Z"} | more  # fmt: skip


def reporting(report: dict[str, Any], *notes: str) -> dict[str, Any]:
    return operation(metadata={"report": report, "notes": list(notes)})


class Daemon:
    """The HTTP face of a daemon, without the daemon. `asked` has the bodies of the requests."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.answer: Handler = lambda request: web.json_response(operation())
        self.asked: list[Any] = []

    def says(self, operation: dict[str, Any]) -> None:
        self.answer = lambda request: web.json_response(operation)

    async def start(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.json_response({"operation_id": 1}, status=202)

    async def take(self, request: web.Request) -> web.Response:
        self.asked.append(await request.read())
        return web.json_response({"operation_id": 1}, status=202)

    async def follow(self, request: web.Request) -> web.Response:
        return self.answer(request)


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    values = {"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org",
              "library.paths": [str(tmp_path)]}  # fmt: skip
    made = Daemon(write_config(tmp_path / "config.toml", values))
    app = web.Application()
    app.add_routes(
        [
            *(web.post(f"/api/v1/{name}", made.start) for name in ("scan", "enrich", "retry")),
            web.post("/api/v1/import", made.take),
            web.get("/api/v1/operations/1", made.follow),
            web.get("/api/v1/status", made.follow),
        ]
    )
    async with serving(app) as address:
        with Ownership(tmp_path / "s.db") as ownership:
            ownership.announce(address)
            yield made


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.process
async def test_after_an_import_beside_the_daemon_nobody_is_told_to_enrich(daemon: Daemon, tmp_path: Path) -> None:
    songs = tmp_path / "songs.csv"
    songs.write_text("title\nPopcorn\n")
    daemon.says(reporting({"rows": 1, "queued": 1, "bad": 0}))
    ended = await soulspot("import", songs, "--config", daemon.config)
    assert ended.code == 0
    assert "works it off" in ended.out
    assert "next: soulspot enrich" not in ended.out


# --- work in the daemon ---------------------------------------------------------------------------


@pytest.mark.process
@pytest.mark.parametrize("command", ["enrich", "scan", "retry"])
@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_an_operation_that_fails_in_the_daemon_fails_the_command_and_says_why(
    daemon: Daemon, command: str, status: str
) -> None:
    daemon.says(operation(status, error_message="OperationalError: disk I/O error"))
    ended = await soulspot(command, "--json", "--config", daemon.config)
    assert (ended.code, ended.json["exit_code"]) == (1, 1)
    assert "disk I/O error" in ended.json["error"]
    assert "disk I/O error" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.process
@pytest.mark.parametrize(("status", "code"), [(422, 2), (404, 2), (503, 1)])
async def test_a_request_that_the_daemon_refuses_is_wrong_usage_unless_the_daemon_is_only_unable_now(
    daemon: Daemon, status: int, code: int
) -> None:
    daemon.answer = lambda request: web.json_response({"detail": "paths: not inside the library"}, status=status)
    ended = await soulspot("scan", "/", "--json", "--config", daemon.config)
    assert (ended.code, ended.json["exit_code"]) == (code, code)
    assert ended.json["error"] == "paths: not inside the library"


@pytest.mark.process
async def test_an_enrichment_in_the_daemon_ends_as_one_in_this_process(daemon: Daemon) -> None:
    report = EnrichReport({"total": 5, "pending": 5}, {"spotify": 2}, {"spotify": 3}, [PAUSED], lost=0)
    daemon.says(reporting(report.as_json()))
    ended = await soulspot("enrich", "--wait", "7", "--json", "--config", daemon.config)
    assert ended.code == 1
    assert ended.json == report.as_json() | {"database": str(daemon.config.with_name("s.db"))}
    assert [body["wait"] for body in daemon.asked] == [7.0]
    ended = await soulspot("enrich", "--config", daemon.config)
    assert "postponed: 5 lookups at spotify" in ended.out
    assert "the daily quota is spent" in ended.out
    daemon.says(reporting(EnrichReport({"total": 5, "accepted": 5}).as_json()))
    assert (await soulspot("enrich", "--config", daemon.config)).code == 0


@pytest.mark.process
async def test_a_scan_in_the_daemon_reports_the_counts_of_a_scan_in_this_process(daemon: Daemon) -> None:
    counts = {"found": 3, "unchanged": 1, "read": 2, "unreadable": 0, "vanished": 0, "problems": 1}
    daemon.says(reporting(counts, "skipped /music/x: Permission denied"))
    ended = await soulspot("scan", "--json", "--config", daemon.config)
    assert (ended.code, ended.json) == (0, counts)
    ended = await soulspot("scan", "--config", daemon.config)
    assert "3 found, 1 unchanged, 2 read" in ended.out
    assert "skipped /music/x: Permission denied" in ended.err


def gone(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.process
@pytest.mark.parametrize(
    "answer",
    [
        gone,
        lambda request: web.Response(text="<html>", status=502),
        lambda request: web.Response(text="[" * 100_000),
        lambda request: web.json_response([1]),
        lambda request: web.json_response({"hello": "world"}),
        lambda request: web.json_response(operation(metadata={})),
        lambda request: web.json_response(reporting({"other": 1})),
    ],
    ids=["gone", "proxy", "deep", "list", "stranger", "no report", "other report"],
)  # fmt: skip
async def test_a_daemon_that_answers_nonsense_is_reported_in_a_sentence(daemon: Daemon, answer: Handler) -> None:
    daemon.answer = answer
    ended = await soulspot("enrich", "--config", daemon.config)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert "daemon" in ended.err or "what answers at" in ended.err


async def test_a_status_that_is_not_the_daemons_is_reported_in_a_sentence(daemon: Daemon) -> None:
    daemon.says({"hello": "world"})
    config = make_config({"database.path": str(daemon.config.with_name("s.db")),
                          "providers.musicbrainz.contact": "a@example.org"})  # fmt: skip
    with pytest.raises(DaemonUnreachable, match="what answers at"):
        await read_status(config)


def test_an_operation_that_shows_no_sign_of_life_is_given_up() -> None:
    async def main() -> None:
        async with DaemonClient("http://127.0.0.1:9", None) as client:
            moments = iter(range(50))

            async def ask(method: str, path: str, *expected: str, **more: Any) -> dict[str, Any]:
                return operation("processing", updated_at=str(next(moments, "the last")))

            client.request = ask  # type: ignore[method-assign]
            with pytest.raises(OperationFailed, match="no sign of life for 10 minutes"):
                await client.wait_for(1)
            assert next(moments, None) is None

    run_virtual(main())


# --- without a daemon -----------------------------------------------------------------------------


def config_of(tmp_path: Path, **more: Any) -> Any:
    return make_config({"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org",
                        **more})  # fmt: skip


async def test_status_without_a_daemon_has_the_daemons_keys_and_forgets_pauses_that_ended(
    tmp_path: Path,
) -> None:
    now = time.time()
    saved = {
        "api.spotify.com": {"pause": {"blocked_until": now - 86_400, "length": 5, "why": "429", "strikes": 1}},
        "accounts.spotify.com": {"breaker": {"until": now + 600, "failures": 5, "trips": 1}},
        "musicbrainz.org": {"pause": {"blocked_until": now + 3600, "length": 3600, "why": "asked to", "strikes": 1}},
    }  # fmt: skip

    def remember(connection: sqlite3.Connection) -> None:
        for host, value in saved.items():
            provider = "spotify" if "spotify" in host else "musicbrainz"
            until = value.get("pause", {}).get("blocked_until")
            connection.execute(
                "INSERT INTO provider_state VALUES (?, ?, ?, ?, ?)",
                (f"gate:{provider}:{host}", provider, json.dumps(value), until and iso(until), iso(now)),
            )

    with Database(tmp_path / "s.db") as database:
        database.write_now(remember)
    found = await read_status(config_of(tmp_path))
    assert found is not None
    gates = {gate["host"]: gate for gate in found["gates"]}
    assert gates.keys() == saved.keys()
    assert (gates["api.spotify.com"]["limited_until"], gates["api.spotify.com"]["why"]) == (None, "")
    assert gates["accounts.spotify.com"]["breaker"] == "open"
    assert gates["musicbrainz.org"]["limited_until"] == iso(now + 3600)
    assert gates["musicbrainz.org"]["why"] == "asked to"
    async with open_service(config_of(tmp_path), work=False) as service:
        here = await status_of(service)
    of_the_daemon = {"daemon", "database", "version", "pid", "services", "tracks_per_second", "eta_seconds"}
    assert {*here, *of_the_daemon} == set(found)
    assert found["pumps"] == {}
    assert {*here["gates"][0]} == {*found["gates"][0]}


async def test_a_retry_of_a_service_that_is_off_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'spotify' is not one of the services that are on"):
        await retry_lookups(config_of(tmp_path), retry_request(["failed"], "spotify"), Bars(quiet=True))


def test_only_failed_lookups_of_unaccepted_tracks_count_as_lost(tmp_path: Path) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        for number, (status, state) in enumerate(
            [("accepted", "buried"), ("unmatched", "buried"), ("failed", "failed"), ("unmatched", "missing")]
        ):
            connection.execute(
                "INSERT INTO tracks (track_id, tags, added_at, changed_at) VALUES (?, '{}', '', '')",
                (number,),
            )
            connection.execute(
                "INSERT INTO enriched_tracks (track_id, status, updated_at) VALUES (?, ?, '')",
                (number, status),
            )
            connection.execute(
                "INSERT INTO lookups (lookup_id, provider, kind, query, state, due_at, created_at)"
                " VALUES (?, 'spotify', 'isrc', ?, ?, '', '')",
                (number, str(number), state),
            )
            connection.execute("INSERT INTO track_lookups VALUES (?, ?)", (number, number))

    with Database(tmp_path / "s.db") as database:
        database.write_now(fill)
        assert database.write_now(library_counts.count_lost_lookups) == 2


# --- foreseeable errors ---------------------------------------------------------------


def locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def locked_at_the_start() -> DatabaseError:
    error = DatabaseError("s.db: database is locked")
    error.__cause__ = locked()
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (locked(), 75, "locked"),
        (locked_at_the_start(), 75, "locked"),
        (sqlite3.OperationalError("disk I/O error"), 1, "the database: disk I/O error"),
        (DaemonUnreachable("the daemon does not answer"), 1, "does not answer"),
        (OSError("Network is down"), 1, "Network is down"),
    ],
)
def test_foreseeable_errors_are_sentences_with_an_exit_code(
    error: Exception, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(config: Any) -> None:
        raise error

    config = write_config(tmp_path / "config.toml", {"providers.musicbrainz.contact": "a@example.org"})
    monkeypatch.setattr("soulspot.cli.status.read_status", fail)
    ended = CliRunner().invoke(app, ["status", "--config", str(config)])
    assert ended.exit_code == code
    assert words in ended.output


def test_unforeseen_errors_show_no_values_of_variables() -> None:
    assert app.pretty_exceptions_enable is False
    assert app.pretty_exceptions_show_locals is False
