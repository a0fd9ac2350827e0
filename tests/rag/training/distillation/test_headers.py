"""Titles and dates behind the questions: what a reader in use would see above a passage."""

import random
import re
from dataclasses import replace

import pytest

from citewire.rag.evaluation.squad import Example, Gold
from citewire.rag.reading.passage_header import DIVIDER
from citewire.rag.training.distillation.headers import drawn, headed, headers_of
from citewire.rag.training.distillation.readings import Reading
from citewire.rag.training.distillation.recipe import Recipe, Share, Turn

FIRST = "The old bridge of Pont-Nord crosses the Vire. It opened in 1894 and was repaired in 1951."
SECOND = "She wants a new bridge."


def example(context: str, title: str) -> Example:
    return Example("q", "Who wants it?", context, (), (FIRST, SECOND), title)


def reading(number: int, passage: str) -> Reading:
    return Reading(f"{number}", "Who wants it?", passage, Gold("She", 0), 1.0)


def test_a_paragraph_stands_below_its_articles_title_or_first_sentence() -> None:
    headers = headers_of([example(SECOND, "Pont-Nord bridge"), example("No name.", "")])
    assert headers == {
        SECOND: ("Pont-Nord bridge", "The old bridge of Pont-Nord crosses the Vire."),
    }


def test_a_share_of_the_questions_is_read_with_a_header_and_nothing_else_changes() -> None:
    headers = headers_of([example(SECOND, "Pont-Nord bridge")])
    given = [reading(number, SECOND) for number in range(400)]
    found = list(headed(given, headers, 0.3, seed=1))
    changed = [pair for pair in zip(given, found, strict=True) if pair[0] != pair[1]]
    assert 0.2 < len(changed) / len(given) < 0.4
    for before, after in changed:
        question, header = after.question.split(DIVIDER)
        assert replace(after, question=question) == before
        assert header.startswith(headers[SECOND])
    assert found == list(headed(given, headers, 0.3, seed=1))
    assert list(headed([reading(1, "Elsewhere.")], headers, 1.0, seed=1)) == [
        reading(1, "Elsewhere.")
    ]


def test_no_date_lies_before_a_year_that_the_passage_tells_of() -> None:
    found = {drawn(("Bridge",), FIRST, random.Random(seed)) for seed in range(50)}
    assert "Bridge" in found
    days = found - {"Bridge"}
    assert days
    assert all(re.fullmatch(r"Bridge, 1951-\d\d-\d\d", day) for day in days)


@pytest.mark.parametrize(("share", "titled"), [(0.5, False), (0.0, True)])
def test_a_recipe_has_both_a_share_of_headers_and_titled_sources(
    share: float, titled: bool
) -> None:
    turn = Turn(1e-3, 0.01, 1, 1, 64, 0.1, 0.1)
    sources = (Share(("town",), 1, titled=titled),)
    with pytest.raises(ValueError, match="header_share"):
        Recipe(sources, 1, 64, 2.0, 0.9, 1, turn, turn, header_share=share)
