"""Calls to the service that owns a data directory, which this process then cannot open."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote
from urllib.request import ProxyHandler

from citewire.index.data_directory import read_owner
from citewire.index.errors import ArchiveLocked, InvalidInput, UnknownArticle
from citewire.index.types import EVERY_ARTICLE, Filters
from citewire.rag.types import Question
from citewire.service.client.transport import (
    Call,
    NotCitewire,
    NotFound,
    Reply,
    ServiceProblem,
    Transport,
    Unreachable,
)
from citewire.service.settings import ServiceSettings
from citewire.service.wire.answers import AskResponse, Ready
from citewire.service.wire.articles import BatchOutcome, KnownArticles
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.wire.search import SearchResponse

# Seconds: a batch takes a few to store, a very long article some minutes.
STORING_TIMEOUT_SECONDS = 1800.0
# Statuses for requests that the library would refuse as well.
REFUSALS = (400, 413, 422)


class RunningService:
    """A service on this machine, whose URL is noted in its data directory."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = url
        # Never through a proxy: the service is on this machine.
        self._transport = Transport(url, api_key, ProxyHandler({}))

    def ask(self, question: str, filters: Filters = EVERY_ARTICLE) -> AskResponse:
        """Return the response of `/v1/ask`.

        Raises:
            InvalidInput: the service refuses the question.
            ArchiveLocked: it gives no response.
        """
        asked = {"question": question} | dump_filters(filters)
        return self._read(AskResponse, "/v1/ask", asked)

    def search(self, question: Question, limit: int, *, explain: bool) -> SearchResponse:
        """Return the response of `/v1/search`; raises as `ask` does."""
        asked = {"question": question.text, "limit": limit, "explain": explain}
        return self._read(SearchResponse, "/v1/search", asked | dump_filters(question.filters))

    def verify(self, words: str, article_id: str | None) -> VerifyResponse:
        """Return the response of `/v1/verify`; raises as `ask` does."""
        return self._read(VerifyResponse, "/v1/verify", {"quote": words, "article_id": article_id})

    def known(self, cursor: str) -> KnownArticles:
        """Return a page of the stored articles' fingerprints; raises as `ask` does."""
        return self._read(KnownArticles, "/v1/articles/known", {"cursor": cursor})

    def store(self, body: bytes) -> BatchOutcome:
        """Store the articles of a request's body; raises as `ask` does."""
        with self._translate_errors():
            call = Call("POST", "/v1/articles", body, STORING_TIMEOUT_SECONDS)
            return self._transport.read(BatchOutcome, call)

    def remove(self, article_id: str) -> None:
        """Remove an article; raise UnknownArticle where there is none, else as `ask` does."""
        call = Call("DELETE", f"/v1/articles/{quote(article_id, safe='')}")
        with self._translate_errors():
            try:
                with self._transport.open(call):
                    return
            except NotFound as error:
                raise UnknownArticle(article_id) from error

    def ready(self) -> Ready:
        """Return how large the archive is; raise ArchiveLocked where no response comes."""
        with self._translate_errors():
            return self._transport.read(Ready, Call("GET", "/health/ready"))

    def _read(self, kind: type[Reply], path: str, body: dict[str, object]) -> Reply:
        with self._translate_errors():
            return self._transport.read(kind, Call("POST", path, json.dumps(body).encode()))

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise the archive's errors for those of a call."""
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


def find_service(settings: ServiceSettings, locked: ArchiveLocked) -> RunningService:
    """Return the service that has the archive open; raise `locked` where no service has."""
    owner = read_owner(settings.data)
    if owner is None or owner.url is None:
        raise locked
    return RunningService(owner.url, settings.api_key)


def dump_filters(filters: Filters) -> dict[str, object]:
    """Return the filters as a part of a request's body; empty where there are none."""
    if not filters:
        return {}
    given = {
        "published_from": filters.published_from and filters.published_from.isoformat(),
        "published_to": filters.published_to and filters.published_to.isoformat(),
        "sources": sorted(filters.sources),
    }
    return {"filters": given}
