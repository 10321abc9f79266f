"""Requests by aiohttp through the gates: JSON in and out, or bytes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from soulspot.errors import BadAnswer, Unavailable
from soulspot.limits import Gates
from soulspot.providers import transport
from soulspot.providers.addresses import ForbiddenAddress, open_public_socket
from soulspot.providers.documents import decode_json
from soulspot.providers.transport import AdmittedRequest, TimedOut


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, wherever redirects lead it."""

    method: str
    url: str
    base_url: str
    payload: Any
    headers: Mapping[str, str]  # for the host of `url` only
    form: Mapping[str, str] | None = None  # sent in place of a JSON payload
    keep_query: bool = False  # give the query to a redirect that has none
    most: int = transport.MAX_BODY  # bytes of the body
    may_ask: Callable[[str], bool] | None = None  # the URLs that redirects may lead to; None: the same host


class Http:
    """An aiohttp session whose every request, redirects included, passes its host's gate. Redirects
    are followed on the same host alone, unless a request says otherwise. `timeout` is the seconds
    that one request may take, with its body and without the wait before the gate. It can be built
    outside a running loop; the first request opens the session."""

    def __init__(self, gates: Gates, provider: str, *, timeout: float) -> None:
        self.timeout = timeout
        self._gates = gates
        self._provider = provider
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def fetch_json(
        self, method: str, url: str, *, base_url: str, payload: Any = None, form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, keep_query: bool = False,
    ) -> Any:  # fmt: skip
        """Return the JSON document that answers a request with `payload` as its JSON body.

        `form` sends fields of a form instead. With `keep_query`, a redirect to a URL without a
        query gets the query of the URL before it.

        `headers` are sent to the host of `url` only, not to a redirect's. Raises Limited,
        Unavailable, Refused, BatchRejected (400) or BadAnswer (`status` 404: unknown route)."""
        request = _Request(method, url, base_url, payload, headers or {}, form, keep_query)
        return decode_json(await self._fetch(request))

    async def fetch_bytes(
        self, url: str, *, base_url: str, accept: str, most: int, allowed: Callable[[str], bool]
    ) -> bytes:
        """Return the body at `url`, at most `most` bytes. Redirects lead to URLs that are
        `allowed`; on another host than `url`, these must have a public address. Raises Limited,
        Unavailable, Refused, BatchRejected (400) or BadAnswer, the last also for a larger body."""
        headers = {"Accept": accept}
        return await self._fetch(_Request("GET", url, base_url, None, headers, most=most, may_ask=allowed))

    async def close(self) -> None:
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def _fetch(self, request: _Request) -> bytes:
        gate = self._gates.for_url(self._provider, request.url)
        return await transport.send_with_retries(gate, lambda attempt: self._follow_redirects(request, attempt))

    async def _follow_redirects(self, request: _Request, attempt: int) -> bytes:
        target = request.url
        for _ in range(transport.MAX_REDIRECTS + 1):
            host = urlsplit(target).netloc
            status, headers, body = await self._send(request, target, attempt)
            if status == 200:
                return body
            if status not in transport.REDIRECTS:
                raise transport.refusal(host, status, transport.without_credentials(body, request.headers))
            query = urlsplit(target).query
            target = transport.redirect_target(target, headers.get("Location"), request.may_ask)
            if request.keep_query and query and not urlsplit(target).query:
                target += f"?{query}"
        raise BadAnswer(f"{host} redirects more than {transport.MAX_REDIRECTS} times")

    async def _send(self, request: _Request, url: str, attempt: int) -> tuple[int, Mapping[str, str], bytes]:
        endpoint = transport.endpoint_of(url, request.base_url)
        admitted = await AdmittedRequest.admit(self._gates, self._provider, url, endpoint, attempt)
        host = urlsplit(url).netloc
        # A token in the headers is for its own host: a redirect must not carry it elsewhere.
        is_at_home = host == urlsplit(request.url).netloc
        headers = {**request.headers} if is_at_home else {}
        try:
            async with (
                asyncio.timeout(self.timeout),
                self._open_session(is_at_home).request(
                    request.method, url, json=request.payload, data=request.form, headers=headers, allow_redirects=False
                ) as response,
            ):
                body = bytearray()
                async for chunk in response.content.iter_chunked(transport.CHUNK):
                    body += chunk
                    if len(body) > request.most:
                        await admitted.end_with_response(response.status, response.headers, b"")
                        raise BadAnswer(f"{host}: the answer is larger than {request.most} bytes")
        except asyncio.CancelledError:
            admitted.abandon()
            raise
        except aiohttp.ServerTimeoutError as error:
            await admitted.end_without_response()
            raise Unavailable(f"{host}: no connection within {transport.CONNECT_TIMEOUT:.0f} s") from error
        except TimeoutError as error:
            await admitted.end_without_response()
            raise TimedOut(f"{host}: no answer within {self.timeout:g} s") from error
        except aiohttp.ClientPayloadError as error:
            if not isinstance(error.__cause__, ContentEncodingError):
                await admitted.end_without_response()
                raise Unavailable(f"{host}: {error}") from error
            # the host answered: an attempt, and no reason to ask the same once more
            await admitted.end_with_response(response.status, response.headers, b"")
            raise BadAnswer(f"{host}: the body cannot be decompressed") from error
        except (aiohttp.ClientError, OSError) as error:
            forbidden = getattr(error, "os_error", None)
            if isinstance(forbidden, ForbiddenAddress):
                admitted.abandon()
                raise BadAnswer(f"{host} is not asked: {forbidden}") from error
            await admitted.end_without_response()
            raise Unavailable(f"{host}: {str(error) or type(error).__name__}") from error
        await admitted.end_with_response(response.status, response.headers, bytes(body))
        return response.status, response.headers, bytes(body)

    def _open_session(self, is_at_home: bool) -> aiohttp.ClientSession:
        session = self._sessions.get(is_at_home)
        if session is None or session.closed:
            # A configured host may be on this machine. One that a redirect names must not be, nor
            # may its name lead there.
            session = self._sessions[is_at_home] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=None if is_at_home else open_public_socket),
                headers={"User-Agent": transport.AGENT, "Accept": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=transport.CONNECT_TIMEOUT),
            )
            # aiohttp resends a GET, past the gate, when the connection breaks; no option stops it.
            session._retry_connection = False
        return session
