"""What comes in with a request: JSON objects and uploads, bounded in size and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

MAX_JSON = 1 << 20  # bytes of a JSON body
MAX_IMPORT = 2 << 30  # bytes of an import file
CHUNK_SECONDS = 30.0  # a body that brings nothing for this long is given up
SLOWEST = 1 << 10  # bytes a second: an upload that is slower than this, over all, is given up


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object; {} where there is none. HTTPUnsupportedMediaType when it calls itself something
    else, HTTPBadRequest when it is not JSON, HTTPRequestTimeout when it does not come."""
    if not request.can_read_body:
        return {}
    # whoever says nothing (curl -d '' does not count as nothing) may mean JSON: there is nothing else to mean
    if "Content-Type" in request.headers and not _says_json(request.content_type):
        raise web.HTTPUnsupportedMediaType(text="the body must be application/json")
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            body = await request.json()
    except TimeoutError:
        raise too_slow() from None
    except (ValueError, LookupError, RecursionError):  # LookupError: a charset that nobody knows
        raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPUnprocessableEntity(text="the body is not a JSON object")
    return body


def _says_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """An uploaded file. HTTPRequestTimeout when it dribbles, HTTPRequestEntityTooLarge when it does not end."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await request.content.read(1 << 18)
        except TimeoutError:
            raise too_slow() from None
        if not chunk:
            return
        size += len(chunk)
        if size > MAX_IMPORT:
            raise web.HTTPRequestEntityTooLarge(MAX_IMPORT, size)
        if clock() - began > CHUNK_SECONDS + size / SLOWEST:
            raise too_slow()
        yield chunk


def too_slow() -> web.HTTPRequestTimeout:
    return web.HTTPRequestTimeout(text="the body comes too slowly")
