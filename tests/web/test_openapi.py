"""The OpenAPI document, checked against every route of a running server."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from soulspot.store import queue
from soulspot.web import throttle
from soulspot.web.page import PREFIX
from tests.pipeline.test_intake import song
from tests.support.factories import NOW, add_tracks, claim, decide, found, recording, tags
from tests.web.conftest import Running, Start
from tests.web.test_guards import TOKEN

EXAMPLES = 10  # of each route


def some_tracks(connection: sqlite3.Connection) -> None:
    decide(connection, add_tracks(connection, tags(isrcs=[1]), tags(None, None, None, None)))
    [lookup] = claim(connection)
    queue.settle(connection, [found(lookup, recording(1, isrcs=["DEAB10000001"]))], NOW)
    decide(connection, [1, 2])


async def described(running: Running) -> set[tuple[str, str]]:
    """Return the (method, path) of every route in the OpenAPI document."""
    async with running.http.get("/api/v1/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


async def test_the_document_names_every_route_and_no_other(running: Running) -> None:
    app = running.http.server.app  # type: ignore[attr-defined]
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource and route.method != "HEAD" and not route.resource.canonical.startswith(PREFIX)
    }
    assert await described(running) == served


async def test_every_route_stands_in_the_documentation(running: Running) -> None:
    text = (Path(__file__).parents[2] / "docs/reference/http.md").read_text(encoding="utf-8")
    assert [path for method, path in await described(running) if f"{method} {path}" not in text] == []


async def test_the_document_says_when_a_token_is_needed(start: Start) -> None:
    running = await start(token=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with running.http.get("/api/v1/openapi.json", headers=headers) as answer:
        said = await answer.json()
    assert (said["openapi"], said["info"]["version"]) == ("3.1.0", "1.2.3")
    assert said["security"] == [{"bearer": []}, {"cookie": []}]
    assert said["paths"]["/healthz"]["get"]["security"] == []
    assert "401" in said["paths"]["/api/v1/tracks"]["get"]["responses"]


@pytest.mark.timeout(300)
async def test_every_route_answers_as_the_document_says_whatever_it_is_asked(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "DELAY", 0.0)  # it tries a wrong token on every route
    token = "the-token-of-this-test"
    running = await start(token=token)
    song(running.music / "1.flac", "One")
    await running.service.database.write(some_tracks)
    address = f"http://{running.http.server.host}:{running.http.server.port}/api/v1/openapi.json"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", address,
        "--checks", "all",
        # what is well formed may be refused for what it means: a folder that is no part of the
        # library, say
        "--exclude-checks", "positive_data_acceptance",
        "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", "4",
        "--header", f"Authorization: Bearer {token}",
        "--exclude-path", "/api/v1/events",  # it does not end; it has tests of its own
        "--generation-database", "none", "--no-color", "--workers", "1",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
