"""Run questions off the event loop: in bounded number, for a bounded time, and stoppably."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from citewire.index.errors import CitewireError
from citewire.rag.cancellation import Cancellation, Cancelled, cancelled_by

Result = TypeVar("Result")

# Two at once: while one question's passages are read on all cores, the next one's are found.
WORKERS = 2
# How many questions may be here at once, those being answered among them.
MAX_QUESTIONS = 24
READING_THREADS = 4
DEADLINE_SECONDS = 30.0


class Overloaded(CitewireError):
    """As many questions are waiting as may."""


class DeadlinePassed(CitewireError):
    """The question was not answered in time."""


class Inference:
    """A bounded executor whose work ends when its deadline passes or its caller goes away.

    Work that waits is then never begun; work that was begun stops at the next look at its
    `Cancellation`, which the networks give in the midst of a run. `on_begin` hears how many
    seconds work has waited.
    """

    def __init__(
        self,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_begin: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._on_begin = on_begin
        self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="inference")
        # Whoever counts may be the event loop or one of the threads.
        self._lock = threading.Lock()
        self._present = 0
        self._running = 0

    @property
    def full(self) -> bool:
        """Say whether another question would be refused."""
        return self._present >= MAX_QUESTIONS

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many questions wait for their turn."""
        return max(0, self._present - self._running)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return the work's result.

        Raises:
            Overloaded: at once, when the queue is full.
            DeadlinePassed: the deadline, which counts waiting, has passed.
        """
        if self.full:
            raise Overloaded("too many questions are waiting; try again in a moment")
        cancellation = Cancellation()
        self._count(present=1)
        waiting = partial(self._do, work, cancellation, time.monotonic())
        # With the caller's context, so that what is noted there is noted of its request.
        future = self._executor.submit(copy_context().run, waiting)
        # Counted down when the work is over or dropped: its place is not free before.
        future.add_done_callback(lambda _: self._count(present=-1))
        limit = asyncio.timeout(self._deadline_seconds)
        try:
            async with limit:
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            if not limit.expired():
                raise
            seconds = f"{self._deadline_seconds:.0f} seconds"
            raise DeadlinePassed(f"no answer within {seconds}") from error
        finally:
            # Also when the caller went away: nobody waits for the result any more.
            cancellation.cancel()

    def close(self) -> None:
        """Finish what was begun and drop what waits."""
        self._executor.shutdown(cancel_futures=True)

    def _do(
        self, work: Callable[[], Result], cancellation: Cancellation, submitted: float
    ) -> Result:
        if cancellation.cancelled:
            raise Cancelled("nobody waits for it any more")
        self._on_begin(time.monotonic() - submitted)
        self._count(running=1)
        try:
            with cancelled_by(cancellation):
                return work()
        finally:
            self._count(running=-1)

    def _count(self, *, present: int = 0, running: int = 0) -> None:
        with self._lock:
            self._present += present
            self._running += running


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
