"""Question files: one JSON object a line, or SQuAD's format.

A line has `question`, `answers` (verbatim texts; none when the archive does not say),
`article_id` where the answer stands, `kind`, which groups the rows of a table, and for a
follow-up `history`, the questions asked before it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from citewire.index.errors import InvalidInput
from citewire.index.types import Article
from citewire.rag.evaluation.squad import Example
from citewire.rag.types import Question


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question with its right answers; without any, the archive does not say."""

    text: str
    answers: tuple[str, ...]
    article_id: str | None
    kind: str
    history: tuple[str, ...] = ()


def is_squad(file: Path) -> bool:
    """Say whether the file's name is one of SQuAD's format: `.json` or `.json.gz`."""
    return file.name.endswith((".json", ".json.gz"))


def read_questions(file: Path) -> list[KnownQuestion]:
    """Read a question file; raise InvalidInput naming the first line that is not as it should."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: cannot be read: {error}") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            questions.append(known_question(fields))
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"{file}:{number}: not a question: {error!r}") from error
    if not questions:
        raise InvalidInput(f"{file}: holds no questions")
    return questions


def known_question(fields: dict[str, Any]) -> KnownQuestion:
    """Return the question that a line's fields describe; raise TypeError for wrong ones."""
    text, answers = fields["question"], fields["answers"]
    if not isinstance(text, str):
        raise TypeError(f"`question` is {text!r}, not a text")
    Question(text)
    if not isinstance(answers, list) or not all(isinstance(item, str) for item in answers):
        raise TypeError(f"`answers` is {answers!r}, not a list of texts")
    history = fields.get("history", [])
    if not isinstance(history, list) or not all(isinstance(item, str) for item in history):
        raise TypeError(f"`history` is {history!r}, not a list of texts")
    kind = str(fields.get("kind", "all"))
    return KnownQuestion(text, tuple(answers), fields.get("article_id"), kind, tuple(history))


def archive_of(
    examples: Sequence[Example], asked: Sequence[Example], kind: str
) -> tuple[list[Article], list[KnownQuestion]]:
    """Return every paragraph of the examples as an article, and the questions `asked` of them.

    A question that has no answer in its own paragraph counts as one that the archive does not
    answer.
    """
    numbers: dict[str, str] = {}
    articles = []
    for example in examples:
        if example.context not in numbers:
            numbers[example.context] = f"paragraph-{len(numbers)}"
            articles.append(Article(numbers[example.context], example.title, example.context))
    questions = [
        KnownQuestion(
            example.question,
            tuple(gold.text for gold in example.golds),
            numbers[example.context],
            kind,
        )
        for example in asked
    ]
    return articles, questions
