"""Targets of an indexing run: the archive that this process owns, or a service that owns it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.records import Known
from citewire.index.embedding import Encoder
from citewire.index.errors import BadArticle
from citewire.index.ingest.loading import LoadedArticle
from citewire.index.ingest.store import ArticleStore, Incoming

# Articles per read of the fingerprints.
KNOWN_PER_READ = 10_000


@dataclass(frozen=True, slots=True)
class BatchReport:
    """How many passages a batch was cut into, where that is known, and the refused articles.

    Every article of the batch that is not among the bad is stored.
    """

    passages: int
    bad: tuple[BadArticle, ...] = ()


class Target(Protocol):
    """All that an indexing run needs of an archive."""

    @property
    def characters_per_batch(self) -> int:
        """About how many characters of text are best handed over at once."""

    def known(self) -> dict[str, Known]:
        """Return the fingerprints and origins of all stored articles, by id."""

    def put(self, batch: Sequence[LoadedArticle]) -> BatchReport:
        """Store the articles, durably on return."""

    def remove(self, article_ids: Sequence[str]) -> None:
        """Delete the articles."""

    def finish(self) -> None:
        """Do the work that pays only once, after all changes."""


class ArchiveTarget:
    """The archive that this process has open."""

    # Enough to keep every core at work, few enough that a kill loses only seconds of it.
    characters_per_batch = 200_000

    def __init__(self, archive: Archive, encoder: Encoder) -> None:
        self._archive = archive
        self._store = ArticleStore(archive, encoder)

    def known(self) -> dict[str, Known]:
        """Return the fingerprints and origins of all stored articles, by id."""
        found: dict[str, Known] = {}
        with self._archive.reading() as snapshot:
            page = snapshot.known_after("", KNOWN_PER_READ)
            while page:
                found |= page
                page = snapshot.known_after(list(page)[-1], KNOWN_PER_READ)
        return found

    def put(self, batch: Sequence[LoadedArticle]) -> BatchReport:
        """Split, encode and store a batch, in one transaction."""
        incoming = [Incoming(loaded.article, str(loaded.origin)) for loaded in batch]
        return BatchReport(sum(stored.passages for stored in self._store.store(incoming)))

    def remove(self, article_ids: Sequence[str]) -> None:
        """Delete the articles, in one transaction."""
        self._archive.remove(article_ids)

    def finish(self) -> None:
        """Build a new vector index where enough has changed that it pays."""
        self._archive.compact()
