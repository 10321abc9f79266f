"""The search for the daemon, with real servers of every kind at the configured address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from soulspot.assembly import open_service
from soulspot.client import daemon_search
from soulspot.client.daemon_client import DaemonRefused, DaemonUnreachable
from soulspot.client.daemon_search import read_daemon_status, refuse_other_daemon, running_daemon
from soulspot.config import Config, make_config
from soulspot.errors import ConfigError
from soulspot.operations.runner import Operations
from soulspot.store import ownership
from soulspot.store.database import Database
from soulspot.web.app import make_application
from soulspot.web.server import serve

TOKEN = "the-token-of-this-test"


def config(database: Path, address: str, **more: object) -> Config:
    values = {"database.path": str(database), "http.listen": address.removeprefix("http://")}
    return make_config({**values, "providers.musicbrainz.enabled": False, **more})


@asynccontextmanager
async def daemon(database: Path, *, token: str | None = None, is_daemon: bool = True) -> AsyncIterator[str]:
    """Serve the real API over this database, without the lock file's announcement."""
    async with open_service(config(database, "127.0.0.1:0"), work=False) as service:
        operations = Operations(service)
        application = make_application(
            service, operations, ready=lambda: True, version="1", token=token, is_daemon=is_daemon
        )
        async with serve(application, "127.0.0.1", 0) as address:
            yield address
        await operations.stop()


@asynccontextmanager
async def stranger(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def finds(wanted: Config) -> str | None:
    client = await running_daemon(wanted)
    if client is None:
        return None
    await client.close()
    return client.address


async def test_the_daemon_of_the_same_file_is_found_by_whichever_name(tmp_path: Path) -> None:
    database, link, hard = tmp_path / "s.db", tmp_path / "link.db", tmp_path / "hard.db"
    async with daemon(database) as address:
        link.symlink_to(database)
        hard.hardlink_to(database)
        for name in (database, link, hard):
            assert await finds(config(name, address)) == address


async def test_a_daemon_of_another_database_is_refused_and_both_are_named(tmp_path: Path) -> None:
    with Database(tmp_path / "mine.db"):
        pass
    async with daemon(tmp_path / "theirs.db") as address:
        for mine in (tmp_path / "mine.db", tmp_path / "not made yet.db"):
            with pytest.raises(ConfigError) as caught:
                await finds(config(mine, address))
            assert f"{address} works on {tmp_path / 'theirs.db'}, and this configuration" in str(caught.value)
            assert str(mine) in str(caught.value)


async def test_a_database_that_was_replaced_under_its_daemon_is_not_taken_for_the_daemon_s(tmp_path: Path) -> None:
    async with daemon(tmp_path / "s.db") as address:
        (tmp_path / "restored").write_bytes(b"")
        (tmp_path / "restored").replace(tmp_path / "s.db")
        (tmp_path / "s.db.lock").unlink()
        with pytest.raises(ConfigError, match=r"works on another file than the one that is at .* now: restart it"):
            await finds(config(tmp_path / "s.db", address))


async def test_a_user_who_may_not_look_at_the_database_finds_its_daemon_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "folder" / "s.db"
    async with daemon(database) as address:
        (tmp_path / "link").symlink_to(database.parent)
        _deny(monkeypatch, database)
        assert await finds(config(database, address)) == address
        assert await finds(config(tmp_path / "link" / "s.db", address)) == address
        with pytest.raises(ConfigError, match="may not be read by this user"):
            await refuse_other_daemon(config(database, address))
        with pytest.raises(ConfigError, match="works on"):
            await finds(config(tmp_path / "other.db", address))


async def test_a_user_who_may_not_open_the_database_is_told_to_start_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stranger(_closes) as address:
        pass
    _deny(monkeypatch, tmp_path / "s.db")
    with pytest.raises(ConfigError, match=f"may not be opened by this user, and no daemon answers at {address}"):
        await finds(config(tmp_path / "s.db", address))


def _deny(monkeypatch: pytest.MonkeyPatch, database: Path) -> None:
    def denied(path: Path) -> None:
        if os.path.realpath(path) == str(database):
            raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(daemon_search, "read_owner", denied)
    monkeypatch.setattr(ownership, "file_identity", lambda path: None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)


@pytest.mark.parametrize("is_local", [True, False])
async def test_a_daemon_with_a_token_is_recognized_and_says_what_it_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_local: bool
) -> None:
    monkeypatch.setattr("soulspot.web.status.is_from_this_machine", lambda request: is_local)
    async with daemon(tmp_path / "s.db", token=TOKEN) as address:
        assert await finds(config(tmp_path / "s.db", address, **{"http.token": TOKEN})) == address
        with pytest.raises(ConfigError, match="works on"):
            await finds(config(tmp_path / "other.db", address, **{"http.token": TOKEN}))
        with pytest.raises(DaemonRefused, match=r"wants the token of http\.token: give it in SOULSPOT_HTTP__TOKEN"):
            await read_daemon_status(config(tmp_path / "s.db", address))


