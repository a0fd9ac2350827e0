"""Ask questions whose answers are known, and judge each result by SQuAD's rules."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from citewire.index.types import Article, Passage, Span
from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification
from citewire.rag.evaluation.metrics import exact_match, f1
from citewire.rag.evaluation.question_files import LabelledQuestion
from citewire.rag.evaluation.squad import SquadExample
from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.calibration import Calibration
from citewire.rag.types import Answers, Citation, Extract, Hit, NoAnswer, Question

# Token F1 with a gold answer from which on an answer counts as right: its exact borders are a
# matter of taste.
RIGHT_F1 = 0.6

Ask = Callable[[Question], Answers | NoAnswer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The judged result of one question: scores in [0, 1].

    `exact` and `f1` are those of the best candidate, whether it was given or not, and 0 for an
    unanswerable question; `article_first` says whether the right article is cited first, None
    where there is no archive.
    """

    kind: str
    answerable: bool
    answered: bool
    exact: float
    f1: float
    article_first: bool | None
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the best candidate says the same as a gold answer."""
        return self.f1 >= RIGHT_F1


def ask_all(ask: Ask, questions: Iterable[LabelledQuestion]) -> list[Outcome]:
    """Ask an archive every question, a follow-up question through its conversation."""
    return [judge(labelled, ask_in_conversation(ask, labelled)) for labelled in questions]


def ask_in_conversation(ask: Ask, labelled: LabelledQuestion) -> Answers | NoAnswer | Clarification:
    """Ask a question after its history, each question rewritten with those before it."""
    if not labelled.history:
        return ask(Question(labelled.text))
    given: list[str] = []
    for turn in range(len(labelled.history)):
        result = ask_rewritten(ask, labelled.history[: turn + 1], given)
        given.append(result.answers[0].text if isinstance(result, Answers) else "")
    return ask_rewritten(ask, [*labelled.history, labelled.text], given)


def ask_rewritten(
    ask: Ask, questions: Sequence[str], answers: Sequence[str]
) -> Answers | NoAnswer | Clarification:
    """Ask the last question as it is rewritten, unless it needs a clarification."""
    rewritten = rewrite_last(questions, answers)
    return rewritten if isinstance(rewritten, Clarification) else ask(Question(rewritten.question))


def read_all(
    reader: Reader, calibration: Calibration, examples: Iterable[SquadExample], kind: str
) -> list[Outcome]:
    """Read every question on its own paragraph, without an archive."""
    outcomes = []
    for example in examples:
        golds = [gold.text for gold in example.golds]
        best = read_paragraph(reader, example)
        confidence = 0.0 if best is None else calibration.probability_in_paragraph(best.margin)
        answered = confidence >= calibration.threshold
        scores = score_answer("" if best is None else best.text, golds)
        outcomes.append(Outcome(kind, bool(golds), answered, *scores, None, confidence))
    return outcomes


def read_paragraph(reader: Reader, example: SquadExample) -> Extract | None:
    """Return the best span of the example's own paragraph, None when the reader finds none.

    The paragraph has no title: a person who asks about a given paragraph gives only that.
    """
    article = Article("paragraph", "", example.context)
    passage = Passage(1, article, Span(0, len(example.context)))
    found = reader.read(example.question, [Hit(passage, score=1.0, similarity=1.0)])
    return found[0] if found else None


def judge(labelled: LabelledQuestion, result: Answers | NoAnswer | Clarification) -> Outcome:
    """Compare the best candidate with the gold answers, by SQuAD's rules."""
    answered = isinstance(result, Answers)
    candidates: list[tuple[Citation, float]]
    if isinstance(result, Clarification):
        candidates = []
    elif isinstance(result, Answers):
        candidates = [(given.citations[0], given.confidence) for given in result.answers]
    else:
        candidates = [(weak.citation, weak.confidence) for weak in result.closest]
    if not candidates:
        return Outcome(labelled.kind, bool(labelled.answers), answered, 0.0, 0.0, False, 0.0)
    citation, confidence = candidates[0]
    return Outcome(
        labelled.kind,
        bool(labelled.answers),
        answered,
        *score_answer(citation.text, labelled.answers),
        article_first=answered and citation.article.id == labelled.article_id,
        confidence=confidence,
    )


def score_answer(text: str, golds: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1; both are 0 for an unanswerable question."""
    return (exact_match(text, golds), f1(text, golds)) if golds else (0.0, 0.0)
