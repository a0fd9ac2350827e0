"""Values become wire objects whose offsets a client can trust."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Article, Span
from citewire.rag.errors import BrokenCitation
from citewire.rag.quotes.permalink import EvidenceId
from citewire.rag.types import Answers, Citation, NoAnswer
from citewire.service.wire.convert import convert_article, convert_citation, convert_result

HARBOUR = Article(
    "news/harbour.md",
    "Harbour opens",
    "🎉 Party time. Mayor Ada Quill opened the harbour on Thursday. It rained.",
)
BARE = Article("bare", "Bare", "Ada Quill spoke.")


def test_answer_carries_its_citations(answered: Answers) -> None:
    response = convert_result(answered, "r-1")

    assert response.model_dump(mode="json") == {
        "status": "answered",
        "reason": None,
        "explanation": None,
        "question": "Who opened it?",
        "answers": [
            {
                "text": "Mayor Ada Quill",
                "confidence": 0.9124,
                "likelihood": "very likely",
                "percentage": "91 %",
                "support": {"articles": 2, "text": "said by 2 articles"},
                "citations": [
                    {
                        "article_id": "news/harbour.md",
                        "article_sha256": (
                            "2a09b836241e4f3bae94e27a597ec4f08dee9c3303d4f7d0137cc6b8b658e397"
                        ),
                        "title": "Harbour opens",
                        "source": "Tideline",
                        "url": "https://example.org/harbour",
                        "published_at": "2023-11-09",
                        "start": 14,
                        "end": 29,
                        "quote": "Mayor Ada Quill",
                        "context": "Mayor Ada Quill opened the harbour on Thursday.",
                        "context_start": 14,
                        "evidence": f"/evidence/{EvidenceId.from_span(HARBOUR, Span(14, 29))}",
                    },
                    {
                        "article_id": "bare",
                        "article_sha256": (
                            "a5f65e3062ef517f938dcb4b2b1effa8004d6783ef6a602c0eb666246682a3b2"
                        ),
                        "title": "Bare",
                        "source": None,
                        "url": None,
                        "published_at": None,
                        "start": 0,
                        "end": 9,
                        "quote": "Ada Quill",
                        "context": "Ada Quill spoke.",
                        "context_start": 0,
                        "evidence": f"/evidence/{EvidenceId.from_span(BARE, Span(0, 9))}",
                    },
                ],
            }
        ],
        "closest": [],
        "searched": {"articles": 5, "passages": 5},
        "index_version": "abc-1",
        "offset_unit": "codepoint",
        "timing_ms": {"retrieve": 1.3, "read": 2.5, "total": 3.8},
        "cached": False,
        "request_id": "r-1",
    }


def test_no_answer_has_its_reason_and_the_closest_passages(not_answered: NoAnswer) -> None:
    response = convert_result(not_answered, "r-2")

    assert response.status == "no_answer"
    assert response.reason == "not_answered"
    assert response.answers == []
    (closest,) = response.closest
    assert (closest.quote, closest.start, closest.end, closest.score) == ("spoke", 10, 15, 0.1235)
    assert closest.context == "Ada Quill spoke."


def test_offsets_count_code_points_not_bytes_or_utf16_units(
    cite: Callable[[Article, str, str], Citation],
) -> None:
    article = Article("a", "A", "👩\u200d👩\u200d👧 𝕏 é said yes.")

    assert convert_citation(cite(article, "yes", "é said yes.")).start == 15


@given(st.text(min_size=1, max_size=40), st.data())
def test_every_citation_that_can_be_built_can_be_checked(text: str, data: st.DataObject) -> None:
    text = "x" + text.replace("\0", "")
    text = "".join(char for char in text if not 0xD800 <= ord(char) < 0xE000)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    first = data.draw(st.integers(0, start))
    last = data.draw(st.integers(end, len(text)))
    article = Article("a", "A", text)
    shown = convert_citation(Citation(article, Span(start, end), Span(first, last)))

    assert text[shown.start : shown.end] == shown.quote
    inside = shown.start - shown.context_start
    assert shown.context[inside : inside + len(shown.quote)] == shown.quote


def test_quote_that_is_not_the_articles_is_never_shown(answered: Answers) -> None:
    # No value of our types can be this wrong, so that a look-alike is needed.
    whole = answered.answers[0].citations[0]
    forged = SimpleNamespace(
        article=whole.article, span=whole.span, text="Mayor Bob Quill", context=whole.context
    )
    with pytest.raises(BrokenCitation, match=r"^news/harbour\.md \[14, 29\) is not its quote$"):
        convert_citation(forged)  # type: ignore[arg-type]


def test_article_is_shown_with_its_whole_text() -> None:
    article = Article("a", "A", "Text.", published=date(2023, 11, 9), author="Ada", language="de")

    assert convert_article(article).model_dump(mode="json") == {
        "id": "a",
        "title": "A",
        "source": None,
        "url": None,
        "published_at": "2023-11-09",
        "author": "Ada",
        "language": "de",
        "sha256": "f06dce27b84e18ccb3c7e94a0679c279cd42027da23bcf1e1ca1f94e365ea420",
        "text": "Text.",
        "offset_unit": "codepoint",
    }


def test_confidence_is_rounded_without_leaving_its_bounds(answered: Answers) -> None:
    certain = replace(answered.answers[0], confidence=0.99999999)

    assert convert_result(replace(answered, answers=(certain,)), "r").answers[0].confidence == 1.0
