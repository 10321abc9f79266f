"""The local ListenBrainz API (metadata by MBID and by text) and the labs look-ups."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.servers import lb_json
from soulspot.sandbox.servers.lb_lookup import Lookup, key
from soulspot.sandbox.servers.meters import FixedWindow
from soulspot.sandbox.servers.service import Room, Service, json_response

_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_RECORDINGS, _MOST_LOOKUPS, _MOST_CHARACTERS = 1000, 50, 250


class _Refusal(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


class ListenBrainz(Service):
    """POST /1/metadata/recording/ and /1/metadata/lookup/; GET of the former too. The slash at the end is part
    of the route."""

    name = "listenbrainz"

    def __init__(self, room: Room, lookup: Lookup) -> None:
        super().__init__(room)
        self.lookup, self.window = lookup, FixedWindow()

    async def answer(self, request: web.Request) -> web.Response:
        allowed, left, wait = self.window.take(self.room.now(), self.behaviour.lb_limit)
        headers = {
            "X-RateLimit-Limit": str(self.behaviour.lb_limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset-In": str(wait),
        }
        if not allowed and self.behaviour.limits:
            message = "Your requests are exceeding the allowable rate limit."
            return json_response({"code": 429, "error": message}, 429, headers)
        try:
            return json_response(await self._route(request), headers=headers)
        except _Refusal as refusal:
            body = {"code": refusal.status, "error": refusal.message}
            return json_response(body, refusal.status, headers)

    async def _route(self, request: web.Request) -> Any:
        match request.method, request.path:
            case "POST", "/1/metadata/recording/":
                body = await _body(request)
                mbids = body.get("recording_mbids") if isinstance(body, dict) else None
                if not isinstance(mbids, list) or not mbids:
                    raise _Refusal(400, "recording_mbids JSON element must be present and contain a list")
                return self._recordings(mbids, str(body.get("inc") or ""))
            case "GET", "/1/metadata/recording/":
                mbids = request.query.get("recording_mbids", "").split(",")
                return self._recordings(mbids, request.query.get("inc", ""))
            case "POST", "/1/metadata/lookup/":
                self._authorise(request)
                return self._lookup(await _body(request))
            case _, "/1/metadata/recording/" | "/1/metadata/lookup/":
                raise _Refusal(405, "Method not allowed.")
        raise _Refusal(404, "Not found")

    def _recordings(self, mbids: list[Any], inc: str) -> Any:
        """An object keyed by MBID; unknown and merged ones are simply not there."""
        wanted = inc.split()
        for name in wanted:
            if name not in ("artist", "tag", "release"):
                raise _Refusal(400, f"invalid inc argument '{name}'. Must be one of artist, tag, release.")
        if len(mbids) > _MOST_RECORDINGS:
            raise _Refusal(400, f"Maximum number of recording_mbids is {_MOST_RECORDINGS}")
        for mbid in mbids:
            if not isinstance(mbid, str) or not _MBID.fullmatch(mbid.strip()):
                raise _Refusal(400, f"Recording mbid {mbid} is not valid.")
        known = self.catalogue.recordings_by_mbid
        found = (known.get(mbid.strip().lower()) for mbid in mbids)
        missing = self.behaviour.lb_missing_share
        return {
            each.mbid: lb_json.metadata(self.catalogue, each, wanted)
            for each in found
            if each and not self.room.fated(missing, "listenbrainz", each.mbid)
        }

    def _authorise(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "token" or not token:
            raise _Refusal(401, "You need to provide an Authorization header.")
        if self.behaviour.lb_token is not None and token != self.behaviour.lb_token:
            raise _Refusal(401, "Invalid authorization token.")

    def _lookup(self, body: Any) -> Any:
        """A list in the order of the input; a recording that is not found has only its arguments."""
        asked = body.get("recordings") if isinstance(body, dict) else None
        if not isinstance(asked, list) or not asked:
            raise _Refusal(400, "recordings is invalid or not present in body")
        if len(asked) > _MOST_LOOKUPS:
            message = "Number of recordings in request body exceeds maximum permitted."
            raise _Refusal(400, f"{message} ({_MOST_LOOKUPS})")
        answers = []
        for index, each in enumerate(asked):
            if not isinstance(each, dict):
                raise _Refusal(400, f"Recording {index} is no object")
            artist, title = each.get("artist_name"), each.get("recording_name")
            release = each.get("release_name") or None
            for name, value in (("artist_name", artist), ("recording_name", title)):
                if not isinstance(value, str) or not value:
                    raise _Refusal(400, f"Recording {index} {name} is invalid or not present")
            artist, title = str(artist), str(title)
            release = None if release is None else str(release)
            if len(artist) + len(title) + len(release or "") > _MOST_CHARACTERS:
                raise _Refusal(400, f"Recording {index} has more than {_MOST_CHARACTERS} characters")
            found = self.lookup.answer(artist, title, release) if release else None
            found = found or self.lookup.answer(artist, title, None) or {}
            arguments = {
                "artist_name_arg": artist,
                "recording_name_arg": title,
                "release_name_arg": release,
                "index": index,
            }
            answers.append({**arguments, **found})
        return answers


class Labs(Service):
    """POST /{slug}/json with a JSON array of inputs."""

    name = "labs"

    def __init__(self, room: Room, lookup: Lookup) -> None:
        super().__init__(room)
        self.lookup = lookup
        self.slugs: dict[str, Callable[[list[Any]], list[Any]]] = {
            "recording-mbid-lookup": self._recordings,
            "spotify-id-from-mbid": self._spotify_by_mbid,
            "spotify-id-from-metadata": self._spotify_by_text,
            "acr-lookup": lambda inputs: self._text(inputs, by_release=False),
            "acrr-lookup": lambda inputs: self._text(inputs, by_release=True),
            "bulk-tag-lookup": self._tags,
        }

    async def answer(self, request: web.Request) -> web.Response:
        parts = request.path.strip("/").split("/")
        if len(parts) != 2 or parts[1] != "json" or parts[0] not in self.slugs:
            return json_response({"error": "Not Found"}, 404)
        if request.method != "POST":
            return json_response({"error": "Method Not Allowed"}, 405)
        try:
            inputs = await _body(request)
            if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
                raise _Refusal(400, "the body must be a JSON array of objects")
            return json_response(self.slugs[parts[0]](inputs))
        except _Refusal as refusal:
            return json_response({"error": refusal.message}, refusal.status)

    def _mbids(self, inputs: list[Any]) -> list[str]:
        found = [_text(each, "recording_mbid") for each in inputs]
        for mbid in found:
            if not _MBID.fullmatch(mbid):
                raise _Refusal(400, f"invalid input syntax for type uuid: {mbid}")
        return [mbid.lower() for mbid in found]

    def _recordings(self, inputs: list[Any]) -> list[Any]:
        """One entry an input, in order, merged ids resolved; unknown ones have nulls."""
        answers = []
        for mbid in self._mbids(inputs):
            found = self.catalogue.recording(mbid)
            release = lb_json.canonical_release(self.catalogue, found) if found else None
            credit = found.credit if found else ()
            answers.append(
                {
                    "artist_credit_name": found.artist if found else None,
                    "recording_name": found.title if found else None,
                    "artist_credit_id": lb_json.credit_id(credit) if found else None,
                    "artist_credit_mbids": [part.artist.mbid for part in credit] if found else None,
                    "recording_mbid": found.mbid if found else None,
                    "length": found.duration_ms if found else None,
                    "canonical_recording_mbid": found.mbid if found else None,
                    "original_recording_mbid": mbid,
                    "release_name": release.title if release else None,
                    "release_mbid": release.mbid if release else None,
                    "artists": [
                        {
                            "artist_mbid": part.artist.mbid,
                            "artist_credit_name": part.name,
                            "join_phrase": part.join,
                        }
                        for part in credit
                    ],
                }
            )
        return answers

    def _spotify_by_mbid(self, inputs: list[Any]) -> list[Any]:
        """Entries for the known recordings; labs leaves out the others."""
        answers = []
        for mbid in self._mbids(inputs):
            found = self.catalogue.recording(mbid)
            release = lb_json.canonical_release(self.catalogue, found) if found else None
            if found is None or release is None:
                continue
            answers.append(
                {
                    "recording_mbid": mbid,
                    "artist_name": found.artist,
                    "release_name": release.title,
                    "track_name": found.title,
                    "spotify_track_ids": self._spotify(found),
                }
            )
        return answers

    def _spotify(self, recording: Any) -> list[str]:
        behaviour = self.behaviour
        return self.lookup.spotify_ids(recording, behaviour.seed, behaviour.labs_wrong_share)

    def _spotify_by_text(self, inputs: list[Any]) -> list[Any]:
        answers = []
        for each in inputs:
            artist, title = _text(each, "artist_name"), _text(each, "track_name")
            release = _text(each, "release_name", required=False)
            found = self.lookup.answer(artist, title, release) if release else None
            found = found or self.lookup.answer(artist, title, None)
            recording = self.catalogue.recording(str(found["recording_mbid"])) if found else None
            answers.append(
                {
                    "artist_name": artist,
                    "release_name": release,
                    "track_name": title,
                    "spotify_track_ids": self._spotify(recording) if recording else [],
                }
            )
        return answers

    def _text(self, inputs: list[Any], *, by_release: bool) -> list[Any]:
        """Rows for what matches exactly; of inputs that fold alike only the last gets one."""
        last: dict[str, tuple[int, str, str, str | None]] = {}
        for index, each in enumerate(inputs):
            artist, title = _text(each, "artist_credit_name"), _text(each, "recording_name")
            release = _text(each, "release_name") if by_release else None
            last[key(artist, title, release or "")] = (index, artist, title, release)
        answers = []
        for index, artist, title, release in last.values():
            if (found := self.lookup.answer(artist, title, release)) is None:
                continue
            row = {"index": index, "artist_credit_arg": artist, "recording_arg": title, **found}
            if release is not None:
                row["release_name_arg"] = release
            answers.append(self._sometimes_wrong(row))
        return answers

    def _sometimes_wrong(self, row: dict[str, Any]) -> dict[str, Any]:
        """For a few recordings another version of the same title, as the real mapper has it."""
        luck = ids.number("acr", self.behaviour.seed, row["recording_mbid"])
        if luck % 1_000_000 >= self.behaviour.labs_wrong_share * 1_000_000:
            return row
        recordings = self.catalogue.recordings
        start = luck // 1_000_000 % len(recordings)
        others = (recordings[(start + step) % len(recordings)] for step in range(min(500, len(recordings))))
        wrong = next((each for each in others if each.title == row["recording_name"]), None)
        return {**row, "recording_mbid": wrong.mbid} if wrong else row

    def _tags(self, inputs: list[Any]) -> list[Any]:
        if len(inputs) > _MOST_RECORDINGS:
            raise _Refusal(400, "Cannot lookup more than 1,000 recordings at a time.")
        known = self.catalogue.recordings_by_mbid
        return [
            {
                "recording_mbid": mbid,
                "tag": name,
                "tag_count": count,
                "percent": round(count / 20, 4),
                "source": "recording",
            }
            for mbid in self._mbids(inputs)
            if mbid in known
            for name, count in known[mbid].tags
        ]


def _text(value: dict[str, Any], name: str, *, required: bool = True) -> str:
    """An input by its name, which older clients put in brackets."""
    text = value.get(name, value.get(f"[{name}]", None if required else ""))
    if not isinstance(text, str):
        raise _Refusal(400, f"{name} is missing or no text")
    return text


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except (ValueError, RecursionError):
        raise _Refusal(400, "Cannot parse JSON document") from None
