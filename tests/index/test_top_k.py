import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.top_k import top_k


@given(st.lists(st.integers(0, 4), max_size=30), st.integers(0, 32))
def test_the_highest_scores_come_first_and_of_equal_ones_the_first(
    scores: list[int], k: int
) -> None:
    expected = sorted(range(len(scores)), key=lambda position: (-scores[position], position))[:k]
    assert top_k(np.array(scores, np.float32), k).tolist() == expected
