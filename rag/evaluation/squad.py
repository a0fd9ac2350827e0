"""Question files in SQuAD's format: questions on paragraphs, some without an answer there.

The format is that of SQuAD 2.0 (Rajpurkar 2018); a file may be gzip-compressed. In a contrast file
the same questions are asked of each of an article's paragraphs: twins, which have one title and
differ in a few words, or articles about one thing, each with its own title. There a question has a
`kind`, and in `why` the cause of its difficulty.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from citewire.index.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Gold:
    """A gold answer: its text and the offset of its start in the context, in code points."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset one past the answer's last code point."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class SquadExample:
    """A question on one paragraph; without golds it is unanswerable there.

    `article` holds every paragraph of the same article, shared by its examples; `published` is its
    day. `kind` and `cause` are what a contrast file says of its question, "" elsewhere.
    """

    id: str
    question: str
    context: str
    golds: tuple[Gold, ...]
    article: tuple[str, ...]
    title: str = ""
    published: date | None = None
    kind: str = ""
    cause: str = ""

    @property
    def twins(self) -> tuple[str, ...]:
        """The name that the same question has on every twin of its paragraph; () without twins.

        Only a contrast file's questions, which have a kind, have twins: elsewhere two paragraphs
        of an article are asked the same question by chance.
        """
        return (*self.article, self.question) if self.kind else ()


def read_examples(path: Path) -> Iterator[SquadExample]:
    """Yield the questions of a file, in file order.

    Raises:
        InvalidInput: the file cannot be read, or is not in SQuAD's format.
    """
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            entries = json.load(file)["data"]
        for entry in entries:
            article = tuple(paragraph["context"] for paragraph in entry["paragraphs"])
            for paragraph in entry["paragraphs"]:
                for qa in paragraph["qas"]:
                    yield SquadExample(
                        id=str(qa["id"]),
                        question=qa["question"].strip(),
                        context=paragraph["context"],
                        golds=() if qa.get("is_impossible", False) else parse_golds(qa["answers"]),
                        article=article,
                        title=parse_title(paragraph.get("title", entry.get("title", ""))),
                        published=parse_date(paragraph.get("date", entry.get("date"))),
                        kind=str(qa.get("kind", "")),
                        cause=str(qa.get("why", "")),
                    )
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{path}: not a question file in SQuAD's format: {error!r}") from error


# Examples of one question on several passages.
Group = tuple[SquadExample, ...]


def group_by_question(examples: Iterable[SquadExample]) -> list[Group]:
    """Group the examples of an article that ask the same question of its paragraphs."""
    groups: dict[tuple[tuple[str, ...], str], list[SquadExample]] = {}
    for example in examples:
        groups.setdefault((example.article, example.question), []).append(example)
    return [tuple(group) for group in groups.values()]


def parse_date(text: str | None) -> date | None:
    """Parse a day in ISO 8601; None where there is none.

    Raises:
        ValueError: it is no such day.
    """
    return date.fromisoformat(text) if text else None


def parse_title(title: object) -> str:
    """Parse a title, which is written as in the URLs of Wikipedia.

    >>> parse_title("/wiki/Old_bridge")
    'Old bridge'
    """
    return str(title).removeprefix("/wiki/").replace("_", " ")


def parse_golds(answers: Sequence[dict[str, Any]]) -> tuple[Gold, ...]:
    """Parse the answers, leaving out those without a text."""
    return tuple(
        Gold(answer["text"], answer["answer_start"]) for answer in answers if answer["text"]
    )
