"""A sentence-transformers model, run by ONNX Runtime: texts to unit vectors."""

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer

from citewire.index.embedding import Vector, Vectors
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.models.onnx_session import Network


class OnnxEncoder:
    """Encodes questions and passages with an exported sentence-transformers model.

    Texts are truncated at the model's limit, as sentence-transformers does. Vectors
    are float32 of length one (Reimers & Gurevych 2019).
    """

    def __init__(self, model: ReadyModel) -> None:
        self.identity = model.identity
        self.dimension = model.number("dimension")
        self._question_prompt = model.text("question_prompt")
        self._passage_prompt = model.text("passage_prompt")
        self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.enable_truncation(model.number("max_tokens"))
        self._tokenizer.no_padding()
        self._network = Network(model.onnx, ["vector"])

    def encode_question(self, text: str) -> Vector:
        """Return the question's vector, shape (dimension,)."""
        return self._network.run(self._tokenizer.encode(self._question_prompt + text))[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return the passages' vectors, shape (texts, dimension)."""
        encodings = self._tokenizer.encode_batch([self._passage_prompt + text for text in texts])
        vectors = [outputs[0] for outputs in self._network.run_each(encodings)]
        return np.array(vectors, np.float32).reshape(len(texts), self.dimension)
