"""How well a passage's words answer to a question's: what is weighed when candidates are ranked.

A linear model over seven signals. Its weights are fitted by `tests/bench/retrieval.py --fit`:
softmax over all candidates of a question, against the passage that it was written for, on
questions of SQuAD's training set; it is measured on questions that it has not seen.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from citewire.index.catalogue.term_vectors import HASHED_TOKEN, hash_token, join_term_vectors
from citewire.index.text.analysis import Token

# So many telling words are about two sentences: where the question's words stand this close
# together, they are about one thing.
WINDOW_WORDS = 16
Sought = TypeVar("Sought", bound=Hashable)
# The question's words in a passage, and those that look like one: of all its words, the place of
# each and the word. One in another form than the question's has no form.
Met = list[tuple[int, Token]]


class Signals(NamedTuple):
    """What is known of a candidate: each from 0 to 1, higher when it is more relevant.

    `cosine` and `bm25` are shares of the best candidate's. The others weigh the question's
    words by their rarity: `covered` is the share that the passage has, `exact` the share that
    it has in the question's own form, `paired` the share of neighbouring words that are
    neighbours in it too, as names are, `near` the share within its best WINDOW_WORDS. `related`
    is the share that it lacks, but for which it has a word that looks alike, counted by likeness.
    """

    cosine: float
    bm25: float
    covered: float
    paired: float
    exact: float
    near: float
    related: float


WEIGHTS = Signals(cosine=9.0, bm25=1.3, covered=2.1, paired=3.3, exact=3.4, near=5.4, related=6.0)
TOTAL_WEIGHT = sum(WEIGHTS)


def relevance(signals: Signals) -> float:
    """Return the weighted mean of the signals, from 0 to 1."""
    return sum(map(float.__mul__, WEIGHTS, signals)) / TOTAL_WEIGHT


class Wording:
    """A question's words, neighbours and forms, how much each tells, and what looks like it."""

    def __init__(
        self,
        asked: Sequence[Token],
        rarity: Mapping[str, float],
        relatives: Mapping[str, Mapping[str, float]],
    ) -> None:
        self._relatives = relatives
        self._stems = Shares({word.stem: rarity[word.stem] for word in asked})
        self._forms = Shares({word.form: rarity[word.stem] for word in asked})
        self._pairs = Shares(
            {
                (one.stem, other.stem): rarity[one.stem] + rarity[other.stem]
                for one, other in pairwise(asked)
            }
        )
        # The question's own words last: they decide where two have the same number.
        self._stem_of = {hash_token(Token(stem, ""))[0]: stem for stem in relatives}
        self._stem_of |= {hash_token(word)[0]: word.stem for word in asked}
        self._form_of = {hash_token(word): word.form for word in asked}

    def met(self, wordings: Mapping[int, bytes]) -> dict[int, Met]:
        """Return where in each passage which of the question's words stand."""
        found: dict[int, Met] = {passage: [] for passage in wordings}
        if not wordings or not self._stem_of:
            return found
        # All passages at once: numpy's calls cost more than the comparing.
        codes = join_term_vectors(wordings.values())
        ends = np.cumsum([len(each) // HASHED_TOKEN.itemsize for each in wordings.values()])
        stems = np.sort(np.fromiter(self._stem_of, np.uint32, len(self._stem_of)))
        # Of some dozens, which is more than numpy.isin is quick at.
        nearest = np.minimum(np.searchsorted(stems, codes["stem"]), len(stems) - 1)
        hits = np.flatnonzero(stems[nearest] == codes["stem"])
        owners = np.searchsorted(ends, hits, side="right")
        passages, firsts = list(wordings), [0, *ends.tolist()]
        for place, owner, (stem, form) in zip(
            hits.tolist(), owners.tolist(), codes[hits].tolist(), strict=True
        ):
            word = Token(self._stem_of[stem], self._form_of.get((stem, form), ""))
            found[passages[owner]].append((place - firsts[owner], word))
        return found

    def signals(self, met: Met, *, cosine: float, bm25: float) -> Signals:
        """Return the signals of a candidate that has these words of the question."""
        neighbours = (
            (word.stem, following.stem)
            for (place, word), (next_place, following) in pairwise(met)
            if next_place == place + 1
        )
        there = {word.stem for _, word in met}
        return Signals(
            cosine=cosine,
            bm25=bm25,
            covered=self._stems.of(there),
            paired=self._pairs.of(neighbours),
            exact=self._forms.of(word.form for _, word in met),
            near=self._near(met),
            related=self._related(there),
        )

    def _related(self, there: Set[str]) -> float:
        """Return the share of the question's stems that only look like one of these."""
        likest: dict[str, float] = {}
        for stem in there & self._relatives.keys():
            for asked, alike in self._relatives[stem].items():
                likest[asked] = max(likest.get(asked, 0.0), alike)
        weights = self._stems.weights
        missing = likest.keys() - there
        return sum(weights[stem] * likest[stem] for stem in missing) / (self._stems.total or 1.0)

    def _near(self, met: Iterable[tuple[int, Token]]) -> float:
        """Return the largest share of the question's stems within WINDOW_WORDS."""
        weights = self._stems.weights
        inside: deque[tuple[int, str]] = deque()
        counts: Counter[str] = Counter()
        weight = best = 0.0
        for place, (stem, _) in met:
            if stem not in weights:
                continue
            while inside and inside[0][0] <= place - WINDOW_WORDS:
                left = inside.popleft()[1]
                counts[left] -= 1
                weight -= weights[left] * (not counts[left])
            weight += weights[stem] * (not counts[stem])
            counts[stem] += 1
            inside.append((place, stem))
            best = max(best, weight)
        return min(best / self._stems.total, 1.0) if best > 0 else 0.0


class Shares(Generic[Sought]):
    """Things that are looked for, and what each weighs."""

    def __init__(self, weights: Mapping[Sought, float]) -> None:
        self.weights = weights
        self.total = sum(weights.values())

    def of(self, found: Iterable[Sought]) -> float:
        """Return the share, by weight, of what is looked for that is among these."""
        if not self.total:
            return 0.0
        there = set(found)
        return sum(weight for each, weight in self.weights.items() if each in there) / self.total