async def test_the_page_of_a_demo_at_the_usual_address_disturbs_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with daemon(tmp_path / "demo.db", is_daemon=False) as address:
        assert await finds(config(tmp_path / "mine.db", address)) is None
    assert capsys.readouterr().err == ""


async def test_a_daemon_in_trouble_is_still_the_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soulspot.web.status.why_not_alive", lambda service: "the writer stands still")
    async with daemon(tmp_path / "s.db") as address:
        assert await finds(config(tmp_path / "s.db", address)) == address
        with pytest.raises(ConfigError, match="works on"):
            await finds(config(tmp_path / "other.db", address))


async def test_a_daemon_that_cannot_answer_now_is_no_reason_to_go_on_without_it(tmp_path: Path) -> None:
    async def full(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b'{"title": "Service Unavailable", "status": 503, "detail": "too many connections"}'
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n\r\n" + body)

    async with stranger(full) as address:
        with pytest.raises(DaemonRefused, match="too many connections"):
            await finds(config(tmp_path / "s.db", address))


async def _closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def _is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _sends_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"[" * 65536)
        await writer.drain()


def _says(answer: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return say


@pytest.mark.parametrize(
    "answer",
    [
        _closes,
        _sends_for_ever,
        _says(b"SSH-2.0-OpenSSH_9.2p1\r\n"),
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\": \"ok\"}"),
        _says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"),
        _says(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
        _says(b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n"),
        _says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnull"),
    ],
    ids=["closes", "endless", "not HTTP", "a health of its own", "null", "404", "redirect", "damaged"],
)  # fmt: skip
async def test_a_stranger_at_the_address_is_named_and_the_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer
) -> None:
    said: list[str] = []
    monkeypatch.setattr(daemon_search, "print_note", said.append)
    async with stranger(answer) as address:
        assert await finds(config(tmp_path / "s.db", address)) is None
        assert await finds(config(tmp_path / "s.db", address)) is None
    assert said == [f"soulspot: what answers at {address} (http.listen) is no SoulSpot daemon of this version"]


async def test_whatever_is_silent_at_the_address_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_search, "LIFE_SECONDS", 0.2)
    async with stranger(_is_silent) as address:
        with pytest.raises(
            DaemonUnreachable, match=f"what listens at {address} does not answer .* another http.listen"
        ):
            await finds(config(tmp_path / "s.db", address))


async def test_strangers_are_not_sent_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_search, "print_note", lambda line: None)
    heard: list[web.Request] = []

    async def note(request: web.BaseRequest) -> web.Response:
        heard.append(request.headers.get("Authorization"))
        return web.json_response({"status": "ok"})

    runner = web.ServerRunner(web.Server(note))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await finds(config(tmp_path / "s.db", f"127.0.0.1:{port}", **{"http.token": TOKEN}))
    await runner.cleanup()
    assert heard == [None]
