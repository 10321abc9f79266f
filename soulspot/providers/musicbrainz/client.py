"""musicbrainzngs, sending through our session: one bounded read a call, no sleeps, no retries."""

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
from soulspot.providers.transport import MAX_REDIRECTS, REDIRECTS, redirect_target, refusal
from soulspot.version import __version__

LOOKUP_INCLUDES = ["artists", "artist-credits", "aliases", "releases", "media", "isrcs", "tags", "url-rels"]
SEARCH_LIMIT = 100
RELEASE_INCLUDES = ["recordings", "artist-credits", "isrcs", "labels", "release-groups", "media"]

library: Any = musicbrainz  # the one module of musicbrainzngs that sends
# The library's functions belong to its module: the thread tells them whose Reader is to read.
_thread = threading.local()


class Reader:
    """The routes of the web service that lookups need, read below `base_url` (a mirror's too).

    Sends a User-Agent with `contact`, without which MusicBrainz answers 403. Runs in the session's
    thread only. Searches are never paged: ties have no stable order."""

    def __init__(self, session: GatedSession, base_url: str, contact: str) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"User-Agent": f"soulspot/{__version__} ( {contact} )", "Accept": "application/json"}

    def search(self, kind: str, query: str) -> Any:
        """Return the answer of a search for "recordings", "releases" or "artists".

        Its shape is {"count": number, kind: hits}, with at most 100 hits."""
        _thread.reader = self
        return getattr(library, f"search_{kind}")(query=query, limit=SEARCH_LIMIT)

    def recording(self, mbid: str) -> Any:
        """Return one recording, with another id when `mbid` was merged into that.

        Raises BadAnswer with status 404 when it is unknown."""
        _thread.reader = self
        return library.get_recording_by_id(mbid, includes=LOOKUP_INCLUDES)

    def release(self, mbid: str) -> Any:
        """Return one release with all its recordings; BadAnswer with status 404 when unknown."""
        _thread.reader = self
        return library.get_release_by_id(mbid, includes=RELEASE_INCLUDES)

    def urls(self, resources: Sequence[str]) -> Any:
        """Return URLs with their recordings; BadAnswer with status 404 when all are unknown."""
        # The library's own method takes one resource only.
        pairs = [("resource", resource) for resource in resources]
        path = "url?" + urlencode([*pairs, ("inc", "recording-rels"), ("fmt", "json")])
        return decode_json(self.read(path))

    def read(self, path: str) -> bytes:
        """Return the body at `path` below the base URL, after up to three redirects."""
        url = f"{self._base_url}/{path}"
        for _ in range(MAX_REDIRECTS + 1):
            response = self._session.get(url, headers=self._headers, allow_redirects=False)
            if response.status_code == 200:
                return response.content
            host = urlsplit(url).netloc
            if response.status_code not in REDIRECTS:
                raise refusal(host, response.status_code, response.content)
            target = redirect_target(url, response.headers.get("Location"))
            # The 301 of a merged id has no query, which asks for JSON and the includes.
            if not urlsplit(target).query:
                target += f"?{urlsplit(url).query}"
            url = target
        raise BadAnswer(f"{host} redirects more than {MAX_REDIRECTS} times")


def _read_once(opener: Any, request: Any, body: Any = None, *unused: Any) -> bytes:
    """Read for musicbrainzngs, whose own reading has no timeout and retries through 56 s."""
    url = urlsplit(request.full_url)
    path = url.path.removeprefix("/ws/2/")
    reader: Reader = _thread.reader
    return reader.read(f"{path.strip('/')}?{url.query}")


def set_up_library(contact: str) -> None:
    """Replace the library's reading, rate limiter and parser.

    They belong to its module, so everything that differs between instances is in `Reader`."""
    library._safe_read = _read_once
    # Even switched off, the limiter holds a lock around every request, and an abandoned thread
    # would hold it for ever: the function is unwrapped.
    library._mb_request = getattr(library._mb_request, "fun", library._mb_request)
    library.set_rate_limit(False)
    library.set_useragent("soulspot", __version__, contact)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an unofficial format: it has what the XML parser drops
        library.set_format("json")
    library.set_parser(decode_json)
