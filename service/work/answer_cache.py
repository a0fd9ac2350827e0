"""A least-recently-used cache of results, emptied when the archive changes.

Not `cachetools.LRUCache`: that bounds either the number of entries or their size, and this both.
"""

import sys
import threading
from collections import OrderedDict

from citewire.rag.types import Answers, NoAnswer, Question

MAX_ENTRIES = 2000
# Bytes of all entries, estimated.
MAX_BYTES = 64 * 1024 * 1024
# Bytes, estimated, of an extract without its article's text.
BYTES_PER_EXTRACT = 2000

QuestionResult = Answers | NoAnswer


class AnswerCache:
    """The results used last, of one state of the archive; threads may share it.

    Two questions are the same when their text, filters and number of answers are. Models and
    threshold do not change while a service runs; when the archive does, all entries are dropped.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._version = ""
        self._entries: OrderedDict[Question, tuple[QuestionResult, int]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """The estimated size of all results."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, question: Question, version: str) -> QuestionResult | None:
        """Return the question's result in this state of the archive, None where there is none."""
        with self._lock:
            self._empty_if_changed(version)
            entry = self._entries.get(question)
            if entry is None:
                return None
            self._entries.move_to_end(question)
            return entry[0]

    def keep(self, result: QuestionResult, version: str) -> None:
        """Keep a result, unless the archive has changed since the question began."""
        if result.searched.index_version != version:
            return
        size = estimate_bytes(result)
        with self._lock:
            if version != self._version or size > self._max_bytes:
                return
            self._drop(result.question)
            self._entries[result.question] = (result, size)
            self._bytes += size
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def _empty_if_changed(self, version: str) -> None:
        if version != self._version:
            self._version = version
            self._entries.clear()
            self._bytes = 0

    def _drop(self, question: Question) -> None:
        _, size = self._entries.pop(question, (None, 0))
        self._bytes -= size


def estimate_bytes(result: QuestionResult) -> int:
    """Estimate the bytes that a result keeps in memory: it holds whole articles."""
    if isinstance(result, NoAnswer):
        citations = [closest.citation for closest in result.closest]
    else:
        citations = [citation for answer in result.answers for citation in answer.citations]
    articles = {citation.article.id: citation.article for citation in citations}
    texts = sum(sys.getsizeof(article.text) for article in articles.values())
    return sys.getsizeof(result.question.text) + BYTES_PER_EXTRACT * (1 + len(citations)) + texts
