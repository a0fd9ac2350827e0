"""Split articles into passages and encode them: what an article needs before it is stored."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from citewire.index.catalogue.records import EncodedArticle
from citewire.index.embedding import Encoder
from citewire.index.text.chunking import PassageSize, encoded_text, passages
from citewire.index.types import Article


class HoldsArticle(Protocol):
    """An article with what its bearer knows of it."""

    @property
    def article(self) -> Article:
        """The article itself."""


Item = TypeVar("Item", bound=HoldsArticle)


def in_batches(items: Iterable[Item], characters_per_batch: int) -> Iterator[list[Item]]:
    """Yield the articles some at a time, about so many characters together."""
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
    """Return the articles, each with the origin it maps to, ready to be stored."""
    cuts = {article: passages(article.text, article.language, size) for article in articles}
    # All together, so that every core has work until the last passage.
    vectors = encoder.encode_passages(
        [encoded_text(article, span) for article, spans in cuts.items() for span in spans]
    )
    encoded, first = [], 0
    for article, spans in cuts.items():
        rows = vectors[first : first + len(spans)]
        encoded.append(EncodedArticle(article, articles[article], tuple(spans), rows))
        first += len(spans)
    return encoded
