"""The sandbox: all local servers together, one port each on loopback, with one record of the requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from random import Random
from types import TracebackType
from typing import Self

from aiohttp import web

from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.servers.behaviour import Behaviour
from soulspot.sandbox.servers.covers import Covers
from soulspot.sandbox.servers.lb_lookup import Lookup
from soulspot.sandbox.servers.listenbrainz import Labs, ListenBrainz
from soulspot.sandbox.servers.musicbrainz import MusicBrainz
from soulspot.sandbox.servers.service import CONTROL, RecordedRequest, Room, Service, json_response
from soulspot.sandbox.servers.spotify import Spotify, SpotifyAccounts, Tokens

_PATHS = {
    "musicbrainz": "/ws/2",
    "spotify": "/v1",
    "token": "/api/token",
    "listenbrainz": "/1",
    "labs": "",
    "covers": "",
}


class Sandbox:
    """Serves a catalogue on 127.0.0.1; use it as an async context manager.

    `behaviour` may be changed while it runs. `now` is the clock of limits, quotas and tokens (seconds; by
    default the running loop's, so that virtual time works). `on_request` is called with every finished request;
    `requests` has them all, in the order in which they were finished (sort by `at` for that of arrival).
    The URLs are ready for `base_url`, `token_url` and `labs_url` of a configuration once it runs."""

    def __init__(
        self,
        catalogue: Catalogue,
        behaviour: Behaviour | None = None,
        *,
        now: Callable[[], float] | None = None,
        on_request: Callable[[RecordedRequest], None] | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.behaviour = behaviour or Behaviour()
        self.requests: list[RecordedRequest] = []
        self._now, self._on_request = now, on_request
        self._runners: list[web.AppRunner] = []
        self._urls: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        now = self._now or asyncio.get_running_loop().time
        room = Room(
            self.catalogue, self.behaviour, now, Random(self.behaviour.seed), self._record, self._control
        )
        tokens, lookup = Tokens(), Lookup(self.catalogue)
        self._musicbrainz = MusicBrainz(room)
        services: list[Service] = [
            self._musicbrainz,
            Spotify(room, tokens),
            SpotifyAccounts(room, tokens),
            ListenBrainz(room, lookup),
            Labs(room, lookup),
            Covers(room),
        ]
        try:
            for service in services:
                self._urls[service.name] = await self._serve(service)
        except BaseException:
            await self.close()
            raise
        return self

    def warm(self) -> None:
        """Build the search index now instead of at the first searches: seconds for 100,000 recordings."""
        self._musicbrainz.warm()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the servers; requests that still wait are cut off."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _serve(self, service: Service) -> str:
        # aiohttp itself would refuse long request lines before the service can answer 414
        runner = web.AppRunner(
            service.app(),
            access_log=None,
            max_line_size=1 << 20,
            shutdown_timeout=0.1,
            handler_cancellation=True,
        )
        self._runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return f"http://127.0.0.1:{port}{_PATHS[service.name]}"

    @property
    def urls(self) -> dict[str, str]:
        """All URLs by the names of the attributes below."""
        return {
            "musicbrainz_url": self.musicbrainz_url,
            "spotify_url": self.spotify_url,
            "token_url": self.token_url,
            "listenbrainz_url": self.listenbrainz_url,
            "labs_url": self.labs_url,
            "covers_url": self.covers_url,
            "control_url": self.control_url,
        }

    @property
    def musicbrainz_url(self) -> str:
        return self._urls["musicbrainz"]

    @property
    def spotify_url(self) -> str:
        return self._urls["spotify"]

    @property
    def token_url(self) -> str:
        return self._urls["token"]

    @property
    def listenbrainz_url(self) -> str:
        return self._urls["listenbrainz"]

    @property
    def labs_url(self) -> str:
        return self._urls["labs"]

    @property
    def covers_url(self) -> str:
        return self._urls["covers"]

    @property
    def control_url(self) -> str:
        """Where /behaviour and /requests are, on one of the ports; they are on every port, and never recorded."""
        return f"{self.labs_url}{CONTROL.rstrip('/')}"

    def _record(self, request: RecordedRequest) -> None:
        self.requests.append(request)
        if self._on_request:
            self._on_request(request)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        """GET and POST behaviour (a JSON object of the fields to change), GET and DELETE requests."""
        match request.method, request.path.removeprefix(CONTROL):
            case "GET", "behaviour":
                return json_response(self.behaviour.as_dict())
            case "POST", "behaviour":
                try:
                    changes = json.loads(await request.read())
                    if not isinstance(changes, dict):
                        raise ValueError("the body must be a JSON object")
                    self.behaviour.update(changes)
                except ValueError as error:
                    return json_response({"error": str(error)}, 400)
                return json_response(self.behaviour.as_dict())
            case "GET", "requests":
                return json_response([asdict(each) for each in self.requests])
            case "DELETE", "requests":
                self.requests.clear()
                return web.Response(status=204)
        return json_response({"error": "Not Found"}, 404)
