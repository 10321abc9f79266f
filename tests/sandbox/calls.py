"""A bare HTTP client for the sandbox tests, so that the servers are judged without SoulSpot's own providers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp

from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue

AGENT = "SandboxTests/1.0 ( tests@example.org )"


@cache
def catalogue(tracks: int = 400) -> Catalogue:
    """One invented catalogue a size for the whole run; it is frozen."""
    return invent_catalogue(7, tracks)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Calls:
    """The sandbox and a client with manners: it sends a User-Agent, and a token where one is needed."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.sandbox, self.http, self.clock = sandbox, http, clock
        self.token = ""

    async def _send(self, method: str, url: str, **more: Any) -> Reply:
        async with self.http.request(method, url, allow_redirects=False, **more) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def mb(self, path: str, *, agent: str = AGENT, fmt: str | None = "json", **query: Any) -> Reply:
        pairs = [
            (k, str(each))
            for k, v in query.items()
            for each in (v if isinstance(v, Sequence) and not isinstance(v, str) else [v])
        ]
        if fmt:
            pairs.append(("fmt", fmt))
        headers = {"User-Agent": agent}
        return await self._send("GET", self.sandbox.musicbrainz_url + path, params=pairs, headers=headers)

    async def new_token(self, client: str = "id", secret: str = "secret") -> Reply:
        headers = {"Authorization": aiohttp.encode_basic_auth(client, secret)}
        data = {"grant_type": "client_credentials"}
        reply = await self._send("POST", self.sandbox.token_url, data=data, headers=headers)
        if reply.status == 200:
            self.token = reply.json["access_token"]
        return reply

    async def spotify(self, path: str, **query: Any) -> Reply:
        if not self.token:
            await self.new_token()
        headers = {"Authorization": f"Bearer {self.token}"}
        params = {name: str(value) for name, value in query.items()}
        return await self._send("GET", self.sandbox.spotify_url + path, params=params, headers=headers)

    async def lb(self, path: str, body: Any, token: str | None = None) -> Reply:
        headers = {"Authorization": f"Token {token}"} if token else {}
        return await self._send("POST", self.sandbox.listenbrainz_url + path, json=body, headers=headers)

    async def labs(self, slug: str, body: Any) -> Reply:
        return await self._send("POST", f"{self.sandbox.labs_url}/{slug}/json", json=body)

    async def control(self, method: str, what: str, body: Any = None) -> Reply:
        return await self._send(method, f"{self.sandbox.control_url}/{what}", json=body)


@asynccontextmanager
async def running(
    behaviour: Behaviour | None = None, served: Catalogue | None = None, *, limits: bool = False
) -> AsyncIterator[Calls]:
    """A sandbox on a clock of its own, without rate limits unless they are the subject."""
    clock, behaviour = Clock(), behaviour or Behaviour()
    behaviour.limits = limits
    async with (
        Sandbox(served or catalogue(), behaviour, now=clock) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        yield Calls(sandbox, http, clock)
