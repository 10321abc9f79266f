"""Builds batches of releases in several processes; a worker that dies takes nothing with it but its own release."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from soulspot.errors import ReleaseRefused
from soulspot.export.ddex import job as jobs
from soulspot.export.ddex.grouping import Group
from soulspot.export.ddex.job import Builder, Job
from soulspot.export.ddex.outcome import ErnError, ErnMessage, Outcome, Refusal

RETRIES = 2
_PAUSE = 0.2  # seconds before the first retry at most; doubled for each further one
_CRASHES = 2  # times that the pool may break under a batch before its releases are built one by one


class Workers:
    """`build(groups)` -> outcomes of the same length and order, as BatchProcessor asks for them.

    With one process everything happens in this one. Raises at once SchemaError when the schema is of no use, and
    ConfigError when no message could be right."""

    def __init__(self, job: Job, processes: int, retries: int = RETRIES) -> None:
        self._job = job
        self._processes = processes
        self._retries = retries
        self._own = Builder(job)
        self._own.refuse_wrong_terms()
        self._pool: ProcessPoolExecutor | None = None

    async def build(self, groups: list[Group]) -> list[ErnMessage | Exception]:
        """Build, and try again what may succeed then."""
        outcomes = await self._attempt(groups)
        for attempt in range(self._retries):
            again = [at for at, one in enumerate(outcomes) if isinstance(one, Refusal) and one.retryable]
            if not again:
                break
            await asyncio.sleep(random.uniform(0, _PAUSE * 2**attempt))
            for at, outcome in zip(again, await self._attempt([groups[at] for at in again]), strict=True):
                outcomes[at] = outcome
        return [ReleaseRefused(one.errors) if isinstance(one, Refusal) else one for one in outcomes]

    async def _attempt(self, groups: Sequence[Group]) -> list[Outcome]:
        if self._processes == 1:
            return [self._own.build(group) for group in groups]
        for _ in range(_CRASHES):
            pool = self._pool = self._pool or self._new_pool(self._processes)
            try:
                return await self._handed(pool, groups)
            except BrokenProcessPool:
                if self._pool is pool:  # the first to notice; batches of others broke with it
                    self._pool = None
                    pool.shutdown(wait=False)
        return [await self._alone(group) for group in groups]

    async def _alone(self, group: Group) -> Outcome:
        """A process for this release only: it cannot harm others, nor they it."""
        with self._new_pool(1) as pool:
            try:
                return (await self._handed(pool, [group]))[0]
            except BrokenProcessPool:
                words = "the process that built it was killed, for want of memory maybe"
                return Refusal((ErnError(group.key, "worker", words, retryable=True),))

    @staticmethod
    def _handed(pool: ProcessPoolExecutor, groups: Sequence[Group]) -> asyncio.Future[list[Outcome]]:
        with _no_interrupt():  # the first work starts the processes
            return asyncio.get_running_loop().run_in_executor(pool, jobs.work, groups)

    def _new_pool(self, processes: int) -> ProcessPoolExecutor:
        # A fork would copy whatever threads and locks we have in whatever state they are.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, context, jobs.start, (self._job,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        """What is under way is finished, what is not begun is dropped."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Processes that begin meanwhile never hear Ctrl-C, not even before they can say that it is not for them: a
    terminal sends it to all of us, and what is under way is ours to end. It reaches us afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
