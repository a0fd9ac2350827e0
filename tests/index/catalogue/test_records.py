from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import EncodedArticle, fingerprint
from citewire.index.types import Article

BRIDGE = Article(
    "bridge.md",
    "The bridge",
    "The bridge opened in 1894. It is old.",
    source="Tideline News",
    url="https://example.org/bridge",
    published=date(2023, 11, 9),
    author="Ana Ruiz",
)

Encode = Callable[..., EncodedArticle]
Reopen = Callable[..., Catalogue]


def test_an_unchanged_article_has_its_stored_fingerprint(
    catalogue: Catalogue, encoded: Encode
) -> None:
    catalogue.put([encoded(BRIDGE)])
    stored = {name: known.fingerprint for name, known in catalogue.known_after("", 10).items()}
    assert stored == {"bridge.md": fingerprint(replace(BRIDGE))}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Other"},
        {"text": "Other."},
        {"source": None},
        {"url": "https://example.org/other"},
        {"published": date(2023, 11, 10)},
        {"author": None},
        {"language": "de"},
    ],
)
def test_any_change_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint(replace(BRIDGE, **change)) != fingerprint(BRIDGE)


def test_a_value_in_another_field_is_another_fingerprint() -> None:
    one = replace(BRIDGE, source="Wire", author=None)
    assert fingerprint(one) != fingerprint(replace(BRIDGE, source=None, author="Wire"))
