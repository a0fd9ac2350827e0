"""Where indexed articles go: the archive that this process owns, or a service that owns it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import Known
from citewire.index.embedding import Encoder
from citewire.index.errors import BadArticle
from citewire.index.ingest.embed import encode_articles
from citewire.index.ingest.loading import LoadedArticle
from citewire.index.text.chunking import PassageSize
from citewire.index.vectors.vector_index import VectorIndex


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch: how many passages it made, where that is known, and who was refused.

    Every article of the batch that is not among the bad is stored.
    """

    passages: int
    bad: tuple[BadArticle, ...] = ()


class Store(Protocol):
    """What an indexing run needs of an archive."""

    @property
    def characters_per_batch(self) -> int:
        """About how many characters of text are best handed over at once."""

    def known(self) -> dict[str, Known]:
        """Return what is known of every article that is stored, by id."""

    def put(self, batch: Sequence[LoadedArticle]) -> Stored:
        """Store the articles; what is returned from stays stored."""

    def remove(self, article_ids: Sequence[str]) -> None:
        """Delete the articles."""

    def finish(self) -> None:
        """Do what is only worth doing once, after all changes."""


class OwnStore:
    """The archive that this process has open."""

    # Enough to keep every core at work, few enough that a kill loses seconds of it.
    characters_per_batch = 200_000

    def __init__(
        self, catalogue: Catalogue, vectors: VectorIndex, encoder: Encoder, size: PassageSize
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._encoder = encoder
        self._size = size

    def known(self) -> dict[str, Known]:
        """Return what is known of every article that is stored, by id."""
        origins = self._catalogue.origins()
        return {
            article_id: Known(own, origins[article_id])
            for article_id, own in self._catalogue.fingerprints().items()
        }

    def put(self, batch: Sequence[LoadedArticle]) -> Stored:
        """Split, encode and store a batch, in one transaction."""
        articles = {loaded.article: str(loaded.origin) for loaded in batch}
        encoded = encode_articles(articles, self._encoder, self._size)
        self._catalogue.put(encoded)
        return Stored(sum(len(item.spans) for item in encoded))

    def remove(self, article_ids: Sequence[str]) -> None:
        """Delete the articles, in one transaction."""
        self._catalogue.remove(article_ids)

    def finish(self) -> None:
        """Build a new vector index where so much has changed that it pays."""
        if self._vectors.is_stale():
            self._vectors.rebuild()
