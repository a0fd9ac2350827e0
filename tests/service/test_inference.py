"""Questions wait in bounded number, for a bounded time, beside an event loop that goes on."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from rag.errors import NoArchive
from service.inference import (
    READING_THREADS,
    WAITING_QUESTIONS,
    DeadlinePassed,
    Inference,
    Overloaded,
    Reads,
    begin_in_time,
)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What blocked work waits for; set at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


def test_work_returns_its_result_and_raises_its_error() -> None:
    async def scenario() -> int:
        inference = Inference()
        with pytest.raises(NoArchive, match="empty"):
            await inference.run(raise_no_archive)
        result = await inference.run(lambda: 42)
        inference.close()
        return result

    assert asyncio.run(scenario()) == 42


def test_full_queue_refuses_at_once_and_takes_again_when_it_has_room(
    release: threading.Event,
) -> None:
    async def scenario() -> int:
        inference = Inference()
        waiting = [
            asyncio.ensure_future(inference.run(release.wait)) for _ in range(WAITING_QUESTIONS)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await inference.run(lambda: 1)
        release.set()
        await asyncio.gather(*waiting)
        return await inference.run(lambda: 2)

    assert asyncio.run(scenario()) == 2


def test_work_is_done_one_at_a_time() -> None:
    running = 0
    most = 0

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1

    async def scenario() -> None:
        inference = Inference()
        await asyncio.gather(*[inference.run(work) for _ in range(10)])

    asyncio.run(scenario())

    assert most == 1


def test_event_loop_goes_on_while_work_is_done() -> None:
    async def scenario() -> float:
        inference = Inference()
        work = asyncio.ensure_future(inference.run(lambda: time.sleep(0.3)))
        longest = 0.0
        while not work.done():
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)
        return longest

    assert asyncio.run(scenario()) < 0.2


def test_caller_hears_of_the_deadline_while_the_work_goes_on(release: threading.Event) -> None:
    async def scenario() -> float:
        inference = Inference(deadline_seconds=0.05)
        started = time.monotonic()
        with pytest.raises(DeadlinePassed, match="no answer within"):
            await inference.run(release.wait)
        return time.monotonic() - started

    assert 0.05 <= asyncio.run(scenario()) < 5


def test_work_that_waited_past_its_deadline_is_never_begun(release: threading.Event) -> None:
    begun: list[str] = []

    async def scenario() -> None:
        inference = Inference(deadline_seconds=0.05)
        slow = inference.run(release.wait)
        late = inference.run(lambda: begun.append("late"))
        results = await asyncio.gather(slow, late, return_exceptions=True)
        assert [type(result) for result in results] == [DeadlinePassed, DeadlinePassed]
        release.set()
        await inference.run(lambda: begun.append("next"))

    asyncio.run(scenario())

    assert begun == ["next"]


def test_caller_who_goes_away_does_not_make_room_before_the_work_is_over(
    release: threading.Event,
) -> None:
    async def scenario() -> None:
        inference = Inference()
        waiting = [
            asyncio.ensure_future(inference.run(release.wait)) for _ in range(WAITING_QUESTIONS)
        ]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await inference.run(lambda: 1)
        release.set()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(scenario())


def test_closing_finishes_what_was_begun_and_drops_what_waits() -> None:
    done: list[str] = []
    begun = threading.Event()

    def first() -> None:
        begun.set()
        time.sleep(0.1)
        done.append("first")

    async def scenario() -> None:
        inference = Inference()
        running = asyncio.ensure_future(inference.run(first))
        waiting = asyncio.ensure_future(inference.run(lambda: done.append("second")))
        await asyncio.to_thread(begun.wait)
        inference.close()
        await asyncio.gather(running, waiting, return_exceptions=True)

    asyncio.run(scenario())

    assert done == ["first"]


def test_work_is_begun_until_its_deadline() -> None:
    now = time.monotonic()

    assert begin_in_time(lambda: 1, now + 60) == 1
    with pytest.raises(DeadlinePassed, match="waited too long"):
        begin_in_time(lambda: 1, now - 1)


def raise_no_archive() -> int:
    raise NoArchive("empty")


def test_reads_stay_on_a_few_threads() -> None:
    reads = Reads()

    def slow_thread() -> int:
        time.sleep(0.01)
        return threading.get_ident()

    async def burst() -> list[int]:
        return await asyncio.gather(*[reads.run(slow_thread) for _ in range(60)])

    first, second = asyncio.run(burst()), asyncio.run(burst())
    reads.close()

    assert set(second) == set(first)
    assert len(set(first)) <= READING_THREADS
