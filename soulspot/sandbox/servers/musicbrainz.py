"""The local MusicBrainz web service: lookup, search, ISRCs and URLs under /ws/2, and its ways to refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from soulspot.sandbox.catalogue.values import Recording
from soulspot.sandbox.search.fields import artist_index, recording_index, release_index
from soulspot.sandbox.search.lucene import BadQuery, escape
from soulspot.sandbox.search.matching import search
from soulspot.sandbox.servers import mb_entities, mb_xml
from soulspot.sandbox.servers.faults import html
from soulspot.sandbox.servers.mb_hits import artist_hit, recording_hit, release_hit
from soulspot.sandbox.servers.meters import AverageRate
from soulspot.sandbox.servers.service import Room, Service, json_response

_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
# A client says who it is and how to reach its owner: Name/1.0 ( mail@example.org ) or ( https://... ).
_CONTACT = re.compile(r"^(?!Mozilla|python-requests|Python-urllib|curl|Java|Wget)\S+/\S+.*(\S@\S|://)")
_RELATIONS = {
    *("area-rels", "artist-rels", "event-rels", "instrument-rels", "label-rels", "place-rels"),
    *("recording-rels", "release-rels", "release-group-rels", "series-rels", "url-rels", "work-rels"),
}
_INC = {
    "recording": {
        *("artists", "releases", "artist-credits", "isrcs", "tags", "genres", "ratings", "release-groups"),
        *("aliases", "annotation", "discids", "media", "work-level-rels", "user-tags", "user-ratings"),
    }
    | _RELATIONS,
    "release": {
        *("artists", "labels", "recordings", "release-groups", "artist-credits", "isrcs", "tags", "genres"),
        *("ratings", "media", "discids", "aliases", "annotation", "collections"),
        *("recording-level-rels", "release-group-level-rels", "work-level-rels"),
    }
    | _RELATIONS,
    "artist": {"aliases", "annotation", "tags", "genres", "ratings", "user-tags", "user-ratings"}
    | _RELATIONS,
    "isrc": {
        "artists",
        "releases",
        "artist-credits",
        "isrcs",
        "tags",
        "genres",
        "ratings",
        "aliases",
        "media",
    },
    "url": {*_RELATIONS, "artist-credits", "aliases", "isrcs", "tags", "genres"},
}
_RATE = (
    "Your requests are exceeding the allowable rate limit. "
    "Please see https://wiki.musicbrainz.org/XMLWebService for more information."
)
_BUSY = "The MusicBrainz web server is currently busy. Please try again later."
_AGENT = "Please set a meaningful User-Agent with contact information."


class _Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.message, self.headers = status, message, headers or {}


class MusicBrainz(Service):
    """GET /ws/2/...; JSON with fmt=json or an Accept header that says so, otherwise XML."""

    name = "musicbrainz"

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self.meter = AverageRate()
        self.recordings = recording_index(room.catalogue)
        self.releases = release_index(room.catalogue)
        self.artists = artist_index(room.catalogue)

    async def answer(self, request: web.Request) -> web.Response:
        line = len(request.raw_path) + len(f"{request.method}  HTTP/1.1")
        if line > self.behaviour.mb_line_bytes:
            return html(414, "Request-URI Too Large")
        try:
            kind, value = self._route(request)
        except web.HTTPMovedPermanently as moved:
            return web.Response(status=301, headers={"Location": moved.headers["Location"]})
        except _Refusal as refusal:
            return self._error(request, refusal)
        if _wants_json(request):
            return json_response(value, headers=self._headers())
        return web.Response(
            body=mb_xml.document(kind, value),
            content_type="application/xml",
            charset="utf-8",
            headers=self._headers(),
        )

    def _error(self, request: web.Request, refusal: _Refusal) -> web.Response:
        headers = {**self._headers(), **refusal.headers}
        if _wants_json(request):
            more = {"help": "For usage, please see: https://musicbrainz.org/development/mmd"}
            body = {"error": refusal.message} | ({} if refusal.status == 503 else more)
            return json_response(body, refusal.status, headers)
        return web.Response(
            status=refusal.status,
            body=mb_xml.error(refusal.message),
            content_type="application/xml",
            charset="utf-8",
            headers=headers,
        )

    def _headers(self) -> dict[str, str]:
        """What every answer has; the numbers are of all clients together, useless to pace on."""
        return {
            "X-RateLimit-Limit": "1200",
            "X-RateLimit-Remaining": str(self.room.rng.randrange(1200)),
            "Access-Control-Allow-Origin": "*",
        }

    def _route(self, request: web.Request) -> tuple[str, Any]:
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["ws", "2"] or len(parts) not in (3, 4):
            raise _Refusal(404, "Not Found")
        kind, query = parts[2], request.query.get("query")
        self._admit(request, is_search=query is not None)
        if request.method not in ("GET", "HEAD"):
            raise _Refusal(405, "Method Not Allowed")
        if kind not in _INC:
            raise _Refusal(404, "Not Found")
        inc = self._inc(kind, request)
        if len(parts) == 3:
            if kind == "url":
                return "url", self._url(request, inc)
            if kind in ("recording", "release", "artist") and query is not None:
                return kind, self._search(kind, request, query)
            raise _Refusal(
                400, "The given parameters do not match any available query type for this resource."
            )
        return kind, self._lookup(kind, parts[3], request, inc)

    def _admit(self, request: web.Request, *, is_search: bool) -> None:
        """Refuse who does not say who they are, who comes too often, and whom the server has no time for."""
        if not _CONTACT.search(request.headers.get("User-Agent", "")):
            raise _Refusal(403, _AGENT)
        behaviour = self.behaviour
        self.meter.rate = behaviour.mb_rate
        if not self.meter.allow(self.room.now()) and behaviour.limits:
            raise _Refusal(503, _RATE, {"Retry-After": "1", "X-RateLimit-Zone": f"ws ip={request.remote}"})
        share = behaviour.mb_search_busy_share if is_search else behaviour.mb_lookup_busy_share
        if self.room.chance(share):
            zone = "search-global" if is_search else "global"
            raise _Refusal(503, _BUSY, {"Retry-After": "0", "X-RateLimit-Zone": zone})

    @staticmethod
    def _inc(kind: str, request: web.Request) -> set[str]:
        inc = set(re.split(r"[ +,]+", request.query.get("inc", ""))) - {""}
        for name in sorted(inc - _INC[kind]):
            raise _Refusal(400, f"{name} is not a valid inc parameter for the {kind} resource.")
        return inc

    def _lookup(self, kind: str, key: str, request: web.Request, inc: set[str]) -> Any:
        if kind == "isrc":
            return self._isrc(key, inc)
        if not _MBID.fullmatch(key):
            raise _Refusal(400, "Invalid mbid.")
        key = key.lower()
        if kind == "artist":
            artist = self.catalogue.artist(key)
            if artist is None:
                raise _Refusal(404, "Not Found")
            return mb_entities.artist(artist, inc)
        if kind == "release":
            release = self.catalogue.release(key)
            if release is None:
                raise _Refusal(404, "Not Found")
            return mb_entities.release(self.catalogue, release, inc)
        if kind == "recording":
            recording = self._recording(key, request)
            return mb_entities.recording(self.catalogue, recording, inc)
        raise _Refusal(404, "Not Found")

    def _recording(self, mbid: str, request: web.Request) -> Recording:
        recording = self.catalogue.recording(mbid)
        if recording is None:
            raise _Refusal(404, "Not Found")
        if recording.mbid != mbid:
            query = f"?{request.query_string}" if request.query_string else ""
            host = f"{request.scheme}://{request.host}"
            raise web.HTTPMovedPermanently(f"{host}/ws/2/recording/{recording.mbid}{query}")
        return recording

    def _isrc(self, isrc: str, inc: set[str]) -> Any:
        if not _ISRC.fullmatch(isrc):
            raise _Refusal(400, "Invalid isrc.")
        found = self.catalogue.recordings_with_isrc(isrc)
        if not found:
            raise _Refusal(404, "Not Found")
        shown = [mb_entities.recording(self.catalogue, each, inc) for each in found]
        return {"isrc": isrc, "recordings": shown}

    def _url(self, request: web.Request, inc: set[str]) -> Any:
        """One resource is answered by itself or 404, several by a list without the unknown ones."""
        resources = request.query.getall("resource", [])
        if not resources or len(resources) > 100:
            raise _Refusal(
                400, "The given parameters do not match any available query type for this resource."
            )
        found = [mb_entities.url(self.catalogue, resource, inc) for resource in resources]
        if len(resources) > 1:
            urls = [each for each in found if each]
            return {"url-count": len(urls), "url-offset": 0, "urls": urls}
        if found[0] is None:
            raise _Refusal(404, "Not Found")
        return found[0]

    def warm(self) -> None:
        """Build the index of the fields clients search by; otherwise the first search of each does it."""
        self.recordings.build(
            ("recording", "artist", "artistname", "creditname", "release", "alias", "comment")
        )
        self.recordings.build(("rid", "arid", "reid", "rgid", "isrc", "dur", "qdur", "tnum", "status"))
        self.artists.build(("artist", "sortname", "alias"))
        self.releases.build(
            ("release", "artist", "arid", "reid", "rgid", "barcode", "catno", "date", "tracks")
        )

    def _hidden(self, kind: str) -> Callable[[int], bool] | None:
        """Which recordings the index does not have yet."""
        share = self.behaviour.mb_unindexed_share
        if share <= 0 or kind != "recording":
            return None
        return lambda doc: self.room.fated(share, self.catalogue.recordings[doc].mbid)

    def _search(self, kind: str, request: web.Request, query: str) -> Any:
        limit, offset = _whole(request.query.get("limit"), 25), _whole(request.query.get("offset"), 0)
        if not 1 <= limit <= 100:
            limit = 25
        if offset < 0 or limit + offset > 500:
            raise _Refusal(400, "Search results are limited to the first 500.")
        if request.query.get("dismax") == "true":
            query = escape(query)
        index = {"recording": self.recordings, "release": self.releases, "artist": self.artists}[kind]
        cut = self.room.chance(self.behaviour.mb_search_cut_share)
        try:
            hits = search(index, query, limit, offset, self.room.rng, cut, self._hidden(kind))
        except BadQuery as error:
            raise _Refusal(400, f"Search server could not complete query: Bad request ({error})") from None
        shown = [self._hit(kind, doc, score) for doc, score in hits.docs]
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return {"created": created, "count": hits.total, "offset": offset, f"{kind}s": shown}

    def _hit(self, kind: str, doc: int, score: int) -> Any:
        if kind == "recording":
            return recording_hit(self.catalogue, self.catalogue.recordings[doc], score)
        if kind == "release":
            return release_hit(self.catalogue.releases[doc], score)
        return artist_hit(self.catalogue.artists[doc], score)


def _wants_json(request: web.Request) -> bool:
    asked = request.query.get("fmt")
    return asked == "json" or (asked is None and "application/json" in request.headers.get("Accept", ""))


def _whole(text: str | None, otherwise: int) -> int:
    try:
        return int(text) if text is not None else otherwise
    except ValueError:
        return otherwise
