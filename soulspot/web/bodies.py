"""Request bodies: JSON objects and uploads, bounded in size and in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

MAX_JSON = 1 << 20  # bytes of a JSON body
MAX_ITEMS = 20_000  # of a JSON body, by its commas: each may be a fault that is described
MAX_FORM = 10_000  # bytes of the form to log in
MAX_IMPORT = 2 << 30  # bytes of an import file
CHUNK_SECONDS = 30.0  # a body that brings nothing for this long is given up
SLOWEST = 1 << 10  # bytes a second: an upload with a lower average is given up


async def json_object(request: web.Request) -> dict[str, Any]:
    """Return the body as a JSON object, {} where there is none. Raises HTTPUnsupportedMediaType for
    another Content-Type, HTTPBadRequest for a body that is not JSON, HTTPUnprocessableEntity for no
    object, HTTPRequestTimeout for one that stops coming."""
    if not request.can_read_body:
        return {}
    # A body without a Content-Type is read as JSON: no route takes anything else here.
    if "Content-Type" in request.headers and not _is_json(request.content_type):
        raise web.HTTPUnsupportedMediaType(text="the body must be application/json")
    body = await read_in_time(lambda: _json_of(request), "JSON")
    if not isinstance(body, dict):
        raise web.HTTPUnprocessableEntity(text="the body is not a JSON object")
    return body


async def _json_of(request: web.Request) -> Any:
    given = await request.read()
    if given.count(b",") > MAX_ITEMS:
        raise web.HTTPRequestEntityTooLarge(MAX_ITEMS, text=f"the body has more than {MAX_ITEMS:,} items")
    return json.loads(given.decode(request.charset or "utf-8"))


async def form_field(request: web.Request, name: str) -> str:
    """Return a field of a short form, "" where it is missing. HTTPRequestEntityTooLarge for a long
    one."""
    given: bytes = await read_in_time(request.read, "a form")
    if len(given) > MAX_FORM:
        raise web.HTTPRequestEntityTooLarge(MAX_FORM, len(given))
    with suppress(ValueError):
        return dict(parse_qsl(given.decode("utf-8", "replace"), max_num_fields=10)).get(name, "")
    return ""


async def read_in_time(read: Callable[[], Any], kind: str) -> Any:
    """Await `read()` for CHUNK_SECONDS at most. Raises HTTPRequestTimeout, or HTTPBadRequest where
    the body is not of this `kind`."""
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            return await read()
    except TimeoutError:
        raise _too_slow() from None
    # aiohttp raises LookupError for a charset that Python does not know.
    except (ValueError, LookupError, RecursionError):
        raise web.HTTPBadRequest(text=f"the body is not {kind}") from None


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


async def chunks(request: web.Request) -> AsyncIterator[bytes]:
    """Yield an uploaded file piece by piece. Raises HTTPRequestTimeout when it comes too slowly,
    HTTPRequestEntityTooLarge beyond MAX_IMPORT bytes."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await request.content.read(1 << 18)
        except TimeoutError:
            raise _too_slow() from None
        if not chunk:
            return
        size += len(chunk)
        if size > MAX_IMPORT:
            raise web.HTTPRequestEntityTooLarge(MAX_IMPORT, size)
        # Each chunk may come in time and the whole still take days: the average counts too.
        if clock() - began > CHUNK_SECONDS + size / SLOWEST:
            raise _too_slow()
        yield chunk


def _too_slow() -> web.HTTPRequestTimeout:
    return web.HTTPRequestTimeout(text="the body comes too slowly")
