"""The local Spotify Web API and its token endpoint, for both kinds of app: Extended Quota and Development Mode."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from soulspot.sandbox.catalogue.values import SpotifyArtist
from soulspot.sandbox.servers.meters import Quota, RollingWindow
from soulspot.sandbox.servers.service import Room, Service, json_response
from soulspot.sandbox.servers.spotify_json import Shapes
from soulspot.sandbox.servers.spotify_search import SpotifySearch

_ID = re.compile(r"[0-9A-Za-z]{22}")
_BATCHES = {"tracks": 50, "albums": 20, "artists": 50}
_PREMIUM = (
    "Active premium subscription required for the owner of the app. "
    "To know more, visit https://developer.spotify.com/documentation/web-api"
)


@dataclass
class Tokens:
    """The access tokens given out: token -> the moment it ends."""

    ends: dict[str, float] = field(default_factory=dict)


class _Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


def _error(status: int, message: str, headers: dict[str, str] | None = None, **more: str) -> web.Response:
    return json_response({"error": {"status": status, "message": message, **more}}, status, headers)


class SpotifyAccounts(Service):
    """POST /api/token with client credentials, by Basic auth or in the form."""

    name = "token"

    def __init__(self, room: Room, tokens: Tokens) -> None:
        super().__init__(room)
        self.tokens = tokens

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.rstrip("/") != "/api/token" or request.method != "POST":
            return web.Response(status=404)
        form = await request.post()
        client, secret = _basic(request) or (
            str(form.get("client_id", "")),
            str(form.get("client_secret", "")),
        )
        known = self.behaviour.spotify_clients
        if not client or not secret or (known and known.get(client) != secret):
            problem = "Invalid client" if not client or client not in known else "Invalid client secret"
            return json_response({"error": "invalid_client", "error_description": problem}, 400)
        if form.get("grant_type") != "client_credentials":
            problem = (
                "grant_type parameter is missing" if "grant_type" not in form else "unsupported grant type"
            )
            return json_response({"error": "unsupported_grant_type", "error_description": problem}, 400)
        token, lifetime = "BQ" + secrets.token_urlsafe(60), self.behaviour.token_lifetime
        self.tokens.ends[token] = self.room.now() + lifetime
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": lifetime})


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client, secret


class Spotify(Service):
    """GET /v1/...; every path with or without a slash at its end."""

    name = "spotify"

    def __init__(self, room: Room, tokens: Tokens) -> None:
        super().__init__(room)
        self.tokens, self.window, self.quota = tokens, RollingWindow(), Quota()
        self.search = SpotifySearch(room.catalogue)
        self._artists: dict[str, SpotifyArtist] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        try:
            return json_response(self._route(request))
        except _Refusal as refusal:
            return _error(refusal.status, refusal.message)

    def _refused(self, request: web.Request) -> web.Response | None:
        """What stands before every route: the token, the owner's subscription, the burst limit, the quota."""
        behaviour, now = self.behaviour, self.room.now()
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _error(401, "No token provided")
        ends = self.tokens.ends.get(token)
        if ends is None or now >= ends:
            return _error(401, "Invalid access token" if ends is None else "The access token expired")
        if behaviour.spotify_premium_required:
            return web.Response(status=403, text=_PREMIUM)
        if behaviour.limits and not self.window.allow(now, behaviour.spotify_window_limit):
            wait = behaviour.spotify_burst_retry_after
            headers = {} if wait is None else {"Retry-After": str(wait)}
            if self.room.chance(0.5):
                return web.Response(status=429, text="Too many requests", headers=headers)
            return _error(429, "API rate limit exceeded", headers)
        if behaviour.spotify_quota is not None:
            renewed = behaviour.spotify_quota_retry_after
            allowed, wait = self.quota.allow(now, behaviour.spotify_quota, renewed)
            if not allowed:
                headers = {} if wait is None else {"Retry-After": str(wait)}
                return _error(429, "Too many requests", headers, reason="QUOTA_EXCEEDED")
        return None

    @property
    def extended(self) -> bool:
        return self.behaviour.spotify_mode == "extended"

    def _route(self, request: web.Request) -> Any:
        parts = request.path.strip("/").split("/")
        if parts[:1] != ["v1"] or len(parts) == 1:
            raise _Refusal(404, "Service not found")
        if request.method != "GET":
            raise _Refusal(405, "Method not allowed")
        market = request.query.get("market")
        base = f"{request.scheme}://{request.host}/v1"
        relink = self.behaviour.spotify_markets_relink
        shapes = Shapes(self.catalogue, base, extended=self.extended, market=market, relink=relink)
        match parts[1:]:
            case ["search"]:
                return self._search(request, shapes)
            case [("tracks" | "albums" | "artists") as kind]:
                return self._batch(kind, request, shapes)
            case [("tracks" | "albums" | "artists") as kind, spotify_id]:
                found = self._one(kind, spotify_id, shapes)
                if found is None:
                    raise _Refusal(404, "Resource not found")
                return found
            case ["albums", spotify_id, "tracks"]:
                return self._album_tracks(spotify_id, request, shapes)
        raise _Refusal(404, "Service not found")

    def _batch(self, kind: str, request: web.Request, shapes: Shapes) -> Any:
        if not self.extended:
            raise _Refusal(403, "Forbidden")
        asked = [each for each in request.query.get("ids", "").split(",") if each]
        if len(asked) > _BATCHES[kind]:
            raise _Refusal(400, "too many ids requested")
        if not asked:
            raise _Refusal(400, "invalid id")
        return {kind: [self._one(kind, each, shapes) for each in asked]}

    def _one(self, kind: str, spotify_id: str, shapes: Shapes) -> Any:
        """One object, None when Spotify does not have it."""
        if not _ID.fullmatch(spotify_id):
            raise _Refusal(400, "Invalid base62 id")
        if kind == "tracks":
            track = self.catalogue.spotify_track(spotify_id)
            return shapes.track(track) if track else None
        if kind == "albums":
            album = self.catalogue.spotify_album(spotify_id)
            return shapes.album(album) if album else None
        artist = self.artists.get(spotify_id)
        return shapes.full_artist(artist) if artist else None

    @property
    def artists(self) -> dict[str, SpotifyArtist]:
        if self._artists is None:
            tracks = self.catalogue.spotify_tracks
            self._artists = {artist.id: artist for track in tracks for artist in track.artists}
        return self._artists

    def _album_tracks(self, spotify_id: str, request: web.Request, shapes: Shapes) -> Any:
        if not _ID.fullmatch(spotify_id):
            raise _Refusal(400, "Invalid base62 id")
        album = self.catalogue.spotify_album(spotify_id)
        if album is None:
            raise _Refusal(404, "Resource not found")
        limit, offset = self._page(request, 20, 50)
        return shapes.album_tracks(album, limit, offset)

    @staticmethod
    def _page(request: web.Request, usual: int, most: int) -> tuple[int, int]:
        try:
            limit = int(request.query.get("limit", usual))
            offset = int(request.query.get("offset", 0))
        except ValueError:
            raise _Refusal(400, "Invalid limit") from None
        if not 1 <= limit <= most:
            raise _Refusal(400, "Invalid limit")
        if offset < 0:
            raise _Refusal(400, "Invalid offset")
        return limit, offset

    def _search(self, request: web.Request, shapes: Shapes) -> Any:
        query = request.query.get("q", request.query.get("query", ""))
        kinds = request.query.get("type", "").split(",")
        if not query.strip():
            raise _Refusal(400, "No search query")
        if kinds == [""]:
            raise _Refusal(400, "Missing parameter type")
        if len(query) > 250:
            raise _Refusal(400, "Query exceeds maximum length of 250 characters")
        limit, offset = self._page(request, *((20, 50) if self.extended else (5, 10)))
        if offset + limit > 1000:
            raise _Refusal(400, "Invalid offset")
        answer: dict[str, Any] = {}
        for kind in kinds:
            if kind == "track":
                tracks = self.search.tracks(query)
                items, total = [shapes.track(t) for t in tracks[offset : offset + limit]], len(tracks)
            elif kind == "album":
                albums = self.search.albums(query)
                items, total = [shapes.simple_album(a) for a in albums[offset : offset + limit]], len(albums)
            else:
                raise _Refusal(400, f"Bad search type field {kind}")
            route = f"search?{urlencode({'query': query, 'type': kind})}&"
            answer[f"{kind}s"] = shapes.paging(route, items, limit, offset, total)
        return answer
