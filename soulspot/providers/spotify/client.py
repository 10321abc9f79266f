"""spotipy, sending through our session: one request a call, true statuses, a token in memory.

docs/explain/providers.md lists the habits of spotipy and of the Web API that are met here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import spotipy
from spotipy.exceptions import SpotifyException, SpotifyOauthError

from soulspot.errors import BadAnswer, BatchRejected, ProviderError, Refused
from soulspot.limits import Gate, Gates
from soulspot.models import SPOTIFY
from soulspot.providers.documents import as_number
from soulspot.providers.recent_values import RecentValues
from soulspot.providers.session import GatedSession
from soulspot.providers.threaded import SyncClient
from soulspot.providers.transport import send_with_retries

library: Any = spotipy
# The most that Development Mode allows since February 2026; more is answered 400 there.
SEARCH_LIMIT = 10
PAGE = 50  # tracks of an album in one answer
ALBUMS_KEPT, KEPT_FOR = 20, 300.0  # how many, and for how many seconds
_BATCH_METHODS = ("tracks", "albums")
_SINGLE_METHODS = ("track", "album", "album_tracks")

# At debug level spotipy logs tokens, at error level failures that are reported here anyway.
logging.getLogger("spotipy").setLevel(logging.CRITICAL)


class Withheld(ProviderError):
    """403 "Forbidden" as JSON: the route is not for apps in Development Mode."""


class _Credentials(library.SpotifyClientCredentials):  # type: ignore[misc]
    """The client credentials flow; refuses an answer without a token, which spotipy would keep."""

    def _add_custom_values_to_token_info(self, token_info: Any) -> Any:
        token = token_info if isinstance(token_info, dict) else {}
        has_expiry = as_number(token.get("expires_in"), least=0) is not None
        if not isinstance(token.get("access_token"), str) or not has_expiry:
            raise BadAnswer("the token answer has no token")
        return super()._add_custom_values_to_token_info(token)


class SpotifyApi:
    """The routes of the Web API that lookups need.

    Every method raises Limited, Unavailable, Refused, BatchRejected (400) or BadAnswer. Batch
    routes raise Withheld for an app that may not use them; single routes return None for an unknown
    id (404)."""

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
        self._albums: RecentValues[Any] = RecentValues(ALBUMS_KEPT, KEPT_FOR)
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
        """`GET /tracks?ids=` with at most 50 ids; not for apps in Development Mode."""
        return await self._send("tracks", list(track_ids))

    async def albums(self, album_ids: Sequence[str]) -> Any:
        """`GET /albums?ids=` with at most 20 ids; not for apps in Development Mode.

        Each album comes with its first 50 tracks, which have no ISRC."""
        return await self._send("albums", list(album_ids))

    async def track(self, track_id: str) -> Any:
        """`GET /tracks/{id}`: one track with its ISRC."""
        return await self._send("track", track_id)

    async def album(self, album_id: str) -> Any:
        """`GET /albums/{id}`: an album with its first 50 tracks, which have no ISRC.

        The last 20 albums are kept for five minutes: after one track has named its album, the whole
        list is often wanted next."""
        album = self._albums.get(album_id)
        if album is None:
            album = await self._send("album", album_id)
            self._albums.put(album_id, album)
        return album

    async def album_tracks(self, album_id: str, offset: int) -> Any:
        """`GET /albums/{id}/tracks`: 50 tracks from `offset` (from 0) on."""
        return await self._send("album_tracks", album_id, limit=PAGE, offset=offset)

    async def search(self, q: str) -> Any:
        """`GET /search?type=track`: at most ten whole tracks."""
        return await self._send("search", q, limit=SEARCH_LIMIT, type="track")

    def needs_token(self) -> bool:
        """Whether the next request has to fetch a token first."""
        token = self._token.get_cached_token()
        return token is None or bool(_Credentials.is_token_expired(token))

    def abandon(self) -> None:
        """Give up the thread at once."""
        self._client.abandon()

    async def _send(self, method: str, *args: Any, **options: Any) -> Any:
        request = partial(_call, method=method, args=args, options={**options, "market": self._market})
        return await send_with_retries(
            self._gate,
            lambda attempt: self._client.call(request, deadline=self.timeout, attempt=attempt),
        )


def _call(client: Any, method: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a method of spotipy's client, and translate its exceptions into ours."""
    try:
        return _authorised(client, lambda: getattr(client, method)(*args, **options))
    except SpotifyException as error:
        if error.http_status == 404 and method in _SINGLE_METHODS:
            return None
        if error.http_status == 403 and method in _BATCH_METHODS and _words(error) == "Forbidden":
            raise Withheld("Spotify withholds the batch routes from this app", status=403) from error
        raise _translated(error) from error


def _authorised(client: Any, request: Callable[[], Any]) -> Any:
    """Return `request()`; after a 401 fetch a new token and try once more."""
    try:
        try:
            return request()
        except SpotifyException as error:
            if error.http_status != 401:
                raise
            # spotipy renews a token by the clock only, however often it is refused.
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
    """Return our exception for spotipy's, in words for a person."""
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
    """Return Spotify's own words; spotipy puts the URL and a line break before them."""
    return str(error.msg).partition("\n")[2].strip()[:200]
