"""A sentence-transformers model, run by ONNX Runtime: texts to unit vectors."""

from collections.abc import Sequence

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag.model_files import ReadyModel
from rag.onnx_session import open_session
from rag.protocols import Vector, Vectors


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
        return self._run(self._tokenizer.encode(self._question_prompt + text))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the passages' vectors, shape (texts, dimension)."""
        encodings = self._tokenizer.encode_batch([self._passage_prompt + text for text in texts])
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        # One at a time: an int8 network scales its numbers by the largest of a batch, so a
        # text's vector would depend on its company; and no time goes into padding.
        for row, encoding in enumerate(encodings):
            vectors[row] = self._run(encoding)
        return vectors

    def _run(self, encoding: Encoding) -> Vector:
        inputs = {
            "input_ids": np.array([encoding.ids], np.int64),
            "attention_mask": np.array([encoding.attention_mask], np.int64),
        }
        vector: Vector = self._session.run(["vector"], inputs)[0][0]
        return vector
