from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import SquadExample
from citewire.rag.training.finetuning.config import Config
from citewire.rag.training.finetuning.data import TrainingWindow
from citewire.rag.training.finetuning.mix import (
    Position,
    Rotation,
    collate,
    cut_by_length,
    read_mix,
)


def window(length: int) -> TrainingWindow:
    return TrainingWindow((7,) * length, (0,) * length, 0, 0)


def test_rotation_gives_every_example_once_an_epoch() -> None:
    examples = [SquadExample(str(number), "?", "", (), ()) for number in range(5)]
    rotation = Rotation("town", examples, seed=1)
    ids = [rotation[index].id for index in range(10)]
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
    windows = [window(length) for length in (9, 50, 10, 48, 11, 12)]
    batches = cut_by_length(windows, max_tokens=100, max_windows=3)
    assert [[len(f.token_ids) for f in batch] for batch in batches] == [[9, 10, 11], [12, 48], [50]]


def test_padding_is_masked() -> None:
    batch = collate([window(3), window(9)])
    assert batch.mask.sum(dim=1).tolist() == [3, 9]
    assert batch.token_ids.shape == (2, 16)
