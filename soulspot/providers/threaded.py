"""Synchronous client libraries off the event loop: one thread each, replaced when it is late."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import requests

from soulspot.errors import BadAnswer
from soulspot.providers.session import GatedSession
from soulspot.providers.transport import TimedOut

C = TypeVar("C")
T = TypeVar("T")


class _Worker(Generic[C]):
    """A daemon thread with its session and the client built on that."""

    def __init__(self, name: str, session: GatedSession, build: Callable[[GatedSession], C]) -> None:
        self.session = session
        self._build = build
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[C], Any]] | None] = queue.SimpleQueue()
        # A daemon thread: a library that hangs must not keep the process from ending.
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
            # The thread sits idle in `get` with these names bound: let go of the last answer.
            del future, job, work
        self.session.close()


class SyncClient(Generic[C]):
    """A synchronous client in a thread of its own: one call at a time, never blocking the loop.

    `session` and `build` make the session and, in the thread, the client on it. A call that
    outlives its deadline, or whose caller is cancelled, costs thread and client: both are
    abandoned, send nothing more, and are replaced at the next call."""

    def __init__(
        self, name: str, session: Callable[[], GatedSession], build: Callable[[GatedSession], C]
    ) -> None:
        self._name = name
        self._make_session = session
        self._build = build
        self._worker: _Worker[C] | None = None
        self._lock = asyncio.Lock()

    async def call(self, fn: Callable[..., T], *args: Any, deadline: float, attempt: int = 1) -> T:
        """Return `fn(client, *args)`, run in the thread; raises whatever `fn` raises.

        Raises TimedOut after `deadline` seconds, without the time spent before gates. `attempt`,
        from 1, goes into the records of the requests."""
        async with self._lock:
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
                if worker.session.request_under_way is not None:
                    worker.session.request_under_way.abandon()
                future.cancel()
                raise
            try:
                return future.result()
            except requests.RequestException as error:  # of a redirect; the adapter translates its own
                raise BadAnswer(f"{self._name} redirects to nowhere usable: {error}") from error

    def abandon(self) -> None:
        """Give up thread and client at once; the next call gets new ones."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    async def _wait(self, future: asyncio.Future[Any], session: GatedSession, deadline: float) -> None:
        started, gate_seconds = time.monotonic(), session.gate_seconds()
        while not future.done():
            left = deadline - (time.monotonic() - started) + (session.gate_seconds() - gate_seconds)
            if left <= 0:
                if session.request_under_way is not None:
                    await session.request_under_way.end_without_response()
                raise TimedOut(f"{self._name}: no answer within {deadline:g} s")
            await asyncio.wait({future}, timeout=left)
