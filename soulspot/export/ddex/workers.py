"""Building of release batches in several processes; a dead worker costs no release but its own."""

import asyncio
import multiprocessing
import random
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from soulspot.errors import ReleaseRefused
from soulspot.export.ddex.grouping import Group
from soulspot.export.ddex.job import Builder, Job, build_groups, start_worker
from soulspot.export.ddex.outcome import ErnError, Outcome

RETRIES = 2
_PAUSE = 0.2  # seconds before the first retry at most; doubled for each further one
_CRASHES = 2  # times that the pool may break under a batch before its releases are built one by one


class Workers:
    """The worker processes of a run; with one process, everything happens in the caller's.

    Raises SchemaError for a bad schema, and ConfigError when no message could be valid."""

    def __init__(self, job: Job, processes: int, retries: int = RETRIES) -> None:
        self._job = job
        self._processes = processes
        self._retries = retries
        self._own = Builder(job)
        self._own.refuse_wrong_settings()
        self._pool: ProcessPoolExecutor | None = None

    async def build(self, groups: list[Group]) -> list[Outcome]:
        """Build a batch and retry what may succeed later; return outcomes in order."""
        outcomes = await self._attempt(groups)
        for attempt in range(self._retries):
            failed = [place for place, outcome in enumerate(outcomes) if _is_retryable(outcome)]
            if not failed:
                break
            # A random pause, so that batches do not retry in step.
            await asyncio.sleep(random.uniform(0, _PAUSE * 2**attempt))
            retried = await self._attempt([groups[place] for place in failed])
            for place, outcome in zip(failed, retried, strict=True):
                outcomes[place] = outcome
        return outcomes

    async def _attempt(self, groups: Sequence[Group]) -> list[Outcome]:
        if self._processes == 1:
            return [self._own.build(group) for group in groups]
        for _ in range(_CRASHES):
            pool = self._pool = self._pool or self._new_pool(self._processes)
            try:
                return await self._submitted(pool, groups)
            except BrokenProcessPool:
                # Several batches share the pool and break with it: the first to notice replaces it.
                if self._pool is pool:
                    self._pool = None
                    pool.shutdown(wait=False)
        return [await self._built_alone(group) for group in groups]

    async def _built_alone(self, group: Group) -> Outcome:
        with self._new_pool(1) as pool:
            try:
                return (await self._submitted(pool, [group]))[0]
            except BrokenProcessPool:
                words = "the process that built it was killed, for want of memory maybe"
                return ReleaseRefused([ErnError(group.key, "worker", words, retryable=True)])

    @staticmethod
    def _submitted(pool: ProcessPoolExecutor, groups: Sequence[Group]) -> asyncio.Future[list[Outcome]]:
        # The first submission starts the processes, which inherit the blocked signal.
        with _interrupts_blocked():
            return asyncio.get_running_loop().run_in_executor(pool, build_groups, groups)

    def _new_pool(self, processes: int) -> ProcessPoolExecutor:
        # A fork would copy our threads and locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(processes, context, start_worker, (self._job,))

    def close(self) -> None:
        """Finish the batches that are being built, and drop those that are not begun."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _is_retryable(outcome: Outcome) -> bool:
    return isinstance(outcome, ReleaseRefused) and all(error.retryable for error in outcome.errors)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block Ctrl-C for processes that start meanwhile, before they can ignore it themselves."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
