"""The routes of the Spotify Web API that lookups need, and the token that they are sent with.
docs/explain/providers.md lists the habits of the Web API that are met here."""

import asyncio
import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from soulspot.errors import BadAnswer, BatchRejected, ProviderError, Refused
from soulspot.limits import Gates
from soulspot.models import SPOTIFY
from soulspot.providers.documents import as_number
from soulspot.providers.http import Http
from soulspot.providers.recent_values import RecentValues

# The most that Development Mode allows since February 2026; more is answered 400 there.
SEARCH_LIMIT = 10
PAGE = 50  # tracks of an album in one answer
ALBUMS_KEPT, KEPT_FOR = 20, 300.0  # how many, and for how many seconds
TOKEN_MARGIN = 60.0  # seconds before its end at which a token is renewed


class Withheld(ProviderError):
    """403 "Forbidden" as JSON: the route is not for apps in Development Mode."""


@dataclass(frozen=True, slots=True)
class SpotifyApp:
    """One app of the Web API, and where the API is served."""

    base_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    market: str | None = None  # ISO 3166-1 country code


class SpotifyApi:
    """The Web API for one app, by the client credentials flow.

    Every method raises Limited, Unavailable, Refused, BatchRejected (400) or BadAnswer. Batch
    routes raise Withheld for an app that may not use them; single routes return None for a 404."""

    def __init__(self, gates: Gates, app: SpotifyApp, *, timeout: float) -> None:
        self.http = Http(gates, SPOTIFY, timeout=timeout)
        self._base_url = app.base_url.rstrip("/")
        self._token_url = app.token_url
        self._credentials = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
        self._market = [("market", app.market)] if app.market else []
        self._albums: RecentValues[Any] = RecentValues(ALBUMS_KEPT, KEPT_FOR)
        self._token = ""
        self._token_ends = 0.0  # of the monotonic clock
        self._renewing = asyncio.Lock()

    async def batch(self, route: str, ids: Sequence[str]) -> Any:
        """`GET /tracks?ids=` (at most 50) or `/albums?ids=` (20, each with 50 tracks without ISRC);
        not for apps in Development Mode."""
        try:
            return await self._get(route, [("ids", ",".join(ids))])
        except Refused as error:
            # Only an error object is Spotify's own; a gateway may say "Forbidden" too.
            if error.status == 403 and error.is_structured and error.words == "Forbidden":
                raise Withheld("Spotify withholds the batch routes from this app", status=403) from error
            raise

    async def track(self, track_id: str) -> Any:
        """`GET /tracks/{id}`: one track with its ISRC."""
        return await self._get_single(f"tracks/{track_id}")

    async def album(self, album_id: str) -> Any:
        """`GET /albums/{id}`: an album with its first 50 tracks, which have no ISRC. The last 20
        albums are kept for five minutes: after one track has named its album, the whole list is
        often wanted next."""
        album = self._albums.get(album_id)
        if album is None:
            album = await self._get_single(f"albums/{album_id}")
            self._albums.put(album_id, album)
        return album

    async def album_tracks(self, album_id: str, offset: int) -> Any:
        """`GET /albums/{id}/tracks`: 50 tracks from `offset` (from 0) on."""
        return await self._get_single(f"albums/{album_id}/tracks", [("limit", PAGE), ("offset", offset)])

    async def search(self, q: str) -> Any:
        """`GET /search?type=track`: at most ten whole tracks."""
        return await self._get("search", [("q", q), ("limit", SEARCH_LIMIT), ("offset", 0), ("type", "track")])

    def needs_token(self) -> bool:
        """Whether the next request has to fetch a token first."""
        return time.monotonic() >= self._token_ends - TOKEN_MARGIN

    async def _get_single(self, path: str, parameters: Sequence[tuple[str, Any]] = ()) -> Any:
        try:
            return await self._get(path, parameters)
        except BadAnswer as error:
            if error.status == 404:
                return None
            raise

    async def _get(self, path: str, parameters: Sequence[tuple[str, Any]]) -> Any:
        """Return the answer; after a 401 renew the token and ask once more."""
        query = urlencode([*parameters, *self._market])
        url = f"{self._base_url}/{path}" + (f"?{query}" if query else "")
        token = await self._valid_token()
        try:
            return await self._send(url, token)
        except Refused as error:
            if error.status != 401:
                raise _explained(error) from error
        token = await self._valid_token(refused=token)
        try:
            return await self._send(url, token)
        except Refused as error:
            raise _explained(error) from error

    async def _send(self, url: str, token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return await self.http.fetch_json("GET", url, base_url=self._base_url, headers=headers)

    async def _valid_token(self, refused: str | None = None) -> str:
        async with self._renewing:
            if self.needs_token() or self._token == refused:
                await self._renew_token()
            return self._token

    async def _renew_token(self) -> None:
        began = time.monotonic()
        try:
            document = await self.http.fetch_json(
                "POST", self._token_url, base_url=self._base_url, form={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {self._credentials}"},
            )  # fmt: skip
        except (BatchRejected, Refused, BadAnswer) as error:
            if error.status is None:
                raise  # a page in place of the token, say: it may be over soon
            # with its own status a 404 would count as an unknown track
            why = f"Spotify gives no token ({error.words or 'no reason'})"
            raise Refused(f"{why}: check providers.spotify.client_id and client_secret", status=401) from error
        fields = document if isinstance(document, dict) else {}
        token, seconds = fields.get("access_token"), as_number(fields.get("expires_in"), least=0)
        if not isinstance(token, str) or seconds is None:
            raise BadAnswer("the token answer has no token")
        self._token, self._token_ends = token, began + seconds


def _explained(error: Refused) -> Refused:
    if error.status == 403 and "premium" in (error.words or "").lower():
        words = "Spotify serves this app only while its owner has Premium: renew it, or use another owner's app"
    else:
        why = error.words or f"HTTP {error.status}"
        words = f"Spotify refuses this app ({why}): see its state in the developer dashboard"
    return Refused(words, status=error.status, words=error.words, is_structured=error.is_structured)
