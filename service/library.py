"""Citewire as a Python library: an archive that this process opens, and the wire's objects.

`import citewire` gives the names of this module.

    >>> import citewire
    >>> with citewire.open_archive("data", create=True) as archive:  # doctest: +SKIP
    ...     archive.index("news")
    ...     archive.ask("who met Park Jin?").answers[0].text
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from citewire.index.errors import InvalidInput
from citewire.index.ingest.indexer import Indexer, Progress, Report
from citewire.index.types import EVERY_ARTICLE, Filters
from citewire.rag.quotes.verification import Verifier
from citewire.rag.settings import Settings
from citewire.rag.types import DEFAULT_ANSWERS, DEFAULT_HITS, Question
from citewire.rag.wiring import (
    OpenArchive,
    Pipeline,
    open_archive_read_only,
    open_owned_archive,
    open_with_reader,
)
from citewire.service.settings import read_service_settings
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.articles import ArticleOut
from citewire.service.wire.convert import (
    convert_article,
    convert_result,
    convert_search,
    convert_verdict,
)
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.wire.search import MAX_HITS, SearchResponse


def ignore_progress(_progress: Progress) -> None:
    """Let the progress of an indexing run pass unseen."""


@contextmanager
def open_archive(
    data: Path | str | None = None, *, create: bool = False, read_only: bool = False
) -> Iterator["Archive"]:
    """Open the archive in a data directory, and close it on leaving the context.

    The environment's `CITEWIRE_*` variables apply as they do to the command line; `data` goes
    before CITEWIRE_DATA. One process owns a data directory: a second one opens it `read_only`.
    `create` begins an archive where there is none.

    Raises:
        NotUsable: there is no archive, it is damaged or in use, or a model cannot be used.
        InvalidInput: a variable is unknown or has a value out of range, or both flags are given.
    """
    settings = read_service_settings(os.environ, None if data is None else Path(data))
    if read_only and create:
        raise InvalidInput("an archive that is only read cannot be created; give one of the two")
    if read_only:
        opening = open_archive_read_only(settings)
    else:
        opening = open_owned_archive(settings, command="library", create=create)
    with opening as opened, ExitStack() as stack:
        yield Archive(opened, settings, stack)


class Archive:
    """An open archive: articles go in, verbatim and cited answers come out.

    Its answers are the objects of the HTTP API, with `model_dump()` and `model_dump_json()`.
    Threads may share it, except for `index`.
    """

    def __init__(self, opened: OpenArchive, settings: Settings, stack: ExitStack) -> None:
        self._opened = opened
        self._settings = settings
        self._stack = stack
        self._pipeline: Pipeline | None = None
        # Threads that ask their first questions at once load one reader.
        self._opening = threading.Lock()

    def index(
        self,
        *paths: Path | str,
        prune: bool = False,
        progress: Callable[[Progress], None] = ignore_progress,
    ) -> Report:
        """Store the articles in files and folders; unchanged ones are skipped.

        With `prune`, articles that once came from the paths and are gone are removed. The
        report counts them, and has a BadArticle for each that could not be used.

        Raises:
            InvalidInput: a path does not exist; nothing was done.
            ReadOnlyArchive: the archive was opened only to be read.
        """
        indexer = Indexer.into(self._opened.archive, self._opened.encoder, progress)
        return indexer.index([Path(path) for path in paths], prune=prune)

    def ask(
        self,
        question: str,
        *,
        filters: Filters = EVERY_ARTICLE,
        max_answers: int = DEFAULT_ANSWERS,
    ) -> AskResponse:
        """Answer with verbatim, cited spans, or say that the archive does not and why.

        Raises:
            InvalidInput: the question is empty or too long, or `max_answers` is not 1 to 10.
        """
        asked = Question(question, filters, max_answers)
        return convert_result(self._open_pipeline().answerer.answer(asked), new_id())

    def search(
        self,
        question: str,
        *,
        limit: int = DEFAULT_HITS,
        filters: Filters = EVERY_ARTICLE,
        explain: bool = False,
    ) -> SearchResponse:
        """Return at most `limit` passages that are worth reading for the question, best first.

        With `explain`, each has its scores and ranks in dense and lexical search.

        Raises:
            InvalidInput: the question is empty or too long, or `limit` is not 1 to MAX_HITS.
        """
        if not 1 <= limit <= MAX_HITS:
            raise InvalidInput(f"limit is {limit}; it goes from 1 to {MAX_HITS}")
        found = self._opened.retriever.retrieve(Question(question, filters), limit)
        return convert_search(found, new_id(), explain=explain)

    def verify(self, quote: str, *, article_id: str | None = None) -> VerifyResponse:
        """Say whether the archive holds a quote word for word, and where; no model is asked.

        Raises:
            InvalidInput: the quote is empty or too long.
        """
        archive = self._opened.archive
        with archive.reading() as snapshot:
            verdict = Verifier(archive).verify(quote, article_id)
            return convert_verdict(verdict, snapshot, new_id())

    def article(self, article_id: str) -> ArticleOut:
        """Return an article's canonical text, to which all offsets refer.

        Raises:
            UnknownArticle: the archive holds no article of this id.
        """
        with self._opened.archive.reading() as snapshot:
            return convert_article(snapshot.article(article_id))

    def _open_pipeline(self) -> Pipeline:
        """Load the reader for the first question: indexing and searching need none."""
        with self._opening:
            if self._pipeline is None:
                opening = open_with_reader(self._settings, nullcontext(self._opened))
                self._pipeline = self._stack.enter_context(opening)
            return self._pipeline


def new_id() -> str:
    """Return an id for one request."""
    return uuid.uuid4().hex
