import gzip
import json
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import SquadExample
from citewire.rag.training.finetuning.config import Config, QuestionSource
from citewire.rag.training.finetuning.data import TrainingWindow, load_window_tokenizer
from citewire.rag.training.finetuning.mix import (
    Position,
    Rotation,
    collate,
    complete_group,
    cut_by_length,
    find_file,
    read_mix,
)


def window(length: int) -> TrainingWindow:
    return TrainingWindow((7,) * length, (0,) * length, 0, 0)


def test_rotation_gives_every_example_once_an_epoch() -> None:
    groups = [(SquadExample(str(number), "?", "", (), ()),) for number in range(5)]
    rotation = Rotation("town", groups, seed=1)
    ids = [rotation[index][0].id for index in range(10)]
    assert sorted(ids[:5]) == sorted(ids[5:]) == ["0", "1", "2", "3", "4"]
    assert ids[:5] != ids[5:]


def test_stream_from_a_position_continues_the_stream_from_the_start(
    config: Config, data: Path, tokenizer: Tokenizer
) -> None:
    stream = list(islice(read_mix(config, data, tokenizer).draw_batches(Position()), 12))
    again = list(islice(read_mix(config, data, tokenizer).draw_batches(stream[6][1]), 5))
    assert [batch.token_ids.tolist() for batch, _ in again] == [
        b.token_ids.tolist() for b, _ in stream[7:]
    ]


def test_batches_stay_within_both_limits_and_lose_nothing() -> None:
    groups = [[window(length)] for length in (9, 50, 10, 48, 11, 12)]
    batches = cut_by_length(groups, max_tokens=100, max_windows=3)
    assert [[len(f.token_ids) for f in batch] for batch in batches] == [[9, 10, 11], [12, 48], [50]]


def test_padding_is_masked() -> None:
    batch = collate([window(3), window(9)])
    assert batch.mask.sum(dim=1).tolist() == [3, 9]
    assert batch.token_ids.shape == (2, 16)


def test_source_that_the_folder_lacks_is_looked_for_among_the_shipped(tmp_path: Path) -> None:
    shipped = find_file("news_units_train", tmp_path)
    assert shipped.parent.name == "data"
    assert shipped.exists()
    own = tmp_path / "news_units_train.json.gz"
    own.touch()
    assert find_file("news_units_train", tmp_path) == own
    assert find_file("unknown", tmp_path) == tmp_path / "unknown.json.gz"


def test_windows_of_a_group_stay_in_one_batch() -> None:
    groups = [[window(9), window(40)], [window(12)], [window(10), window(11)], []]
    batches = cut_by_length(groups, max_tokens=100, max_windows=3)
    assert [[len(w.token_ids) for w in batch] for batch in batches] == [[10, 11, 12], [9, 40]]


TWINS = [
    [
        ("Ana Ruiz sued the mayor on Monday.", "Who sued the mayor?", "Ana Ruiz"),
        ("The mayor sued Ana Ruiz on Monday.", "Who sued the mayor?", None),
        ("Ana Ruiz sued the mayor on Monday.", "Who won?", None),
        ("The mayor sued Ana Ruiz on Monday.", "Who won?", None),
    ]
]


def test_answered_window_stands_before_its_twin(
    squad_file: Callable, with_changes: Callable, tokenizer: Tokenizer
) -> None:
    path = squad_file("twins.json.gz", TWINS)
    config = with_changes(
        sources=(QuestionSource(("twins",), 1, twins=True),), batch_questions=4, batch_tokens=400
    )
    mix = read_mix(config, path.parent, tokenizer)
    for batch, _ in islice(mix.draw_batches(Position()), 12):
        assert len(batch) % 2 == 0
        for answered, silent in batch.twins.tolist():
            assert silent == answered + 1
            assert batch.starts[answered] > 0
            assert batch.starts[silent] == batch.ends[silent] == 0
    assert sum(len(b.twins) for b, _ in islice(mix.draw_batches(Position()), 12)) > 0


def test_anchored_windows_are_those_of_anchored_sources_on_their_own_passages(
    config: Config, with_changes: Callable, data: Path, tokenizer: Tokenizer
) -> None:
    plain = list(islice(read_mix(config, data, tokenizer).draw_batches(Position()), 9))
    assert not any(len(batch.anchored) for batch, _ in plain)
    source = QuestionSource(("town",), 1, anchored=True)
    held = with_changes(sources=(source,), anchor_weight=1.0, negatives_share=1.0)
    batches = list(islice(read_mix(held, data, tokenizer).draw_batches(Position()), 9))
    anchored, negatives = (
        sum(len(getattr(b, n)) for b, _ in batches) for n in ("anchored", "twins")
    )
    assert anchored == sum(map(len, (batch for batch, _ in batches))) - negatives
    assert negatives > 0


def test_negatives_have_the_requested_share(
    with_changes: Callable, data: Path, tokenizer: Tokenizer
) -> None:
    config = with_changes(negatives_share=0.2, pool_questions=1000)
    mix = read_mix(config, data, tokenizer)
    rng = random.Random(0)
    completed = [
        complete_group(source, group, config.negatives_share, rng)
        for source, group in mix.draw_pool(0)
    ]
    answerable = sum(bool(group[0].golds) for group in completed)
    assert 0.1 < sum(len(group) == 2 for group in completed) / answerable < 0.3


@pytest.fixture
def long_twins(tmp_path: Path) -> Path:
    """A folder with twins of 1,000 characters, which have a title and a day."""

    def paragraph(text: str, *answers: str) -> dict:
        answered = [{"text": answer, "answer_start": text.index(answer)} for answer in answers]
        asked = {"id": text, "question": "Who sued the mayor of the river?", "answers": answered}
        return {"context": text, "qas": [asked]}

    filler = " Rain fell on the river." * 40
    twins = [
        paragraph("Ana Ruiz sued the mayor on Monday." + filler, "Ana Ruiz"),
        paragraph("The mayor sued Ana Ruiz on Monday." + filler),
    ]
    entry = {"title": "River news", "date": "2023-11-09", "paragraphs": twins}
    with gzip.open(tmp_path / "twins.json.gz", "wt", encoding="utf-8") as file:
        json.dump({"data": [entry]}, file)
    return tmp_path


def test_header_crop_and_form_change_the_question_and_never_the_answer(
    long_twins: Path, with_changes: Callable, tokenizer_file: Path
) -> None:
    config = with_changes(
        sources=(QuestionSource(("twins",), 1, twins=True),),
        vary_forms=True,
        header_share=0.5,
        cropped_share=1.0,
        max_tokens=320,
        batch_tokens=4000,
        pool_questions=100,
    )
    tokenizer = load_window_tokenizer(tokenizer_file, max_tokens=320, stride_tokens=16)
    mix = read_mix(config, long_twins, tokenizer)
    questions, answers = set(), 0
    for batch, _ in islice(mix.draw_batches(Position()), 30):
        rows = zip(batch.token_ids, batch.type_ids, batch.starts, batch.ends, strict=True)
        for ids, types, start, end in rows:
            questions.add(tokenizer.decode(ids[types == 0].tolist()).replace(" ", ""))
            if start:
                answer = tokenizer.decode(ids[start : end + 1].tolist())
                assert answer.replace("##", "").replace(" ", "") == "anaruiz"
                answers += 1
    assert answers > 20
    # Some with the header, some without; and several forms of each.
    dated = [question for question in questions if "2023" in question.replace("##", "")]
    assert 1 < len(dated) < len(questions) - 1
