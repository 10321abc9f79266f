"""The gate of one upstream host: rate, pauses, daily budget and breaker in one place."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping

from soulspot.errors import Limited
from soulspot.limits.backoff import parse_retry_after
from soulspot.limits.breaker import Breaker
from soulspot.limits.budget import Budget
from soulspot.limits.clock import Clock
from soulspot.limits.notice import Notice
from soulspot.limits.pace import Pace
from soulspot.limits.pause import Pause
from soulspot.limits.remembered import Memory
from soulspot.limits.values import GateSnapshot, LimitEvent, StatePort

log = logging.getLogger(__name__)

RETRY_SHARE = 0.1
FREE_RETRIES = 5.0
RELOAD_WAIT = 10.0
LONGEST_WINDOW = 3600.0


class Gate:
    """Made by `Gates`; used from the event loop only.

    `admit` exactly once before every HTTP request and `observe` (or `abandon`) once after it, retries,
    redirects and token requests included."""

    def __init__(
        self,
        provider: str,
        host: str,
        *,
        port: StatePort,
        now: Callable[[], float],
        rng: random.Random,
        on_limit: Callable[[LimitEvent], None],
        rate: float,
        daily_budget: int | None,
        pace_on_headers: bool,
    ) -> None:
        self.provider = provider
        self.host = host
        self.pace_on_headers = pace_on_headers
        self._rng = rng
        self._clock = Clock(now)
        self._pace = Pace(rate)
        self._pause = Pause(self._clock)
        self._breaker = Breaker(self._clock)
        self._budget = Budget(self._clock, daily_budget)
        self._notice = Notice(provider, host, self._clock, on_limit)
        self._memory = Memory(
            port,
            f"gate:{provider}:{host}",
            {"pause": self._pause, "breaker": self._breaker, "budget": self._budget},
        )
        self._line = asyncio.Lock()  # first come, first served
        self._waiting = 0
        self._requests = 0
        self._retries_left = FREE_RETRIES

    # -- before and after a request

    async def admit(self) -> None:
        """Return when one HTTP request may go, in the order of the calls.

        Raises errors.Limited at once while the host is paused, its budget spent or its breaker open, also to
        those who wait in line when that happens. A call that is cancelled or refused costs no budget."""
        self._refuse()
        self._waiting += 1
        try:
            async with self._line:
                await self._recall()
                self._refuse()
                counted = self._budget.take()
                try:
                    if self._budget.limit is not None:
                        await self._memory.save()  # before the request, so that a kill cannot forget it
                    await self._pace.wait()
                    self._refuse(but_budget=True)  # this request's share is already counted
                except BaseException:
                    self._budget.give_back(counted)
                    raise
                self._budget.sent(counted)
                self._breaker.admitted()
                self._announce_budget()
                self._requests += 1
                self._retries_left = min(self._retries_left + RETRY_SHARE, FREE_RETRIES)
        finally:
            self._waiting -= 1

    async def observe(
        self, status: int | None, headers: Mapping[str, str] | None = None, *, quota: bool = False
    ) -> None:
        """Learn from the answer to an admitted request; `status` None means that no response came.

        429, 503 and a spent `quota` (only the body tells) pause the gate, by Retry-After when there is one.
        Any other 5xx and None count for the breaker; everything else closes it, 400, 401, 403 and 404 too:
        the host is up."""
        fields = {name.lower(): value for name, value in headers.items()} if headers else {}
        if quota or status in (429, 503):
            changed = self._limited(status or 429, fields, quota)
        elif status is None or status >= 500:
            changed = self._failed(status)
        else:
            changed = self._passed()
        if self.pace_on_headers and status is not None:
            changed |= self._pace_on(fields)
        if changed:
            await self._memory.save()

    def abandon(self) -> None:
        """In place of `observe`, when the caller of an admitted request went away before its end: that says
        nothing about the host, but another probe may go if this was one."""
        self._breaker.undecided()

    async def pause(self, seconds: float, why: str) -> None:
        """Refuse requests for `seconds` (at most 30 days), across restarts. A longer pause that is running
        stays."""
        if self._pause.begin(seconds, why):
            self._announce_pause()
            await self._memory.save()

    def may_retry(self) -> bool:
        """Whether a failed request may be sent again; each True is taken to be used.

        Retries stay within a tenth of this gate's requests, besides the first five."""
        if self._retries_left < 1.0:
            return False
        self._retries_left -= 1.0
        return True

    # -- what it is like now

    @property
    def is_probing(self) -> bool:
        """Whether a probe is out: a request that was let through a half-open breaker. Its failure says
        nothing about what was asked (look before `observe`)."""
        return self._breaker.is_probing

    def opens_at(self) -> float | None:
        """When the gate opens, in seconds since the epoch; None when it is open now."""
        closed = self._closed()
        return None if closed is None else self._clock.to_wall(closed[0])

    def retune(self, *, rate: float, daily_budget: int | None) -> None:
        """Another rate (requests a second) and budget from now on; what was counted and paused stays.
        ValueError when one of them is unusable; then both stay."""
        Pace(rate)
        self._budget.limit = daily_budget
        self._pace.retune(rate)

    @property
    def rate(self) -> float:
        return self._pace.rate

    @property
    def daily_budget(self) -> int | None:
        return self._budget.limit

    def snapshot(self) -> GateSnapshot:
        closed = self._closed()
        return GateSnapshot(
            provider=self.provider,
            host=self.host,
            rate=self.rate,
            opens_at=None if closed is None else self._clock.to_wall(closed[0]),
            why="" if closed is None else closed[1],
            breaker=self._breaker.state,
            failures=self._breaker.failures,
            daily_budget=self.daily_budget,
            spent=self._budget.spent(),
            requests=self._requests,
            waiting=self._waiting,
        )

    async def restore(self) -> None:
        """Take up what an earlier process left. Raises what the port raises."""
        await self._memory.restore()
        await self._pace.start()
        if self._pause.until() is not None:
            self._announce_pause()
        elif self._breaker.state == "open":
            self._announce_breaker()
        self._announce_budget()

    # -- how it decides

    def _closed(self, *, but_budget: bool = False) -> tuple[float, str] | None:
        """The loop's time at which it opens, and why it is closed; None when it is open."""
        reasons = [(self._pause.until(), self._pause.why), (self._breaker.until(), self._broken())]
        if not but_budget:
            reasons.append((self._budget.until(), self._spent()))
        return max(((until, why) for until, why in reasons if until is not None), default=None)

    def _refuse(self, *, but_budget: bool = False) -> None:
        if (closed := self._closed(but_budget=but_budget)) is None:
            return
        until, why = closed
        self._announce_budget()
        raise Limited(self.host, self._clock.to_wall(until), why)

    def _limited(self, status: int, fields: Mapping[str, str], quota: bool) -> bool:
        self._breaker.undecided()
        asked = parse_retry_after(fields.get("retry-after"), self._clock.now())
        if asked is None and self.pace_on_headers:
            asked = parse_retry_after(fields.get("x-ratelimit-reset-in"), self._clock.now())
        seconds = self._pause.strike(status, asked, quota, self._rng)
        why = "quota spent" if quota else f"HTTP {status}"
        if asked is not None:
            why += f", Retry-After {asked:.0f} s"
        if self._pause.begin(seconds, why):
            self._announce_pause()
        return True

    def _failed(self, status: int | None) -> bool:
        if not self._breaker.failed():
            return False
        self._announce_breaker()
        return True

    def _passed(self) -> bool:
        changed = self._breaker.passed()
        if self._pause.until() is None:  # else it is the late answer to a request of before the pause
            changed |= self._pause.strikes > 0
            self._pause.strikes = 0
        if self._closed() is None:
            self._notice.up()
        return changed

    def _pace_on(self, fields: Mapping[str, str]) -> bool:
        """ListenBrainz says how much of its 10 s window is left to this client, and asks to pace on that."""
        remaining, reset = fields.get("x-ratelimit-remaining", ""), fields.get("x-ratelimit-reset-in", "")
        if not (remaining.isdecimal() and reset.isdecimal() and len(remaining) < 10 and len(reset) < 10):
            return False
        seconds = min(float(reset), LONGEST_WINDOW)
        if int(remaining) > 0:
            self._pace.spread(int(remaining), seconds)
            return False
        return self._pause.begin(seconds, "the window's allowance is used up")

    def _announce_pause(self) -> None:
        self._notice.down(self._pause.length, self._pause.why, longer=True)

    def _announce_breaker(self) -> None:
        self._notice.down(self._breaker.rest, self._broken())

    def _announce_budget(self) -> None:
        if (until := self._budget.until()) is not None:
            self._notice.down(until - self._clock.steady(), self._spent())

    def _spent(self) -> str:
        return f"daily budget of {self._budget.limit} requests is spent"

    def _broken(self) -> str:
        return f"{self._breaker.failures} failures in a row"

    async def _recall(self) -> None:
        """For a gate that was made after `Gates.restore`, by a redirect say: nothing goes out before it is
        known what the host asked of an earlier process."""
        if self._memory.restored:
            return
        try:
            await self.restore()
        except Exception as error:
            log.warning("%s: what was remembered cannot be read: %r", self.host, error)
            until = self._clock.now() + RELOAD_WAIT
            raise Limited(self.host, until, "what was remembered cannot be read") from error
