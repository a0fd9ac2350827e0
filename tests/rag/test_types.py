from dataclasses import replace

import pytest

from citewire.index.errors import InvalidInput
from citewire.index.types import Article, Passage, Span
from citewire.rag.types import Answer, Answers, Citation, Extract, Hit, Question, Searched

ARTICLE = Article("bridge", "A bridge", "The bridge opened in 1894. It is old.")
PASSAGE = Passage(1, ARTICLE, Span(0, 26))
EXTRACT = Extract(Hit(PASSAGE, 1.0, 0.9), Span(21, 25), 2.0)
CITATION = Citation(ARTICLE, Span(21, 25), Span(0, 26))


def test_an_extract_is_its_stretch_of_the_article() -> None:
    assert (EXTRACT.text, EXTRACT.article) == ("1894", ARTICLE)


def test_an_extract_outside_of_its_passage_is_refused() -> None:
    with pytest.raises(InvalidInput, match="leaves its passage"):
        Extract(Hit(PASSAGE, 1.0, 0.9), Span(21, 28), 2.0)


def test_a_context_without_its_quote_is_refused() -> None:
    with pytest.raises(InvalidInput, match="does not hold its quote"):
        Citation(ARTICLE, Span(21, 25), Span(22, 26))


def test_citation_comes_in_its_sentence() -> None:
    article = Article("a", "A", "It rained. The bridge closed. It snowed.")
    found = Citation.in_sentence(article, Span(15, 21))

    assert (found.text, found.context.of(article.text)) == ("bridge", "The bridge closed.")


@pytest.mark.parametrize(("span", "context"), [((0, 9), (0, 9)), ((0, 3), (1, 5))])
def test_citation_outside_its_article_or_context_cannot_be_built(
    span: tuple[int, int], context: tuple[int, int]
) -> None:
    with pytest.raises(InvalidInput):
        Citation(Article("a", "A", "abcdef"), Span(*span), Span(*context))


def test_an_answer_without_a_citation_is_refused() -> None:
    with pytest.raises(InvalidInput, match="needs a citation"):
        Answer("1894", 0.5, ())


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_probability_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidInput, match="not a probability"):
        Answer("1894", confidence, (CITATION,))


def test_support_counts_articles_and_not_citations() -> None:
    again = Citation(replace(ARTICLE, id="river"), Span(21, 25), Span(0, 26))
    assert Answer("1894", 0.5, (CITATION, CITATION, again)).supporting_articles == 2


def test_answers_without_an_answer_are_refused() -> None:
    with pytest.raises(InvalidInput, match="NoAnswer"):
        Answers(Question("when?"), (), Searched(0, 0, "v", 0.0, 0.0))


@pytest.mark.parametrize("text", ["", " \n", "who\0?", "who\udfff?", "a" * 1001])
def test_a_question_that_cannot_be_asked_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="the question"):
        Question(text)


@pytest.mark.parametrize("max_answers", [0, 11, -1])
def test_a_number_of_answers_out_of_range_is_refused(max_answers: int) -> None:
    with pytest.raises(InvalidInput, match="it goes from 1 to 10"):
        Question("who?", max_answers=max_answers)


def test_the_longest_question_and_both_ends_of_the_range_are_accepted() -> None:
    asked = [Question("a" * 1000, max_answers=number) for number in (1, 10)]
    assert [question.max_answers for question in asked] == [1, 10]
