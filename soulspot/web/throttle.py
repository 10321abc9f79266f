"""Wrong tokens slow down whoever sends them. Few can be tried in a second, right ones pass."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from soulspot.telemetry import get_logger

log = get_logger(__name__)

FREE = 5  # wrong tokens of a client that are answered at once: typing errors
FORGIVEN_AFTER = 60.0  # seconds after which one of them is forgotten
DELAY = 2.0  # seconds until the answer to any further one
HELD = 20  # answers that are delayed at a time, and with them the tokens tried
CLIENTS = 1000  # whose wrong tokens are remembered
LOGINS = 8  # bodies with a token that are awaited at a time: nobody knows yet who sends them
LOG_EVERY = 60.0  # seconds between two lines of the log


class Throttle:
    """Judges tokens and counts the wrong ones by client. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # client -> (wrong tokens not forgotten, when this was counted), the longest unseen first
        self._wrong: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._held = self._logins = 0
        self._unlogged, self._logged_at = 0, float("-inf")

    async def judge(self, client: str, is_right: Callable[[], bool]) -> bool:
        """Return whether a client's token is right, after DELAY when many of its were wrong.
        HTTPTooManyRequests for such a client while too many tokens are being tried."""
        if self._held >= HELD and self._count(client) >= FREE:
            self._log(client)
            raise web.HTTPTooManyRequests(text="too many wrong tokens", headers={"Retry-After": "10"})
        if is_right():
            return True
        count = self._count(client) + 1
        self._wrong[client] = (count, self._clock())
        self._wrong.move_to_end(client)
        if len(self._wrong) > CLIENTS:
            self._wrong.popitem(last=False)
        self._log(client)
        if count > FREE:
            self._held += 1
            try:
                await asyncio.sleep(DELAY)
            finally:
                self._held -= 1
        return False

    @contextmanager
    def login(self) -> Iterator[None]:
        """Take one of the places for bodies with a token. HTTPServiceUnavailable without one."""
        if self._logins >= LOGINS:
            raise web.HTTPServiceUnavailable(text="too many log in at once", headers={"Retry-After": "10"})
        self._logins += 1
        try:
            yield
        finally:
            self._logins -= 1

    def _count(self, client: str) -> float:
        count, at = self._wrong.get(client, (0.0, 0.0))
        return max(0.0, min(count, 2 * FREE) - (self._clock() - at) / FORGIVEN_AFTER) if count else 0.0

    def _log(self, client: str) -> None:
        now = self._clock()
        self._unlogged += 1
        if now - self._logged_at >= LOG_EVERY:
            log.warning("wrong_token", client=client, attempts=self._unlogged)
            self._unlogged, self._logged_at = 0, now
