"""An opened archive, as indexing and retrieval use it."""

from dataclasses import dataclass

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.embedding import Encoder
from citewire.index.vectors.vector_index import VectorIndex


@dataclass(frozen=True, slots=True)
class Archive:
    """An opened data directory, and the encoder that it was indexed with."""

    catalogue: Catalogue
    vectors: VectorIndex
    encoder: Encoder
