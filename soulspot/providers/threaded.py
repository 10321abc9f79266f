"""Synchronous client libraries, kept off the event loop: a thread each, and a session that passes the
gates."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Generic, TypeVar

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

C = TypeVar("C")
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


class _Worker(Generic[C]):
    """A daemon thread, its session, and the client that was built on it."""

    def __init__(self, name: str, session: GatedSession, build: Callable[[GatedSession], C]) -> None:
        self.session = session
        self._build = build
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[C], Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, job: Callable[[C], T]) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put((future, job))
        return future

    def stop(self) -> None:
        self.session.abandon()
        self._jobs.put(None)

    def _run(self) -> None:
        client: C | None = None
        while (work := self._jobs.get()) is not None:
            future, job = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if client is None:
                    client = self._build(self.session)
                result = job(client)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
            del future, job, work
        self.session.close()


class SyncClient(Generic[C]):
    """A synchronous client that answers from its own thread, one call at a time, and never blocks the event
    loop.

    `build` makes the client on a session, in the thread. A call that outlives its deadline, or whose caller
    is cancelled, loses thread and client: both are abandoned, send nothing more, and are replaced with the
    next call."""

    def __init__(
        self, name: str, session: Callable[[], GatedSession], build: Callable[[GatedSession], C]
    ) -> None:
        self._name = name
        self._make_session = session
        self._build = build
        self._worker: _Worker[C] | None = None
        self._turn = asyncio.Lock()

    async def call(self, fn: Callable[..., T], *args: Any, deadline: float, attempt: int = 1) -> T:
        """`fn(client, *args)` from the thread. TimedOut after `deadline` seconds, not counting the time spent
        before gates; otherwise whatever `fn` raises."""
        async with self._turn:
            if self._worker is None:
                self._worker = _Worker(self._name, self._make_session(), self._build)
            worker = self._worker
            worker.session.loop = asyncio.get_running_loop()
            worker.session.attempt = attempt
            future = asyncio.wrap_future(worker.submit(lambda client: fn(client, *args)))
            try:
                await self._wait(future, worker.session, deadline)
            except BaseException:
                self.abandon()
                if worker.session.turn is not None:
                    worker.session.turn.dropped()
                future.cancel()
                raise
            try:
                return future.result()
            except requests.RequestException as error:  # the adapter's own are named; a redirect's are left
                raise BadAnswer(f"{self._name} redirects to nowhere usable: {error}") from error

    def abandon(self) -> None:
        """Give up thread and client; the next call has new ones. Returns at once."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    async def _wait(self, future: asyncio.Future[Any], session: GatedSession, deadline: float) -> None:
        started, before = time.monotonic(), session.gate_time()
        while not future.done():
            left = deadline - (time.monotonic() - started) + (session.gate_time() - before)
            if left <= 0:
                if session.turn is not None:
                    await session.turn.unanswered()
                raise TimedOut(f"{self._name}: no answer within {deadline:g} s")
            await asyncio.wait({future}, timeout=left)
