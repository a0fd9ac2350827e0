"""Ask questions whose answers are known, and judge each result by SQuAD's rules."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from citewire.index.ingest.files import TEXT_SUFFIXES
from citewire.index.types import Article, Passage, Span
from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification
from citewire.rag.evaluation.metrics import exact_match, f1
from citewire.rag.evaluation.question_files import LabelledQuestion
from citewire.rag.evaluation.squad import SquadExample
from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.calibration import Calibration
from citewire.rag.reading.question_kind import find_kind
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
    where there is no archive. `cause` says what makes the question difficult, "" where nothing is
    said; `twins` is shared by the outcomes of one question on twin paragraphs, () without twins.
    """

    kind: str
    answerable: bool
    answered: bool
    exact: float
    f1: float
    article_first: bool | None
    confidence: float
    cause: str = ""
    twins: tuple[str, ...] = ()

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
    """Read every question on its own paragraph, without an archive.

    `kind` is the kind of those questions whose file does not say theirs.
    """
    return [
        judge_paragraph(example, read_paragraph(reader, example), calibration, kind)
        for example in examples
    ]


def read_paragraph(reader: Reader, example: SquadExample) -> Extract | None:
    """Return the best span of the example's own paragraph, None when the reader finds none.

    The paragraph has no title: a person who asks about a given paragraph gives only that.
    """
    article = Article("paragraph", "", example.context)
    passage = Passage(1, article, Span(0, len(example.context)))
    found = reader.read(example.question, [Hit(passage, score=1.0, similarity=1.0)])
    return found[0] if found else None


def judge_paragraph(
    example: SquadExample, best: Extract | None, calibration: Calibration, kind: str
) -> Outcome:
    """Compare a paragraph's best span with the gold answers, by SQuAD's rules."""
    golds = [gold.text for gold in example.golds]
    confidence = 0.0 if best is None else calibration.probability_in_paragraph(best.margin)
    return Outcome(
        example.kind or kind,
        bool(golds),
        confidence >= calibration.threshold_for(find_kind(example.question)),
        *score_answer("" if best is None else best.text, golds),
        article_first=None,
        confidence=confidence,
        cause=example.cause,
        twins=example.twins,
    )


def judge(labelled: LabelledQuestion, result: Answers | NoAnswer | Clarification) -> Outcome:
    """Compare the best candidate with the gold answers, by SQuAD's rules."""
    answered, best = isinstance(result, Answers), find_best(result)
    scores, is_first, confidence = (0.0, 0.0), False, 0.0
    if best is not None:
        citation, confidence = best
        scores = score_answer(citation.text, labelled.answers)
        is_first = answered and names_article(labelled.article_id, citation.article.id)
    return Outcome(
        labelled.kind,
        bool(labelled.answers),
        answered,
        *scores,
        article_first=is_first,
        confidence=confidence,
        cause=labelled.cause,
    )


def find_best(result: Answers | NoAnswer | Clarification) -> tuple[Citation, float] | None:
    """Return the best candidate with its confidence, whether it was given or not."""
    if isinstance(result, Answers):
        return result.answers[0].citations[0], result.answers[0].confidence
    if isinstance(result, NoAnswer) and result.closest:
        return result.closest[0].citation, result.closest[0].confidence
    return None


def names_article(name: str | None, article_id: str) -> bool:
    """Say whether a question file's name of an article means this one.

    It may leave out the ending of the article's file: `seeds/crash` means `seeds/crash.md`.
    """
    endings = ("", *TEXT_SUFFIXES)
    return name is not None and article_id in {f"{name}{ending}" for ending in endings}


def score_answer(text: str, golds: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1; both are 0 for an unanswerable question."""
    return (exact_match(text, golds), f1(text, golds)) if golds else (0.0, 0.0)
