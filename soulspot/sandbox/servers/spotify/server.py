"""The local Spotify Web API and its token endpoint, for apps of both modes."""

import re
import secrets
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from aiohttp import BasicAuth, web

from soulspot.sandbox.catalogue.values import SpotifyArtist
from soulspot.sandbox.servers.meters import Quota, RollingWindow
from soulspot.sandbox.servers.service import Context, Refusal, Service, json_response
from soulspot.sandbox.servers.spotify.objects import SpotifyObjects
from soulspot.sandbox.servers.spotify.search import SpotifySearch

_ID = re.compile(r"[0-9A-Za-z]{22}")
_BATCHES = {"tracks": 50, "albums": 20, "artists": 50}  # the most ids in one batch
_PREMIUM = (
    "Active premium subscription required for the owner of the app. "
    "To know more, visit https://developer.spotify.com/documentation/web-api"
)


Tokens = dict[str, float]
"""The access tokens given out: token -> when it expires, on the sandbox' clock."""


def _error(status: int, message: str, headers: dict[str, str] | None = None, **more: str) -> web.Response:
    return json_response({"error": {"status": status, "message": message, **more}}, status, headers)


class SpotifyAccounts(Service):
    """POST /api/token with client credentials, by Basic auth or in the form."""

    name = "token"
    base_path = "/api/token"

    def __init__(self, context: Context, tokens: Tokens) -> None:
        super().__init__(context)
        self.tokens = tokens

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.rstrip("/") != self.base_path or request.method != "POST":
            return web.Response(status=404)
        form = await request.post()
        try:
            basic = BasicAuth.decode(request.headers.get("Authorization", ""), encoding="utf-8")
            client, secret = basic.login, basic.password
        except ValueError:
            client, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
        known = self.behaviour.spotify_clients
        if not client or not secret or (known and known.get(client) != secret):
            problem = "Invalid client" if not client or client not in known else "Invalid client secret"
            return json_response({"error": "invalid_client", "error_description": problem}, 400)
        if form.get("grant_type") != "client_credentials":
            missing = "grant_type" not in form
            problem = "grant_type parameter is missing" if missing else "unsupported grant type"
            return json_response({"error": "unsupported_grant_type", "error_description": problem}, 400)
        # A random token, as at Spotify: no client can guess the next one.
        token, lifetime = "BQ" + secrets.token_urlsafe(60), self.behaviour.token_lifetime
        self.tokens[token] = self.context.now() + lifetime
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})


