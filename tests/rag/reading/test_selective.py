from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Article, Passage, Span
from citewire.rag.query import Query
from citewire.rag.reading.selective import (
    EXPECTED_MARGIN,
    SEARCHED,
    compute_rank_score,
    read_selectively,
)
from citewire.rag.types import Extract, Hit, Question

WHO = "Who met Park Jin in Seoul?"
MET = "Antony Blinken met Park Jin in Seoul on Thursday."
CAME = "Antony Blinken came by train."
OTHER = "Nobody else was at the harbour that day."
RIVAL = "Wang Yi met Park Jin in Seoul, a paper wrote."


class ScriptedReader:
    """Finds the first two words of a passage, with the margin that is set for its article."""

    def __init__(self, margins: Mapping[str, float]) -> None:
        self._margins = margins
        self.read_articles: list[str] = []

    def read(self, _question: str, hits: Sequence[Hit]) -> list[Extract]:
        self.read_articles += [hit.passage.article.id for hit in hits]
        found = [self._extract(hit) for hit in hits]
        return sorted(found, key=lambda extract: -extract.margin)

    def _extract(self, hit: Hit) -> Extract:
        text, span = hit.passage.text, hit.passage.span
        end = text.index(" ", text.index(" ") + 1)
        quote = Span(0, end).shift(span.start)
        return Extract(hit, quote, self._margins[hit.passage.article.id])


def hit(name: str, text: str, score: float) -> Hit:
    article = Article(name, "A title", text)
    return Hit(Passage(1, article, Span(0, len(text))), score, 0.5)


def read(hits: Sequence[Hit], **margins: float) -> tuple[list[str], list[Extract]]:
    """Return the articles that were read, after checking that the watcher was called before."""
    reader = ScriptedReader({name: margins.get(name, -9.0) for name in map(article_of, hits)})
    announced: list[str] = []

    def watcher(coming: Sequence[Hit]) -> None:
        assert announced == reader.read_articles
        announced.extend(map(article_of, coming))

    found = read_selectively(reader, Query.from_question(Question(WHO)), hits, watcher)
    assert announced == reader.read_articles
    return reader.read_articles, found


def article_of(one: Hit) -> str:
    return one.passage.article.id


def test_a_settled_question_leaves_the_rest_unread() -> None:
    hits = [hit("a", MET, 1.0), hit("b", OTHER, 0.6), hit("c", OTHER, 0.5), hit("d", OTHER, 0.4)]
    articles, found = read(hits, a=5.0)
    assert articles == ["a", "b"]
    assert found[0].text == "Antony Blinken"


def test_while_another_passage_may_hold_a_better_answer_all_are_read() -> None:
    hits = [hit("a", MET, 1.0), hit("b", OTHER, 0.99), hit("c", OTHER, 0.98), hit("d", CAME, 0.9)]
    articles, found = read(hits, a=-3.0, c=6.0)
    assert articles == ["a", "b", "c", "d"]
    assert found[0].article.id == "c"


def test_passages_far_down_are_not_searched_for_an_answer() -> None:
    scores = [1.0, 0.99, 0.98, 0.97, 0.96, 0.95]
    hits = [hit(name, OTHER, score) for name, score in zip("abcdef", scores, strict=True)]
    articles, _ = read(hits, f=9.0)
    assert articles == ["a", "b", "c", "d"]


def test_an_answer_that_is_not_believed_is_not_confirmed() -> None:
    hits = [hit("a", MET, 1.0), hit("b", OTHER, 0.1), hit("c", CAME, 0.05)]
    articles, _ = read(hits, a=-1.0)
    assert articles == ["a", "b"]


def test_another_article_that_names_the_answer_is_read_to_confirm_it() -> None:
    hits = [hit("a", MET, 1.0), hit("b", OTHER, 0.6), hit("c", CAME, 0.3), hit("d", OTHER, 0.2)]
    articles, found = read(hits, a=5.0, c=1.0)
    assert articles == ["a", "b", "c"]
    assert [extract.article.id for extract in found[:2]] == ["a", "c"]


def test_another_article_about_the_same_is_read_to_contradict_it() -> None:
    hits = [hit("a", MET, 1.0), hit("b", OTHER, 0.6), hit("c", OTHER, 0.5), hit("d", RIVAL, 0.4)]
    articles, found = read(hits, a=5.0, d=4.0)
    assert articles == ["a", "b", "d"]
    assert [extract.text for extract in found[:2]] == ["Antony Blinken", "Wang Yi"]


def test_the_answers_own_article_is_not_read_again_to_confirm_it() -> None:
    article = Article("a", "A title", f"{MET} {CAME}")
    met = Hit(Passage(1, article, Span(0, len(MET))), 1.0, 0.5)
    came = Hit(Passage(2, article, Span(len(MET) + 1, len(article.text))), 0.3, 0.5)
    articles, _ = read([met, hit("b", OTHER, 0.6), came], a=5.0)
    assert articles == ["a", "b"]


def test_of_nothing_nothing_is_read() -> None:
    assert read([]) == ([], [])


def test_spans_of_both_readings_that_overlap_in_an_article_are_one() -> None:
    article = Article("a", "A title", MET)
    whole = Hit(Passage(1, article, Span(0, len(MET))), 1.0, 0.5)
    again = Hit(Passage(2, article, Span(7, len(MET))), 0.9, 0.5)
    _, found = read([whole, hit("b", OTHER, 0.95), again], a=-3.0)
    assert [extract.article.id for extract in found].count("a") == 1


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(-9, EXPECTED_MARGIN)), min_size=1, max_size=8
    ).map(lambda pairs: sorted(pairs, reverse=True))
)
def test_the_best_is_no_worse_than_reading_all_that_is_searched_where_no_margin_is_unexpected(
    pairs: list[tuple[float, float]],
) -> None:
    hits = [hit(str(number), MET, score) for number, (score, _) in enumerate(pairs)]
    margins = {str(number): margin for number, (_, margin) in enumerate(pairs)}
    searched = ScriptedReader(margins).read(WHO, hits[:SEARCHED])
    _, found = read(hits, **margins)
    assert max(map(compute_rank_score, found)) >= max(map(compute_rank_score, searched))
