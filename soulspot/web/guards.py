"""Who may ask: host names, same origin, token; and problem+json for whoever may not."""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from soulspot.errors import DatabaseFull

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEPT_HEADERS = ("Allow", "Retry-After")  # of an error, in the answer that tells of it
OPEN_PATHS = frozenset({"/healthz", "/readyz"})


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An RFC 9457 answer."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    text, kind = json.dumps(body), "application/problem+json"
    return web.Response(status=status, text=text, content_type=kind, headers=headers)


def guard(token: str | None, allowed_hosts: Sequence[str]) -> Middleware:
    """The middleware: refuses foreign hosts (DNS rebinding), foreign pages (CSRF) and, with a token set,
    whoever does not know it."""
    allowed = {host.lower() for host in allowed_hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _name(request.host)
        if host not in allowed and not _is_local(host):
            return problem(
                403, "Forbidden", f"this server does not answer to the name {host!r}; see http.allowed_hosts"
            )
        if request.path not in OPEN_PATHS:
            if token and not _knows(request, token):
                detail = "send the token of http.token as Authorization: Bearer"
                return problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})
            if request.method not in ("GET", "HEAD") and not token and not _same_origin(request):
                return problem(403, "Forbidden", "requests from other sites' pages are refused")
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            kept = {name: value for name, value in error.headers.items() if name in KEPT_HEADERS}
            return problem(error.status, error.reason, error.text or error.reason, kept)
        except DatabaseFull as error:
            return problem(507, "Insufficient Storage", str(error))
        except ConnectionError:
            raise  # whoever asked has gone
        except Exception:
            log.exception("request_failed", method=request.method, path=request.path)
            return problem(500, "Internal Server Error", "this went wrong here; the log says more")

    return check


def _knows(request: web.Request, token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # bytes that are not UTF-8 come as surrogates
    sent = given.strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(sent, token.encode()) and scheme.lower() == "bearer"


def _name(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdecimal() else host.lower()).strip("[]")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
        return True  # a page cannot rebind a bare address
    except ValueError:
        return False


def _same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"
