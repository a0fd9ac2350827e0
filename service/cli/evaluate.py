"""What `citewire eval` measures: files of known questions, asked of an archive or a paragraph."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from citewire.index.errors import InvalidInput
from citewire.rag.evaluation.question_files import archive_of, is_squad, read_questions
from citewire.rag.evaluation.report import Outcome, ask_all, read_all
from citewire.rag.evaluation.squad import read_examples
from citewire.rag.wiring import open_library, open_reader, temporary_library
from citewire.service.settings import ServiceSettings

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sample:
    """Which questions of a file are asked, and of what.

    `questions` random ones by `seed`, all for 0; those in SQuAD's format with `retrieve` of an
    archive of the file's paragraphs, else each of its own paragraph.
    """

    questions: int
    seed: int
    retrieve: bool

    def __post_init__(self) -> None:
        if self.questions < 0:
            raise InvalidInput(f"--questions is {self.questions}; give 0 for all of them")

    def of(self, items: Sequence[Item]) -> list[Item]:
        """Return the chosen ones of a file, in an order of their own."""
        if not self.questions:
            return list(items)
        return random.Random(self.seed).sample(items, min(self.questions, len(items)))


def outcomes_of(settings: ServiceSettings, files: Sequence[Path], sample: Sample) -> list[Outcome]:
    """Ask the questions of all files; those of a file in SQuAD's format bear its name as kind.

    Raises:
        InvalidInput: a file cannot be used; nothing was asked.
        NotUsable: there is no archive, or a model cannot be used.
    """
    known = {file: read_questions(file) for file in files if not is_squad(file)}
    squads = {file: list(read_examples(file)) for file in files if is_squad(file)}
    outcomes: list[Outcome] = []
    if known:
        with open_library(settings, command="eval") as library:
            for questions in known.values():
                outcomes += ask_all(library.answerer.answer, sample.of(questions))
    for file, examples in squads.items():
        asked, kind = sample.of(examples), file.name.removesuffix(".gz").removesuffix(".json")
        if sample.retrieve:
            articles, questions = archive_of(examples, asked, kind)
            with temporary_library(settings, articles) as library:
                outcomes += ask_all(library.answerer.answer, questions)
        else:
            outcomes += read_all(*open_reader(settings), asked, kind)
    return outcomes
