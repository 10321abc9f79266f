"""soulspot commands as real processes, forked from a process that has loaded the libraries already.

Starting Python with all libraries takes a second or two of processor time, forking takes
milliseconds. A forked command is a process of its own in everything that tests look at: process id,
signals, exit code, environment, files, output."""

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
    """A forked command, with the part of `asyncio.subprocess.Process` that the tests use."""

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
        """Wait for the command to end and return its stdout and stderr."""
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self._end)
        return out, err


async def forked(arguments: Sequence[str], cwd: Path | None, environment: Mapping[str, str]) -> Process:
    """Start `soulspot` with these arguments, in this folder and with exactly this environment."""
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
    """Return the socket of the forking process, which ends when the socket closes.

    Each process that runs tests starts a forking process of its own."""
    ours, theirs = socket.socketpair()
    program = str(Path(__file__).with_name("forking.py"))
    number = str(theirs.fileno())
    # OpenBLAS would start threads, which do not survive a fork
    alone = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "OPENBLAS_NUM_THREADS": "1"}
    subprocess.Popen([sys.executable, program, number], pass_fds=[theirs.fileno()], env=os.environ | alone)
    theirs.close()
    return ours
