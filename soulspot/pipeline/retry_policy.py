"""The times at which a lookup is asked again: after a failure, a miss, or when its answer aged."""

import random
from dataclasses import dataclass

from soulspot.limits import full_jitter
from soulspot.models import Answer, Failed, Found, Lookup, LookupState, Missing, Postponed, Settlement

DAY = 86_400.0
SET_ASIDE = 300.0  # seconds for which a lookup that spoils every request makes way for the others
SPREAD = 0.1  # share of an answer's age by which it is asked again later, at random
MOST_DOUBLINGS = 30  # of a wait; beyond that the cap has long been reached, and floats overflow


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Turns answers into settlements. All times are seconds; made from [retry] and [refresh],
    except `missing_cap`, which has no setting."""

    attempts: int = 5  # answered failures after which a lookup is buried
    base: float = 60.0  # longest wait after the first failure; it doubles with each further one
    cap: float = 3600.0  # longest wait after any failure
    refresh_after: float = 90 * DAY
    missing_after: float = DAY  # wait after the first miss; it doubles with each further one
    missing_cap: float = 32 * DAY

    @property
    def longest_wait(self) -> float:
        """The most seconds that a lookup waits to be asked."""
        return max(self.cap, SET_ASIDE)

    @property
    def longest_rest(self) -> float:
        """The most seconds until an answered lookup is asked again."""
        return max(self.refresh_after * (1.0 + SPREAD), self.missing_cap)

    def settlement(
        self, lookup: Lookup, answer: Answer, now: float, rng: random.Random, *, is_set_aside: bool = False
    ) -> Settlement:
        """Return the state, the due time and the entities that `lookup` gets for `answer`.

        `now` and the due time are epoch seconds. A postponed lookup is due at once, or in SET_ASIDE
        seconds where it `is_set_aside`; it is not charged with an attempt."""
        match answer:
            case Found():
                # lookups that were answered together must not all age at the same moment
                age = self.refresh_after * rng.uniform(1.0, 1.0 + SPREAD)
                return Settlement(lookup, LookupState.DONE, now + age, answer.entities)
            case Missing():
                doubled = self.missing_after * 2 ** min(lookup.misses, MOST_DOUBLINGS)
                return Settlement(lookup, LookupState.MISSING, now + min(self.missing_cap, doubled))
            case Postponed():
                due_at = now + SET_ASIDE if is_set_aside else 0.0
                return Settlement(lookup, LookupState.PENDING, due_at, error=answer.reason, is_attempt=False)
            case Failed(reason, retryable=False):
                return Settlement(lookup, LookupState.FAILED, now, error=reason)
            case Failed(reason) if lookup.attempts + 1 >= self.attempts:
                return Settlement(lookup, LookupState.BURIED, now, error=reason)
            case Failed(reason):
                wait = full_jitter(lookup.attempts, base=self.base, cap=self.cap, rng=rng)
                return Settlement(lookup, LookupState.PENDING, now + wait, error=reason)
