"""A whole run with services that fail in every way and repeat what they were sent: no secret of
the configuration shows anywhere."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import signal
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.daemons import daemon
from tests.support.flow import soulspot, write_config
from tests.support.until import until

HOOK = "canary-hook-path-2b9c"
CLIENT, LISTENER, ACCESS = "canary-client-secret-7f3a", "canary-listener-token-91bd", "canary-access-token-55e0"
USER, QUERY, TOKEN = "canary-user-password-c4d2", "canary-query-key-08aa", "canary-http-token-e6b1-long-enough"
SIGNING = base64.b64encode(b"canary-signing-key-of-32-bytes-x").decode()
CANARIES = (HOOK, CLIENT, LISTENER, ACCESS, USER, QUERY, TOKEN, SIGNING)


def shapes() -> set[str]:
    """Return the secrets as they are, percent-encoded, and as Basic authentication has them."""
    found = {*CANARIES, *(quote(one, safe="") for one in CANARIES)}
    for pair in (f"tests:{CLIENT}", f"me:{USER}"):
        found.add(base64.b64encode(pair.encode()).decode())
    return found


class Liar:
    """A server that plays every service and the receiver. It answers 401, 500 and redirects in
    turn, and repeats the request's address, headers and body in each answer."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.sent = ""  # all that reached the server
        self._turn = itertools.count()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode(errors="replace")
        said = f"{request.url} {dict(request.headers)} {body}"
        self.sent += said
        service = request.path.strip("/").partition("/")[0]
        self.seen[service] += 1
        if service == "token" and self.seen[service] > 1:
            return web.json_response({"access_token": ACCESS, "token_type": "Bearer", "expires_in": 60})
        status = (401, 500, 302, 400, 403, 307)[next(self._turn) % 6]
        headers = {"Location": f"http://127.0.0.1:1/elsewhere?{QUERY}"} if status in (302, 307) else {}
        if status in (400, 403):
            return web.json_response({"error": said, "error_description": said}, status=status)
        return web.Response(text=said, status=status, headers=headers)


@pytest.mark.long
async def test_no_secret_shows_anywhere_in_a_whole_run_of_failures(tmp_path: Path) -> None:
    liar = Liar()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", liar.answer)
    music = tmp_path / "music"
    music.mkdir()
    (tmp_path / "songs.csv").write_text(
        "title,artist,isrc,spotify_id\n" + "".join(f"Song {n},A,USVG2050{n:04d},{n:022d}\n" for n in range(5))
    )
    async with TestServer(app) as server:
        base = str(server.make_url("/")).rstrip("/")
        values = {
            "database.path": str(tmp_path / "db"), "http.listen": "127.0.0.1:0", "http.token": TOKEN,
            "library.paths": [str(music)], "log.level": "debug", "log.file": str(tmp_path / "soulspot.log"),
            "providers.musicbrainz.base_url": f"{base}/musicbrainz", "providers.musicbrainz.contact": "t@example.org",
            "providers.musicbrainz.rate": 50.0, "providers.listenbrainz.base_url": f"{base}/listenbrainz",
            "providers.listenbrainz.labs_url": f"{base}/labs", "providers.listenbrainz.token": LISTENER,
            "providers.spotify.base_url": f"{base}/spotify", "providers.spotify.token_url": f"{base}/token",
            "providers.spotify.client_id": "tests", "providers.spotify.client_secret": CLIENT,
            "webhooks.url": f"{base}/hook/{HOOK}",
            "webhooks.secret": f"whsec_{SIGNING}", "webhooks.allow_private": True, "webhooks.rate": 50.0,
        }  # fmt: skip
        config = write_config(tmp_path / "config.toml", values)
        shown: dict[str, str] = {}

        async def run(*words: str) -> None:
            ended = await soulspot(*words, "--config", config)
            assert "Traceback" not in ended.out + ended.err, ended
            shown[" ".join(words)] = ended.out + ended.err

        async with asyncio.timeout(240), daemon(config) as running:

            def ready() -> str | None:
                log = tmp_path / "soulspot.log"
                lines = map(json.loads, log.read_text().splitlines()) if log.exists() else ()
                return next((str(line["address"]) for line in lines if line["event"] == "daemon_ready"), None)

            address = await until(ready)
            await run("import", str(tmp_path / "songs.csv"))
            await until(lambda: all(liar.seen[name] for name in ("musicbrainz", "token", "hook")))
            await run("webhooks", "test")
            write_config(config, values | {"webhooks.url": f"ftp://me:{USER}@x/?{QUERY}"})
            running.process.send_signal(signal.SIGHUP)
            log = tmp_path / "soulspot.log"
            await until(lambda: "reload" in log.read_text())
            await run("check")
            await run("status")
            write_config(config, values)
            running.process.send_signal(signal.SIGHUP)
            for words in (("check",), ("status",), ("status", "--json"), ("report",), ("report", "--json"),
                          ("stats",), ("webhooks", "status"), ("webhooks", "test", "--json"), ("retry",),
                          ("export",), ("review", "list")):  # fmt: skip
                await run(*words)
            async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {TOKEN}"}) as http:
                async with http.get("/api/v1/openapi.json") as answer:
                    paths = (await answer.json())["paths"] if answer.status == 200 else {}
                gets = [path for path, kinds in paths.items() if "get" in kinds and "{" not in path]
                for path in {*gets, "/metrics", "/api/v1/status", "/api/v1/activity", "/api/v1/operations",
                             "/api/v1/tracks", "/readyz", "/"}:  # fmt: skip
                    if not path.endswith("/events"):
                        async with http.get(path) as answer:
                            shown[path] = f"{answer.headers} {await answer.text()}"
                            assert answer.status != 404, path
            await running.ends(signal.SIGTERM)
            shown["stderr"] = running.log.read_text(errors="replace")
        basic = base64.b64encode(f"tests:{CLIENT}".encode()).decode()
        assert all(secret in liar.sent for secret in (basic, HOOK)), "the secrets did go where they belong"
    shown["log"] = (tmp_path / "soulspot.log").read_text()
    shown["database"] = b"".join(file.read_bytes() for file in tmp_path.glob("db*") if file.is_file()).decode("latin1")
    leaks = [(place, secret) for place, text in shown.items() for secret in shapes() if secret in text]
    assert leaks == []
    assert len(shown) > 25
