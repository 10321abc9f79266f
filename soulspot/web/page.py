"""The page at `/`: files of this package as they are, under a policy that lets them talk to us alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"
PREFIX = "/page/"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
COVERS_OFF, COVERS_ON = b'data-covers="off"', b'data-covers="on"'


class Page:
    """The handlers over the files, which are read once. With `covers` the page may show those that we fetch."""

    def __init__(self, *, covers: bool = False) -> None:
        self._files = {
            path.name: (path.read_bytes(), KINDS[path.suffix])
            for path in sorted(FOLDER.iterdir())
            if path.suffix in KINDS
        }
        if covers:
            body, kind = self._files["index.html"]
            self._files["index.html"] = body.replace(COVERS_OFF, COVERS_ON), kind
        self._tags = {name: hashlib.sha256(body).hexdigest()[:16] for name, (body, _) in self._files.items()}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.index), web.get(PREFIX + "{name}", self.file)]

    async def index(self, request: web.Request) -> web.Response:
        """The page."""
        response = self._answer(request, "index.html")
        response.headers["Content-Security-Policy"] = POLICY
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
