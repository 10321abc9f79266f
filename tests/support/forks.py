"""soulspot commands as real processes that start at once: forked from one that has loaded the libraries already.

Starting Python with all of them takes a second or two of processor time, forking some milliseconds. What is forked is a
process of its own in all that tests look at: number, signals, exit code, environment, files, what it prints."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A forked command: what the tests use of `asyncio.subprocess.Process`, by the same names."""

    def __init__(
        self, pid: int, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader, end: asyncio.Future[int]
    ) -> None:
        self.pid, self.stdout, self.stderr, self._end = pid, stdout, stderr, end

    @property
    def returncode(self) -> int | None:
        return self._end.result() if self._end.done() else None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def communicate(self) -> tuple[bytes, bytes]:
        """What it says on stdout and stderr until it has ended."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self._end)
        return out, err


async def forked(arguments: Sequence[str], cwd: Path | None, environment: Mapping[str, str]) -> Process:
    """`soulspot` with these arguments, in this folder and with exactly this environment."""
    request = {"arguments": list(arguments), "cwd": str(cwd or Path.cwd()), "environment": dict(environment)}
    ours, theirs = socket.socketpair()
    out, its_out = os.pipe()
    err, its_err = os.pipe()
    socket.send_fds(_source(), [b"+"], [theirs.fileno(), its_out, its_err])
    theirs.close()
    os.close(its_out)
    os.close(its_err)
    channel, writer = await asyncio.open_connection(sock=ours)
    writer.write(json.dumps(request).encode() + b"\n")
    pid = int(await channel.readline())

    async def ended() -> int:
        code = int(await channel.readline())
        writer.close()
        return code

    return Process(pid, await _reading(out), await _reading(err), asyncio.ensure_future(ended()))


async def _reading(end: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    file = os.fdopen(end, "rb")
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return reader


@cache
def _source() -> socket.socket:
    """The process that forks, one for each that runs tests; it ends with it, when this socket closes."""
    ours, theirs = socket.socketpair()
    program = str(Path(__file__).with_name("forking.py"))
    number = str(theirs.fileno())
    # a thread of a library would not be there any more in what is forked
    alone = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "OPENBLAS_NUM_THREADS": "1"}
    subprocess.Popen([sys.executable, program, number], pass_fds=[theirs.fileno()], env=os.environ | alone)
    theirs.close()
    return ours
