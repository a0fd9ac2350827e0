"""A link to a quote leads to the quote's present place, never to the link's own claims."""

import base64
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.archive.protocol import Archive
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article, Span
from citewire.rag.errors import UnknownEvidence
from citewire.rag.quotes.evidence import State, look_up
from citewire.rag.quotes.permalink import EvidenceId, parse_evidence_id

TEXT = "The mayor opened the bridge. Later the mayor slept. The bridge is old."
BRIDGE = Article("bridge.md", "The bridge", TEXT)
SECOND_MAYOR = Span(TEXT.rindex("mayor"), TEXT.rindex("mayor") + 5)
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))

Encode = Callable[..., EncodedArticle]


def test_quote_of_an_unchanged_article_is_in_its_place(archive: Archive, encoded: Encode) -> None:
    archive.put([encoded(BRIDGE)])
    evidence = look_up(EvidenceId.from_span(BRIDGE, SECOND_MAYOR), archive)

    assert evidence.state is State.OK
    assert evidence.citation is not None
    assert evidence.citation.span == SECOND_MAYOR


def test_moved_quote_is_found_by_the_text_around_it(archive: Archive, encoded: Encode) -> None:
    link = EvidenceId.from_span(BRIDGE, SECOND_MAYOR)
    text = "Corrected. Later the mayor slept well. The mayor opened the bridge. The mayor left."
    archive.put([encoded(replace(BRIDGE, text=text))])
    evidence = look_up(link, archive)

    assert evidence.state is State.MOVED
    assert evidence.citation is not None
    assert evidence.citation.span == Span(21, 26)


def test_among_places_alike_the_nearest_is_meant(archive: Archive, encoded: Encode) -> None:
    article = replace(BRIDGE, text="x mayor y x mayor y x mayor y")
    link = EvidenceId.from_span(article, Span(12, 17))
    archive.put([encoded(replace(article, text=article.text + " z"))])
    evidence = look_up(link, archive)

    assert evidence.citation is not None
    assert evidence.citation.span == Span(12, 17)


def test_quote_that_is_gone_is_not_shown(archive: Archive, encoded: Encode) -> None:
    link = EvidenceId.from_span(BRIDGE, SECOND_MAYOR)
    archive.put([encoded(replace(BRIDGE, text="A ship came."))])
    evidence = look_up(link, archive)

    assert (evidence.state, evidence.citation) == (State.CHANGED, None)


def test_nothing_is_known_of_a_removed_article(archive: Archive, encoded: Encode) -> None:
    archive.put([encoded(BRIDGE)])
    archive.remove(["bridge.md"])
    evidence = look_up(EvidenceId.from_span(BRIDGE, SECOND_MAYOR), archive)

    assert (evidence.state, evidence.article, evidence.citation) == (State.REMOVED, None, None)


def test_article_that_comes_back_makes_the_link_good_again(
    archive: Archive, encoded: Encode
) -> None:
    link = EvidenceId.from_span(BRIDGE, SECOND_MAYOR)
    archive.put([encoded(replace(BRIDGE, text="A ship came."))])
    archive.put([encoded(BRIDGE)])

    assert look_up(link, archive).state is State.OK


def test_link_with_other_words_in_the_quotes_place_is_refused(
    archive: Archive, encoded: Encode
) -> None:
    archive.put([encoded(BRIDGE)])
    forged = replace(EvidenceId.from_span(BRIDGE, SECOND_MAYOR), quote="thief")

    with pytest.raises(UnknownEvidence, match="never at this place"):
        look_up(forged, archive)


@given(st.text(max_size=20), st.integers(0, 80), st.text("0123456789abcdef", max_size=32))
def test_only_words_of_the_archive_are_shown_for_any_link(
    quote: str, start: int, digest: str
) -> None:
    class Holding:
        def reading(self) -> AbstractContextManager["Holding"]:
            return nullcontext(self)

        def article(self, _: str) -> Article:
            return BRIDGE

    forged = EvidenceId("bridge.md", digest, start, quote or "mayor", "x", "y")
    evidence = look_up(forged, Holding())  # type: ignore[arg-type]
    if evidence.citation is not None:
        assert evidence.citation.text == forged.quote
        assert forged.quote in TEXT


@given(STORABLE.filter(bool), STORABLE.filter(str.strip), st.data())
def test_link_is_read_as_it_was_written(article_id: str, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    span = Span(start, data.draw(st.integers(start + 1, len(text))))
    link = EvidenceId.from_span(Article(article_id, "T", text), span)

    assert parse_evidence_id(str(link)) == link
    assert str(link).isascii()


def test_link_does_not_depend_on_the_archive_or_the_day() -> None:
    assert parse_evidence_id(str(EvidenceId.from_span(BRIDGE, SECOND_MAYOR))) == EvidenceId(
        "bridge.md",
        BRIDGE.digest[:32],
        39,
        "mayor",
        " opened the bridge. Later the "[-24:],
        " slept. The bridge is ol",
    )


def packed(content: object) -> str:
    text = json.dumps(content, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


WHOLE = str(EvidenceId.from_span(BRIDGE, SECOND_MAYOR))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "mayor",
        WHOLE[:-2],
        WHOLE + "A",
        WHOLE + "==",
        " " + WHOLE,
        "é",
        packed([]),
        packed({"a": 1}),
        packed(["a", "b", -1, "q", "", ""]),
        packed(["a", "b", 1.5, "q", "", ""]),
        packed(["a", "b", True, "q", "", ""]),
        packed(["a", "b", 1, "", "", ""]),
        packed(["", "b", 1, "q", "", ""]),
        packed(["a", "b", 1, "q\0", "", ""]),
        packed(["a", "b", 1, 2, "", ""]),
        packed([["a"], "b", 1, "q", "", ""]),
        packed(["a", "b", 1, "q", "", "", ""]),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
    ],
)
def test_a_text_that_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(UnknownEvidence):
        parse_evidence_id(text)
