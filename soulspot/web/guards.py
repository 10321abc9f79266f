"""Who may ask: host names, same origin, token or the cookie for it; and problem+json for whoever may not."""

from __future__ import annotations

import errno
import hashlib
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

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")  # of an error, in the answer that tells of it
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login"})
COOKIE = "soulspot"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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
        by_header = token is not None and _knows(request, token)
        if token and request.path not in OPEN_PATHS and not by_header and not has_cookie(request, token):
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther("/login")
            detail = "send the token of http.token as Authorization: Bearer, or log in at /login"
            return problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        # what a browser adds by itself, its cookie or its place in our network, another site's page can use too
        if request.method not in ("GET", "HEAD") and not by_header and not _same_origin(request):
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
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                return problem(507, "Insufficient Storage", "the disk is full; nothing was kept")
            log.exception("request_failed", method=request.method, path=request.path)
            return problem(500, "Internal Server Error", "this went wrong here; the log says more")

    return check


def cookie_of(token: str) -> str:
    """What stands in the cookie of whoever knows this token: it tells nothing of the token, and a new token ends it."""
    return hmac.new(token.encode(), b"soulspot cookie", hashlib.sha256).hexdigest()


def has_cookie(request: web.Request, token: str) -> bool:
    """Whether whoever asks has logged in with this token."""
    said = request.cookies.get(COOKIE, "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(said, cookie_of(token).encode())


def is_token(said: str, token: str) -> bool:
    """Whether this is the token; takes as long whatever it is."""
    return hmac.compare_digest(said.encode("utf-8", "surrogateescape"), token.encode())


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """What every answer says to browsers; a page may say more."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "no-store")


def _knows(request: web.Request, token: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # bytes that are not UTF-8 come as surrogates
    return is_token(given.strip(), token) and scheme.lower() == "bearer"


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
