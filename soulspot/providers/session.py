"""A requests session for one worker thread, whose every request passes its host's gate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter

from soulspot.errors import BadAnswer, Unavailable
from soulspot.limits import Gates
from soulspot.providers import transport
from soulspot.providers.documents import decode_json
from soulspot.providers.transport import AdmittedRequest, TimedOut

T = TypeVar("T")


class SafeResponse(requests.Response):
    """A response whose `json()` copes with everything that is not the expected JSON."""

    def json(self, **kwargs: Any) -> Any:
        """Return the document. Raises BadAnswer when a response of success is not JSON.

        Raises ValueError for an error response without the usual error object: client libraries
        expect that, and fall back on the plain text."""
        if self.status_code < 400:
            return decode_json(self.content)
        try:
            document = decode_json(self.content)
        except BadAnswer as error:
            raise ValueError("not JSON") from error
        if not isinstance(document, dict):
            raise ValueError("not an object")
        if "error_description" not in document and not isinstance(document.get("error"), dict):
            raise ValueError("no error object")  # spotipy calls .get on the value of "error"
        return document


class GatedSession(requests.Session):
    """A session for one worker thread.

    Every request, redirect hops and token requests included, passes its host's gate, is bounded in
    time and size, and is recorded once. Nothing here sleeps or retries. `timeout` is the seconds
    that a read may take. 429 and 503 raise Limited, other 5xx and connection trouble Unavailable;
    every other status is a response."""

    def __init__(self, gates: Gates, provider: str, *, base_url: str, timeout: float) -> None:
        super().__init__()
        # With the environment trusted, a .netrc would replace the Authorization header.
        self.trust_env = False
        self.headers["User-Agent"] = transport.AGENT
        self.max_redirects = transport.MAX_REDIRECTS
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.loop: asyncio.AbstractEventLoop | None = None
        self.attempt = 1
        self.timeout = timeout
        self.request_under_way: AdmittedRequest | None = None
        self._gates = gates
        self._provider = provider
        self._base_url = base_url
        self._gate_seconds = 0.0
        self._gate_since: float | None = None
        self._waiting: Future[Any] | None = None
        self._reading: urllib3.BaseHTTPResponse | None = None
        self._is_abandoned = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, _GatedAdapter(self))

    # -- for the worker thread

    def pass_gate(self, url: str) -> AdmittedRequest:
        """Block until the gate of `url`'s host lets one request pass. Raises Limited."""
        self._gate_since = time.monotonic()
        try:
            endpoint = transport.endpoint_of(url, self._base_url)
            admission = AdmittedRequest.admit(self._gates, self._provider, url, endpoint, self.attempt)
            self.request_under_way = self.run_in_loop(admission)
            return self.request_under_way
        finally:
            self._gate_seconds += time.monotonic() - self._gate_since
            self._gate_since = None

    def run_in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` in the event loop and return its result.

        Raises Unavailable once the session is abandoned."""
        loop = self.loop
        if self._is_abandoned or loop is None or loop.is_closed():
            coroutine.close()
            raise Unavailable("given up")
        self._waiting = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            result: T = self._waiting.result()
        except CancelledError as error:
            raise Unavailable("given up") from error
        if self._is_abandoned:  # while this thread waited
            raise Unavailable("given up")
        return result

    def set_reading(self, response: urllib3.BaseHTTPResponse | None) -> None:
        """Note whose body this thread reads now, so that `abandon` can wake it."""
        self._reading = response

    # -- for the event loop

    def gate_seconds(self) -> float:
        """Return the seconds spent before gates so far, which no deadline counts."""
        since = self._gate_since
        return self._gate_seconds + (time.monotonic() - since if since is not None else 0.0)

    def abandon(self) -> None:
        """Keep the thread from sending anything more, and wake it where possible."""
        self._is_abandoned = True
        if (waiting := self._waiting) is not None:
            waiting.cancel()
        if (reading := self._reading) is not None:
            # The body may have ended this very moment, in the other thread.
            with suppress(Exception):
                reading.shutdown()


class _GatedAdapter(HTTPAdapter):
    """Sends for a GatedSession; requests calls the adapter for every hop of a redirect."""

    def __init__(self, session: GatedSession) -> None:
        self._session = session
        super().__init__(max_retries=0, pool_connections=4, pool_maxsize=2)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        session = self._session
        admitted = session.pass_gate(request.url or "")
        limits = (min(transport.CONNECT_TIMEOUT, session.timeout), session.timeout)
        response: requests.Response | None = None
        body: bytes | None = None
        try:
            response = super().send(request, True, limits, verify, cert, proxies)
            session.set_reading(response.raw)
            body = _read_capped(response.raw)
        except urllib3.exceptions.DecodeError as error:
            if response is not None:
                session.run_in_loop(admitted.end_with_response(response.status_code, response.headers, b""))
            raise BadAnswer(f"{admitted.host}: the body cannot be decompressed") from error
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
            session.run_in_loop(admitted.end_without_response())
            raise TimedOut(f"{admitted.host}: no answer within {session.timeout:g} s") from error
        # urllib3 raises AttributeError when `abandon` shuts the socket down under its reader.
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, AttributeError) as error:
            session.run_in_loop(admitted.end_without_response())
            raise Unavailable(f"{admitted.host}: connection trouble ({type(error).__name__})") from error
        finally:
            session.set_reading(None)
            if response is not None and body is None:
                response.close()
        session.run_in_loop(admitted.end_with_response(response.status_code, response.headers, body))
        if len(body) > transport.MAX_BODY:
            response.close()
            raise BadAnswer(f"{admitted.host}: the answer is larger than {transport.MAX_BODY} bytes")
        # requests has no hook for the class of responses, and would read the body without limits.
        response.__class__ = SafeResponse
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def _read_capped(raw: urllib3.BaseHTTPResponse) -> bytes:
    """Return the decompressed body, cut off a little after MAX_BODY bytes."""
    body = bytearray()
    for chunk in raw.stream(transport.CHUNK, decode_content=True):
        body += chunk
        if len(body) > transport.MAX_BODY:
            break
    return bytes(body)
