"""The local Cover Art Archive, the Internet Archive behind it, and Spotify's images."""

import re
import struct
import zlib

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.servers.service import Context, Service

_RELEASE = re.compile(r"/release/([0-9a-f-]{36})/(front|\d+)(?:-(250|500|1200))?(?:\.jpg)?")
_IMAGE = re.compile(r"/image/([0-9a-z]+)|/download/mbid-([0-9a-f-]{36})/\d+\.png")


class Covers(Service):
    """GET /release/{mbid}/..., /image/{id} and /download/..., all on one port.

    A release's cover is a redirect (307), as in the Cover Art Archive; every image a small PNG."""

    name = "covers"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        releases = context.catalogue.releases
        self._fronts = {release.mbid: release.cover_id for release in releases if release.cover_id is not None}

    async def answer(self, request: web.Request) -> web.Response:
        if match := _RELEASE.fullmatch(request.path):
            front = self._fronts.get(match[1])
            if front is not None and match[2] in ("front", str(front)):
                location = f"/download/mbid-{match[1]}/{front}.png"
                return web.Response(status=307, headers={"Location": location})
        if match := _IMAGE.fullmatch(request.path):
            return web.Response(body=cover_png(match[1] or match[2]), content_type="image/png")
        page = "<!doctype html><title>404 Not Found</title>"
        return web.Response(status=404, text=page, content_type="text/html")


def cover_png(name: str, edge: int = 64) -> bytes:
    """Return a square PNG of `edge` pixels a side in one colour, the same for the same name."""
    colour = (ids.number("cover", name) & 0xFFFFFF).to_bytes(3, "big")
    rows = (b"\0" + colour * edge) * edge
    head = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
