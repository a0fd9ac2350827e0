import random
from datetime import date

import pytest

from citewire.rag.evaluation.squad import Gold, SquadExample
from citewire.rag.training.samples import draw_sample


def ask(
    question: str, title: str, text: str, article: tuple[str, ...], answer: str = ""
) -> SquadExample:
    golds = (Gold(answer, text.index(answer)),) if answer else ()
    day = date(2023, 11, 9)
    return SquadExample(f"{question}{text}", question, text, golds, article, title, day, "who")


def draw_town(number: int) -> list[SquadExample]:
    """Two articles about a town, and the second in two versions, which contradict each other."""
    report = f"Ana Ruiz opened bridge {number}."
    versions = (f"Tom Hale drew bridge {number}.", f"Tom Hale did not draw bridge {number}.")
    article = (report, *versions)
    return [
        ask(question, f"{title} {number}", text, article, answer)
        for question, answers in (
            (f"Who opened bridge {number}?", ("Ana Ruiz", "", "")),
            (f"Who drew bridge {number}?", ("", "Tom Hale", "")),
        )
        for title, text, answer in zip(
            ("Opened", "The engineer", "The engineer"), article, answers, strict=True
        )
    ]


TOWNS = [example for number in range(20) for example in draw_town(number)]


def test_one_version_of_each_article_is_indexed_and_decides_what_is_answered() -> None:
    sample = draw_sample(TOWNS, 1000, 1000, random.Random(1))
    texts = {article.text: article for article in sample.indexed}
    assert len(texts) == len(sample.indexed) == 40
    assert {article.published for article in sample.indexed} == {date(2023, 11, 9)}
    assert len(sample.questions) == 40
    for asked in sample.questions:
        number = asked.text.removesuffix("?").split()[-1]
        drawn = f"Tom Hale drew bridge {number}." in texts
        expected = ("Ana Ruiz",) if "opened" in asked.text else ("Tom Hale",) if drawn else ()
        assert asked.golds == expected
    answered = [asked for asked in sample.questions if "drew" in asked.text and asked.golds]
    assert 0 < len(answered) < 20


def test_articles_about_one_thing_are_held_out_together() -> None:
    sample = draw_sample(TOWNS, 1000, 1000, random.Random(1))
    held_out = {asked.text.split()[-1] for asked in sample.questions if asked.is_held_out}
    seen = {asked.text.split()[-1] for asked in sample.questions if not asked.is_held_out}
    assert len(held_out) == 5
    assert not held_out & seen
    assert {example.question.split()[-1] for example in sample.given} == held_out


def test_fewer_paragraphs_than_articles_leave_questions_out() -> None:
    sample = draw_sample(TOWNS, 7, 1000, random.Random(1))
    assert len(sample.indexed) == 7
    assert 0 < len(sample.questions) <= 14


def test_file_without_questions_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no questions"):
        draw_sample([], 10, 10, random.Random(1))
