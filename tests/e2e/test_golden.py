"""Questions over the seed articles, answered by the real models."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from citewire.rag.evaluation.metrics import f1
from citewire.rag.settings import read_settings
from citewire.rag.types import Answers, NoAnswer, Question
from citewire.rag.wiring import Pipeline, open_pipeline

# Questions that the shipped reader gets wrong. Strict: a reader that gets one right fails here.
BEYOND_THE_READER = {
    "Where did the G7 foreign ministers meet?",
    "Why doesn't Kipchoge's Vienna run count as a world record?",
    "How far away is K2-18b?",
}
# A right answer may differ by a word from the one written here.
RIGHT_F1 = 0.6


def golden(status: str) -> list[Any]:
    """The questions of one status, each named by its text."""
    lines = (Path(__file__).parent / "golden.jsonl").read_text("utf-8").splitlines()
    entries = [entry for entry in map(json.loads, lines) if entry["status"] == status]
    miss = pytest.mark.xfail(strict=True, reason="the shipped reader gets it wrong")
    return [
        pytest.param(
            entry,
            id=entry["question"],
            marks=[miss] if entry["question"] in BEYOND_THE_READER else [],
        )
        for entry in entries
    ]


@pytest.fixture(scope="module")
def pipeline(seed_archive: Path) -> Iterator[Pipeline]:
    settings = replace(read_settings(os.environ), data=seed_archive)
    with open_pipeline(settings, command="ask") as opened:
        yield opened


@pytest.mark.parametrize("entry", golden("answered"))
def test_the_first_answer_is_right_and_cited(pipeline: Pipeline, entry: dict[str, Any]) -> None:
    result = pipeline.answerer.answer(Question(entry["question"]))
    assert isinstance(result, Answers)
    first = result.answers[0]
    cited = {citation.article.id for citation in first.citations}
    assert f1(first.text, entry["answers"]) >= RIGHT_F1
    assert cited & {f"seeds/{name}" for name in entry["articles"]}


@pytest.mark.parametrize("entry", golden("no_answer"))
def test_question_that_no_article_answers_is_not_answered(
    pipeline: Pipeline, entry: dict[str, Any]
) -> None:
    assert isinstance(pipeline.answerer.answer(Question(entry["question"])), NoAnswer)


def test_six_articles_say_who_met_park_jin(pipeline: Pipeline) -> None:
    result = pipeline.answerer.answer(Question("who met Park Jin?"))
    assert isinstance(result, Answers)
    assert "Blinken" in result.answers[0].text
    assert result.answers[0].supporting_articles >= 2


def test_two_briefs_that_disagree_are_both_answers(pipeline: Pipeline) -> None:
    question = Question("How many people died in the Magnitogorsk building collapse?")
    result = pipeline.answerer.answer(question)
    assert isinstance(result, Answers)
    assert {"31", "39"} <= {answer.text.removeprefix("At least ") for answer in result.answers}
