"""A made-up archive that answers a few questions."""

from collections.abc import Callable

import pytest

from citewire.index.types import Article, Span
from citewire.rag.types import (
    Answer,
    Answers,
    Citation,
    NoAnswer,
    Question,
    Reason,
    Searched,
)

SEARCHED = Searched(1, 1, "v", 0.0, 0.0)


@pytest.fixture
def answered() -> Callable[[Question, str, str], Answers]:
    """Builds a result with one answer, which is the whole text of its article."""

    def build(question: Question, text: str, article_id: str) -> Answers:
        article = Article(article_id, "A title", text)
        whole = Span(0, len(text))
        citation = Citation(article, whole, whole)
        return Answers(question, (Answer(text, 0.9, (citation,)),), SEARCHED)

    return build


@pytest.fixture
def answer(
    answered: Callable[[Question, str, str], Answers],
) -> Callable[[Question], Answers | NoAnswer]:
    """Answers when and who from `bridge`, and nothing else."""

    def ask(question: Question) -> Answers | NoAnswer:
        known = {"When?": "in 1894", "Who?": "Ana Ruiz", "What of Mars?": "It is red"}
        if question.text in known:
            return answered(question, known[question.text], "bridge")
        return NoAnswer(question, Reason.NOT_ANSWERED, (), SEARCHED)

    return ask
