from collections.abc import Callable
from pathlib import Path

import numpy as np

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.catalogue.stored_vectors import open_vectors
from citewire.index.types import Article
from citewire.index.vectors.rows import (
    Rows,
    map_ids,
    map_rows,
    read_rows_after,
    write_rows,
)


def test_written_rows_are_those_of_the_catalogue(
    catalogue: Catalogue, encoded: Callable[..., EncodedArticle], tmp_path: Path
) -> None:
    vectors = np.random.default_rng(1).normal(size=(1500, 8)).astype(np.float32)
    one, other = (Article(name, "T", "Some words.") for name in ("one", "other"))
    catalogue.put([encoded(one, vectors), encoded(other, vectors[:3])])
    with open_vectors(catalogue.path) as stored:
        write_rows(tmp_path / "rows", stored)
    read = read_rows_after(catalogue, 0)
    later = read_rows_after(catalogue, 1500)
    mapped = map_rows(tmp_path / "rows")
    np.testing.assert_array_equal(mapped.ids, read.ids)
    np.testing.assert_array_equal(mapped.vectors, read.vectors)
    np.testing.assert_array_equal(mapped.vectors[:1500], vectors)
    mapped.release()
    np.testing.assert_array_equal(mapped.vectors[:1500], vectors)
    np.testing.assert_array_equal(map_ids(tmp_path / "rows").ids, read.ids)
    assert later.ids.tolist() == [1501, 1502, 1503]


def test_scores_are_the_dot_products(unit: Callable[..., np.ndarray]) -> None:
    vectors = unit(*np.random.default_rng(2).normal(size=(1200, 8)))
    rows = Rows.empty().followed_by(Rows(np.arange(1, 1201), vectors))
    # Close together, then far from each other.
    chosen = np.concatenate([np.arange(20, 620), np.arange(620, 1200, 3)])
    np.testing.assert_allclose(rows.scores(vectors[7]), vectors @ vectors[7], atol=1e-6)
    np.testing.assert_allclose(
        rows.scores(vectors[7], chosen), vectors[chosen] @ vectors[7], atol=1e-6
    )
