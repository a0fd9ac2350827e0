from collections.abc import Callable, Sequence
from dataclasses import fields, replace

import pytest

from citewire.index.types import Article, Filters, Passage, Span
from citewire.rag.answerer import Answerer
from citewire.rag.query import Query
from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration
from citewire.rag.retriever_protocol import Retrieval, ScoredHit, SearchScores
from citewire.rag.types import Answers, Citation, Extract, Hit, NoAnswer, Question, Reason

# A margin is the logarithm of the odds: 0 is even.
EVEN = Calibration(0.0, (1.0, *[0.0] * (len(FEATURE_NAMES) - 1)), threshold=0.5, relevance=0.2)
ARTICLES = {
    "seoul": "Blinken arrived in Seoul. He met Park Jin there. Rain fell.",
    "talks": "The two spoke. Park Jin received him.",
    "yoon": "President Yoon saw him as well.",
}
WHO = Question("Who met Blinken?")


def hit(article: str, similarity: float = 0.7, score: float = 0.5) -> Hit:
    text = ARTICLES[article]
    return Hit(Passage(1, Article(article, "A title", text), Span(0, len(text))), score, similarity)


def extract(article: str, quote: str, margin: float, similarity: float = 0.7) -> Extract:
    start = ARTICLES[article].index(quote)
    return Extract(hit(article, similarity), Span(start, start + len(quote)), margin)


class StubRetriever:
    """Finds the same hits for every question, and remembers the questions."""

    def __init__(self, hits: Sequence[Hit]) -> None:
        self.hits = [
            ScoredHit(hit, SearchScores(hit.similarity, bm25=0.0, dense_rank=1, lexical_rank=None))
            for hit in hits
        ]
        self.asked: list[Question] = []

    def retrieve(self, question: Question, limit: int) -> Retrieval:
        self.asked.append(question)
        scored = tuple(self.hits[:limit])
        return Retrieval(Query.from_question(question), scored, 1, 2, "abc-7", elapsed_ms=0.5)


class FakeReader:
    """Knows which extracts it reads out of which hits."""

    def __init__(self, extracts: Sequence[Extract]) -> None:
        self._extracts = extracts

    def read(self, _question: str, hits: Sequence[Hit]) -> list[Extract]:
        found = [extract for extract in self._extracts if extract.hit in hits]
        return sorted(found, key=lambda extract: -extract.margin)


Ask = Callable[..., Answers | NoAnswer]


@pytest.fixture
def ask() -> Ask:
    """Answers a question from extracts; the hits are theirs."""

    def answer(
        *extracts: Extract, question: Question = WHO, calibration: Calibration = EVEN
    ) -> Answers | NoAnswer:
        retriever = StubRetriever([each.hit for each in extracts])
        return Answerer(retriever, FakeReader(extracts), calibration).answer(question)

    return answer


def texts(result: Answers | NoAnswer) -> list[str]:
    assert isinstance(result, Answers)
    return [answer.text for answer in result.answers]


def test_an_answer_is_quoted_in_its_sentence(ask: Ask) -> None:
    result = ask(extract("seoul", "Park Jin", margin=2.0))
    assert isinstance(result, Answers)
    (citation,) = result.answers[0].citations
    assert citation.text == "Park Jin"
    assert citation.context.of(ARTICLES["seoul"]) == "He met Park Jin there."


def test_an_answer_has_its_calibrated_probability(ask: Ask) -> None:
    result = ask(extract("seoul", "Park Jin", margin=2.0))
    assert isinstance(result, Answers)
    assert result.answers[0].confidence == pytest.approx(0.8807970)


def test_a_passage_with_the_questions_words_counts_for_its_answer(ask: Ask) -> None:
    weights = tuple(2.0 if name == "coverage" else 0.0 for name in FEATURE_NAMES)
    calibration = Calibration(0.0, weights, threshold=0.5, relevance=0.2)
    question = Question("Who had met Blinken when he was arriving in Busan?")
    # "met", "Blinken" and "arriving", as "arrived", stand there; "Busan" does not.
    near = ask(extract("seoul", "Park Jin", 0.0), question=question, calibration=calibration)
    far = ask(extract("talks", "Park Jin", 0.0), question=question, calibration=calibration)
    assert isinstance(near, Answers)
    assert isinstance(far, Answers)
    assert near.answers[0].confidence == pytest.approx(0.8175745)
    assert far.answers[0].confidence == pytest.approx(0.5)


def test_the_state_of_the_best_passage_counts_and_is_not_kept(ask: Ask) -> None:
    calibration = Calibration(
        0.0, (0.0,) * len(FEATURE_NAMES), threshold=0.0, relevance=0.2, cls_weights=(1.0, 0.5)
    )
    best = replace(extract("seoul", "Park Jin", 2.0), cls_vector=(1.0, 2.0))
    other = replace(extract("talks", "Park Jin", 1.0), cls_vector=(-9.0, 0.0))

    result = ask(best, other, calibration=calibration)

    assert isinstance(result, Answers)
    assert result.answers[0].confidence == pytest.approx(0.8807970)
    # Answers stay in a cache: their citations keep the quote, and nothing of the reader.
    assert [type(citation) for citation in result.answers[0].citations] == [Citation, Citation]
    assert [each.name for each in fields(Citation)] == ["article", "span", "context"]


def test_equal_answers_of_different_articles_are_one_with_a_citation_each(ask: Ask) -> None:
    result = ask(extract("seoul", "Park Jin", 2.0), extract("talks", "Park Jin", 1.0))
    assert isinstance(result, Answers)
    (answer,) = result.answers
    assert [citation.article.id for citation in answer.citations] == ["seoul", "talks"]


