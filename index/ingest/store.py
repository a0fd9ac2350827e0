"""An article's path into an archive: is it unchanged? else split, encode and store it.

The command line and the service both store articles through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.records import Known, fingerprint
from citewire.index.embedding import Encoder
from citewire.index.ingest.embed import encode_articles
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article


class Result(StrEnum):
    """How storing an article changes the archive."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Incoming:
    """An article to be stored; `origin` is the file that it was loaded from, if any."""

    article: Article
    origin: str | None = None

    def result(self, known: Known | None) -> Result:
        """Compare with the stored article of the same id, None where there is none."""
        if known is None:
            return Result.ADDED
        same_origin = self.origin is None or self.origin == known.origin
        same = same_origin and known.fingerprint == fingerprint(self.article)
        return Result.UNCHANGED if same else Result.REPLACED


@dataclass(frozen=True, slots=True)
class Stored:
    """The result for one article, and the number of passages it was cut into if it was stored."""

    result: Result
    passages: int = 0


class ArticleStore:
    """Stores articles in an archive that this process has open."""

    def __init__(self, archive: Archive, encoder: Encoder) -> None:
        self._archive = archive
        self._encoder = encoder

    def store(self, incoming: Sequence[Incoming]) -> list[Stored]:
        """Store the changed articles in one transaction; return one result for each, in order.

        Raises:
            StorageFull: something has changed, and the disk has too little room for it.
        """
        with self._archive.reading() as snapshot:
            known = snapshot.known([item.article.id for item in incoming])
        results = [item.result(known.get(item.article.id)) for item in incoming]
        changed = {
            item.article: item.origin or ""
            for item, result in zip(incoming, results, strict=True)
            if result is not Result.UNCHANGED
        }
        if not changed:
            return [Stored(result) for result in results]
        self._archive.require_room()
        encoded = encode_articles(changed, self._encoder, PassageSize())
        self._archive.put(encoded)
        passages = {item.article.id: len(item.spans) for item in encoded}
        return [
            Stored(result, passages.get(item.article.id, 0))
            for item, result in zip(incoming, results, strict=True)
        ]
