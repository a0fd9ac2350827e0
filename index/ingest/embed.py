"""Split articles into passages and encode these, ready to be stored."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Encoder
from citewire.index.text.chunking import PassageSize, build_encoder_text, split_passages
from citewire.index.types import Article


class HoldsArticle(Protocol):
    """A value that has an article."""

    @property
    def article(self) -> Article:
        """The article itself."""


Item = TypeVar("Item", bound=HoldsArticle)


def batch_articles(items: Iterable[Item], characters_per_batch: int) -> Iterator[list[Item]]:
    """Yield batches of articles with about this many characters of text together."""
    batch: list[Item] = []
    characters = 0
    for item in items:
        batch.append(item)
        characters += len(item.article.text)
        if characters >= characters_per_batch:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def encode_articles(
    articles: Mapping[Article, str], encoder: Encoder, size: PassageSize
) -> list[EncodedArticle]:
    """Split and encode the articles; each maps to its origin, the file it was loaded from."""
    cuts = {article: split_passages(article.text, article.language, size) for article in articles}
    # In one call, so that every core has work until the last passage.
    vectors = encoder.encode_passages(
        [build_encoder_text(article, span) for article, spans in cuts.items() for span in spans]
    )
    encoded, first = [], 0
    for article, spans in cuts.items():
        rows = vectors[first : first + len(spans)]
        encoded.append(EncodedArticle(article, articles[article], tuple(spans), rows))
        first += len(spans)
    return encoded
