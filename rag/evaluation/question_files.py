"""Question files: one JSON object a line (JSON Lines), or SQuAD's format.

A line has `question`, `answers` (verbatim texts; none when the archive does not answer it),
`article_id` of the article with the answer, `kind`, which groups the rows of a table, `why`, the
cause of its difficulty, and for a follow-up question `history`, the questions asked before it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from citewire.index.errors import InvalidInput
from citewire.index.types import Article
from citewire.rag.evaluation.squad import SquadExample, group_by_question
from citewire.rag.types import Question


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with its gold answers; without any, the archive does not answer it."""

    text: str
    answers: tuple[str, ...]
    article_id: str | None
    kind: str
    history: tuple[str, ...] = ()
    cause: str = ""

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """Build a question from a line's fields.

        Raises:
            KeyError, TypeError: a field is missing, or has the wrong type.
            InvalidInput: the text is not a question that can be asked.
        """
        text, answers = fields["question"], fields["answers"]
        if not isinstance(text, str):
            raise TypeError(f"`question` is {text!r}, not a text")
        Question(text)
        if not isinstance(answers, list) or not all(isinstance(item, str) for item in answers):
            raise TypeError(f"`answers` is {answers!r}, not a list of texts")
        history = fields.get("history", [])
        if not isinstance(history, list) or not all(isinstance(item, str) for item in history):
            raise TypeError(f"`history` is {history!r}, not a list of texts")
        return cls(
            text,
            tuple(answers),
            fields.get("article_id"),
            kind=str(fields.get("kind", "all")),
            history=tuple(history),
            cause=str(fields.get("why", "")),
        )


def is_squad(file: Path) -> bool:
    """Say whether the file's name is one of SQuAD's format: `.json` or `.json.gz`."""
    return file.name.endswith((".json", ".json.gz"))


def read_questions(file: Path) -> list[LabelledQuestion]:
    """Read a question file; raise InvalidInput naming the first line that is not a question."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: cannot be read: {error}") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            questions.append(LabelledQuestion.from_fields(json.loads(line)))
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"{file}:{number}: not a question: {error!r}") from error
    if not questions:
        raise InvalidInput(f"{file}: holds no questions")
    return questions


def build_archive(
    examples: Sequence[SquadExample], asked: Sequence[SquadExample], kind: str
) -> tuple[list[Article], list[LabelledQuestion]]:
    """Return every paragraph of the examples as an article, and the questions `asked` of them.

    A question without an answer in its own paragraph counts as unanswerable from the archive; in a
    contrast file, one that no paragraph answers, and it is asked once. `kind` is the kind of those
    questions whose file does not say theirs.

    Raises:
        InvalidInput: two paragraphs are twins, which contradict each other.
    """
    if any(example.kind for example in examples):
        examples, asked = require_no_twins(examples), merge_questions(examples, asked)
    numbers: dict[str, str] = {}
    articles = []
    for example in examples:
        if example.context not in numbers:
            numbers[example.context] = f"paragraph-{len(numbers)}"
            articles.append(build_article(numbers[example.context], example))
    questions = [
        LabelledQuestion(
            example.question,
            tuple(gold.text for gold in example.golds),
            numbers[example.context],
            example.kind or kind,
            cause=example.cause,
        )
        for example in asked
    ]
    return articles, questions


def build_article(name: str, example: SquadExample) -> Article:
    """Build the article of a paragraph, with its title and day."""
    return Article(name, example.title, example.context, published=example.published)


def require_no_twins(examples: Sequence[SquadExample]) -> Sequence[SquadExample]:
    """Return the examples; raise InvalidInput if two paragraphs of an article share a title."""
    titles: dict[tuple[tuple[str, ...], str], str] = {}
    for example in examples:
        known = titles.setdefault((example.article, example.title), example.context)
        if known != example.context:
            raise InvalidInput(
                f"{example.title!r}: its twins contradict each other; leave out --retrieve"
            )
    return examples


def merge_questions(
    examples: Sequence[SquadExample], asked: Sequence[SquadExample]
) -> list[SquadExample]:
    """Return each question `asked` once, on the first paragraph that answers it, with all golds."""
    merged = {}
    for group in group_by_question(examples):
        leader = next((each for each in group if each.golds), group[0])
        golds = tuple(gold for each in group for gold in each.golds)
        merged[leader.article, leader.question] = replace(leader, golds=golds)
    return [merged[key] for key in dict.fromkeys((e.article, e.question) for e in asked)]
