"""A process that works on files for another one, which can kill it whatever a file does to it."""

import contextlib
import fcntl
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

A = TypeVar("A")
T = TypeVar("T")

# Memory that is free again stays with a process in pieces: one that has grown by this share of its
# limit makes way for a new one.
_WORN_OUT = 0.25
_PROGRAM = "import sys; sys.path[:] = sys.argv[3:]; from soulspot.library.worker import serve; serve()"


class WorkerDied(Exception):
    """The process ended before its work. `code` is its exit code, negative for a signal; None when
    it was killed because it gave no sign of life for too long."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Worker:
    """One process. `memory` is the most that it may use, in bytes, and `seconds` the processor time
    that one result may cost it; beyond that it dies of SIGPROF. 0 is no limit."""

    def __init__(self, memory: int = 0, seconds: float = 0.0) -> None:
        self._socket, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        places = [str(Path(__file__).parents[2]), *map(os.path.abspath, sys.path)]
        # Secrets in the environment are none of its business, and -S spares it a search for
        # packages whose places it is told.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SOULSPOT_")}
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(memory), str(seconds), *places], stdin=lifeline,
                stdout=theirs.fileno(), stderr=subprocess.DEVNULL, env=environment, process_group=0,
            )  # fmt: skip
        except BaseException:
            self._socket.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(lifeline)
        self._file = self._socket.makefile("rwb")
        self._closing = threading.Lock()
        self._is_closed = False

    def run(self, function: Callable[[A], Iterable[T]], argument: A, silence: float | None = None) -> Iterator[T]:
        """Yield what `function(argument)` yields there. Both must be picklable. Raises WorkerDied,
        also when no result comes for `silence` seconds, or what the function raised."""
        try:
            self._socket.settimeout(silence)
            pickle.dump((function, argument), self._file)
            self._file.flush()
            while True:
                kind, value = pickle.load(self._file)
                if kind == "end":
                    return
                if kind == "error":
                    raise value
                yield value
        except TimeoutError:
            self.close()
            raise WorkerDied(None) from None
        except (EOFError, OSError, pickle.UnpicklingError):
            raise WorkerDied(self.close()) from None

    def close(self) -> int | None:
        """End the process at once, and whatever waits for it. Return its exit code."""
        with self._closing:
            if self._is_closed:
                return self._process.returncode
            self._is_closed = True
            with contextlib.suppress(OSError):
                # Unlike `close`, this wakes a thread that waits for an answer.
                self._socket.shutdown(socket.SHUT_RDWR)
            os.close(self._lifeline)
            # A process that waits for a disk that hangs cannot be killed: nobody waits for it.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
            return self._process.returncode


def serve() -> None:
    """Do the work of a `Worker`, as the process that it started, until nobody wants any more."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    # Ctrl-C and `systemctl stop` mean the other process, which ends this one in time.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The other end of standard input closes when the other process ends, also by SIGKILL. The
    # kernel then sends SIGIO, which ends this process in the middle of whatever it does.
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    if memory:
        # A sandbox may forbid limits; the one on time holds in any case.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    enough = _address_space() + _WORN_OUT * memory
    with socket.socket(fileno=1) as channel, channel.makefile("rwb") as file:

        def send(kind: str, value: object = None) -> None:
            pickle.dump((kind, value), file)
            file.flush()

        while True:
            try:
                function, argument = pickle.load(file)
            except EOFError:
                return
            try:
                results = iter(function(argument))
                signal.setitimer(signal.ITIMER_PROF, seconds)
                for result in results:
                    send("item", result)
                    if memory and _address_space() > enough:
                        return
                    signal.setitimer(signal.ITIMER_PROF, seconds)
                send("end")
            except Exception as error:
                send("error", error)
            signal.setitimer(signal.ITIMER_PROF, 0)


def _address_space() -> int:
    """Return the bytes that the limit counts."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def each(work: tuple[Callable[[Any], T], list[Any]]) -> Iterator[T]:
    """Yield what the function returns for each item."""
    function, items = work
    for item in items:
        yield function(item)