class Spotify(Service):
    """GET /v1/...; every path with or without a slash at its end."""

    name = "spotify"
    base_path = "/v1"

    def __init__(self, context: Context, tokens: Tokens) -> None:
        super().__init__(context)
        self.tokens, self.window, self.quota = tokens, RollingWindow(), Quota()
        self.search = SpotifySearch(context.catalogue)

    async def answer(self, request: web.Request) -> web.Response:
        # Compared with None: an aiohttp response without items of its own may be false.
        if (refused := self._refuse(request)) is not None:
            return refused
        try:
            return json_response(self._route(request))
        except Refusal as refusal:
            return _error(refusal.status, refusal.message)

    def _refuse(self, request: web.Request) -> web.Response | None:
        """Return a refusal by token, subscription, burst limit or quota, in this order."""
        behaviour, now = self.behaviour, self.context.now()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _error(401, "No token provided")
        ends = self.tokens.get(token)
        if ends is None or now >= ends:
            return _error(401, "Invalid access token" if ends is None else "The access token expired")
        if behaviour.spotify_premium_required:
            return web.Response(status=403, text=_PREMIUM)
        if behaviour.limits and not self.window.allow(now, behaviour.spotify_window_limit):
            headers = _retry_after(behaviour.spotify_burst_retry_after)
            # the burst limit has been seen both as plain text and as JSON
            if self.context.happens(0.5):
                return web.Response(status=429, text="Too many requests", headers=headers)
            return _error(429, "API rate limit exceeded", headers)
        if behaviour.spotify_quota is not None:
            renewed = behaviour.spotify_quota_retry_after
            allowed, wait = self.quota.allow(now, behaviour.spotify_quota, renewed)
            if not allowed:
                return _error(429, "Too many requests", _retry_after(wait), reason="QUOTA_EXCEEDED")
        return None

    @property
    def is_extended(self) -> bool:
        return self.behaviour.spotify_mode == "extended"

    def _route(self, request: web.Request) -> Any:
        parts = request.path.strip("/").split("/")
        if parts[:1] != ["v1"] or len(parts) == 1:
            raise Refusal(404, "Service not found")
        if request.method != "GET":
            raise Refusal(405, "Method not allowed")
        objects = SpotifyObjects(
            self.catalogue, f"{request.scheme}://{request.host}{self.base_path}", extended=self.is_extended,
            market=request.query.get("market"), relink=self.behaviour.spotify_markets_relink,
        )  # fmt: skip
        match parts[1:]:
            case ["search"]:
                return self._search(request, objects)
            case [("tracks" | "albums" | "artists") as kind]:
                return {kind: [self._object(kind, each, objects) for each in self._batch(kind, request)]}
            case [("tracks" | "albums" | "artists") as kind, spotify_id]:
                return _found(self._object(kind, spotify_id, objects))
            case ["albums", spotify_id, "tracks"]:
                _check_id(spotify_id)
                album = _found(self.catalogue.spotify_album(spotify_id))
                return objects.album_tracks(album, *_page(request, 20, 50))
        raise Refusal(404, "Service not found")

    def _batch(self, kind: str, request: web.Request) -> list[str]:
        # A withheld route refuses before it looks at the ids.
        if not self.is_extended:
            raise Refusal(403, "Forbidden")
        spotify_ids = [each for each in request.query.get("ids", "").split(",") if each]
        if len(spotify_ids) > _BATCHES[kind]:
            raise Refusal(400, "too many ids requested")
        if not spotify_ids:
            raise Refusal(400, "invalid id")
        return spotify_ids

    def _object(self, kind: str, spotify_id: str, objects: SpotifyObjects) -> Any:
        _check_id(spotify_id)
        if kind == "tracks":
            track = self.catalogue.spotify_track(spotify_id)
            return objects.track(track) if track else None
        if kind == "albums":
            album = self.catalogue.spotify_album(spotify_id)
            return objects.album(album) if album else None
        artist = self._artists.get(spotify_id)
        return objects.full_artist(artist) if artist else None

    @cached_property
    def _artists(self) -> dict[str, SpotifyArtist]:
        return {artist.id: artist for track in self.catalogue.spotify_tracks for artist in track.artists}

    def _search(self, request: web.Request, objects: SpotifyObjects) -> Any:
        query = request.query.get("q", request.query.get("query", ""))
        kinds = request.query.get("type", "").split(",")
        if not query.strip():
            raise Refusal(400, "No search query")
        if kinds == [""]:
            raise Refusal(400, "Missing parameter type")
        if len(query) > 250:
            raise Refusal(400, "Query exceeds maximum length of 250 characters")
        limit, offset = _page(request, *((20, 50) if self.is_extended else (5, 10)))
        # Spotify finds at most 1,000 entries of a kind.
        if offset + limit > 1000:
            raise Refusal(400, "Invalid offset")
        answer: dict[str, Any] = {}
        for kind in kinds:
            if kind == "track":
                tracks = self.search.tracks(query)
                items, total = [objects.track(t) for t in tracks[offset : offset + limit]], len(tracks)
            elif kind == "album":
                albums = self.search.albums(query)
                items, total = [objects.simple_album(a) for a in albums[offset : offset + limit]], len(albums)
            else:
                raise Refusal(400, f"Bad search type field {kind}")
            route = f"search?{urlencode({'query': query, 'type': kind})}&"
            answer[f"{kind}s"] = objects.paging(route, items, limit, offset, total)
        return answer


def _retry_after(seconds: int | None) -> dict[str, str]:
    return {} if seconds is None else {"Retry-After": str(seconds)}


def _check_id(spotify_id: str) -> None:
    if not _ID.fullmatch(spotify_id):
        raise Refusal(400, "Invalid base62 id")


def _found(value: Any) -> Any:
    if value is None:
        raise Refusal(404, "Resource not found")
    return value


def _page(request: web.Request, usual: int, most: int) -> tuple[int, int]:
    try:
        limit, offset = int(request.query.get("limit", usual)), int(request.query.get("offset", 0))
    except ValueError:
        raise Refusal(400, "Invalid limit") from None
    if not 1 <= limit <= most:
        raise Refusal(400, "Invalid limit")
    if offset < 0:
        raise Refusal(400, "Invalid offset")
    return limit, offset
