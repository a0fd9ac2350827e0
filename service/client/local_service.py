"""Ask the service that owns a data directory, when this process cannot open it itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote
from urllib.request import ProxyHandler

from pydantic import BaseModel

from citewire.index.data_directory import read_owner
from citewire.index.errors import ArchiveLocked, InvalidInput, UnknownArticle
from citewire.index.types import EVERY_ARTICLE, Filters
from citewire.rag.types import Question
from citewire.service.client.transport import (
    Call,
    Line,
    NotCitewire,
    NotFound,
    ServiceProblem,
    Unreachable,
)
from citewire.service.settings import ServiceSettings
from citewire.service.wire.answers import AskResponse, Ready
from citewire.service.wire.articles import BatchOutcome, KnownArticles
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.wire.search import SearchResponse

# Storing a batch takes seconds, a very long article some minutes.
STORING_TIMEOUT_SECONDS = 1800.0
# The statuses with which the service refuses a question that the library would refuse, too.
REFUSALS = (400, 413, 422)
Reply = TypeVar("Reply", bound=BaseModel)


class RunningService:
    """A service on this machine, found by the note its process left in the data directory."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = url
        # Never through a proxy: the service is on this machine.
        self._line = Line(url, api_key, ProxyHandler({}))

    def ask(self, question: str, filters: Filters = EVERY_ARTICLE) -> AskResponse:
        """Return the service's response.

        Raises:
            InvalidInput: the service refuses the question.
            ArchiveLocked: it gives no response.
        """
        asked = {"question": question} | filters_json(filters)
        return self._read(AskResponse, "/v1/ask", asked)

    def search(self, question: Question, limit: int, *, explain: bool) -> SearchResponse:
        """Return the service's response; raises as `ask` does."""
        asked = {"question": question.text, "limit": limit, "explain": explain}
        return self._read(SearchResponse, "/v1/search", asked | filters_json(question.filters))

    def verify(self, words: str, article_id: str | None) -> VerifyResponse:
        """Return the service's response; raises as `ask` does."""
        return self._read(VerifyResponse, "/v1/verify", {"quote": words, "article_id": article_id})

    def known(self, cursor: str) -> KnownArticles:
        """Return a page of what the service knows of its articles; raises as `ask` does."""
        return self._read(KnownArticles, "/v1/articles/known", {"cursor": cursor})

    def store(self, body: bytes) -> BatchOutcome:
        """Have articles stored, those of a request's body; raises as `ask` does."""
        with self._translating():
            call = Call("POST", "/v1/articles", body, STORING_TIMEOUT_SECONDS)
            return self._line.read(BatchOutcome, call)

    def remove(self, article_id: str) -> None:
        """Have an article removed; raise UnknownArticle when there is none, else as `ask`."""
        call = Call("DELETE", f"/v1/articles/{quote(article_id, safe='')}")
        with self._translating():
            try:
                with self._line.opened(call):
                    return
            except NotFound as error:
                raise UnknownArticle(article_id) from error

    def ready(self) -> Ready:
        """Return what the service says of its archive; raise ArchiveLocked when it is silent."""
        with self._translating():
            return self._line.read(Ready, Call("GET", "/health/ready"))

    def _read(self, kind: type[Reply], path: str, body: dict[str, object]) -> Reply:
        with self._translating():
            return self._line.read(kind, Call("POST", path, json.dumps(body).encode()))

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Say of a call that failed what it means for the archive."""
        try:
            yield
        except ServiceProblem as error:
            detail = error.problem.detail
            if error.problem.status in REFUSALS:
                raise InvalidInput(detail) from error
            raise ArchiveLocked(f"the service at {self.url} answers: {detail}") from error
        except NotCitewire as error:
            raise ArchiveLocked(f"the archive is in use, and {error}") from error
        except Unreachable as error:
            raise ArchiveLocked(
                f"the archive is in use by a service at {self.url} that does not answer:"
                f" {error.__cause__}"
            ) from error


def service_with(settings: ServiceSettings, locked: ArchiveLocked) -> RunningService:
    """Return the service that has the archive open; raise `locked` when what has it is none."""
    owner = read_owner(settings.data)
    if owner is None or owner.url is None:
        raise locked
    return RunningService(owner.url, settings.api_key)


def filters_json(filters: Filters) -> dict[str, object]:
    """Return the filters as a request gives them; nothing when there are none."""
    if not filters:
        return {}
    given = {
        "published_from": filters.published_from and filters.published_from.isoformat(),
        "published_to": filters.published_to and filters.published_to.isoformat(),
        "sources": sorted(filters.sources),
    }
    return {"filters": given}
