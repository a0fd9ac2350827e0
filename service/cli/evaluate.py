"""Ask files of known questions, of an archive or of single paragraphs, for `citewire eval`."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from citewire.index.errors import InvalidInput
from citewire.rag.evaluation.outcomes import Outcome, ask_all, read_all
from citewire.rag.evaluation.question_files import build_archive, is_squad, read_questions
from citewire.rag.evaluation.squad import read_examples
from citewire.rag.wiring import open_pipeline, open_reader, open_temporary_pipeline
from citewire.service.settings import ServiceSettings

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sample:
    """Which questions of a file are asked, and of which text.

    `questions` is how many are drawn at random by `seed`; 0 takes all. With `retrieve`, questions
    in SQuAD's format are asked of an archive of all the file's paragraphs, else each of its own.
    """

    questions: int
    seed: int
    retrieve: bool

    def __post_init__(self) -> None:
        if self.questions < 0:
            raise InvalidInput(f"--questions is {self.questions}; give 0 for all of them")

    def draw(self, items: Sequence[Item]) -> list[Item]:
        """Return the sample; its order is random too, unless all are taken."""
        if not self.questions:
            return list(items)
        return random.Random(self.seed).sample(items, min(self.questions, len(items)))


def ask_files(settings: ServiceSettings, files: Sequence[Path], sample: Sample) -> list[Outcome]:
    """Ask the questions of all files; the kind of one in SQuAD's format is its file's name.

    Raises:
        InvalidInput: a file cannot be used; nothing was asked.
        NotUsable: there is no archive, or a model cannot be used.
    """
    known = {file: read_questions(file) for file in files if not is_squad(file)}
    squads = {file: list(read_examples(file)) for file in files if is_squad(file)}
    outcomes: list[Outcome] = []
    if known:
        with open_pipeline(settings, command="eval") as pipeline:
            for questions in known.values():
                outcomes += ask_all(pipeline.answerer.answer, sample.draw(questions))
    for file, examples in squads.items():
        asked, kind = sample.draw(examples), file.name.removesuffix(".gz").removesuffix(".json")
        if sample.retrieve:
            articles, questions = build_archive(examples, asked, kind)
            with open_temporary_pipeline(settings, articles) as pipeline:
                outcomes += ask_all(pipeline.answerer.answer, questions)
        else:
            outcomes += read_all(*open_reader(settings), asked, kind)
    return outcomes
