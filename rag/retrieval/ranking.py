"""Rank candidate passages: a linear model over seven features of question and passage.

Its weights are fitted by `tests/bench/retrieval.py --fit`: softmax over all candidates of a
question, against the passage that it was written for, on questions of SQuAD's training set; it is
measured on questions that it has not seen.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from citewire.index.catalogue.term_vectors import HASHED_TOKEN, hash_token, join_term_vectors
from citewire.index.text.analysis import Token

# Tokens, about two sentences: question terms that stand this close together are about one thing.
WINDOW_TOKENS = 16
Term = TypeVar("Term", bound=Hashable)
# The question's terms in one passage, and terms that look like one: the position of each among
# the passage's tokens, and the token. The form is empty where it is not the question's.
Matches = list[tuple[int, Token]]


class RankingFeatures(NamedTuple):
    """The features of a candidate: each from 0 to 1, higher when it is more relevant.

    `cosine` and `bm25` are shares of the best candidate's. The others weigh the question's
    terms by their IDF: `covered` is the share that the passage has, `exact` the share that it
    has in the question's own form, `paired` the share of neighbouring terms that are
    neighbours in it too, as names are, `near` the share within its best WINDOW_TOKENS. `fuzzy`
    is the share that it lacks, but for which it has a term that looks alike, weighted by
    similarity.
    """

    cosine: float
    bm25: float
    covered: float
    paired: float
    exact: float
    near: float
    fuzzy: float


WEIGHTS = RankingFeatures(
    cosine=9.0, bm25=1.3, covered=2.1, paired=3.3, exact=3.4, near=5.4, fuzzy=6.0
)
TOTAL_WEIGHT = sum(WEIGHTS)


def score_features(features: RankingFeatures) -> float:
    """Return the weighted mean of the features, from 0 to 1."""
    weighted = sum(weight * value for weight, value in zip(WEIGHTS, features, strict=True))
    return weighted / TOTAL_WEIGHT


def rank(
    terms: "QueryTerms",
    matches: Mapping[int, Matches],
    cosine: Mapping[int, float],
    bm25: Mapping[int, float],
) -> dict[int, float]:
    """Return the scores of the candidates in `matches`, in [0, 1], 1 for the best.

    Cosine and BM25 are scaled by their theoretical minimum, zero, and by the best of the
    question (Bruch et al. 2023, arXiv 2210.11934).
    """
    best_cosine = max(cosine.values(), default=0.0)
    best_bm25 = max(bm25.values(), default=0.0)
    scores = {
        passage: score_features(
            terms.features(
                found,
                cosine=scale(cosine[passage], best_cosine),
                bm25=scale(bm25[passage], best_bm25),
            )
        )
        for passage, found in matches.items()
    }
    best = max(scores.values(), default=0.0)
    return {passage: scale(score, best) for passage, score in scores.items()}


def scale(score: float, best: float) -> float:
    """Return the score as a share of the best, 0 when nothing scored."""
    return min(max(score, 0.0) / best, 1.0) if best > 0 else 0.0


class QueryTerms:
    """A question's terms, pairs of neighbours and forms with their IDF, and terms like them."""

    def __init__(
        self,
        tokens: Sequence[Token],
        idf: Mapping[str, float],
        expansions: Mapping[str, Mapping[str, float]],
    ) -> None:
        self._expansions = expansions
        self._stems = Weighted({token.stem: idf[token.stem] for token in tokens})
        self._forms = Weighted({token.form: idf[token.stem] for token in tokens})
        self._pairs = Weighted(
            {
                (one.stem, other.stem): idf[one.stem] + idf[other.stem]
                for one, other in pairwise(tokens)
            }
        )
        # The question's own terms last: they decide where two have the same code.
        self._stem_by_code = {hash_token(Token(stem, ""))[0]: stem for stem in expansions}
        self._stem_by_code |= {hash_token(token)[0]: token.stem for token in tokens}
        self._form_by_code = {hash_token(token): token.form for token in tokens}

    def match(self, term_vectors: Mapping[int, bytes]) -> dict[int, Matches]:
        """Return the matches in each passage, in the order of its tokens."""
        found: dict[int, Matches] = {passage: [] for passage in term_vectors}
        if not term_vectors or not self._stem_by_code:
            return found
        # All passages at once: numpy's calls cost more than the comparing.
        codes = join_term_vectors(term_vectors.values())
        ends = np.cumsum([len(each) // HASHED_TOKEN.itemsize for each in term_vectors.values()])
        stems = np.sort(np.fromiter(self._stem_by_code, np.uint32, len(self._stem_by_code)))
        # A binary search: numpy.isin is slower for a few dozen stems.
        nearest = np.minimum(np.searchsorted(stems, codes["stem"]), len(stems) - 1)
        hits = np.flatnonzero(stems[nearest] == codes["stem"])
        owners = np.searchsorted(ends, hits, side="right")
        passages, firsts = list(term_vectors), [0, *ends.tolist()]
        for place, owner, (stem, form) in zip(
            hits.tolist(), owners.tolist(), codes[hits].tolist(), strict=True
        ):
            token = Token(self._stem_by_code[stem], self._form_by_code.get((stem, form), ""))
            found[passages[owner]].append((place - firsts[owner], token))
        return found

    def features(self, matches: Matches, *, cosine: float, bm25: float) -> RankingFeatures:
        """Return the features of a candidate with these matches."""
        neighbours = (
            (token.stem, following.stem)
            for (place, token), (next_place, following) in pairwise(matches)
            if next_place == place + 1
        )
        present = {token.stem for _, token in matches}
        return RankingFeatures(
            cosine=cosine,
            bm25=bm25,
            covered=self._stems.share(present),
            paired=self._pairs.share(neighbours),
            exact=self._forms.share(token.form for _, token in matches),
            near=self._near(matches),
            fuzzy=self._fuzzy(present),
        )

    def _fuzzy(self, present: Set[str]) -> float:
        """Return the share of the question's stems that are only present in a look-alike."""
        similarity: dict[str, float] = {}
        for stem in present & self._expansions.keys():
            for asked, alike in self._expansions[stem].items():
                similarity[asked] = max(similarity.get(asked, 0.0), alike)
        weights = self._stems.weights
        missing = similarity.keys() - present
        weighted = sum(weights[stem] * similarity[stem] for stem in missing)
        return weighted / (self._stems.total or 1.0)

    def _near(self, matches: Iterable[tuple[int, Token]]) -> float:
        """Return the largest share of the question's stems within WINDOW_TOKENS."""
        weights = self._stems.weights
        inside: deque[tuple[int, str]] = deque()
        counts: Counter[str] = Counter()
        weight = best = 0.0
        for place, (stem, _) in matches:
            if stem not in weights:
                continue
            while inside and inside[0][0] <= place - WINDOW_TOKENS:
                left = inside.popleft()[1]
                counts[left] -= 1
                weight -= weights[left] * (not counts[left])
            weight += weights[stem] * (not counts[stem])
            counts[stem] += 1
            inside.append((place, stem))
            best = max(best, weight)
        return min(best / self._stems.total, 1.0) if best > 0 else 0.0


class Weighted(Generic[Term]):
    """Terms with their weights."""

    def __init__(self, weights: Mapping[Term, float]) -> None:
        self.weights = weights
        self.total = sum(weights.values())

    def share(self, found: Iterable[Term]) -> float:
        """Return the share, by weight, of the terms that are among those found."""
        if not self.total:
            return 0.0
        present = set(found)
        return sum(weight for term, weight in self.weights.items() if term in present) / self.total
