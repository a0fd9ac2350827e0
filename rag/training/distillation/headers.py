"""Titles and dates for pairs of a question and a passage, as a reader in use is given them."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache

from citewire.index.text.chunking import sentences
from citewire.rag.evaluation.squad import Example
from citewire.rag.reading.passage_header import append_header, build_header
from citewire.rag.training.distillation.readings import Reading

YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
# A news title says what happened, an encyclopedia's names a thing: half the time its first
# sentence, at most so many words, stands for a title.
LEAD_SHARE, LEAD_WORDS = 0.5, 16
DATED_SHARE = 0.4
EARLIEST, LATEST = 1990, 2025


def headers_of(examples: Iterable[Example]) -> dict[str, tuple[str, ...]]:
    """What may stand for the title of each paragraph's article."""
    return {
        example.context: (example.title, *lead(example.article[0]))
        for example in examples
        if example.title
    }


@cache
def lead(text: str) -> tuple[str, ...]:
    """The first sentence's first words, where there is one; each question of an article asks."""
    spans = sentences(text, "en")
    return (" ".join(spans[0].of(text).split()[:LEAD_WORDS]),) if spans else ()


def headed(
    readings: Iterable[Reading], headers: Mapping[str, tuple[str, ...]], share: float, seed: int
) -> Iterator[Reading]:
    """Put a header behind a share of the questions, where the passage's article has a title."""
    for reading in readings:
        rng = random.Random(f"header {seed} {reading.id} {reading.passage}")
        if reading.passage in headers and rng.random() < share:
            above = drawn(headers[reading.passage], reading.passage, rng)
            yield replace(reading, question=append_header(reading.question, above))
        else:
            yield reading


def drawn(titles: tuple[str, ...], passage: str, rng: random.Random) -> str:
    """One of the titles, sometimes with a date; no passage tells of years after its date."""
    title = titles[-1] if rng.random() < LEAD_SHARE else titles[0]
    if rng.random() >= DATED_SHARE:
        return build_header(title, None)
    told = [int(year) for year in YEAR.findall(passage)]
    year = min(max(told), LATEST) if told else rng.randint(EARLIEST, LATEST)
    return build_header(title, date(year, rng.randint(1, 12), rng.randint(1, 28)))
