"""Passage headers for training pairs: the article's title, often with a date, as in use."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache

from citewire.index.text.chunking import split_sentences
from citewire.rag.evaluation.squad import SquadExample
from citewire.rag.reading.passage_header import append_header, build_header
from citewire.rag.training.distillation.text_pairs import TextPair

YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
# Share of the headers that take the article's first sentence as its title, cut to this many words:
# a news title says what happened, an encyclopedia's only names the subject.
LEAD_SHARE, LEAD_WORDS = 0.5, 16
# Share of the headers with a date.
DATED_SHARE = 0.4
# First and last year of the dates.
EARLIEST, LATEST = 1990, 2025


def collect_titles(examples: Iterable[SquadExample]) -> dict[str, tuple[str, ...]]:
    """Collect for each paragraph its article's title and, if there is one, its lead."""
    return {
        example.context: (example.title, *find_lead(example.article[0]))
        for example in examples
        if example.title
    }


@cache
def find_lead(text: str) -> tuple[str, ...]:
    """Return the start of the first sentence, if any; cached, as an article has many pairs."""
    spans = split_sentences(text, "en")
    return (" ".join(spans[0].of(text).split()[:LEAD_WORDS]),) if spans else ()


def add_headers(
    pairs: Iterable[TextPair], titles: Mapping[str, tuple[str, ...]], share: float, seed: int
) -> Iterator[TextPair]:
    """Append a header to a share of the questions whose passage has a title."""
    for pair in pairs:
        rng = random.Random(f"header {seed} {pair.id} {pair.passage}")
        if pair.passage in titles and rng.random() < share:
            drawn = draw_header(titles[pair.passage], pair.passage, rng)
            yield replace(pair, question=append_header(pair.question, drawn))
        else:
            yield pair


def draw_header(titles: tuple[str, ...], passage: str, rng: random.Random) -> str:
    """Draw a title, sometimes with a date; no date is before a year that the passage names."""
    title = titles[-1] if rng.random() < LEAD_SHARE else titles[0]
    if rng.random() >= DATED_SHARE:
        return build_header(title, None)
    years = [int(year) for year in YEAR.findall(passage)]
    year = min(max(years), LATEST) if years else rng.randint(EARLIEST, LATEST)
    return build_header(title, date(year, rng.randint(1, 12), rng.randint(1, 28)))
