"""A bare HTTP client for the sandbox tests: it judges the servers without SoulSpot's own
providers."""

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
    """Return the invented catalogue of a size, which all tests of a run share; it is frozen."""
    return invent_catalogue(7, tracks)


@dataclass(frozen=True)
class Reply:
    """An answer with its body as text."""

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
    """A sandbox and a polite client of it, which sends a User-Agent, and a token where that is
    needed."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.sandbox, self.http, self.clock = sandbox, http, clock
        self.token = ""

    async def _send(self, method: str, url: str, **more: Any) -> Reply:
        async with self.http.request(method, url, allow_redirects=False, **more) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def mb(self, path: str, *, agent: str = AGENT, fmt: str | None = "json", **query: Any) -> Reply:
        """Get a path of MusicBrainz; a list in `query` repeats the parameter, `fmt` None asks for
        XML."""
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
        """Ask for a Spotify token, and keep it for the calls to come when there is one."""
        headers = {"Authorization": aiohttp.encode_basic_auth(client, secret)}
        data = {"grant_type": "client_credentials"}
        reply = await self._send("POST", self.sandbox.token_url, data=data, headers=headers)
        if reply.status == 200:
            self.token = reply.json["access_token"]
        return reply

    async def spotify(self, path: str, **query: Any) -> Reply:
        """Get a path of Spotify with the kept token, asking for a token first when there is
        none."""
        if not self.token:
            await self.new_token()
        headers = {"Authorization": f"Bearer {self.token}"}
        params = {name: str(value) for name, value in query.items()}
        return await self._send("GET", self.sandbox.spotify_url + path, params=params, headers=headers)

    async def lb(self, path: str, body: Any, token: str | None = None) -> Reply:
        """Post a JSON body to a path of ListenBrainz."""
        headers = {"Authorization": f"Token {token}"} if token else {}
        return await self._send("POST", self.sandbox.listenbrainz_url + path, json=body, headers=headers)

    async def labs(self, slug: str, body: Any) -> Reply:
        """Post a JSON array to a lookup of labs."""
        return await self._send("POST", f"{self.sandbox.labs_url}/{slug}/json", json=body)

    async def control(self, method: str, what: str, body: Any = None) -> Reply:
        """Call the sandbox' own routes: `what` is "behaviour" or "requests"."""
        return await self._send(method, f"{self.sandbox.control_url}/{what}", json=body)


@asynccontextmanager
async def running(
    behaviour: Behaviour | None = None, served: Catalogue | None = None, *, limits: bool = False
) -> AsyncIterator[Calls]:
    """Run a sandbox on a clock that stands still, without rate limits unless a test is about
    them."""
    clock, behaviour = Clock(), behaviour or Behaviour()
    behaviour.limits = limits
    async with (
        Sandbox(served or catalogue(), behaviour, now=clock) as sandbox,
        aiohttp.ClientSession() as http,
    ):
        yield Calls(sandbox, http, clock)
