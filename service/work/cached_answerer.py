"""The answerer as the service uses it: what was answered before is kept, and all is counted."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from citewire.index.archive.protocol import Archive
from citewire.rag.reading.selective import Watcher
from citewire.rag.types import Answers, NoAnswer, Question
from citewire.service.work.answer_cache import AnswerCache
from citewire.service.work.logs import QUESTION, note
from citewire.service.work.metrics import Metrics

# What answers questions, and lets a watcher hear of what it reads where it takes one.
Answering = Callable[..., Answers | NoAnswer]


class RecordingAnswerer:
    """Answers as the answerer behind it does, or did before in the same state of the archive."""

    def __init__(self, answer: Answering, archive: Archive, metrics: Metrics) -> None:
        self._answer = answer
        self._archive = archive
        self._metrics = metrics
        self.cache = AnswerCache()

    def answer(self, question: Question, *watchers: Watcher) -> Answers | NoAnswer:
        """Return the archive's answers, best first, or why there is none and the closest."""
        result = self._known_or_new(question, watchers)
        self._metrics.answered(result)
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

    def _known_or_new(self, question: Question, watchers: Sequence[Watcher]) -> Answers | NoAnswer:
        started = time.perf_counter()
        with self._archive.reading() as snapshot:
            version = str(snapshot.state)
        known = None if watchers else self.cache.find(question, version)
        if known is None:
            result = self._answer(question, *watchers)
            self.cache.keep(result, version)
            return result
        # What it took this time, and not what it took then.
        took_ms = 1000 * (time.perf_counter() - started)
        again = replace(known.searched, retrieve_ms=took_ms, read_ms=0.0, cached=True)
        return replace(known, searched=again)
