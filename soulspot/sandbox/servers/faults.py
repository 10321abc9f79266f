"""Answers spoilt on purpose: cut off, HTML, wrong types, nonsense numbers, bottomless nesting."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from soulspot.sandbox.servers.behaviour import Malformed

_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"
# Bodies that break parsers: recursion, non-numbers, integers beyond Python's, lone surrogates.
_BODIES = {
    "empty": b"",
    "deep": b"[" * 100_000,
    "nan": b'{"count": NaN, "recordings": [{"length": Infinity}], "tracks": NaN}',
    "huge_number": b'{"count": ' + b"9" * 5000 + b', "recordings": [], "tracks": []}',
    "surrogate": b'{"recordings": [{"title": "\\ud800"}], "tracks": [{"name": "\\udfff"}]}',
}


def html(status: int, reason: str) -> web.Response:
    """Return the HTML error page of a proxy in front of the service."""
    return web.Response(status=status, text=_PAGE.format(f"{status} {reason}"), content_type="text/html")


def spoil(response: web.Response, how: Malformed) -> web.Response:
    """Return the same answer, malformed, with status 200 as broken proxies and caches send it."""
    if how == "html":
        return html(200, "OK")
    body = response.body if isinstance(response.body, bytes) else b""
    if how == "truncated":
        # Two thirds of a body end in the middle of a list, where a naive reader sees a whole entry.
        body = body[: len(body) * 2 // 3] or b"{"
    elif how == "wrong_types":
        body = _rewrite(body, _wrong_types)
    elif how == "wrong_length":
        body = _rewrite(body, _without_first_entries)
    else:
        body = _BODIES[how]
    return web.Response(status=200, body=body, content_type=response.content_type)


def _rewrite(body: bytes, change: Callable[[Any], Any]) -> bytes:
    try:
        return json.dumps(change(json.loads(body))).encode()
    except ValueError:
        return b"[]"


def _wrong_types(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _another_type(inner) for name, inner in value.items()}
    return {"0": [_another_type(inner) for inner in value]} if isinstance(value, list) else _another_type(value)


def _another_type(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return {"value": value}
    if isinstance(value, dict):
        return [value]
    return "list" if isinstance(value, list) else 7 if isinstance(value, str) else str(value)


def _without_first_entries(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_first_entries(inner) for name, inner in value.items()}
    return [_without_first_entries(inner) for inner in value[1:]] if isinstance(value, list) else value
