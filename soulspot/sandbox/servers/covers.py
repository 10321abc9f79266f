"""Where covers lie: the Cover Art Archive, which sends on (307) to the Internet Archive, here on the same port; and
Spotify's images."""

from __future__ import annotations

import re
import struct
import zlib

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.servers.service import Room, Service

_IMAGE = re.compile(r"/release/([0-9a-f-]{36})/(front|\d+)(?:-(250|500|1200))?(?:\.jpg)?")
_SPOTIFY = re.compile(r"/image/([0-9a-z]+)")
_ARCHIVE = re.compile(r"/download/mbid-([0-9a-f-]{36})/(\d+)\.png")


class Covers(Service):
    """Every release with a cover has a square of a colour of its own; a small PNG, whatever size is asked for."""

    name = "covers"

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self._fronts = {one.mbid: one.cover_id for one in room.catalogue.releases if one.cover_id is not None}

    async def answer(self, request: web.Request) -> web.Response:
        if match := _IMAGE.fullmatch(request.path):
            front = self._fronts.get(match[1])
            if front is not None and match[2] in ("front", str(front)):
                return web.Response(
                    status=307, headers={"Location": f"/download/mbid-{match[1]}/{front}.png"}
                )
        if match := _SPOTIFY.fullmatch(request.path):
            return web.Response(body=cover_png(match[1]), content_type="image/png")
        if match := _ARCHIVE.fullmatch(request.path):
            return web.Response(body=cover_png(match[1]), content_type="image/png")
        return web.Response(
            status=404, text="<!doctype html><title>404 Not Found</title>", content_type="text/html"
        )


def cover_png(name: str, edge: int = 64) -> bytes:
    """A PNG of one colour."""
    colour = (ids.number("cover", name) & 0xFFFFFF).to_bytes(3, "big")
    rows = (b"\0" + colour * edge) * edge
    head = struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name_ + data + struct.pack(">I", zlib.crc32(name_ + data))
        for name_, data in parts
    )
