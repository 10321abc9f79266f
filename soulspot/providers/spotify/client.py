"""spotipy, made to send through our session: one request a call, true statuses, a token kept in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import spotipy
from spotipy.exceptions import SpotifyException, SpotifyOauthError

from soulspot.errors import BadAnswer, BatchRejected, ProviderError, Refused
from soulspot.limits import Gate, Gates
from soulspot.models import SPOTIFY
from soulspot.providers.documents import number_of
from soulspot.providers.recent import Recent
from soulspot.providers.session import GatedSession
from soulspot.providers.threaded import SyncClient
from soulspot.providers.transport import with_retries

library: Any = spotipy
SEARCH_LIMIT = 10
"""The most that Development Mode allows since February 2026; more is 400 there."""
ALBUMS_KEPT, KEPT_FOR = 20, 300.0  # how many, and for how many seconds

logging.getLogger("spotipy").setLevel(
    logging.CRITICAL
)  # at debug it writes tokens, at error what we report ourselves


class Withheld(ProviderError):
    """403 "Forbidden" as JSON: this route is not for apps in Development Mode."""


class _Credentials(library.SpotifyClientCredentials):  # type: ignore[misc]
    """The client credentials flow, wary of the answer: spotipy would ask again, or keep what is no token."""

    def _add_custom_values_to_token_info(self, token_info: Any) -> Any:
        token = token_info if isinstance(token_info, dict) else {}
        if (
            not isinstance(token.get("access_token"), str)
            or number_of(token.get("expires_in"), least=0) is None
        ):
            raise BadAnswer("the token answer has no token")
        return super()._add_custom_values_to_token_info(token)


class SpotifyApi:
    """The requests we make of the Web API. Each raises Limited, Unavailable, Refused, BatchRejected
    (400), Withheld or BadAnswer; single lookups answer None for an unknown id (404)."""

    def __init__(
        self,
        gates: Gates,
        gate: Gate,
        *,
        base_url: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        timeout: float,
        market: str | None,
    ) -> None:
        self.timeout = timeout
        self._gate = gate
        self._market = market
        self._albums: Recent[Any] = Recent(ALBUMS_KEPT, KEPT_FOR)
        self._token = library.MemoryCacheHandler()  # outlives a replaced client

        def build(session: GatedSession) -> Any:
            auth = _Credentials(client_id, client_secret, requests_session=session, cache_handler=self._token)
            auth.OAUTH_TOKEN_URL = token_url
            client = library.Spotify(auth_manager=auth, requests_session=session)
            client.prefix = base_url.rstrip("/") + "/"
            return client

        self._client: SyncClient[Any] = SyncClient(
            "spotify", lambda: GatedSession(gates, SPOTIFY, base_url=base_url, timeout=self.timeout), build
        )

    async def tracks(self, track_ids: Sequence[str]) -> Any:
        """`GET /tracks?ids=`, at most 50; not for apps in Development Mode."""
        return await self._ask(_batch, "tracks", list(track_ids), self._market)

    async def track(self, track_id: str) -> Any:
        """`GET /tracks/{id}`."""
        return await self._ask(_or_none, "track", track_id, self._market)

    async def album(self, album_id: str) -> Any:
        """`GET /albums/{id}`: the album with its first 50 tracks, which have no ISRC. The last ones are kept for some
        minutes: where a track has told its album, the list of all is often wanted next."""
        album = self._albums.get(album_id)
        if album is None:
            album = await self._ask(_or_none, "album", album_id, self._market)
            self._albums.put(album_id, album)
        return album

    async def albums(self, album_ids: Sequence[str]) -> Any:
        """`GET /albums?ids=`, at most 20, each with its first 50 tracks; not for apps in Development Mode."""
        return await self._ask(_batch, "albums", list(album_ids), self._market)

    async def album_tracks(self, album_id: str, offset: int) -> Any:
        """`GET /albums/{id}/tracks`: 50 tracks from `offset` on."""
        return await self._ask(_page, album_id, offset, self._market)

    async def search(self, q: str) -> Any:
        """`GET /search?type=track`: at most ten whole tracks."""
        return await self._ask(_search, q, self._market)

    def needs_token(self) -> bool:
        """Whether the next request has to fetch a token first."""
        token = self._token.get_cached_token()
        return token is None or bool(_Credentials.is_token_expired(token))

    def abandon(self) -> None:
        """Give up the thread; returns at once."""
        self._client.abandon()

    async def _ask(self, fn: Callable[..., Any], *args: Any) -> Any:
        return await with_retries(
            self._gate, lambda attempt: self._client.call(fn, *args, deadline=self.timeout, attempt=attempt)
        )


def _batch(client: Any, method: str, item_ids: list[str], market: str | None) -> Any:
    try:
        return _authorised(client, lambda: getattr(client, method)(item_ids, market=market))
    except SpotifyException as error:
        words = _words(error)
        if error.http_status == 403 and words == "Forbidden":
            raise Withheld("Spotify withholds the batch route from this app", status=403) from error
        raise _translated(error) from error


def _or_none(client: Any, method: str, item_id: str, market: str | None) -> Any:
    try:
        return _authorised(client, lambda: getattr(client, method)(item_id, market=market))
    except SpotifyException as error:
        if error.http_status == 404:
            return None
        raise _translated(error) from error


def _page(client: Any, album_id: str, offset: int, market: str | None) -> Any:
    try:
        return _authorised(client, lambda: client.album_tracks(album_id, 50, offset, market))
    except SpotifyException as error:
        if error.http_status == 404:
            return None
        raise _translated(error) from error


def _search(client: Any, q: str, market: str | None) -> Any:
    try:
        return _authorised(client, lambda: client.search(q, limit=SEARCH_LIMIT, type="track", market=market))
    except SpotifyException as error:
        raise _translated(error) from error


def _authorised(client: Any, request: Callable[[], Any]) -> Any:
    """`request()`, with one new token and one more try after a 401: spotipy refreshes by the clock only."""
    try:
        try:
            return request()
        except SpotifyException as error:
            if error.http_status != 401:
                raise
            client.auth_manager.get_access_token(as_dict=False, check_cache=False)
            return request()
    except SpotifyOauthError as error:
        raise Refused(
            f"Spotify gives no token ({error.error or 'no reason'}): "
            "check providers.spotify.client_id and client_secret",
            status=401,
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadAnswer(f"Spotify's answer has another shape than spotipy expects: {error!r}") from error


def _translated(error: SpotifyException) -> ProviderError:
    status, words = error.http_status, _words(error)
    if status == 403 and "premium" in words.lower():
        return Refused(
            "Spotify serves this app only while its owner has Premium: renew it, or use another owner's app",
            status=403,
        )
    if status in (401, 403):
        return Refused(
            f"Spotify refuses this app ({words}): see its state in the developer dashboard", status=status
        )
    if status in (400, 414):
        return BatchRejected(f"Spotify: {words}", status=status)
    return BadAnswer(f"Spotify: HTTP {status} {words}", status=status)


def _words(error: SpotifyException) -> str:
    """Spotify's own words; spotipy puts the URL and a line break before them."""
    return str(error.msg).partition("\n")[2].strip()[:200]
