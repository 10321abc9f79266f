"""Guards of every route: host names, origin, token or cookie; refusals as problem documents."""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

from soulspot.errors import DatabaseError, DatabaseFull, is_disk_full
from soulspot.operations.review.reviewer import UnknownTrack
from soulspot.store.database import lock_patience
from soulspot.telemetry import get_logger
from soulspot.web.throttle import Throttle

log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Headers of an aiohttp error that its problem document keeps.
KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
# Whether the server is too busy for another request, and how many event streams are open.
CROWD: web.AppKey[Callable[[], bool]] = web.AppKey("CROWD")
STREAMS: web.AppKey[Callable[[], int]] = web.AppKey("STREAMS")
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/login"})
FORWARDED = ("Forwarded", "X-Forwarded-For", "Via")  # headers that proxies add
COOKIE = "soulspot"
LOCK_PATIENCE = 15.0  # seconds for which a request waits for another program's lock


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a problem document (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    text, kind = json.dumps(body), "application/problem+json"
    return web.Response(status=status, text=text, content_type=kind, headers=headers)


def guard(token: str | None, allowed_hosts: Collection[str], throttle: Throttle | None = None) -> Middleware:
    """Return the middleware that checks every request and turns errors into problem documents. It
    refuses foreign host names (DNS rebinding), requests from other sites' pages (CSRF) and, unless
    `token` is None, clients that do not know the token."""
    tokens = throttle or Throttle()
    allowed = {host.lower() for host in allowed_hosts}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _host_name(request.host)
        if host not in allowed and not _is_local(host):
            return problem(
                403, "Forbidden", f"this server does not answer to the name {host!r}: add it to http.allowed_hosts"
            )
        if request.path not in HEALTH_PATHS and request.app.get(CROWD, lambda: False)():
            answer = problem(503, "Service Unavailable", "too many requests at once", {"Retry-After": "10"})
            answer.force_close()
            return answer
        by_header = False
        given = _bearer_token(request)
        if token is not None and given is not None:
            try:
                by_header = await tokens.judge(request.remote or "", lambda: is_token(given, token))
            except web.HTTPTooManyRequests as error:
                return problem(429, error.reason, error.text or "", {"Retry-After": error.headers["Retry-After"]})
        if token and request.path not in OPEN_PATHS and not by_header and not has_cookie(request, token):
            if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
                raise web.HTTPSeeOther("/login")
            detail = "send the token of http.token as Authorization: Bearer, or log in at /login"
            return problem(401, "Unauthorized", detail, {"WWW-Authenticate": "Bearer"})
        # A browser adds its cookie, and its place in our network, to other sites' requests too.
        if request.method not in ("GET", "HEAD") and not by_header and not _is_same_origin(request):
            return problem(403, "Forbidden", "requests from other sites' pages are refused")
        return await _answer(request, handler)

    return check


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    # a client has its own limits of time, and whoever waits for it can be told to come again
    lock_patience.set(LOCK_PATIENCE)
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {name: value for name, value in error.headers.items() if name in KEPT_HEADERS}
        return problem(error.status, error.reason, error.text or error.reason, kept)
    except UnknownTrack as error:
        return problem(404, "Not Found", str(error))
    except DatabaseFull as error:
        return problem(507, "Insufficient Storage", str(error))
    except DatabaseError as error:
        log.warning("database_unavailable", method=request.method, path=request.path, error=str(error))
        return problem(503, "Service Unavailable", str(error), {"Retry-After": "10"})
    except ConnectionError:
        # The client has hung up: there is nobody to answer.
        raise
    except Exception as error:
        if is_disk_full(error):
            return problem(507, "Insufficient Storage", "the disk is full; nothing was stored")
        log.exception("request_failed", method=request.method, path=request.path)
        return problem(500, "Internal Server Error", "SoulSpot failed to answer; its log has the details")


def cookie_of(token: str) -> str:
    """Return the cookie for this token; it does not reveal the token, and a new token voids it."""
    return hmac.new(token.encode(), b"soulspot cookie", hashlib.sha256).hexdigest()


def has_cookie(request: web.Request, token: str) -> bool:
    """Whether the client has logged in with this token."""
    given = request.cookies.get(COOKIE, "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, cookie_of(token).encode())


def is_token(given: str, token: str) -> bool:
    """Whether `given` is the token; the time this takes does not depend on `given`."""
    # Bytes of a header that are not UTF-8 arrive as surrogates.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


def is_from_this_machine(request: web.Request) -> bool:
    """Whether a program on this machine asks, and not on behalf of another as a proxy does."""
    if request.transport is None or any(name in request.headers for name in FORWARDED):
        return False
    peer, own = (request.transport.get_extra_info(name) for name in ("peername", "sockname"))
    return bool(peer and own and peer[0] == own[0])


async def harden(_: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers for browsers that the response does not set itself."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "no-store")


def _bearer_token(request: web.Request) -> str | None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _host_name(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return (name if colon and port.isdecimal() else host.lower()).strip("[]")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    # DNS rebinding needs a name: a page cannot rebind a bare address.
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_same_origin(request: web.Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == f"{request.scheme}://{request.host}"
