"""The routes of the MusicBrainz web service (WS/2) that lookups need, as JSON."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from soulspot.limits import Gates
from soulspot.models import MUSICBRAINZ
from soulspot.providers.http import Http
from soulspot.version import __version__

LOOKUP_INCLUDES = ("artists", "artist-credits", "aliases", "releases", "media", "isrcs", "tags", "url-rels")
SEARCH_LIMIT = 100
RELEASE_INCLUDES = ("recordings", "artist-credits", "isrcs", "labels", "release-groups", "media")


class MusicBrainzApi:
    """The web service at `base_url`, or a mirror of it.

    Sends a User-Agent with `contact`, without which MusicBrainz answers 403. Searches are never
    paged: ties have no stable order. Every method raises Limited, Unavailable, Refused,
    BatchRejected (400) or BadAnswer (with status 404 for an unknown id)."""

    def __init__(self, gates: Gates, *, base_url: str, contact: str, timeout: float) -> None:
        self.http = Http(gates, MUSICBRAINZ, timeout=timeout)
        self._base_url = base_url.rstrip("/")
        self._headers = {"User-Agent": f"soulspot/{__version__} ( {contact} )"}

    async def search(self, hits: str, query: str) -> Any:
        """Return the answer of a Lucene search for `hits`: "recordings", "releases" or "artists".
        Its shape is {"count": number, hits: [...]}, with at most 100 hits."""
        return await self._get(hits.removesuffix("s"), [("query", query), ("limit", SEARCH_LIMIT)])

    async def recording(self, mbid: str) -> Any:
        """Return one recording, with another id when `mbid` was merged into that."""
        return await self._get(f"recording/{mbid}", [("inc", " ".join(LOOKUP_INCLUDES))])

    async def release(self, mbid: str) -> Any:
        return await self._get(f"release/{mbid}", [("inc", " ".join(RELEASE_INCLUDES))])

    async def urls(self, resources: Sequence[str]) -> Any:
        """Return URLs with the recordings that are related to them; 404 when all are unknown."""
        return await self._get("url", [*(("resource", one) for one in resources), ("inc", "recording-rels")])

    async def _get(self, path: str, parameters: Sequence[tuple[str, Any]]) -> Any:
        url = f"{self._base_url}/{path}?{urlencode([*parameters, ('fmt', 'json')])}"
        # The 301 of a merged id has no query, which asks for JSON and the includes.
        return await self.http.fetch_json("GET", url, base_url=self._base_url, headers=self._headers, keep_query=True)
