"""A requests session whose every request passes its host's gate; for one worker thread."""

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
from soulspot.providers.documents import decode_json
from soulspot.providers.transport import (
    AGENT,
    CHUNK,
    CONNECT_TIMEOUT,
    MAX_BODY,
    MAX_REDIRECTS,
    TimedOut,
    Turn,
    endpoint_of,
)

T = TypeVar("T")


class SafeResponse(requests.Response):
    """A response whose `json()` is ours, so that no library swallows or trips over what is not JSON."""

    def json(self, **kwargs: Any) -> Any:
        """The document. BadAnswer when a success is not JSON; ValueError, which libraries expect and turn to
        the plain text, when an error is not JSON or not an object."""
        if self.status_code < 400:
            return decode_json(self.content)
        try:
            document = decode_json(self.content)
        except BadAnswer as error:
            raise ValueError("not JSON") from error
        if not isinstance(document, dict):
            raise ValueError("not an object")
        if "error_description" not in document and not isinstance(document.get("error"), dict):
            raise ValueError("no error object")  # spotipy calls .get on what stands under "error"
        return document


class GatedSession(requests.Session):
    """One session for one worker thread. Every request it sends, redirect hops and token requests too, passes
    the gate of its host, is bounded in time and size, and is reported once. Nothing in it sleeps or tries
    again.

    `timeout` is the seconds that a read may take. 429 and 503 come out as Limited, other 5xx and connection
    trouble as Unavailable; every other status is a response."""

    def __init__(self, gates: Gates, provider: str, *, base_url: str, timeout: float) -> None:
        super().__init__()
        self.trust_env = False  # a .netrc would replace the Authorization header
        self.headers["User-Agent"] = AGENT
        self.max_redirects = MAX_REDIRECTS
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.loop: asyncio.AbstractEventLoop | None = None
        self.attempt = 1
        self.timeout = timeout
        self.turn: Turn | None = None
        self._gates = gates
        self._provider = provider
        self._base_url = base_url
        self._gate_time = 0.0
        self._gate_since: float | None = None
        self._waiting: Future[Any] | None = None
        self._reading: urllib3.BaseHTTPResponse | None = None
        self._abandoned = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, _GatedAdapter(self))

    # -- used by the worker thread

    def pass_gate(self, url: str) -> Turn:
        """Block until the gate of `url`'s host lets one request pass. Raises Limited."""
        self._gate_since = time.monotonic()
        try:
            endpoint = endpoint_of(url, self._base_url)
            self.turn = self.in_loop(Turn.admitted(self._gates, self._provider, url, endpoint, self.attempt))
            return self.turn
        finally:
            self._gate_time += time.monotonic() - self._gate_since
            self._gate_since = None

    def in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` in the event loop and wait for it. Unavailable once the session is abandoned."""
        loop = self.loop
        if self._abandoned or loop is None or loop.is_closed():
            coroutine.close()
            raise Unavailable("given up")
        self._waiting = asyncio.run_coroutine_threadsafe(coroutine, loop)
        try:
            result: T = self._waiting.result()
        except CancelledError as error:
            raise Unavailable("given up") from error
        if self._abandoned:  # between the question and the answer
            raise Unavailable("given up")
        return result

    def reading(self, response: urllib3.BaseHTTPResponse | None) -> None:
        """Say which body is being read, so that giving up can wake its reader."""
        self._reading = response

    # -- used by the event loop

    def gate_time(self) -> float:
        """The seconds spent before gates so far; the deadline of a call does not count them."""
        since = self._gate_since
        return self._gate_time + (time.monotonic() - since if since is not None else 0.0)

    def abandon(self) -> None:
        """Let the thread send nothing more, and wake it where that can be done."""
        self._abandoned = True
        if (waiting := self._waiting) is not None:
            waiting.cancel()
        if (reading := self._reading) is not None:
            with suppress(Exception):  # it may have ended this very moment
                reading.shutdown()


class _GatedAdapter(HTTPAdapter):
    """What the session's docstring promises; a requests adapter sees every hop of a redirect."""

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
        turn = session.pass_gate(request.url or "")
        limits = (min(CONNECT_TIMEOUT, session.timeout), session.timeout)
        response: requests.Response | None = None
        body: bytes | None = None
        try:
            response = super().send(request, True, limits, verify, cert, proxies)
            session.reading(response.raw)
            body = _read_capped(response.raw)
        except urllib3.exceptions.DecodeError as error:
            if response is not None:
                session.in_loop(turn.answered(response.status_code, response.headers, b""))
            raise BadAnswer(f"{turn.host}: the body cannot be decompressed") from error
        except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError) as error:
            session.in_loop(turn.unanswered())
            raise TimedOut(f"{turn.host}: no answer within {session.timeout:g} s") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, AttributeError) as error:
            session.in_loop(turn.unanswered())
            raise Unavailable(f"{turn.host}: connection trouble ({type(error).__name__})") from error
        finally:
            session.reading(None)
            if response is not None and body is None:
                response.close()
        session.in_loop(turn.answered(response.status_code, response.headers, body))
        if len(body) > MAX_BODY:
            response.close()
            raise BadAnswer(f"{turn.host}: the answer is larger than {MAX_BODY} bytes")
        response.__class__ = SafeResponse
        response._content = body
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def _read_capped(raw: urllib3.BaseHTTPResponse) -> bytes:
    """The body, decompressed piece by piece; a little more than MAX_BODY when there is more."""
    body = bytearray()
    for chunk in raw.stream(CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body)
