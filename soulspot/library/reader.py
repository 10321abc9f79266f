"""Files read by other processes, so that no file can stop, fill or crash this one."""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from soulspot.errors import UnreadableFile
from soulspot.library.scan import FoundFile, Walk
from soulspot.library.tags import NEVER_READ, read_file
from soulspot.library.worker import Worker, WorkerDied, each
from soulspot.models import FileStamp, ScannedFile

A = TypeVar("A")
T = TypeVar("T")

SECONDS = 20.0  # of processor time that a file may take
MEMORY = 512 << 20  # bytes that a process which reads files may use
SILENCE = 60.0  # seconds that a disk may take for a file
IDLE = 30.0  # seconds without work after which the processes end
BATCH = 25  # files that a process is given at once
PIECE = 500  # files that a walk hands over at once

Lost = UnreadableFile | OSError
"""The end of an item without a result: its process did not survive it, or its disk is silent."""


class ReaderClosed(Exception):
    """The reader was closed before its work was done."""


class FileReader:
    """Processes that read files, started when needed and ended when idle; for any thread.

    A file that takes more than `seconds` of processor time or crashes its process is unreadable
    until it changes, and so is one that needs more than `memory` bytes. A file that its disk does
    not give within `silence` seconds is read again by the next scan."""

    def __init__(
        self, *, seconds: float = SECONDS, memory: int = MEMORY, silence: float = SILENCE,
        processes: int = min(os.cpu_count() or 1, 2),
    ) -> None:  # fmt: skip
        self._memory, self._seconds, self._silence = memory, seconds, silence
        self._processes = processes
        self._turn = threading.BoundedSemaphore(processes)
        self._lock = threading.Lock()
        self._readers: list[Worker] = []  # idle ones
        self._walkers: list[Worker] = []
        self._alive: set[Worker] = set()
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def read(self, files: Sequence[FoundFile], max_file_size: int | None = None) -> list[ScannedFile]:
        """Return each file's tags, or why it cannot be read (see `tags.read_file`)."""
        return self.each(partial(_read_found, max_file_size=max_file_size), files, _unreadable)

    def each(self, function: Callable[[A], T], items: Sequence[A], if_lost: Callable[[A, Lost], T]) -> list[T]:
        """Return `function(item)` for each item, called in other processes: function, items and
        results must be picklable. `if_lost(item, error)` makes up the result of an item that ended
        without one."""
        work = _Work(function, items, if_lost)
        helpers = min(self._processes, 1 + len(items) // (2 * BATCH)) - 1
        threads = [threading.Thread(target=self._help, args=(work,), daemon=True) for _ in range(helpers)]
        for thread in threads:
            thread.start()
        try:
            self._do(work)
        finally:
            for thread in threads:
                thread.join()
        if work.error:
            raise work.error
        return [work.results[number] for number in range(len(items))]

    def walk(self, walk: Walk) -> Iterator[FoundFile]:
        """Yield the files of a walk that another process does, so that a disk that hangs stops only
        that one. Afterwards `walk` is as if it had been iterated."""
        worker = self._take(self._walkers)
        try:
            for found in worker.run(walk_in_pieces, walk):
                if isinstance(found, Walk):
                    walk.take_over(found)
                else:
                    yield from found
        except WorkerDied as death:
            self._drop(worker)
            self._raise_if_closed()
            raise OSError(f"the process that looks through the folders died ({death.code})") from None
        except BaseException:
            # It is in the middle of a walk that nobody wants any more.
            self._drop(worker)
            raise
        else:
            self._put_back(self._walkers, worker)

    def close(self) -> None:
        """End all processes, whatever they wait for; whoever waits for them gets ReaderClosed."""
        with self._lock:
            self._is_closed = True
            if self._timer:
                self._timer.cancel()
            alive = list(self._alive)
        for worker in alive:
            worker.close()

    def _raise_if_closed(self) -> None:
        if self._is_closed:
            raise ReaderClosed

    def _take(self, idle: list[Worker], memory: int = 0, seconds: float = 0.0) -> Worker:
        with self._lock:
            self._raise_if_closed()
            worker = idle.pop() if idle else Worker(memory, seconds)
            self._alive.add(worker)
            return worker

    def _put_back(self, idle: list[Worker], worker: Worker) -> None:
        with self._lock:
            idle.append(worker)
            if self._timer:
                self._timer.cancel()
            if not self._is_closed:
                self._timer = threading.Timer(IDLE, self._end_idle)
                self._timer.daemon = True
                self._timer.start()

    def _end_idle(self) -> None:
        with self._lock:
            idle = self._readers + self._walkers
            self._readers.clear()
            self._walkers.clear()
        for worker in idle:
            self._drop(worker)

    def _drop(self, worker: Worker) -> None:
        worker.close()
        with self._lock:
            self._alive.discard(worker)

    def _help(self, work: "_Work[Any, Any]") -> None:
        # Whatever goes wrong in this thread is raised in the one that waits for it.
        try:
            self._do(work)
        except BaseException as error:
            work.error = error

    def _do(self, work: "_Work[Any, Any]") -> None:
        with self._turn:
            while batch := work.next_batch():
                self._do_batch(work, batch)

    def _do_batch(self, work: "_Work[Any, Any]", batch: list[int]) -> None:
        worker = self._take(self._readers, self._memory, self._seconds)
        done = 0
        try:
            for result in worker.run(each, (work.function, [work.items[n] for n in batch]), self._silence):
                work.results[batch[done]] = result
                done += 1
        except WorkerDied as death:
            self._drop(worker)
            self._raise_if_closed()
            work.give_back(batch[done:], self._error(death), is_final=death.code in (None, -signal.SIGPROF))
        except BaseException:
            self._drop(worker)
            raise
        else:
            self._put_back(self._readers, worker)

    def _error(self, death: WorkerDied) -> Lost:
        if death.code is None:
            return OSError(f"the disk did not answer for {self._silence:g} s")
        if death.code == -signal.SIGPROF:
            return UnreadableFile(b"", f"damaged: reading it took longer than {self._seconds:g} s")
        end = signal.Signals(-death.code).name if death.code < 0 else f"code {death.code}"
        return UnreadableFile(b"", f"damaged: the process that read it died ({end})")


class _Work(Generic[A, T]):
    """Items to be worked off by several threads in batches, which are lists of their numbers."""

    def __init__(self, function: Callable[[A], T], items: Sequence[A], if_lost: Callable[[A, Lost], T]) -> None:
        self.function, self.items, self._if_lost = function, items, if_lost
        self.results: dict[int, T] = {}
        self.error: BaseException | None = None
        numbers = range(len(items))
        self._waiting = deque(list(numbers[start : start + BATCH]) for start in numbers[::BATCH])
        self._suspects: set[int] = set()

    def next_batch(self) -> list[int]:
        try:
            return [] if self.error else self._waiting.popleft()
        except IndexError:
            return []

    def give_back(self, left: list[int], error: Lost, *, is_final: bool) -> None:
        """Take back what a process has `left` undone when it died at the first of these items. An
        item that may be innocent (somebody else killed the process) is tried once more, alone."""
        if not left:
            return
        first, others = left[0], left[1:]
        if is_final or first in self._suspects:
            self.results[first] = self._if_lost(self.items[first], error)
        else:
            self._suspects.add(first)
            self._waiting.append([first])
        if others:
            self._waiting.append(others)


def walk_in_pieces(walk: Walk) -> Iterator[list[FoundFile] | Walk]:
    """Yield the files of a walk in pieces, then the walk itself with all that it found out."""
    files = iter(walk)
    while piece := list(islice(files, PIECE)):
        yield piece
    yield walk


def _read_found(file: FoundFile, max_file_size: int | None) -> ScannedFile:
    return read_file(file.path, file.stamp, max_file_size=max_file_size)


def _unreadable(file: FoundFile, error: Lost) -> ScannedFile:
    if isinstance(error, UnreadableFile):
        return ScannedFile(file.path, file.stamp, unreadable=error.reason)
    # It is not the file's fault: the next scan shall try again.
    again = FileStamp(file.stamp.size, NEVER_READ, file.stamp.inode)
    return ScannedFile(file.path, again, unreadable=str(error))
