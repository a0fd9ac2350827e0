"""The target of `citewire index` where a running service owns the archive."""

import json
from collections.abc import Sequence

from citewire.index.catalogue.records import Known
from citewire.index.errors import BadArticle, UnknownArticle
from citewire.index.ingest.loading import LoadedArticle
from citewire.index.ingest.target import BatchReport
from citewire.service.client.local_service import RunningService
from citewire.service.wire.articles import MAX_ARTICLES_BYTES, ArticleOutcome


class RemoteTarget:
    """The archive of a running service, reached over HTTP."""

    # One or two seconds of the service's work: progress is shown, and a kill loses little.
    characters_per_batch = 40_000

    def __init__(self, service: RunningService) -> None:
        self._service = service

    def known(self) -> dict[str, Known]:
        """Return the fingerprints and origins of all stored articles, by id."""
        found: dict[str, Known] = {}
        cursor: str | None = ""
        while cursor is not None:
            page = self._service.known(cursor)
            found |= {each.id: Known(each.fingerprint, each.origin) for each in page.articles}
            cursor = page.next_cursor
        return found

    def put(self, batch: Sequence[LoadedArticle]) -> BatchReport:
        """Store a batch; articles that the service refuses are reported as bad."""
        body = encode_batch(batch)
        if len(body) <= MAX_ARTICLES_BYTES:
            outcome = self._service.store(body)
            pairs = zip(batch, outcome.results, strict=True)
            bad = tuple(
                explain_refusal(loaded, each) for loaded, each in pairs if each.result is None
            )
            return BatchReport(outcome.passages, bad)
        if len(batch) == 1:
            reason = f"takes {len(body)} bytes; the service takes {MAX_ARTICLES_BYTES}"
            return BatchReport(0, (BadArticle(batch[0].name, reason),))
        parts = [self.put([loaded]) for loaded in batch]
        bad = tuple(each for part in parts for each in part.bad)
        return BatchReport(sum(part.passages for part in parts), bad)

    def remove(self, article_ids: Sequence[str]) -> None:
        """Delete the articles; one that is not there is passed over."""
        for article_id in article_ids:
            try:
                self._service.remove(article_id)
            except UnknownArticle:
                continue

    def finish(self) -> None:
        """Do nothing: the service maintains its indexes."""


def encode_batch(batch: Sequence[LoadedArticle]) -> bytes:
    """Write the body of the request that stores a batch."""
    articles = [
        {
            "id": loaded.article.id,
            "text": loaded.article.text,
            "title": loaded.article.title,
            "source": loaded.article.source,
            "url": loaded.article.url,
            "published_at": loaded.article.published and loaded.article.published.isoformat(),
            "author": loaded.article.author,
            "language": loaded.article.language,
            "origin": str(loaded.origin),
        }
        for loaded in batch
    ]
    return json.dumps({"articles": articles}, ensure_ascii=False).encode()


def explain_refusal(loaded: LoadedArticle, outcome: ArticleOutcome) -> BadArticle:
    """Return an article that the service refused, with its reason."""
    reason = outcome.problem.detail if outcome.problem else "the service does not take it"
    return BadArticle(loaded.name, reason)
