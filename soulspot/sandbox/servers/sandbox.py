"""The sandbox: every local server on a loopback port of its own, and a record of all requests."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from random import Random
from typing import Self

from aiohttp import web

from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.servers.behaviour import Behaviour
from soulspot.sandbox.servers.covers import Covers
from soulspot.sandbox.servers.listenbrainz.labs import Labs
from soulspot.sandbox.servers.listenbrainz.server import ListenBrainz
from soulspot.sandbox.servers.listenbrainz.text_lookup import TextLookup
from soulspot.sandbox.servers.musicbrainz.server import MusicBrainz
from soulspot.sandbox.servers.service import CONTROL, Context, RecordedRequest, Service, json_response
from soulspot.sandbox.servers.spotify.server import Spotify, SpotifyAccounts, Tokens


class Sandbox:
    """Serves a catalogue on 127.0.0.1; use it as an async context manager.

    `behaviour` may be changed while the servers run. `now` is the clock of limits, quotas and
    tokens in seconds, by default the running loop's. `on_request` is called with every finished
    request; `requests` lists them in that order. The URL attributes are set once the servers run;
    `control_url` serves `/behaviour` and `/requests`, which are never recorded."""

    musicbrainz_url: str
    spotify_url: str
    token_url: str
    listenbrainz_url: str
    labs_url: str
    covers_url: str
    control_url: str

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
        self.urls: dict[str, str] = {}  # attribute name -> URL, for all URL attributes
        self._now, self._on_request = now, on_request
        self._runners: list[web.AppRunner] = []

    async def __aenter__(self) -> Self:
        now = self._now or asyncio.get_running_loop().time
        # One generator for all services: the same seed and the same requests give the same answers.
        rng = Random(self.behaviour.seed)
        context = Context(self.catalogue, self.behaviour, now, rng, self._record, self._control)
        tokens, lookup = Tokens(), TextLookup(self.catalogue)
        self._musicbrainz = MusicBrainz(context)
        services: list[Service] = [
            self._musicbrainz, Spotify(context, tokens), SpotifyAccounts(context, tokens),
            ListenBrainz(context, lookup), Labs(context, lookup), Covers(context),
        ]  # fmt: skip
        try:
            for service in services:
                self.urls[f"{service.name}_url"] = await self._serve(service)
        # A cancelled start must not leave ports open either.
        except BaseException:
            await self.close()
            raise
        self.urls["control_url"] = f"{self.urls['labs_url']}{CONTROL.rstrip('/')}"
        vars(self).update(self.urls)
        return self

    def warm(self) -> None:
        """Build the search index now instead of during the first searches."""
        self._musicbrainz.build_indexes()

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the servers and cut off the requests that are still waiting for an answer."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def _serve(self, service: Service) -> str:
        runner = web.AppRunner(
            service.app(),
            access_log=None,
            # aiohttp would refuse a long request line itself, before the service can answer 414
            max_line_size=1 << 20,
            shutdown_timeout=0.1,
            # A slow answer must not outlive the client that went away.
            handler_cancellation=True,
        )
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}{service.base_path}"

    def _record(self, request: RecordedRequest) -> None:
        self.requests.append(request)
        if self._on_request:
            self._on_request(request)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and POST `behaviour` (a JSON object of fields), GET and DELETE `requests`."""
        match request.method, request.path.removeprefix(CONTROL):
            case ("GET" | "POST") as method, "behaviour":
                try:
                    if method == "POST":
                        self.behaviour.update(json.loads(await request.read()))
                except ValueError as error:
                    return json_response({"error": str(error)}, 400)
                return json_response(self.behaviour.as_dict())
            case "GET", "requests":
                return json_response([asdict(each) for each in self.requests])
            case "DELETE", "requests":
                self.requests.clear()
                return web.Response(status=204)
        return json_response({"error": "Not Found"}, 404)
