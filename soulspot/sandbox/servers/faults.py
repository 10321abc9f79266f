"""Spoils answers on purpose: cut off, HTML, wrong types, nonsense numbers, bottomless nesting."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from soulspot.sandbox.servers.behaviour import Malformed

HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


def html(status: int, reason: str) -> web.Response:
    """An error page of a proxy before the service."""
    return web.Response(status=status, text=HTML.format(f"{status} {reason}"), content_type="text/html")


def spoil(response: web.Response, how: Malformed) -> web.Response:
    """The same answer, malformed; always with status 200, as broken proxies and caches give them."""
    body = response.body if isinstance(response.body, bytes) else b""
    kind = response.content_type
    match how:
        case "html":
            return html(200, "OK")
        case "empty":
            body = b""
        case "truncated":
            body = body[: len(body) * 2 // 3] or b"{"
        case "deep":
            body = b"[" * 100_000
        case "nan":
            body = b'{"count": NaN, "recordings": [{"length": Infinity}], "tracks": NaN}'
        case "huge_number":
            body = b'{"count": ' + b"9" * 5000 + b', "recordings": [], "tracks": []}'
        case "surrogate":
            body = b'{"recordings": [{"title": "\\ud800"}], "tracks": [{"name": "\\udfff"}]}'
        case "wrong_types":
            body = _rewritten(body, _wrong_types)
        case "wrong_length":
            body = _rewritten(body, _shortened)
    return web.Response(status=200, body=body, content_type=kind)


def _rewritten(body: bytes, change: Any) -> bytes:
    try:
        return json.dumps(change(json.loads(body))).encode()
    except ValueError:
        return b"[]"


def _wrong_types(value: Any) -> Any:
    """Every value as another type: objects become lists, texts numbers, numbers objects."""
    match value:
        case dict():
            return {name: _another(inner) for name, inner in value.items()}
        case list():
            return {"0": [_another(inner) for inner in value]}
    return _another(value)


def _another(value: Any) -> Any:
    match value:
        case dict():
            return [value]
        case list():
            return "list"
        case str():
            return 7
        case bool() | None:
            return {"value": value}
    return str(value)


def _shortened(value: Any) -> Any:
    """Every list without its first entry."""
    match value:
        case dict():
            return {name: _shortened(inner) for name, inner in value.items()}
        case list():
            return [_shortened(inner) for inner in value[1:]]
    return value
