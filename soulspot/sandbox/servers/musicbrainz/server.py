"""The routes and refusals of the local MusicBrainz: lookup, search, ISRCs and URLs under /ws/2."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.search.fields import artist_index, recording_index, release_index
from soulspot.sandbox.search.index import Index
from soulspot.sandbox.search.lucene import BadQuery, escape
from soulspot.sandbox.search.matching import search
from soulspot.sandbox.servers.faults import html
from soulspot.sandbox.servers.meters import AverageRate
from soulspot.sandbox.servers.musicbrainz import entities, xml_answers
from soulspot.sandbox.servers.musicbrainz.hits import artist_hit, recording_hit, release_hit
from soulspot.sandbox.servers.service import Context, Json, Refusal, Service, json_response

_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
# Name/1.0 ( mail@example.org ) or a URL in it: clients must say how to reach their owner.
_CONTACT = re.compile(r"^(?!Mozilla|python-requests|Python-urllib|curl|Java|Wget)\S+/\S+.*(\S@\S|://)")
_RELATIONS = (
    "area-rels artist-rels event-rels instrument-rels label-rels place-rels "
    "recording-rels release-rels release-group-rels series-rels url-rels work-rels"
)
# Resource -> the values that its `inc` parameter takes.
_INC = {
    "recording": "artists releases artist-credits isrcs tags genres ratings release-groups aliases annotation "
    f"discids media work-level-rels user-tags user-ratings {_RELATIONS}",
    "release": "artists labels recordings release-groups artist-credits isrcs tags genres ratings media discids "
    f"aliases annotation collections recording-level-rels release-group-level-rels work-level-rels {_RELATIONS}",
    "artist": f"aliases annotation tags genres ratings user-tags user-ratings {_RELATIONS}",
    "isrc": "artists releases artist-credits isrcs tags genres ratings aliases media",
    "url": f"artist-credits aliases isrcs tags genres {_RELATIONS}",
}
# The fields that clients search by, which are worth indexing before the first search.
_USUAL_FIELDS = {
    "recording": "recording artist artistname creditname release alias comment "
    "rid arid reid rgid isrc dur qdur tnum status",
    "artist": "artist sortname alias",
    "release": "release artist arid reid rgid barcode catno date tracks",
}
_RATE = (
    "Your requests are exceeding the allowable rate limit. "
    "Please see https://wiki.musicbrainz.org/XMLWebService for more information."
)
_BUSY = "The MusicBrainz web server is currently busy. Please try again later."
_AGENT = "Please set a meaningful User-Agent with contact information."
_NO_SUCH_QUERY = "The given parameters do not match any available query type for this resource."
_USAGE = "For usage, please see: https://musicbrainz.org/development/mmd"


class MusicBrainz(Service):
    """GET /ws/2/...; JSON with fmt=json or an Accept header that says so, otherwise XML."""

    name = "musicbrainz"
    base_path = "/ws/2"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.meter = AverageRate()
        catalogue = context.catalogue
        self.indexes: dict[str, Index] = {
            "recording": recording_index(catalogue),
            "release": release_index(catalogue),
            "artist": artist_index(catalogue),
        }
        # Resource -> the hit for a document number of its index and a score.
        self.hits: dict[str, Callable[[int, int], Json]] = {
            "recording": lambda doc, score: recording_hit(catalogue, catalogue.recordings[doc], score),
            "release": lambda doc, score: release_hit(catalogue.releases[doc], score),
            "artist": lambda doc, score: artist_hit(catalogue.artists[doc], score),
        }

    def build_indexes(self) -> None:
        """Index the fields that clients search by, otherwise done by the first search."""
        for kind, names in _USUAL_FIELDS.items():
            self.indexes[kind].build(names.split())

    async def answer(self, request: web.Request) -> web.Response:
        # The proxy in front answers this: HTML whatever the client accepts, and no other header.
        line = len(request.raw_path) + len(f"{request.method}  HTTP/1.1")
        if line > self.behaviour.mb_line_bytes:
            return html(414, "Request-URI Too Large")
        asked = request.query.get("fmt")
        accepted = request.headers.get("Accept", "")
        as_json = asked == "json" or (asked is None and "application/json" in accepted)
        try:
            kind, value = self._route(request)
            body = value if as_json else xml_answers.document(kind, value)
            status, more = 200, {}
        except web.HTTPMovedPermanently as moved:
            return web.Response(status=301, headers={"Location": moved.headers["Location"]})
        except Refusal as refusal:
            status, more = refusal.status, refusal.headers
            usage = {} if status == 503 else {"help": _USAGE}
            message = refusal.message
            body = {"error": message, **usage} if as_json else xml_answers.error(message, _USAGE)
        # The real numbers are of all clients together: nobody can pace on them.
        headers = {
            "X-RateLimit-Limit": "1200",
            "X-RateLimit-Remaining": str(self.context.rng.randrange(1200)),
            "Access-Control-Allow-Origin": "*",
            **more,
        }
        if as_json:
            return json_response(body, status, headers)
        return web.Response(status=status, body=body, content_type="application/xml", charset="utf-8", headers=headers)

    def _route(self, request: web.Request) -> tuple[str, Json]:
        """Return the kind of the answer and the answer, or raise a Refusal."""
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["ws", "2"] or len(parts) not in (3, 4):
            raise Refusal(404, "Not Found")
        kind, query = parts[2], request.query.get("query")
        # The limits come first: a malformed request uses up the rate as well.
        self._admit(request, is_search=query is not None)
        if request.method not in ("GET", "HEAD"):
            raise Refusal(405, "Method Not Allowed")
        if kind not in _INC:
            raise Refusal(404, "Not Found")
        inc = set(re.split(r"[ +,]+", request.query.get("inc", ""))) - {""}
        for name in sorted(inc - set(_INC[kind].split())):
            raise Refusal(400, f"{name} is not a valid inc parameter for the {kind} resource.")
        if len(parts) == 4:
            return kind, self._lookup(kind, parts[3], request, inc)
        if kind == "url":
            return kind, self._urls(request.query.getall("resource", []), inc)
        if kind in self.indexes and query is not None:
            return kind, self._search(kind, request, query)
        raise Refusal(400, _NO_SUCH_QUERY)

    def _admit(self, request: web.Request, *, is_search: bool) -> None:
        if not _CONTACT.search(request.headers.get("User-Agent", "")):
            raise Refusal(403, _AGENT)
        behaviour = self.behaviour
        self.meter.rate = behaviour.mb_rate
        if not self.meter.allow(self.context.now()) and behaviour.limits:
            raise Refusal(503, _RATE, {"Retry-After": "1", "X-RateLimit-Zone": f"ws ip={request.remote}"})
        # Searches and lookups run on different machines, so that each is shed by itself.
        share = behaviour.mb_search_busy_share if is_search else behaviour.mb_lookup_busy_share
        if self.context.happens(share):
            zone = "search-global" if is_search else "global"
            raise Refusal(503, _BUSY, {"Retry-After": "0", "X-RateLimit-Zone": zone})

    def _lookup(self, kind: str, key: str, request: web.Request, inc: set[str]) -> Json:
        if kind == "isrc":
            if not _ISRC.fullmatch(key):
                raise Refusal(400, "Invalid isrc.")
            recordings = self.catalogue.recordings_with_isrc(key)
            if recordings:
                shown = [entities.recording(self.catalogue, each, inc) for each in recordings]
                return {"isrc": key, "recordings": shown}
        elif not ids.is_mbid(key):
            raise Refusal(400, "Invalid mbid.")
        mbid = key.lower()
        if kind == "artist" and (artist := self.catalogue.artist(mbid)):
            return entities.artist(artist, inc)
        if kind == "release" and (release := self.catalogue.release(mbid)):
            return entities.release(self.catalogue, release, inc)
        if kind == "recording" and (recording := self.catalogue.recording(mbid)):
            # A merged MBID redirects with its query: a client that follows gets the same includes.
            if recording.mbid != mbid:
                query = f"?{request.query_string}" if request.query_string else ""
                base = f"{request.scheme}://{request.host}{self.base_path}"
                raise web.HTTPMovedPermanently(f"{base}/recording/{recording.mbid}{query}")
            return entities.recording(self.catalogue, recording, inc)
        raise Refusal(404, "Not Found")

    def _urls(self, resources: list[str], inc: set[str]) -> Json:
        """Answer one resource by itself or 404, and several by a list without the unknown ones."""
        if not 1 <= len(resources) <= 100:
            raise Refusal(400, _NO_SUCH_QUERY)
        known = [url for each in resources if (url := entities.url(self.catalogue, each, inc))]
        if len(resources) > 1:
            return {"url-count": len(known), "url-offset": 0, "urls": known}
        if not known:
            raise Refusal(404, "Not Found")
        return known[0]

    def _search(self, kind: str, request: web.Request, query: str) -> Json:
        limit, offset = (_whole(request.query.get(*pair)) for pair in (("limit", "25"), ("offset", "0")))
        # A limit out of range is no error: it silently becomes 25.
        if limit is None or not 1 <= limit <= 100:
            limit = 25
        offset = offset or 0
        if offset < 0 or limit + offset > 500:
            raise Refusal(400, "Search results are limited to the first 500.")
        if request.query.get("dismax") == "true":
            query = escape(query)
        is_cut = self.context.happens(self.behaviour.mb_search_cut_share)
        is_hidden = self._is_unindexed if kind == "recording" else None
        try:
            page = search(self.indexes[kind], query, limit, offset, self.context.rng, cut=is_cut, hidden=is_hidden)
        except BadQuery as error:
            raise Refusal(400, f"Search server could not complete query: Bad request ({error})") from None
        shown = [self.hits[kind](doc, score) for doc, score in page.docs]
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return {"created": created, "count": page.total, "offset": offset, f"{kind}s": shown}

    def _is_unindexed(self, doc: int) -> bool:
        share = self.behaviour.mb_unindexed_share
        return self.context.always_happens(share, self.catalogue.recordings[doc].mbid)


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
