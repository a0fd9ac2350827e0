"""An extractive question-answering model, run by ONNX Runtime: hits to extracts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from citewire.index.types import Article, Span
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import ReadyModel
from citewire.rag.models.onnx_session import Network
from citewire.rag.reading.answer_regions import find_regions
from citewire.rag.reading.completion import complete_number
from citewire.rag.reading.decoding import (
    Floats,
    ScoredSpan,
    Window,
    find_best_spans,
    widen_to_characters,
)
from citewire.rag.reading.grouping import suppress_overlaps_by_article
from citewire.rag.reading.passage_header import append_header, build_header
from citewire.rag.types import Extract, Hit

# Tokens that a question keeps at most, so that the passage has room.
MAX_QUESTION_TOKENS = 96
# Tokens that neighbouring windows of a long passage share: about twice those of the longest answer.
STRIDE_TOKENS = 64
# Tokens of the smallest usable window: the longest question, an overlap, and as many new ones.
MIN_WINDOW_TOKENS = MAX_QUESTION_TOKENS + 2 * STRIDE_TOKENS


@dataclass(frozen=True, slots=True)
class WindowSpan:
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
        encodings = self._encode(question, hits)
        outputs = iter(self._network.run_each([*chain.from_iterable(encodings)]))
        extracts: list[Extract] = []
        for hit, windows in zip(hits, encodings, strict=True):
            of_hit = islice(outputs, len(windows))
            regions = find_regions(hit.passage.text, hit.passage.article.language, question)
            for window, output in zip(build_windows(windows, regions), of_hit, strict=True):
                extracts += (move_to_article(hit, each) for each in decode(window, output))
        return suppress_overlaps_by_article(extracts)

    def _encode(self, question: str, hits: Sequence[Hit]) -> list[list[Encoding]]:
        """Tokenize the question with each hit's passage, into one or several windows a hit."""
        headers = [self._header(hit.passage.article) for hit in hits]
        asked = {each: self._truncate(append_header(question, each)) for each in set(headers)}
        encoded = [
            self._tokenizer.encode(asked[header], hit.passage.text)
            for header, hit in zip(headers, hits, strict=True)
        ]
        return [[encoding, *encoding.overflowing] for encoding in encoded]

    def _header(self, article: Article) -> str:
        return build_header(article.title, article.published) if self._reads_titles else ""

    def _truncate(self, question: str) -> str:
        # As the second text, since that is the one that the tokenizer cuts.
        tokens = self._tokenizer.encode("", question)
        ends = [tokens.offsets[place][1] for place in find_second_text(tokens)]
        if len(ends) <= MAX_QUESTION_TOKENS:
            return question
        return question[: ends[MAX_QUESTION_TOKENS - 1]]


def find_second_text(encoding: Encoding) -> list[int]:
    """Return the indexes of the tokens that belong to the second text."""
    return [place for place, text in enumerate(encoding.sequence_ids) if text == 1]


def build_windows(encodings: Sequence[Encoding], regions: Sequence[Span]) -> list[Window]:
    """Return one text's windows, with each token that may begin an answer in only one of them.

    `regions` are the stretches of the text that an answer may lie in.

    Windows overlap. An answer that begins in the first half of an overlap is searched for in
    the earlier window, else in the later one: that window holds it whole.
    """
    windows = [build_window(encoding, regions) for encoding in encodings]
    half = STRIDE_TOKENS // 2
    for (before, earlier), (after, later) in pairwise(zip(encodings, windows, strict=True)):
        earlier.starts[find_second_text(before)[-half:]] = False
        later.starts[find_second_text(after)[:half]] = False
    return windows


def build_window(encoding: Encoding, regions: Sequence[Span]) -> Window:
    """Return a window in which an answer may begin and end at the edges of the text's words."""
    numbers = number_regions(encoding.offsets, regions)
    of_text = np.array([text == 1 for text in encoding.sequence_ids])
    words = np.array([-1 if word is None else word for word in encoding.word_ids])
    changes = words[1:] != words[:-1]
    changes |= of_text[1:] != of_text[:-1]
    return Window(
        offsets=encoding.offsets,
        starts=of_text & (numbers >= 0) & np.concatenate([[True], changes]),
        ends=of_text & np.concatenate([changes, [True]]),
        regions=numbers,
    )


def number_regions(
    offsets: Sequence[tuple[int, int]], regions: Sequence[Span]
) -> NDArray[np.int64]:
    """Return the number of the region that each token begins in, -1 where it is in none."""
    firsts = np.array([start for start, _ in offsets])
    numbers = np.searchsorted([region.start for region in regions], firsts, side="right") - 1
    ends = np.array([*(region.end for region in regions), 0])
    return np.where(firsts < ends[numbers], numbers, -1).astype(np.int64)


def decode(window: Window, output: Sequence[Floats]) -> list[WindowSpan]:
    """Return a window's best spans, from its start and end logits and its vector at [CLS]."""
    starts, ends, cls = output
    cls_vector = tuple(cls.tolist())
    return [WindowSpan(scored, cls_vector) for scored in find_best_spans(starts, ends, window)]


def move_to_article(hit: Hit, found: WindowSpan) -> Extract:
    """Move a span of the hit's passage to its article's coordinates, widened to characters."""
    span = widen_to_characters(hit.passage.text, found.scored.span)
    span = complete_number(hit.passage.text, span)
    place = span.shift(hit.passage.span.start)
    return Extract(hit, place, found.scored.margin, found.cls_vector)
