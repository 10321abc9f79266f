"""A pump's memory of failures: how long it holds back, how small its claims are, who steps
aside."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

FIRST_HOLD, LONGEST_HOLD = 2.0, 3600.0  # seconds of holding back after one failed batch, and at most
PATIENCE = 3  # failed batches in a row before a lookup that is never answered has to step aside


def failure_hold(failures: int) -> float:
    """Return the seconds to hold back after a failed batch that followed `failures` others."""
    return float(min(LONGEST_HOLD, FIRST_HOLD * 2.0 ** min(failures, 30)))


@dataclass(slots=True)
class Troubles:
    """The troubles of one pump. `clock` is monotonic: no change of the wall clock stretches a hold.

    Whose fault a failed batch is shows only in smaller batches: each failure halves the next claim
    and comes with a longer hold, each success doubles it again."""

    clock: Callable[[], float] = time.monotonic
    held_until: float = float("-inf")
    held_because: str = ""
    claim_limit: int | None = None  # the most lookups in a claim; None while nothing is wrong
    failures: int = 0  # batches in a row that came to nothing
    _set_aside: set[int] = field(default_factory=set)

    def hold(self, seconds: float, why: str) -> bool:
        """Claim nothing for `seconds`. Return whether that is news worth a warning: a longer hold
        than after a single failure, for another reason than the last one."""
        is_news = seconds > FIRST_HOLD and why != self.held_because
        self.held_until, self.held_because = self.clock() + seconds, why
        return is_news

    def current_hold(self) -> tuple[float, str] | None:
        """Return (seconds left, why) while the hold lasts, else None."""
        left = self.held_until - self.clock()
        return (left, self.held_because) if left > 0 else None

    def halve_claims(self, lookups: int) -> None:
        """Claim at most half of `lookups` from now on, but at least one."""
        self.claim_limit = max(1, lookups // 2)

    def record_failure(self, lookup_ids: Sequence[int], *, was_answered: bool) -> None:
        """Note that a batch of these lookups came to nothing.

        A lookup that was alone in it and again got no answer at all is set aside."""
        self.failures += 1
        self.halve_claims(len(lookup_ids))
        if len(lookup_ids) == 1 and not was_answered and self.failures >= PATIENCE:
            self._set_aside.add(lookup_ids[0])

    def record_success(self, batch_size: int) -> None:
        """Note that a batch was answered: claims double until they are of the usual size again."""
        self.failures = 0
        # step by step, because the lookup that spoilt the large batch may still be in the queue
        if self.claim_limit is not None:
            doubled = self.claim_limit * 2
            self.claim_limit = doubled if doubled < batch_size else None

    def pop_set_aside(self, lookup_id: int) -> bool:
        """Return whether this lookup was set aside, and forget it."""
        was_set_aside = lookup_id in self._set_aside
        self._set_aside.discard(lookup_id)
        return was_set_aside
