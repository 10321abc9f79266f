"""The page at `/`: files of this package as they are, under a policy that lets them talk to us alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"
PREFIX = "/page/"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# where covers lie: the Cover Art Archive sends on to the Internet Archive, Spotify has hosts of its own
COVER_HOSTS = "https://coverartarchive.org https://archive.org https://*.archive.org https://i.scdn.co https://*.spotifycdn.com"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src {images};"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def policy(*, covers: bool) -> str:
    """The Content-Security-Policy: with `covers` images of their hosts may be shown, otherwise nobody else is asked."""
    return _POLICY.format(images=f"'self' {COVER_HOSTS}" if covers else "'self'")


class Page:
    """The handlers over the files, which are read once."""

    def __init__(self) -> None:
        self._files = {
            path.name: (path.read_bytes(), KINDS[path.suffix])
            for path in sorted(FOLDER.iterdir())
            if path.suffix in KINDS
        }
        self._tags = {name: hashlib.sha256(body).hexdigest()[:16] for name, (body, _) in self._files.items()}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.index), web.get(PREFIX + "{name}", self.file)]

    async def index(self, request: web.Request) -> web.Response:
        """The page; with ?covers=1 it may show covers, which lie at other hosts."""
        response = self._answer(request, "index.html")
        response.headers["Content-Security-Policy"] = policy(covers=request.query.get("covers") == "1")
        return response

    async def file(self, request: web.Request) -> web.Response:
        """A script, style sheet or picture of the page."""
        return self._answer(request, request.match_info["name"])

    def _answer(self, request: web.Request, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound(text=f"the page has no part {name}")
        body, kind = self._files[name]
        tag = self._tags[name]
        # asked again each time, so that a page never mixes the parts of two versions; the answer is short
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if any(one.value == tag for one in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)
