"""The local labs API: experimental lookups of ListenBrainz, each a list in and a list out."""

from collections.abc import Callable, Iterator

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Recording
from soulspot.sandbox.servers.listenbrainz.metadata import canonical_release, credit_id
from soulspot.sandbox.servers.listenbrainz.server import json_body
from soulspot.sandbox.servers.listenbrainz.text_lookup import TextLookup, folded_key
from soulspot.sandbox.servers.service import Context, Json, Refusal, Service, json_response

_MOST_TAGGED = 1000


class Labs(Service):
    """POST /{slug}/json with a JSON array of inputs."""

    name = "labs"

    def __init__(self, context: Context, lookup: TextLookup) -> None:
        super().__init__(context)
        self.lookup = lookup
        self.slugs: dict[str, Callable[[list[Json]], list[Json]]] = {
            "recording-mbid-lookup": lambda inputs: [self._recording(mbid) for mbid in _mbids(inputs)],
            "spotify-id-from-mbid": self._spotify_by_mbid,
            "spotify-id-from-metadata": self._spotify_by_text,
            "acr-lookup": lambda inputs: list(self._by_text(inputs, with_release=False)),
            "acrr-lookup": lambda inputs: list(self._by_text(inputs, with_release=True)),
            "bulk-tag-lookup": self._tags,
        }

    async def answer(self, request: web.Request) -> web.Response:
        parts = request.path.strip("/").split("/")
        if len(parts) != 2 or parts[1] != "json" or parts[0] not in self.slugs:
            return json_response({"error": "Not Found"}, 404)
        if request.method != "POST":
            return json_response({"error": "Method Not Allowed"}, 405)
        try:
            inputs = await json_body(request)
            if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
                raise Refusal(400, "the body must be a JSON array of objects")
            return json_response(self.slugs[parts[0]](inputs))
        except Refusal as refusal:
            return json_response({"error": refusal.message}, refusal.status)

    def _recording(self, mbid: str) -> Json:
        recording = self.catalogue.recording(mbid)
        release = canonical_release(self.catalogue, recording) if recording else None
        credit = recording.credit if recording else ()
        found = recording.mbid if recording else None
        return {
            "artist_credit_name": recording.artist if recording else None,
            "recording_name": recording.title if recording else None,
            "artist_credit_id": credit_id(credit) if recording else None,
            "artist_credit_mbids": [part.artist.mbid for part in credit] if recording else None,
            "recording_mbid": found, "length": recording.duration_ms if recording else None,
            "canonical_recording_mbid": found, "original_recording_mbid": mbid,
            "release_name": release.title if release else None, "release_mbid": release.mbid if release else None,
            "artists": [
                {"artist_mbid": part.artist.mbid, "artist_credit_name": part.name, "join_phrase": part.join}
                for part in credit
            ],
        }  # fmt: skip

    def _spotify_by_mbid(self, inputs: list[Json]) -> list[Json]:
        rows = []
        for mbid in _mbids(inputs):
            recording = self.catalogue.recording(mbid)
            if recording and (release := canonical_release(self.catalogue, recording)):
                names = self._spotify_row(recording.artist, release.title, recording.title, recording)
                rows.append({"recording_mbid": mbid, **names})
        return rows

    def _spotify_by_text(self, inputs: list[Json]) -> list[Json]:
        rows = []
        for each in inputs:
            artist, title = _text(each, "artist_name"), _text(each, "track_name")
            release = _text(each, "release_name", required=False)
            found = self.lookup.best_row(artist, title, release)
            recording = self.catalogue.recording(str(found["recording_mbid"])) if found else None
            rows.append(self._spotify_row(artist, release, title, recording))
        return rows

    def _spotify_row(self, artist: str, release: str, title: str, recording: Recording | None) -> Json:
        behaviour = self.behaviour
        found = self.lookup.spotify_ids(recording, behaviour.seed, behaviour.labs_wrong_share) if recording else []
        return {"artist_name": artist, "release_name": release, "track_name": title, "spotify_track_ids": found}

    def _by_text(self, inputs: list[Json], *, with_release: bool) -> Iterator[Json]:
        """Yield rows for exact matches; of inputs that fold alike, only the last has one."""
        # The real lookup joins on the folded text, where the last of equal inputs wins.
        last: dict[str, tuple[int, str, str, str | None]] = {}
        for index, each in enumerate(inputs):
            artist, title = _text(each, "artist_credit_name"), _text(each, "recording_name")
            release = _text(each, "release_name") if with_release else None
            last[folded_key(artist, title, release or "")] = (index, artist, title, release)
        for index, artist, title, release in last.values():
            if found := self.lookup.row(artist, title, release):
                row = {"index": index, "artist_credit_arg": artist, "recording_arg": title, **found}
                if release is not None:
                    row["release_name_arg"] = release
                yield self._sometimes_wrong(row)

    def _sometimes_wrong(self, row: Json) -> Json:
        """Return the row; for a few recordings it names another version of the same title."""
        luck = ids.number("acr", self.behaviour.seed, row["recording_mbid"])
        if luck % 1_000_000 >= self.behaviour.labs_wrong_share * 1_000_000:
            return row
        recordings = self.catalogue.recordings
        start = luck // 1_000_000 % len(recordings)
        others = (recordings[(start + step) % len(recordings)] for step in range(min(500, len(recordings))))
        wrong = next((each for each in others if each.title == row["recording_name"]), None)
        return {**row, "recording_mbid": wrong.mbid} if wrong else row

    def _tags(self, inputs: list[Json]) -> list[Json]:
        if len(inputs) > _MOST_TAGGED:
            raise Refusal(400, "Cannot lookup more than 1,000 recordings at a time.")
        known = self.catalogue.recordings_by_mbid
        return [
            {"recording_mbid": mbid, "tag": name, "tag_count": count, "percent": round(count / 20, 4),
             "source": "recording"}
            for mbid in _mbids(inputs)
            if mbid in known
            for name, count in known[mbid].tags
        ]  # fmt: skip


def _mbids(inputs: list[Json]) -> list[str]:
    found = [_text(each, "recording_mbid") for each in inputs]
    for mbid in found:
        if not ids.is_mbid(mbid):
            raise Refusal(400, f"invalid input syntax for type uuid: {mbid}")
    return [mbid.lower() for mbid in found]


def _text(value: Json, name: str, *, required: bool = True) -> str:
    """Return an input by its name, which older clients put in brackets."""
    text = value.get(name, value.get(f"[{name}]", None if required else ""))
    if not isinstance(text, str):
        raise Refusal(400, f"{name} is missing or no text")
    return text
