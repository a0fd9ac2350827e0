from collections.abc import Callable

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
