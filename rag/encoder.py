"""A sentence-transformers model, run by ONNX Runtime: texts to unit vectors."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rag.model_files import ReadyModel
from rag.onnx_session import open_session
from rag.protocols import Vector, Vectors

# Small batches of texts of like length: a large one outgrows the processor's cache and pads.
TEXTS_PER_BATCH = 8


class OnnxEncoder:
    """Encodes questions and passages with an exported sentence-transformers model.

    Texts longer than the model reads are cut at its limit, as that library does. Vectors
    are float32 of length one (Reimers & Gurevych 2019).
    """

    def __init__(self, model: ReadyModel) -> None:
        self.identity = model.identity
        self.dimension = model.number("dimension")
        self._question_prompt = str(model.facts["question_prompt"])
        self._passage_prompt = str(model.facts["passage_prompt"])
        self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.enable_truncation(model.number("max_tokens"))
        self._tokenizer.no_padding()
        self._session = open_session(model.onnx)

    def encode_question(self, text: str) -> Vector:
        """Return the question's vector, shape (dimension,)."""
        vector: Vector = self._run([self._tokenizer.encode(self._question_prompt + text)])[0]
        return vector

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the passages' vectors, shape (texts, dimension)."""
        encodings = self._tokenizer.encode_batch([self._passage_prompt + text for text in texts])
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for rows in batches_by_length([len(encoding.ids) for encoding in encodings]):
            vectors[rows] = self._run([encodings[row] for row in rows])
        return vectors

    def _run(self, encodings: Sequence[Encoding]) -> Vectors:
        ids, mask = padded([encoding.ids for encoding in encodings])
        vectors: Vectors = self._session.run(
            ["vector"], {"input_ids": ids, "attention_mask": mask}
        )[0]
        return vectors


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the positions in batches of like length, longest first."""
    order = sorted(range(len(lengths)), key=lambda position: -lengths[position])
    for first in range(0, len(order), TEXTS_PER_BATCH):
        yield order[first : first + TEXTS_PER_BATCH]


def padded(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows as one matrix, zeros behind the shorter ones, and a mask of what is real."""
    width = max(len(row) for row in rows)
    matrix = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for number, row in enumerate(rows):
        matrix[number, : len(row)] = row
        mask[number, : len(row)] = 1
    return matrix, mask
