"""The process that tests/support/forks.py forks commands from.

It loads the libraries once and takes requests on a socket."""

from __future__ import annotations

import atexit
import gc
import json
import os
import signal
import socket
import sys
from typing import Any

# The imports of soulspot.cli.main without soulspot.terminal.console, which reads the environment
# when it is imported.
import rich.live
import rich.progress
import rich.table
import sqlite_utils
import typer.core

import soulspot.assembly.wiring
import soulspot.daemon.process

LOADED = (
    rich.live,
    rich.progress,
    rich.table,
    sqlite_utils,
    typer.core,
    soulspot.daemon.process,
    soulspot.assembly.wiring,
)
assert "soulspot.terminal.console" not in sys.modules


def serve(control: socket.socket) -> dict[str, Any]:
    """Fork for every request. Return the request, and that only in the process that becomes the
    command."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the process between us and a command
    while True:
        said, given, _, _ = socket.recv_fds(control, 1, 3)
        if not said:
            os._exit(0)  # the tests are over
        if os.fork() == 0:
            control.close()
            return _beside(*given)
        for one in given:
            os.close(one)


def _beside(channel: int, out: int, err: int) -> dict[str, Any]:
    """Fork the command and send its process id, then its exit code. Return in the command only."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=channel) as asked:
        with asked.makefile("rb") as lines:
            request: dict[str, Any] = json.loads(lines.readline())
        command = os.fork()
        if command == 0:
            asked.close()
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.close(out)
            os.close(err)
            return request
        os.close(out)
        os.close(err)
        asked.sendall(b"%d\n" % command)
        _, status = os.waitpid(command, 0)
        asked.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)


def become(wanted: dict[str, Any]) -> None:
    """Run `soulspot` in this process.

    `wanted` has the "arguments", the working directory "cwd" and the whole "environment"."""
    os.chdir(wanted["cwd"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = ["soulspot", *wanted["arguments"]]
    codes: list[int] = []

    @atexit.register  # the first to be registered is the last to be called
    def skip_the_tidying() -> None:
        """Exit at once: taking Python's modules apart takes longer than most commands."""
        sys.stdout.flush()
        sys.stderr.flush()
        if codes:
            os._exit(codes[0])

    from soulspot.cli.main import main

    try:
        main()
    except SystemExit as end:
        codes += [end.code] if isinstance(end.code, int) else []
        raise


if __name__ == "__main__":
    gc.freeze()  # a collection would copy the pages that are shared with the commands
    become(serve(socket.socket(fileno=int(sys.argv[1]))))
