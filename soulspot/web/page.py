"""The page at `/`: static files, under a policy that lets them talk to this server alone."""

import hashlib
from pathlib import Path

from aiohttp import web

from soulspot.web.routing import Handlers, found_or_404, is_cached, route

FOLDER = Path(__file__).parent / "page"
PREFIX = "/page/"
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Text of tags and services is shown here: a script in it must never run, nor reach another host.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
COVERS_OFF, COVERS_ON = b'data-covers="off"', b'data-covers="on"'


class PageRoutes(Handlers):
    """The handlers of the page's files; with `covers` the page shows front covers."""

    def __init__(self, *, covers: bool = False) -> None:
        # name -> (contents, ETag, media type)
        self._files: dict[str, tuple[bytes, str, str]] = {}
        for path in FOLDER.iterdir():
            if path.suffix in MEDIA_TYPES:
                body = path.read_bytes()
                if covers:
                    body = body.replace(COVERS_OFF, COVERS_ON)
                tag = hashlib.sha256(body).hexdigest()[:16]
                self._files[path.name] = (body, tag, MEDIA_TYPES[path.suffix])

    def routes(self) -> list[web.RouteDef]:
        """Return the route of the page and that of its files, which OpenAPI leaves out."""
        return [*super().routes(), web.get(PREFIX + "{name}", self.file)]

    @route("GET", "/", {200: "text/html"})
    async def index(self, request: web.Request) -> web.Response:
        """Show the page."""
        response = self._answer(request, "index.html")
        response.headers["Content-Security-Policy"] = POLICY
        return response

    async def file(self, request: web.Request) -> web.Response:
        """Send a script, style sheet or picture of the page."""
        return self._answer(request, request.match_info["name"])

    def _answer(self, request: web.Request, name: str) -> web.Response:
        body, tag, media_type = found_or_404(self._files.get(name), f"the page has no file {name}")
        # Browsers ask each time, so that a page never mixes files of two versions; a 304 is short.
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if is_cached(request, tag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=media_type, charset="utf-8", headers=headers)
