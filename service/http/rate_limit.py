"""A bound on the requests of a key: a token bucket, which refills steadily."""

import math
import time
from collections.abc import Callable

from citewire.service.auth.keys import Key


class RateLimit:
    """Counts requests by key. A key may spend a minute's requests at once, then as they refill."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By name and rate of a key: the requests left, and the time of that count.
        self._left: dict[tuple[str, int], tuple[float, float]] = {}

    def spend(self, key: Key) -> int:
        """Count a request; return 0 where it is allowed, else the seconds until one is."""
        if key.per_minute is None:
            return 0
        now = self._clock()
        name = (key.name, key.per_minute)
        left, since = self._left.get(name, (float(key.per_minute), now))
        left = min(key.per_minute, left + (now - since) * key.per_minute / 60)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        return 0 if allowed else math.ceil((1 - left) * 60 / key.per_minute)
