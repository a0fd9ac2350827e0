"""Run questions off the event loop: one at a time, in bounded number, for a bounded time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from rag.errors import CitewireError

Result = TypeVar("Result")

# One question's passages are read on all cores: a second worker would only take turns.
WORKERS = 1
WAITING_QUESTIONS = 64
READING_THREADS = 4
DEADLINE_SECONDS = 30.0


class Overloaded(CitewireError):
    """As many questions are waiting as may."""


class DeadlinePassed(CitewireError):
    """The question was not answered in time."""


class Inference:
    """A bounded executor; what has waited past its deadline is never begun."""

    def __init__(self, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline_seconds = deadline_seconds
        self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="inference")
        self._waiting = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return the work's result.

        Raises:
            Overloaded: at once, when the queue is full.
            DeadlinePassed: the deadline, which counts waiting, has passed.
        """
        if self._waiting >= WAITING_QUESTIONS:
            raise Overloaded("too many questions are waiting; try again in a moment")
        deadline = time.monotonic() + self._deadline_seconds
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(
            self._executor, begin_in_time, work, deadline
        )
        # Counted down by the work itself: a caller who went away does not free its place.
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._deadline_seconds)
        except TimeoutError as error:
            raise DeadlinePassed(
                f"no answer within {self._deadline_seconds:.0f} seconds"
            ) from error

    def close(self) -> None:
        """Finish what was begun and drop what waits."""
        self._executor.shutdown(cancel_futures=True)

    def _done(self, future: "asyncio.Future[Result]") -> None:
        self._waiting -= 1
        # A result or error that nobody waits for any more is nobody's concern.
        if not future.cancelled():
            future.exception()


def begin_in_time(work: Callable[[], Result], deadline: float) -> Result:
    """Do the work unless its deadline has passed."""
    if time.monotonic() > deadline:
        raise DeadlinePassed("the question waited too long")
    return work()


class Reads:
    """A few threads that read the catalogue, and stay: each has a connection of its own."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reads")

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return the work's result."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Finish what was begun and drop what waits."""
        self._executor.shutdown(cancel_futures=True)
