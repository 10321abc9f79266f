"""musicbrainzngs, made to send through our session: one bounded read a call, no sleeping, no trying again."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from musicbrainzngs import musicbrainz

from soulspot.errors import BadAnswer
from soulspot.providers.documents import decode_json
from soulspot.providers.session import GatedSession
from soulspot.providers.transport import MAX_REDIRECTS, REDIRECTS, redirected, refusal
from soulspot.version import __version__

LOOKUP_INCLUDES = ["artists", "artist-credits", "aliases", "releases", "media", "isrcs", "tags", "url-rels"]
SEARCH_LIMIT = 100
RELEASE_INCLUDES = ["recordings", "artist-credits", "isrcs", "labels", "release-groups", "media"]

library: Any = musicbrainz  # the one module of musicbrainzngs that sends
_thread = threading.local()


class Reader:
    """Reads what musicbrainzngs asks for, from the instance's own `base_url` (a mirror below any path, too)
    and with its own User-Agent, without which MusicBrainz answers 403. Used in the session's thread only."""

    def __init__(self, session: GatedSession, base_url: str, contact: str) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"User-Agent": f"soulspot/{__version__} ( {contact} )", "Accept": "application/json"}

    def search(self, query: str) -> Any:
        """The search answer: {"count", "recordings"}. Never paged: ties have no stable order."""
        _thread.reader = self
        return library.search_recordings(query=query, limit=SEARCH_LIMIT)

    def recording(self, mbid: str) -> Any:
        """One recording, under another id when `mbid` was merged into it. BadAnswer with status 404 when
        unknown."""
        _thread.reader = self
        return library.get_recording_by_id(mbid, includes=LOOKUP_INCLUDES)

    def search_releases(self, query: str) -> Any:
        """The release search's answer: {"count", "releases"}. Never paged, as above."""
        _thread.reader = self
        return library.search_releases(query=query, limit=SEARCH_LIMIT)

    def search_artists(self, query: str) -> Any:
        """The artist search's answer: {"count", "artists"}. Never paged, as above."""
        _thread.reader = self
        return library.search_artists(query=query, limit=SEARCH_LIMIT)

    def release(self, mbid: str) -> Any:
        """One release with all its recordings, however many. BadAnswer with status 404 when unknown."""
        _thread.reader = self
        return library.get_release_by_id(mbid, includes=RELEASE_INCLUDES)

    def urls(self, resources: Sequence[str]) -> Any:
        """URLs with their recordings; the library takes one resource only. 404 when none of them is known."""
        pairs = [("resource", resource) for resource in resources]
        return decode_json(
            self.read("url?" + urlencode([*pairs, ("inc", "recording-rels"), ("fmt", "json")]))
        )

    def read(self, path: str) -> bytes:
        """The body at `path` below the base URL, behind at most three redirects (a merged id is a 301)."""
        url = f"{self._base_url}/{path}"
        for _ in range(MAX_REDIRECTS + 1):
            response = self._session.get(url, headers=self._headers, allow_redirects=False)
            if response.status_code == 200:
                return response.content
            host = urlsplit(url).netloc
            if response.status_code not in REDIRECTS:
                raise refusal(host, response.status_code, response.content)
            target = redirected(url, response.headers.get("Location"))
            if not urlsplit(target).query:  # keep asking for JSON and the same includes
                target += f"?{urlsplit(url).query}"
            url = target
        raise BadAnswer(f"{host} redirects more than {MAX_REDIRECTS} times")


def _read_once(opener: Any, request: Any, body: Any = None, *unused: Any) -> bytes:
    """Stands in for the library's reading, which has no timeout, tries eight times and sleeps 56 s in
    between."""
    url = urlsplit(request.full_url)
    path = url.path.removeprefix("/ws/2/")
    reader: Reader = _thread.reader
    return reader.read(f"{path.strip('/')}?{url.query}")


def set_up(contact: str) -> None:
    """Tame the library; its settings are the module's, so what differs between instances is in `Reader`.

    The rate limiter goes entirely: switched off it still holds a lock around every request, and a thread that
    was given up would hold it for ever."""
    library._safe_read = _read_once
    library._mb_request = getattr(library._mb_request, "fun", library._mb_request)
    library.set_rate_limit(False)
    library.set_useragent("soulspot", __version__, contact)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "the json format is non-official": it has what the XML parser drops
        library.set_format("json")
    library.set_parser(decode_json)
