"""The gate of one upstream host: rate, pauses, daily budget and breaker in one place."""

import asyncio
import logging
from collections.abc import Mapping

from soulspot.errors import Limited
from soulspot.limits.announcements import Announcements
from soulspot.limits.backoff import parse_retry_after
from soulspot.limits.breaker import Breaker
from soulspot.limits.budget import Budget
from soulspot.limits.clock import Clock
from soulspot.limits.pace import Pace
from soulspot.limits.pause import Pause
from soulspot.limits.saved_state import Limit, SavedState
from soulspot.limits.values import GateSnapshot, Surroundings

log = logging.getLogger(__name__)

# A tenth of a gate's requests and the first five: a service in trouble must not be hit harder.
RETRY_SHARE, FREE_RETRIES = 0.1, 5.0
# Seconds to wait when the saved state cannot be read.
RELOAD_WAIT = 10.0
# Seconds; a longer X-RateLimit-Reset-In is a fault of the service.
LONGEST_WINDOW = 3600.0


class Gate:
    """The limits of one provider at one host; made by `Gates`, used from the event loop only. Call
    `admit` exactly once before every HTTP request (retries, redirects and token requests included),
    and `observe` or `abandon` exactly once after it."""

    def __init__(
        self, provider: str, host: str, shared: Surroundings, rate: float, daily_budget: int | None,
        pace_on_headers: bool,
    ) -> None:  # fmt: skip
        self.provider = provider
        self.host = host
        self.pace_on_headers = pace_on_headers
        self._rng = shared.rng
        self._clock = Clock(shared.now)
        self._pace = Pace(rate)
        self._pause = Pause(self._clock)
        self._breaker = Breaker(self._clock)
        self._budget = Budget(self._clock, daily_budget)
        self._announcements = Announcements(provider, host, self._clock, shared.on_limit)
        self._limits: dict[str, Limit] = {"pause": self._pause, "breaker": self._breaker, "budget": self._budget}
        self._state = SavedState(shared.port, f"gate:{provider}:{host}", self._limits)
        self._line = asyncio.Lock()  # first come, first served
        self._waiting = 0
        self._requests = 0
        self._retries_left = FREE_RETRIES

    async def admit(self) -> None:
        """Return when one HTTP request may go, in the order of the calls.

        Raises errors.Limited at once while the host is paused, its budget is spent or its breaker
        is open, also to callers in line. A call that is cancelled or refused costs no budget."""
        self._refuse_if_closed()
        self._waiting += 1
        try:
            async with self._line:
                await self._ensure_restored()
                # Checked again: the host may have asked for a pause while this call was in line.
                self._refuse_if_closed()
                reserved = self._budget.reserve()
                try:
                    # Saved before the request goes out: a killed process must not forget it.
                    if self._budget.limit is not None:
                        await self._state.save()
                    await self._pace.wait()
                    self._refuse_if_closed(but_budget=True)  # it has this request already
                except BaseException:
                    self._budget.give_back(reserved)
                    raise
                self._budget.confirm(reserved)
                self._breaker.record_request()
                self._announce(self._budget)
                self._requests += 1
                self._retries_left = min(self._retries_left + RETRY_SHARE, FREE_RETRIES)
        finally:
            self._waiting -= 1

    async def observe(
        self, status: int | None, headers: Mapping[str, str] | None = None, *, quota: bool = False
    ) -> None:
        """Learn from the answer to an admitted request; `status` is None when no response came.

        429, 503 and a spent `quota` (only the body shows that) pause the gate, by Retry-After when
        there is one. Any other 5xx and None count for the breaker. Everything else, 404 included,
        closes the breaker: the host is up."""
        fields = {name.lower(): value for name, value in headers.items()} if headers else {}
        if quota or status in (429, 503):
            self._pause_as_asked(status or 429, fields, quota)
            has_changed = True
        elif status is None or status >= 500:
            has_changed = self._breaker.record_failure()
            if has_changed:
                self._announce(self._breaker)
        else:
            has_changed = self._record_success()
        if self.pace_on_headers and status is not None:
            has_changed |= self._pace_by_headers(fields)
        if has_changed:
            await self._state.save()

    def abandon(self) -> None:
        """End an admitted request whose caller went away: that says nothing about the host."""
        self._breaker.end_probe()

    async def pause(self, seconds: float, why: str) -> None:
        """Refuse requests for `seconds`, at most 30 days, across restarts; a longer pause stays."""
        if self._pause.begin(seconds, why):
            self._announce(self._pause)
            await self._state.save()

    async def lift_pause(self) -> bool:
        """End a pause before its time, across restarts; return whether there was one. A spent
        budget and an open breaker stay. Raises what the port raises."""
        await self._state.restore()
        if not self._pause.lift():
            return False
        if self._find_closure() is None:
            self._announcements.announce_open()
        await self._state.save()
        return True

    def may_retry(self) -> bool:
        """Whether a failed request may be sent again; each True is taken to be used. Retries stay
        within a tenth of this gate's requests, besides the first five."""
        if self._retries_left < 1.0:
            return False
        self._retries_left -= 1.0
        return True

    @property
    def is_probing(self) -> bool:
        """Whether a probe is out: a request let through a half-open breaker. Its failure says
        nothing about what was requested. Read before `observe`."""
        return self._breaker.is_probing

    def opens_at(self) -> float | None:
        """Return when the gate opens, in seconds since the epoch; None when it is open now."""
        closed = self._find_closure()
        return None if closed is None else self._clock.to_wall(closed[0])

    def retune(self, *, rate: float, daily_budget: int | None) -> None:
        """Change rate (requests a second) and budget; counted requests and pauses stay. ValueError
        when one of the two is unusable; both then stay as they were."""
        # The throw-away Pace checks the rate before anything is changed.
        Pace(rate)
        self._budget.limit = daily_budget
        self._pace.retune(rate)

    @property
    def rate(self) -> float:
        return self._pace.rate

    @property
    def daily_budget(self) -> int | None:
        """Requests in any 24 hours; None for no limit."""
        return self._budget.limit

    def snapshot(self) -> GateSnapshot:
        closed = self._find_closure()
        return GateSnapshot(
            provider=self.provider, host=self.host, rate=self.rate,
            opens_at=None if closed is None else self._clock.to_wall(closed[0]),
            why="" if closed is None else closed[1], breaker=self._breaker.state, failures=self._breaker.failures,
            daily_budget=self.daily_budget, spent=self._budget.spent(), requests=self._requests,
            waiting=self._waiting, paused=self._pause.until() is not None,
        )  # fmt: skip

    async def restore(self) -> None:
        """Restore the state that an earlier process saved. Raises what the port raises."""
        await self._state.restore()
        await self._pace.start()
        for limit in self._limits.values():
            self._announce(limit)

    def _find_closure(self, *, but_budget: bool = False) -> tuple[float, str] | None:
        """Return (loop time, reason) of the limit that keeps the gate closed longest; None when
        open. `but_budget` leaves the budget out, for a request that is already counted."""
        limits = (limit for limit in self._limits.values() if limit is not self._budget or not but_budget)
        closures = [(until, limit.why) for limit in limits if (until := limit.until()) is not None]
        return max(closures, default=None)

    def _refuse_if_closed(self, *, but_budget: bool = False) -> None:
        if (closed := self._find_closure(but_budget=but_budget)) is not None:
            self._announce(self._budget)
            raise Limited(self.host, self._clock.to_wall(closed[0]), closed[1])

    def _pause_as_asked(self, status: int, fields: Mapping[str, str], quota: bool) -> None:
        self._breaker.end_probe()
        asked = parse_retry_after(fields.get("retry-after"), self._clock.now())
        if asked is None and self.pace_on_headers:
            asked = parse_retry_after(fields.get("x-ratelimit-reset-in"), self._clock.now())
        seconds = self._pause.add_strike(status, asked, quota, self._rng)
        why = "quota spent" if quota else f"HTTP {status}"
        if asked is not None:
            why += f", Retry-After {asked:.0f} s"
        if self._pause.begin(seconds, why):
            self._announce(self._pause)

    def _record_success(self) -> bool:
        has_changed = self._breaker.record_success()
        if self._pause.until() is None:  # else the late answer to a request from before the pause
            has_changed |= self._pause.strikes > 0
            self._pause.strikes = 0
        if self._find_closure() is None:
            self._announcements.announce_open()
        return has_changed

    def _pace_by_headers(self, fields: Mapping[str, str]) -> bool:
        # ListenBrainz sends the rest of this client's 10 s window and asks clients to pace on it.
        remaining, reset = fields.get("x-ratelimit-remaining", ""), fields.get("x-ratelimit-reset-in", "")
        if not (remaining.isdecimal() and reset.isdecimal() and len(remaining) < 10 and len(reset) < 10):
            return False
        seconds = min(float(reset), LONGEST_WINDOW)
        if int(remaining) > 0:
            self._pace.spread(int(remaining), seconds)
            return False
        return self._pause.begin(seconds, "the window's allowance is used up")

    def _announce(self, limit: Limit) -> None:
        if limit.until() is not None:
            self._announcements.announce_closed(limit.length, limit.why, may_grow=limit is self._pause)

    async def _ensure_restored(self) -> None:
        # A gate made after `Gates.restore`, by a redirect say, must send nothing before it knows
        # what the host asked of an earlier process.
        if self._state.is_restored:
            return
        try:
            await self.restore()
        except Exception as error:
            log.warning("%s: the saved state of the gate cannot be read: %r", self.host, error)
            until = self._clock.now() + RELOAD_WAIT
            raise Limited(self.host, until, "the saved state of the gate cannot be read") from error
