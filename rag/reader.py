"""An extractive question-answering model, run by ONNX Runtime: hits to extracts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag.decoding import ScoredSpan, Window, best_spans, whole_characters, without_overlaps
from rag.encoder import batches_by_length, padded
from rag.model_files import ReadyModel
from rag.onnx_session import open_session
from rag.types import Extract, Hit

# The question keeps at most this many tokens, so that the passage has room.
MAX_QUESTION_TOKENS = 96
# Neighbouring windows of a long passage share this many tokens: more than an answer has.
STRIDE_TOKENS = 64


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """A window ready to be read: which hit it is of, its tokens, and what they stand for."""

    hit: int
    encoding: Encoding
    window: Window


class OnnxReader:
    """Reads passages with an exported question-answering model."""

    def __init__(self, model: ReadyModel) -> None:
        self.identity = model.identity
        self._max_tokens = model.number("max_tokens")
        self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.no_padding()
        self._session = open_session(model.onnx)
        self._inputs = {item.name for item in self._session.get_inputs()}

    def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the best spans over all hits, best first, none overlapping another."""
        windows = [
            window
            for number, hit in enumerate(hits)
            for window in self._windows(question, hit.passage.text, number)
        ]
        found: dict[int, list[ScoredSpan]] = {number: [] for number in range(len(hits))}
        for rows in batches_by_length([len(window.encoding.ids) for window in windows]):
            batch = [windows[row] for row in rows]
            starts, ends = self._run([window.encoding for window in batch])
            for row, item in enumerate(batch):
                tokens = len(item.encoding.ids)
                found[item.hit] += best_spans(starts[row, :tokens], ends[row, :tokens], item.window)
        return extracts(hits, found)

    def _windows(self, question: str, text: str, hit: int) -> list[EncodedWindow]:
        self._tokenizer.no_truncation()
        asked = self._tokenizer.encode(question, add_special_tokens=False)
        if len(asked.ids) > MAX_QUESTION_TOKENS:
            question = question[: asked.offsets[MAX_QUESTION_TOKENS - 1][1]]
        self._tokenizer.enable_truncation(
            self._max_tokens, stride=STRIDE_TOKENS, strategy="only_second"
        )
        encoded = self._tokenizer.encode(question, text)
        return [
            EncodedWindow(hit, encoding, window_of(encoding))
            for encoding in [encoded, *encoded.overflowing]
        ]

    def _run(self, encodings: Sequence[Encoding]) -> tuple[np.ndarray, np.ndarray]:
        ids, mask = padded([encoding.ids for encoding in encodings])
        types, _ = padded([encoding.type_ids for encoding in encodings])
        named = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        starts, ends = self._session.run(
            ["start_logits", "end_logits"],
            {name: value for name, value in named.items() if name in self._inputs},
        )
        return starts, ends


def window_of(encoding: Encoding) -> Window:
    """Say which tokens an answer may begin and end with: the text's, at the edges of words."""
    of_text = np.array([sequence == 1 for sequence in encoding.sequence_ids])
    words = np.array([-1 if word is None else word for word in encoding.word_ids])
    changes = words[1:] != words[:-1]
    changes |= of_text[1:] != of_text[:-1]
    return Window(
        offsets=encoding.offsets,
        starts=of_text & np.concatenate([[True], changes]),
        ends=of_text & np.concatenate([changes, [True]]),
    )


def extracts(hits: Sequence[Hit], found: dict[int, list[ScoredSpan]]) -> list[Extract]:
    """Move the spans into their articles and keep the best of those that overlap there."""
    by_article: dict[str, list[tuple[ScoredSpan, Hit]]] = {}
    for number, hit in enumerate(hits):
        passage = hit.passage
        for scored in found[number]:
            whole = whole_characters(passage.text, scored.span)
            moved = ScoredSpan(whole.shifted(passage.span.start), scored.score)
            by_article.setdefault(passage.article.id, []).append((moved, hit))
    kept: list[Extract] = []
    for candidates in by_article.values():
        hit_of = dict(candidates)
        kept += [
            Extract(hit_of[scored], scored.span, scored.score)
            for scored in without_overlaps(list(hit_of))
        ]
    return sorted(kept, key=lambda extract: -extract.score)
