"""Ask files of known questions, of an archive or of single paragraphs, for `citewire eval`."""

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from citewire.index.errors import InvalidInput
from citewire.index.ingest.files import require_paths
from citewire.index.ingest.indexer import Indexer
from citewire.rag.evaluation.outcomes import Outcome, ask_all, read_all
from citewire.rag.evaluation.question_files import build_archive, is_squad, read_questions
from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.wiring import (
    OpenArchive,
    Pipeline,
    open_pipeline,
    open_reader,
    open_temporary_pipeline,
    put_articles,
)
from citewire.service.cli.progress import show_progress
from citewire.service.settings import ServiceSettings

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sample:
    """Which questions of a file are asked, and of which text.

    `questions` is how many are drawn at random by `seed`; 0 takes all. With `retrieve`, questions
    in SQuAD's format are asked of an archive of all the file's paragraphs, else each of its own.
    The others are asked of the user's archive, or of one of the article files in `articles`.
    """

    questions: int
    seed: int
    retrieve: bool
    articles: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.questions < 0:
            raise InvalidInput(f"--questions is {self.questions}; give 0 for all of them")

    def draw(self, items: Sequence[Item]) -> list[Item]:
        """Return the sample; its order is random too, unless all are taken."""
        if not self.questions:
            return list(items)
        return random.Random(self.seed).sample(items, min(self.questions, len(items)))

    def draw_twins(self, examples: Sequence[SquadExample]) -> list[SquadExample]:
        """Return the sample; a question is drawn with itself on all twins, as far as they fit."""
        groups: dict[tuple[str, ...], list[SquadExample]] = {}
        for number, example in enumerate(examples):
            groups.setdefault(example.twins or (str(number),), []).append(example)
        drawn = [example for group in self.draw(list(groups.values())) for example in group]
        return drawn[: self.questions] if self.questions else drawn


def ask_files(settings: ServiceSettings, files: Sequence[Path], sample: Sample) -> list[Outcome]:
    """Ask the questions of all files; one in SQuAD's format without a kind has its file's name.

    Raises:
        InvalidInput: a file cannot be used; nothing was asked.
        NotUsable: there is no archive, or a model cannot be used.
    """
    known = {file: read_questions(file) for file in files if not is_squad(file)}
    squads = {file: list(read_examples(file)) for file in files if is_squad(file)}
    if sample.articles and not known:
        raise InvalidInput("--articles is for questions in .jsonl files: name one, or leave it out")
    outcomes: list[Outcome] = []
    if known:
        with open_asked(settings, sample.articles) as pipeline:
            for questions in known.values():
                outcomes += ask_all(pipeline.answerer.answer, sample.draw(questions))
    for file, examples in squads.items():
        asked = sample.draw_twins(examples)
        kind = file.name.removesuffix(".gz").removesuffix(".json")
        if sample.retrieve:
            articles, questions = build_archive(examples, asked, kind)
            fill = partial(put_articles, articles=articles)
            with open_temporary_pipeline(settings, fill) as pipeline:
                outcomes += ask_all(pipeline.answerer.answer, questions)
        else:
            outcomes += read_all(*open_reader(settings), asked, kind)
    return outcomes


def open_asked(
    settings: ServiceSettings, paths: Sequence[Path]
) -> AbstractContextManager[Pipeline]:
    """Open the user's archive, or a temporary one of the article files at the paths."""
    if not paths:
        return open_pipeline(settings, command="eval")
    # First, so that a wrong path loads no models.
    require_paths(paths)
    return open_temporary_pipeline(settings, partial(index_all, paths=paths))


def index_all(opened: OpenArchive, paths: Sequence[Path]) -> None:
    """Index the article files; raise InvalidInput for the first article that is not usable."""
    with show_progress() as report:
        indexer = Indexer.into(opened.archive, opened.encoder, report)
        done = indexer.index(paths, prune=False)
    if done.bad:
        raise InvalidInput(f"{done.bad[0]}; an evaluation needs all of its articles")
