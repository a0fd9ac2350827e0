"""Questions wait in bounded number, for a bounded time, while the event loop goes on."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from citewire.index.errors import NoArchive
from citewire.rag.cancellation import get_cancellation
from citewire.service.work.executor import (
    MAX_QUESTIONS,
    READING_THREADS,
    WORKERS,
    DeadlinePassed,
    Overloaded,
    QuestionExecutor,
    ReadExecutor,
)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """The event that blocked work waits for; set at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_work_returns_its_result_and_raises_its_error() -> None:
    async def scenario() -> int:
        executor = QuestionExecutor()
        with pytest.raises(NoArchive, match="empty"):
            await executor.run(raise_no_archive)
        result = await executor.run(lambda: 42)
        executor.close()
        return result

    assert asyncio.run(scenario()) == 42


def test_full_queue_refuses_at_once_and_takes_again_when_it_has_room(
    release: threading.Event,
) -> None:
    async def scenario() -> int:
        executor = QuestionExecutor()
        waiting = [asyncio.ensure_future(executor.run(release.wait)) for _ in range(MAX_QUESTIONS)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await executor.run(lambda: 1)
        release.set()
        await asyncio.gather(*waiting)
        return await executor.run(lambda: 2)

    assert asyncio.run(scenario()) == 2


def test_work_is_done_a_few_at_a_time() -> None:
    running = 0
    most = 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def scenario() -> None:
        executor = QuestionExecutor()
        await asyncio.gather(*[executor.run(work) for _ in range(10)])

    asyncio.run(scenario())

    assert 1 <= most <= WORKERS


def test_event_loop_goes_on_while_work_is_done() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> bool:
        begun.set()
        # Only the event loop lets it go on.
        return go_on.wait(60)

    async def scenario() -> bool:
        executor = QuestionExecutor()
        working = asyncio.ensure_future(executor.run(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        assert not working.done()
        go_on.set()
        return await working

    assert asyncio.run(scenario())


def test_passed_deadline_is_raised_and_cancels_the_work() -> None:
    stopped = threading.Event()

    def work() -> None:
        with get_cancellation().stopping(stopped.set):
            assert stopped.wait(60)

    async def scenario() -> None:
        executor = QuestionExecutor(deadline_seconds=0.05)
        with pytest.raises(DeadlinePassed, match="no answer within"):
            await executor.run(work)
        executor.close()

    asyncio.run(scenario())

    assert stopped.is_set()


def test_work_that_waited_past_its_deadline_is_never_begun(release: threading.Event) -> None:
    begun: list[str] = []

    async def scenario() -> None:
        executor = QuestionExecutor(deadline_seconds=0.2)
        slow = [executor.run(release.wait) for _ in range(WORKERS)]
        late = executor.run(lambda: begun.append("late"))
        results = await asyncio.gather(*slow, late, return_exceptions=True)
        assert [type(result) for result in results] == [DeadlinePassed] * (WORKERS + 1)
        release.set()
        executor.close()

    asyncio.run(scenario())

    assert begun == []


def test_cancelled_caller_stops_the_work_and_frees_its_place_when_it_is_over() -> None:
    begun, over = threading.Event(), threading.Event()

    def work() -> None:
        with get_cancellation().stopping(over.set):
            begun.set()
            assert over.wait(60)

    async def scenario() -> None:
        executor = QuestionExecutor()
        caller = asyncio.ensure_future(executor.run(work))
        assert await asyncio.to_thread(begun.wait, 60)
        assert executor.running == 1
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        executor.close()
        assert (executor.running, executor.waiting) == (0, 0)

    asyncio.run(scenario())

    assert over.is_set()


def test_caller_that_is_cancelled_while_waiting_frees_its_place_at_once(
    release: threading.Event,
) -> None:
    async def scenario() -> int:
        executor = QuestionExecutor()
        waiting = [asyncio.ensure_future(executor.run(release.wait)) for _ in range(MAX_QUESTIONS)]
        await asyncio.sleep(0)
        assert executor.is_full
        waiting[-1].cancel()
        await asyncio.gather(waiting[-1], return_exceptions=True)
        assert not executor.is_full
        last = asyncio.ensure_future(executor.run(lambda: 7))
        await asyncio.sleep(0)
        release.set()
        return await last

    assert asyncio.run(scenario()) == 7


def test_closing_finishes_work_in_progress_and_drops_waiting_work() -> None:
    done: list[str] = []

    def first() -> None:
        time.sleep(0.1)
        done.append("first")

    async def scenario() -> None:
        executor = QuestionExecutor()
        running = [asyncio.ensure_future(executor.run(first)) for _ in range(WORKERS)]
        waiting = asyncio.ensure_future(executor.run(lambda: done.append("second")))
        while executor.running < WORKERS:
            await asyncio.sleep(0.005)
        executor.close()
        await asyncio.gather(*running, waiting, return_exceptions=True)

    asyncio.run(scenario())

    assert done == ["first"] * WORKERS


def raise_no_archive() -> int:
    raise NoArchive("empty")


def test_reads_stay_on_a_few_threads() -> None:
    reads = ReadExecutor()

    def slow_thread() -> int:
        time.sleep(0.01)
        return threading.get_ident()

    async def burst() -> list[int]:
        return await asyncio.gather(*[reads.run(slow_thread) for _ in range(60)])

    first, second = asyncio.run(burst()), asyncio.run(burst())
    reads.close()

    assert set(second) == set(first)
    assert len(set(first)) <= READING_THREADS
