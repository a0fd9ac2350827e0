"""Cancel work whose result is not wanted any more, wherever in the library it is running.

The caller that starts the work makes its `Cancellation` current (a context variable); long-running
functions check it. Functions in between need not pass it on.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from citewire.index.errors import CitewireError


class Cancelled(CitewireError):
    """The work was cancelled: its result is not wanted any more."""


class Cancellation:
    """Cancels a piece of work, once and from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._stops: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Stop the running parts now; parts that start later raise Cancelled at once."""
        with self._lock:
            self._cancelled = True
            for stop in self._stops:
                stop()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` if the work is cancelled inside the block.

        Raises:
            Cancelled: the work was cancelled before the block.
        """
        with self._lock:
            if self._cancelled:
                raise Cancelled("the work was cancelled")
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    @property
    def cancelled(self) -> bool:
        """Whether the work was cancelled."""
        return self._cancelled


# The default, which is never cancelled: for the command line and for background threads.
NEVER = Cancellation()
_current: ContextVar[Cancellation] = ContextVar("cancellation", default=NEVER)


def get_cancellation() -> Cancellation:
    """Return the cancellation of the work that this thread does."""
    return _current.get()


@contextmanager
def bind_cancellation(cancellation: Cancellation) -> Iterator[None]:
    """Make `cancellation` the current one inside the block."""
    token = _current.set(cancellation)
    try:
        yield
    finally:
        _current.reset(token)
