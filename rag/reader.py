"""An extractive question-answering model, run by ONNX Runtime: hits to extracts."""

from collections.abc import Sequence

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag.decoding import (
    Floats,
    ScoredSpan,
    Window,
    best_spans,
    whole_characters,
    without_overlaps,
)
from rag.errors import ModelRejected
from rag.model_files import ReadyModel
from rag.onnx_session import open_session
from rag.types import Extract, Hit

# The question keeps at most this many tokens, so that the passage has room.
MAX_QUESTION_TOKENS = 96
# Neighbouring windows of a long passage share this many tokens: more than an answer has.
STRIDE_TOKENS = 64


class OnnxReader:
    """Reads passages with an exported question-answering model."""

    def __init__(self, model: ReadyModel) -> None:
        self.identity = model.identity
        # Set once and never changed: threads may share a tokenizer whose settings stay.
        self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(
            model.number("max_tokens"), stride=STRIDE_TOKENS, strategy="only_second"
        )
        self._session = open_session(model.onnx)
        self._inputs = {item.name for item in self._session.get_inputs()}
        if not {"start_logits", "end_logits"} <= {out.name for out in self._session.get_outputs()}:
            raise ModelRejected(f"{model.onnx}: is no reader: it has no start and end logits")

    def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the best spans over all hits, best first, none overlapping another."""
        asked = self._shortened(question)
        return extracts(hits, [self._spans(asked, hit.passage.text) for hit in hits])

    def _shortened(self, question: str) -> str:
        # As the second text, since that is the one that the tokenizer cuts.
        tokens = self._tokenizer.encode("", question)
        ends = [tokens.offsets[place][1] for place in places_of_second(tokens)]
        if len(ends) <= MAX_QUESTION_TOKENS:
            return question
        return question[: ends[MAX_QUESTION_TOKENS - 1]]

    def _spans(self, question: str, text: str) -> list[ScoredSpan]:
        encoded = self._tokenizer.encode(question, text)
        encodings = [encoded, *encoded.overflowing]
        # One at a time: an int8 network scales its numbers by the largest of a batch, so a
        # span's score would depend on its company; and no time goes into padding.
        return [
            scored
            for encoding, window in zip(encodings, windows_of(encodings), strict=True)
            for scored in best_spans(*self._logits(encoding), window)
        ]

    def _logits(self, encoding: Encoding) -> tuple[Floats, Floats]:
        named = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        starts, ends = self._session.run(
            ["start_logits", "end_logits"],
            {name: np.array([named[name]], np.int64) for name in self._inputs},
        )
        return starts[0], ends[0]


def places_of_second(encoding: Encoding) -> list[int]:
    """Return which tokens are of the second text."""
    return [place for place, text in enumerate(encoding.sequence_ids) if text == 1]


def windows_of(encodings: Sequence[Encoding]) -> list[Window]:
    """Say with which tokens of one text's windows an answer may begin and end: at words' edges.

    A word that the edge of a window cuts is whole in the next one.
    """
    first: dict[int | None, int] = {}
    last: dict[int | None, int] = {}
    for encoding in encodings:
        for place in places_of_second(encoding):
            word, (start, end) = encoding.word_ids[place], encoding.offsets[place]
            first[word] = min(start, first.get(word, start))
            last[word] = max(end, last.get(word, end))
    windows = []
    for encoding in encodings:
        words, offsets = encoding.word_ids, encoding.offsets
        starts, ends = np.zeros((2, len(offsets)), np.bool_)
        for place in places_of_second(encoding):
            starts[place] = offsets[place][0] == first[words[place]]
            ends[place] = offsets[place][1] == last[words[place]]
        windows.append(Window(offsets, starts, ends))
    return windows


def extracts(hits: Sequence[Hit], found: Sequence[Sequence[ScoredSpan]]) -> list[Extract]:
    """Move each hit's spans into its article and keep the best of those that overlap there."""
    by_article: dict[str, list[tuple[ScoredSpan, Hit]]] = {}
    for hit, spans in zip(hits, found, strict=True):
        passage = hit.passage
        for scored in spans:
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
