from collections.abc import Callable

import pytest

from citewire.rag.evaluation.outcomes import ask_all
from citewire.rag.evaluation.question_files import LabelledQuestion
from citewire.rag.types import Answers, NoAnswer, Question


def test_follow_up_is_asked_through_the_conversation(
    answered: Callable[[Question, str, str], Answers],
) -> None:
    asked = []

    def remember(question: Question) -> Answers | NoAnswer:
        asked.append(question.text)
        return answered(question, "Ana Ruiz", "bridge")

    history = ("Who built the bridge?",)
    ask_all(remember, [LabelledQuestion("how old was she?", ("31",), None, "followup", history)])

    assert asked == ["Who built the bridge?", "How old was Ana Ruiz?"]


def test_follow_up_that_is_asked_back_counts_as_refused(
    answer: Callable[[Question], Answers | NoAnswer],
) -> None:
    known = LabelledQuestion("how old was she?", ("31",), None, "followup", ("When did it rain?",))
    (outcome,) = ask_all(answer, [known])

    assert (outcome.answered, outcome.exact, outcome.confidence) == (False, 0.0, 0.0)


@pytest.mark.parametrize(
    ("named", "is_first"),
    [
        ("seeds/bridge.md", True),
        ("seeds/bridge", True),
        ("seeds/bri", False),
        ("bridge.md", False),
        (None, False),
    ],
)
def test_a_question_names_its_article_with_or_without_the_ending_of_its_file(
    answered: Callable[[Question, str, str], Answers], named: str | None, is_first: bool
) -> None:
    def ask(question: Question) -> Answers:
        return answered(question, "in 1894", "seeds/bridge.md")

    (outcome,) = ask_all(ask, [LabelledQuestion("When?", ("in 1894",), named, "when")])

    assert outcome.article_first is is_first
