"""Stop work that nobody waits for any more, wherever in the library it has got to.

Whoever begins the work makes its `Cancellation` current; what takes long looks there. So
nothing in between needs to know of it, and where nobody may cancel, nothing is checked.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from citewire.index.errors import CitewireError


class Cancelled(CitewireError):
    """Whoever wanted the work's result does not wait for it any more."""


class Cancellation:
    """Says once, from any thread, that a piece of work is not wanted any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._stops: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Stop what can be stopped now; whatever is begun afterwards ends at once."""
        with self._lock:
            self._cancelled = True
            for stop in self._stops:
                stop()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` when the work is cancelled inside; raise Cancelled when it was already."""
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
        """Say whether the work was cancelled."""
        return self._cancelled


# What nobody cancels, for the command line and for threads of their own.
NEVER = Cancellation()
_current: ContextVar[Cancellation] = ContextVar("cancellation", default=NEVER)


def current_cancellation() -> Cancellation:
    """Return what may cancel the work that this thread does."""
    return _current.get()


@contextmanager
def cancelled_by(cancellation: Cancellation) -> Iterator[None]:
    """Let `cancellation` stop what is done inside."""
    token = _current.set(cancellation)
    try:
        yield
    finally:
        _current.reset(token)
