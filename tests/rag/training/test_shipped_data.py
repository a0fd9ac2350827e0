"""The questions that the reader was trained on, as they are shipped."""

import re
from collections import Counter
from pathlib import Path

import pytest

from citewire.rag.evaluation.squad import group_by_question, read_examples
from citewire.rag.training import train

FILES = sorted((Path(train.__file__).parent / "data").glob("*.json.gz"))


assert len(FILES) == 9
# Questions whose answer is a list are few, and most of them have one.
# Archives have articles about one thing in place of twins.
TWINS = [file for file in FILES if not {"lists", "archives"} & set(re.split(r"[_.]", file.name))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_answer_stands_at_its_place(file: Path) -> None:
    for example in read_examples(file):
        for gold in example.golds:
            assert example.context[gold.start : gold.end] == gold.text


@pytest.mark.parametrize("file", TWINS, ids=lambda file: file.name)
def test_about_half_of_the_pairs_of_twins_have_no_answer_and_a_third_flip(
    file: Path,
) -> None:
    examples = list(read_examples(file))
    twins = [group for group in group_by_question(examples) if len(group) == 2]
    assert len(twins) > 1000
    silent = sum(not example.golds for group in twins for example in group)
    assert 0.4 < silent / sum(map(len, twins)) < 0.6
    assert sum(len({bool(e.golds) for e in group}) == 2 for group in twins) / len(twins) > 0.3


@pytest.mark.parametrize("file", TWINS, ids=lambda file: file.name)
def test_no_form_of_question_betrays_whether_there_is_an_answer(
    file: Path,
) -> None:
    examples = list(read_examples(file))
    marked = Counter((example.question.endswith("?"), bool(example.golds)) for example in examples)
    with_mark, without = (
        marked[form, True] / (marked[form, True] + marked[form, False]) for form in (True, False)
    )
    assert abs(with_mark - without) < 0.1
