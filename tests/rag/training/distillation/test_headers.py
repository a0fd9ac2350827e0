"""Passage headers behind the questions of training pairs, as a reader in use gets them."""

import random
import re
from dataclasses import replace

import pytest

from citewire.rag.evaluation.squad import Gold, SquadExample
from citewire.rag.reading.passage_header import DIVIDER
from citewire.rag.training.distillation.headers import add_headers, collect_titles, draw_header
from citewire.rag.training.distillation.recipe import PairSource, PhaseConfig, Recipe
from citewire.rag.training.distillation.text_pairs import TextPair

FIRST = "The old bridge of Pont-Nord crosses the Vire. It opened in 1894 and was repaired in 1951."
SECOND = "She wants a new bridge."


def example(context: str, title: str) -> SquadExample:
    return SquadExample("q", "Who wants it?", context, (), (FIRST, SECOND), title)


def pair(number: int, passage: str) -> TextPair:
    return TextPair(f"{number}", "Who wants it?", passage, Gold("She", 0), 1.0)


def test_a_paragraphs_titles_are_its_articles_title_and_first_sentence() -> None:
    titles = collect_titles([example(SECOND, "Pont-Nord bridge"), example("No name.", "")])
    assert titles == {
        SECOND: ("Pont-Nord bridge", "The old bridge of Pont-Nord crosses the Vire."),
    }


def test_a_share_of_the_questions_is_read_with_a_header_and_nothing_else_changes() -> None:
    titles = collect_titles([example(SECOND, "Pont-Nord bridge")])
    given = [pair(number, SECOND) for number in range(400)]
    found = list(add_headers(given, titles, 0.3, seed=1))
    changed = [both for both in zip(given, found, strict=True) if both[0] != both[1]]
    assert 0.2 < len(changed) / len(given) < 0.4
    for before, after in changed:
        question, header = after.question.split(DIVIDER)
        assert replace(after, question=question) == before
        assert header.startswith(titles[SECOND])
    assert found == list(add_headers(given, titles, 0.3, seed=1))
    assert list(add_headers([pair(1, "Elsewhere.")], titles, 1.0, seed=1)) == [
        pair(1, "Elsewhere.")
    ]


def test_no_date_is_before_a_year_that_the_passage_names() -> None:
    found = {draw_header(("Bridge",), FIRST, random.Random(seed)) for seed in range(50)}
    assert "Bridge" in found
    days = found - {"Bridge"}
    assert days
    assert all(re.fullmatch(r"Bridge, 1951-\d\d-\d\d", day) for day in days)


@pytest.mark.parametrize(("share", "titled"), [(0.5, False), (0.0, True)])
def test_a_recipe_has_both_a_share_of_headers_and_titled_sources(
    share: float, titled: bool
) -> None:
    config = PhaseConfig(1e-3, 0.01, 1, 1, 64, 0.1, 0.1)
    sources = (PairSource(("town",), 1, titled=titled),)
    with pytest.raises(ValueError, match="header_share"):
        Recipe(sources, 1, 64, 2.0, 0.9, 1, config, config, header_share=share)
