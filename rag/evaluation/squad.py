"""Question files in SQuAD's format: questions on paragraphs, some without an answer there.

The format is that of SQuAD 2.0 (Rajpurkar 2018); a file may be gzip-compressed.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

    `article` holds every paragraph of the same article, shared by its examples.
    """

    id: str
    question: str
    context: str
    golds: tuple[Gold, ...]
    article: tuple[str, ...]
    title: str = ""


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
                        # Titles are written as in the URLs of Wikipedia.
                        title=str(entry.get("title", "")).removeprefix("/wiki/").replace("_", " "),
                    )
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{path}: not a question file in SQuAD's format: {error!r}") from error


def parse_golds(answers: Sequence[dict[str, Any]]) -> tuple[Gold, ...]:
    """Parse the answers, leaving out those without a text."""
    return tuple(
        Gold(answer["text"], answer["answer_start"]) for answer in answers if answer["text"]
    )