def test_different_answers_of_different_articles_are_all_given_best_first(ask: Ask) -> None:
    result = ask(extract("yoon", "Yoon", 1.5), extract("talks", "Park Jin", 2.0))
    assert texts(result) == ["Park Jin", "Yoon"]


def test_a_much_weaker_answer_is_not_given_as_well(ask: Ask) -> None:
    result = ask(extract("yoon", "Yoon", -5.0), extract("talks", "Park Jin", 3.0))
    assert texts(result) == ["Park Jin"]


@pytest.mark.parametrize(("at_most", "given"), [(1, ["Park Jin"]), (2, ["Park Jin", "Yoon"])])
def test_no_more_answers_are_given_than_asked_for(ask: Ask, at_most: int, given: list[str]) -> None:
    question = replace(WHO, max_answers=at_most)
    found = ask(extract("talks", "Park Jin", 2.0), extract("yoon", "Yoon", 1.9), question=question)
    assert texts(found) == given


def test_an_answer_at_the_threshold_is_given(ask: Ask) -> None:
    assert texts(ask(extract("seoul", "Park Jin", margin=0.0))) == ["Park Jin"]


def test_an_answer_below_the_threshold_is_withheld_and_shown_as_closest(ask: Ask) -> None:
    result = ask(extract("seoul", "Park Jin", margin=-2.0))
    assert isinstance(result, NoAnswer)
    assert result.reason is Reason.NOT_ANSWERED
    (closest,) = result.closest
    assert closest.citation.text == "Park Jin"
    assert closest.confidence == pytest.approx(0.1192029)


def test_the_threshold_is_the_calibrations(ask: Ask) -> None:
    lenient = replace(EVEN, threshold=0.1)
    found = ask(extract("seoul", "Park Jin", margin=-2.0), calibration=lenient)
    assert texts(found) == ["Park Jin"]


def test_two_answers_that_cannot_be_told_apart_are_withheld_together(ask: Ask) -> None:
    strict = replace(EVEN, threshold=0.6)
    result = ask(
        extract("talks", "Park Jin", 0.05), extract("yoon", "Yoon", 0.0), calibration=strict
    )
    assert isinstance(result, NoAnswer)
    assert result.reason is Reason.TOO_CLOSE
    assert [near.citation.text for near in result.closest] == ["Park Jin", "Yoon"]


def test_possible_answer_is_withheld_with_that_reason(ask: Ask) -> None:
    cautious = replace(EVEN, threshold=0.6, possible=0.1)
    result = ask(extract("seoul", "Park Jin", margin=-2.0), calibration=cautious)
    assert isinstance(result, NoAnswer)
    assert result.reason is Reason.UNCERTAIN
    assert [near.citation.text for near in result.closest] == ["Park Jin"]


def test_name_of_who_did_it_needs_more_than_other_answers(ask: Ask) -> None:
    careful = replace(EVEN, who_threshold=0.8, possible=0.33)
    near = extract("seoul", "Park Jin", margin=1.0)
    who = ask(near, calibration=careful)
    assert isinstance(who, NoAnswer)
    assert who.reason is Reason.UNCERTAIN
    assert texts(ask(near, calibration=careful, question=Question("Which minister met him?"))) == [
        "Park Jin"
    ]


def test_two_weak_answers_are_not_called_too_close(ask: Ask) -> None:
    result = ask(extract("talks", "Park Jin", -3.0), extract("yoon", "Yoon", -3.0))
    assert isinstance(result, NoAnswer)
    assert result.reason is Reason.NOT_ANSWERED


def test_without_a_hit_nothing_is_relevant(ask: Ask) -> None:
    result = ask()
    assert isinstance(result, NoAnswer)
    assert (result.reason, result.closest) == (Reason.NOTHING_RELEVANT, ())


def test_a_sure_reader_does_not_make_a_far_passage_relevant(ask: Ask) -> None:
    result = ask(extract("seoul", "Park Jin", margin=9.0, similarity=0.1))
    assert isinstance(result, NoAnswer)
    assert result.reason is Reason.NOTHING_RELEVANT


def test_at_most_three_closest_are_shown(ask: Ask) -> None:
    weak = ["Blinken", "Seoul", "Park Jin", "Rain"]
    result = ask(*(extract("seoul", quote, -3.0 - place) for place, quote in enumerate(weak)))
    assert isinstance(result, NoAnswer)
    shown = [closest.citation.text for closest in result.closest]
    assert shown == ["Blinken", "Seoul", "Park Jin"]


def test_the_question_comes_back_with_its_answer(ask: Ask) -> None:
    question = Question("Who?", Filters(sources=frozenset({"Wire"})), max_answers=3)
    assert ask(extract("seoul", "Park Jin", 2.0), question=question).question == question


def test_filters_reach_the_retriever() -> None:
    retriever = StubRetriever([])
    question = Question("Who?", Filters(sources=frozenset({"Wire"})))
    Answerer(retriever, FakeReader([]), EVEN).answer(question)
    assert retriever.asked == [question]


def test_the_retrieval_says_what_was_searched(ask: Ask) -> None:
    searched = ask(extract("seoul", "Park Jin", 2.0)).searched
    assert (searched.articles, searched.passages) == (1, 2)
    assert searched.index_version == "abc-7"
    assert searched.retrieve_ms >= 0 <= searched.read_ms
