"""Executors of work off the event loop: for questions, bounded and cancellable, and for reads."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from citewire.index.errors import CitewireError
from citewire.rag.cancellation import Cancellation, Cancelled, bind_cancellation

Value = TypeVar("Value")

# Threads: while one question's passages are read on all cores, the next one's are retrieved.
WORKERS = 2
# Questions that are admitted at once, those being answered included.
MAX_QUESTIONS = 24
READING_THREADS = 4
DEADLINE_SECONDS = 30.0


class Overloaded(CitewireError):
    """The queue of questions is full."""


class DeadlinePassed(CitewireError):
    """The question was not answered in time."""


class QuestionExecutor:
    """Runs questions; each ends when its deadline passes or its caller is cancelled.

    Work that still waits is then never begun; work in progress stops when it next checks its
    `Cancellation`, as the models do in the middle of a run. `on_begin` is called with the seconds
    that work has waited.
    """

    def __init__(
        self,
        deadline_seconds: float = DEADLINE_SECONDS,
        on_begin: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._on_begin = on_begin
        self._executor = ThreadPoolExecutor(WORKERS, thread_name_prefix="questions")
        # The event loop and the threads all count.
        self._lock = threading.Lock()
        self._admitted = 0
        self._running = 0

    @property
    def is_full(self) -> bool:
        """Whether another question would be refused."""
        return self._admitted >= MAX_QUESTIONS

    @property
    def running(self) -> int:
        """The number of questions that are being answered."""
        return self._running

    @property
    def waiting(self) -> int:
        """The number of questions that wait for their turn."""
        return max(0, self._admitted - self._running)

    @property
    def is_busy(self) -> bool:
        """Whether any question is running or waiting."""
        return self._admitted > 0

    async def run(self, work: Callable[[], Value]) -> Value:
        """Return the work's result.

        Raises:
            Overloaded: the queue is full; raised at once.
            DeadlinePassed: waiting and work together took too long.
        """
        if self.is_full:
            raise Overloaded("too many questions are waiting; try again in a moment")
        cancellation = Cancellation()
        self._count(admitted=1)
        waiting = partial(self._work, work, cancellation, time.monotonic())
        # In the caller's context, so that notes are those of its request.
        future = self._executor.submit(copy_context().run, waiting)
        # Its place is free only when the work is over or dropped.
        future.add_done_callback(lambda _: self._count(admitted=-1))
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
            # Also when the caller is cancelled: nothing waits for the result then.
            cancellation.cancel()

    def close(self) -> None:
        """Finish the work in progress and drop the work that waits."""
        self._executor.shutdown(cancel_futures=True)

    def _work(
        self, work: Callable[[], Value], cancellation: Cancellation, submitted: float
    ) -> Value:
        if cancellation.cancelled:
            raise Cancelled("cancelled before it began")
        self._on_begin(time.monotonic() - submitted)
        self._count(running=1)
        try:
            with bind_cancellation(cancellation):
                return work()
        finally:
            self._count(running=-1)

    def _count(self, *, admitted: int = 0, running: int = 0) -> None:
        with self._lock:
            self._admitted += admitted
            self._running += running


class ReadExecutor:
    """Runs reads of the archive on a few lasting threads, each with a connection of its own."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(READING_THREADS, thread_name_prefix="reads")

    async def run(self, work: Callable[[], Value]) -> Value:
        """Return the work's result."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Finish the work in progress and drop the work that waits."""
        self._executor.shutdown(cancel_futures=True)
