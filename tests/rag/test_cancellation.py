"""Cancelled work ends, before it begins or during a network's run."""

import threading
import time

import pytest

from citewire.index.types import Article, Passage, Span
from citewire.rag.cancellation import Cancellation, Cancelled, bind_cancellation, get_cancellation
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.types import Hit


def test_nothing_is_cancelled_unless_somebody_may() -> None:
    stopped: list[str] = []
    with get_cancellation().stopping(lambda: stopped.append("stopped")):
        assert stopped == []


def test_running_work_is_stopped_and_later_work_never_begins() -> None:
    cancellation = Cancellation()
    stopped: list[str] = []
    with bind_cancellation(cancellation):
        with get_cancellation().stopping(lambda: stopped.append("first")):
            cancellation.cancel()
        with pytest.raises(Cancelled), get_cancellation().stopping(lambda: None):
            raise AssertionError("begun")

    assert stopped == ["first"]


def test_finished_work_is_not_stopped() -> None:
    cancellation = Cancellation()
    stopped: list[str] = []
    with cancellation.stopping(lambda: stopped.append("over")):
        pass
    cancellation.cancel()

    assert stopped == []


def test_one_threads_work_is_not_anothers() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    seen: list[bool] = []
    with bind_cancellation(cancellation):
        thread = threading.Thread(target=lambda: seen.append(get_cancellation().cancelled))
        thread.start()
        thread.join()

    assert seen == [False]


def test_network_stops_in_the_midst_of_its_runs(reader: OnnxReader) -> None:
    hits = [hit_of("Ada Quill opened the harbour on Thursday. " * 60)] * 400
    cancellation = Cancellation()
    timer = threading.Timer(0.3, cancellation.cancel)
    timer.start()
    started = time.monotonic()
    with bind_cancellation(cancellation), pytest.raises(Cancelled):
        reader.read("Who opened it?", hits)
    timer.join()

    # To read them all takes over a minute.
    assert time.monotonic() - started < 20


def hit_of(text: str) -> Hit:
    article = Article(id="a", title="A", text=text)
    return Hit(Passage(1, article, Span(0, len(text))), score=1.0, similarity=1.0)
