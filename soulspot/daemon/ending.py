"""The end of the daemon: the signals that ask for it, and the deadline that nothing can hold up."""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from soulspot.telemetry import get_logger

log = get_logger(__name__)

# A drain ends before: this is for threads that never end, a hung disk, a loop that is blocked. The
# documents promise 20 seconds; TimeoutStopSec= of the unit is 30.
ENDS_WITHIN = 18.0
TOLD_WITHIN = 1.0  # seconds that the log gets to take the last line
CUT_OFF = 1  # the exit code at the deadline: the database is whole, but work was cut off
EXIT_AT_ONCE = 130


def obey(on_stop: Callable[[], None]) -> None:
    """Let SIGTERM and SIGINT call `on_stop` in the running loop, and end the process ENDS_WITHIN
    seconds later at the latest. A second signal exits at once."""
    loop = asyncio.get_running_loop()
    asked = threading.Event()

    # Not the loop's own handlers, which a blocked loop never calls.
    def handle(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(EXIT_AT_ONCE)
        asked.set()
        threading.Thread(target=_end_at_deadline, name="deadline", daemon=True).start()
        # The last resort, for code that lets no other thread run: this timer needs no interpreter.
        faulthandler.dump_traceback_later(ENDS_WITHIN + 2 * TOLD_WITHIN, exit=True, file=2)
        if not loop.is_closed():
            loop.call_soon_threadsafe(on_stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def _end_at_deadline() -> None:
    time.sleep(ENDS_WITHIN)
    # A log that takes no more lines must not hold up the end either.
    teller = threading.Thread(target=_tell, name="deadline-log", daemon=True)
    teller.start()
    teller.join(TOLD_WITHIN)
    os._exit(CUT_OFF)


def _tell() -> None:
    log.error(
        "daemon_cut_off", pid=os.getpid(), after_seconds=ENDS_WITHIN, still_running=_describe_threads(),
        hint="nothing accepted is lost: the next start resumes what was cut off",
    )  # fmt: skip


def _describe_threads() -> dict[str, Any]:
    """Return the innermost calls of every thread by its name, ours and idle ones left out."""
    frames = sys._current_frames()
    told = {}
    for thread in threading.enumerate():
        if (frame := frames.get(thread.ident or 0)) is None or thread.name.startswith("deadline"):
            continue
        calls = [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_stack(frame)[-3:]]
        if not calls[-1].endswith((" _worker", " run_forever")):
            told[thread.name] = calls
    return told
