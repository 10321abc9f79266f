"""Values kept for a short while, for requests that are often repeated within minutes."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentValues(Generic[T]):
    """The last `most` values by key, each for `seconds`."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._now = most, seconds, now
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def get(self, key: str) -> T | None:
        """Return the value of `key`; None when it was not put, is too old, or made room."""
        at, value = self._kept.get(key, (0.0, None))
        return value if value is not None and self._now() - at < self._seconds else None

    def put(self, key: str, value: T) -> None:
        """Keep `value` as the newest; the oldest makes room."""
        self._kept[key] = (self._now(), value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
