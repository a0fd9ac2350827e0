"""The answerer of the service: it keeps results, counts them, and notes them for the log."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from citewire.index.archive.protocol import Archive
from citewire.rag.reading.selective import Watcher
from citewire.rag.types import Answers, NoAnswer, Question
from citewire.service.work.answer_cache import AnswerCache
from citewire.service.work.logs import QUESTION, note
from citewire.service.work.metrics import Metrics

# The method Answerer.answer: a question, and perhaps a watcher of the passages that are read.
AnswerMethod = Callable[..., Answers | NoAnswer]


class CachedAnswerer:
    """Answers as an answerer does, or as it did before in the same state of the archive."""

    def __init__(self, answer: AnswerMethod, archive: Archive, metrics: Metrics) -> None:
        self._answer = answer
        self._archive = archive
        self._metrics = metrics
        self.cache = AnswerCache()

    def answer(self, question: Question, *watchers: Watcher) -> Answers | NoAnswer:
        """Return the archive's answers, best first, or why there is none."""
        result = self._look_up(question, watchers)
        self._metrics.count_result(result)
        searched = result.searched
        note(
            {
                "outcome": result.reason.value if isinstance(result, NoAnswer) else "answered",
                "retrieve_ms": round(searched.retrieve_ms, 1),
                "read_ms": round(searched.read_ms, 1),
                "cached": searched.cached,
                QUESTION: question.text,
            }
        )
        return result

    def _look_up(self, question: Question, watchers: Sequence[Watcher]) -> Answers | NoAnswer:
        started = time.perf_counter()
        with self._archive.reading() as snapshot:
            version = str(snapshot.state)
        known = None if watchers else self.cache.find(question, version)
        if known is None:
            result = self._answer(question, *watchers)
            self.cache.keep(result, version)
            return result
        # The time of this lookup, not of the first answer.
        took_ms = 1000 * (time.perf_counter() - started)
        again = replace(known.searched, retrieve_ms=took_ms, read_ms=0.0, cached=True)
        return replace(known, searched=again)
