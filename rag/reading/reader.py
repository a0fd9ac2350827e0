"""An extractive question-answering model, run by ONNX Runtime: hits to extracts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from tokenizers import Encoding, Tokenizer

from citewire.index.types import Article
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.models.onnx_session import Network
from citewire.rag.reading.decoding import Floats, ScoredSpan, Window, best_spans, whole_characters
from citewire.rag.reading.grouping import apart
from citewire.rag.reading.passage_header import below_header, header
from citewire.rag.types import Extract, Hit

# The question keeps at most this many tokens, so that the passage has room.
MAX_QUESTION_TOKENS = 96
# Neighbouring windows of a long passage share this many tokens: half of them hold an answer.
STRIDE_TOKENS = 64
# The longest question, an overlap, and as much again that is new in every window.
MIN_WINDOW_TOKENS = MAX_QUESTION_TOKENS + 2 * STRIDE_TOKENS


@dataclass(frozen=True, slots=True)
class Found:
    """A span that a window proposes, and the window's last hidden vector at [CLS]."""

    scored: ScoredSpan
    cls_vector: tuple[float, ...]


class OnnxReader:
    """Reads passages with an exported question-answering model."""

    def __init__(self, model: ReadyModel) -> None:
        self.identity = model.identity
        # Set once and never changed: threads may share a tokenizer whose settings stay.
        self._tokenizer = Tokenizer.from_file(str(model.tokenizer))
        self._tokenizer.no_padding()
        max_tokens = model.number("max_tokens")
        if max_tokens < MIN_WINDOW_TOKENS:
            raise ModelRejected(
                f"{model.folder}: reads {max_tokens} tokens at once; a reader needs"
                f" {MIN_WINDOW_TOKENS}"
            )
        self._tokenizer.enable_truncation(max_tokens, stride=STRIDE_TOKENS, strategy="only_second")
        self._reads_titles = model.flag("reads_titles")
        self._network = Network(model.onnx, ["start_logits", "end_logits", "first_state"])

    def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the best spans over all hits, best first, none overlapping another."""
        above = [self._header(hit.passage.article) for hit in hits]
        asked = {each: self._shortened(below_header(question, each)) for each in set(above)}
        encoded = [
            self._tokenizer.encode(asked[each], hit.passage.text)
            for each, hit in zip(above, hits, strict=True)
        ]
        seen = [[encoding, *encoding.overflowing] for encoding in encoded]
        outputs = iter(self._network.run_each([window for windows in seen for window in windows]))
        # Windows come first: zip stops at their end, before it takes the next hit's outputs.
        found = [
            [
                each
                for window, output in zip(windows_of(windows), outputs, strict=False)
                for each in found_in(window, output)
            ]
            for windows in seen
        ]
        return extracts(hits, found)

    def _header(self, article: Article) -> str:
        return header(article.title, article.published) if self._reads_titles else ""

    def _shortened(self, question: str) -> str:
        # As the second text, since that is the one that the tokenizer cuts.
        tokens = self._tokenizer.encode("", question)
        ends = [tokens.offsets[place][1] for place in places_of_second(tokens)]
        if len(ends) <= MAX_QUESTION_TOKENS:
            return question
        return question[: ends[MAX_QUESTION_TOKENS - 1]]


def places_of_second(encoding: Encoding) -> list[int]:
    """Return which tokens are of the second text."""
    return [place for place, text in enumerate(encoding.sequence_ids) if text == 1]


def windows_of(encodings: Sequence[Encoding]) -> list[Window]:
    """Say with which tokens of one text's windows an answer may begin and end.

    Windows overlap. An answer that begins in the first half of an overlap is looked for in
    the earlier window, else in the later one: that one holds it whole.
    """
    windows = [window_of(encoding) for encoding in encodings]
    half = STRIDE_TOKENS // 2
    for (before, earlier), (after, later) in pairwise(zip(encodings, windows, strict=True)):
        earlier.starts[places_of_second(before)[-half:]] = False
        later.starts[places_of_second(after)[:half]] = False
    return windows


def window_of(encoding: Encoding) -> Window:
    """Say which tokens are of the text and at the edges of words."""
    of_text = np.array([text == 1 for text in encoding.sequence_ids])
    words = np.array([-1 if word is None else word for word in encoding.word_ids])
    changes = words[1:] != words[:-1]
    changes |= of_text[1:] != of_text[:-1]
    return Window(
        offsets=encoding.offsets,
        starts=of_text & np.concatenate([[True], changes]),
        ends=of_text & np.concatenate([changes, [True]]),
    )


def found_in(window: Window, output: Sequence[Floats]) -> list[Found]:
    """Return what a window proposes, from its start and end logits and its first state."""
    starts, ends, first = output
    cls_vector = tuple(first.tolist())
    return [Found(scored, cls_vector) for scored in best_spans(starts, ends, window)]


def extracts(hits: Sequence[Hit], found: Sequence[Sequence[Found]]) -> list[Extract]:
    """Move each hit's spans into its article and keep the best of those that overlap there."""
    return apart(
        Extract(
            hit,
            whole_characters(hit.passage.text, each.scored.span).shifted(hit.passage.span.start),
            each.scored.margin,
            each.cls_vector,
        )
        for hit, own in zip(hits, found, strict=True)
        for each in own
    )
