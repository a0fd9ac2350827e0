"""A bound on how many requests a key may make: a bucket that fills up steadily."""

import math
import time
from collections.abc import Callable

from citewire.service.auth.keys import Key


class RateLimit:
    """Counts requests by key; each may make a minute's worth at once, then as they come in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By name and rate: what is left, and when that was so. As many as there are keys.
        self._left: dict[tuple[str, int], tuple[float, float]] = {}

    def seconds_to_wait(self, key: Key) -> int:
        """Count a request; return 0 when it may be made, else how long until one may."""
        if key.per_minute is None:
            return 0
        now = self._clock()
        name = (key.name, key.per_minute)
        left, since = self._left.get(name, (float(key.per_minute), now))
        left = min(key.per_minute, left + (now - since) * key.per_minute / 60)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        return 0 if allowed else math.ceil((1 - left) * 60 / key.per_minute)
