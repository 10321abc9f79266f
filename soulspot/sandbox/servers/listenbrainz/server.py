"""The local ListenBrainz API: metadata by MBID and by text."""

import json
from typing import Any

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.servers.listenbrainz.metadata import metadata
from soulspot.sandbox.servers.listenbrainz.text_lookup import TextLookup
from soulspot.sandbox.servers.meters import FixedWindow
from soulspot.sandbox.servers.service import Context, Json, Refusal, Service, json_response

_MOST_RECORDINGS, _MOST_LOOKUPS, _MOST_CHARACTERS = 1000, 50, 250


class ListenBrainz(Service):
    """POST /1/metadata/recording/ and /1/metadata/lookup/; GET of the former too."""

    name = "listenbrainz"
    base_path = "/1"

    def __init__(self, context: Context, lookup: TextLookup) -> None:
        super().__init__(context)
        self.lookup, self.window = lookup, FixedWindow()

    async def answer(self, request: web.Request) -> web.Response:
        allowed, left, wait = self.window.count(self.context.now(), self.behaviour.lb_limit)
        headers = {
            "X-RateLimit-Limit": str(self.behaviour.lb_limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset-In": str(wait),
        }
        try:
            # The headers are true even while limits are off.
            if not allowed and self.behaviour.limits:
                raise Refusal(429, "Your requests are exceeding the allowable rate limit.")
            return json_response(await self._route(request), headers=headers)
        except Refusal as refusal:
            body = {"code": refusal.status, "error": refusal.message}
            return json_response(body, refusal.status, headers)

    async def _route(self, request: web.Request) -> Any:
        match request.method, request.path:
            case "POST", "/1/metadata/recording/":
                body = await json_body(request)
                mbids = body.get("recording_mbids") if isinstance(body, dict) else None
                if not isinstance(mbids, list) or not mbids:
                    raise Refusal(400, "recording_mbids JSON element must be present and contain a list")
                return self._recordings(mbids, str(body.get("inc") or ""))
            case "GET", "/1/metadata/recording/":
                mbids = request.query.get("recording_mbids", "").split(",")
                return self._recordings(mbids, request.query.get("inc", ""))
            case "POST", "/1/metadata/lookup/":
                self._check_token(request)
                return self._lookups(await json_body(request))
            case _, "/1/metadata/recording/" | "/1/metadata/lookup/":
                raise Refusal(405, "Method not allowed.")
        raise Refusal(404, "Not found")

    def _recordings(self, mbids: list[Any], inc: str) -> Json:
        """Return metadata by MBID; unknown and merged MBIDs are simply not in the answer."""
        wanted = inc.split()
        for name in wanted:
            if name not in ("artist", "tag", "release"):
                raise Refusal(400, f"invalid inc argument '{name}'. Must be one of artist, tag, release.")
        if len(mbids) > _MOST_RECORDINGS:
            raise Refusal(400, f"Maximum number of recording_mbids is {_MOST_RECORDINGS}")
        for mbid in mbids:
            if not isinstance(mbid, str) or not ids.is_mbid(mbid.strip()):
                raise Refusal(400, f"Recording mbid {mbid} is not valid.")
        # This index has no merged MBIDs: the cache resolves no redirects.
        known = self.catalogue.recordings_by_mbid
        found = (known.get(mbid.strip().lower()) for mbid in mbids)
        missing = self.behaviour.lb_missing_share
        return {
            each.mbid: metadata(self.catalogue, each, wanted)
            for each in found
            if each and not self.context.always_happens(missing, "listenbrainz", each.mbid)
        }

    def _check_token(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "token" or not token:
            raise Refusal(401, "You need to provide an Authorization header.")
        if self.behaviour.lb_token is not None and token != self.behaviour.lb_token:
            raise Refusal(401, "Invalid authorization token.")

    def _lookups(self, body: Any) -> list[Json]:
        recordings = body.get("recordings") if isinstance(body, dict) else None
        if not isinstance(recordings, list) or not recordings:
            raise Refusal(400, "recordings is invalid or not present in body")
        if len(recordings) > _MOST_LOOKUPS:
            message = "Number of recordings in request body exceeds maximum permitted."
            raise Refusal(400, f"{message} ({_MOST_LOOKUPS})")
        return [self._lookup(index, each) for index, each in enumerate(recordings)]

    def _lookup(self, index: int, wanted: Any) -> Json:
        if not isinstance(wanted, dict):
            raise Refusal(400, f"Recording {index} is no object")
        for name in ("artist_name", "recording_name"):
            if not isinstance(wanted.get(name), str) or not wanted[name]:
                raise Refusal(400, f"Recording {index} {name} is invalid or not present")
        artist, title = wanted["artist_name"], wanted["recording_name"]
        release = str(wanted["release_name"]) if wanted.get("release_name") else None
        if len(artist) + len(title) + len(release or "") > _MOST_CHARACTERS:
            raise Refusal(400, f"Recording {index} has more than {_MOST_CHARACTERS} characters")
        arguments = {"artist_name_arg": artist, "recording_name_arg": title, "release_name_arg": release}
        return {**arguments, "index": index, **(self.lookup.best_row(artist, title, release) or {})}


async def json_body(request: web.Request) -> Any:
    """Return the value of a JSON body, or raise the Refusal of one that cannot be parsed."""
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refusal(400, "Cannot parse JSON document") from None
