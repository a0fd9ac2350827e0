import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Article, Passage, Span
from citewire.rag.reading.grouping import (
    find_content_words,
    group,
    is_same_answer,
    suppress_overlaps_by_article,
)
from citewire.rag.types import Extract, Hit

WORDS = "the a not ex Blinken Antony US Secretary 5 5,000 39 people million % $ € Café Park's ! ?"
answers = st.one_of(
    st.text(max_size=12), st.lists(st.sampled_from(WORDS.split()), max_size=5).map(" ".join)
)


def extract(text: str, article: str, margin: float = 1.0) -> Extract:
    source = Article(article, "A title", f"{text} it is.")
    return Extract(
        Hit(Passage(1, source, Span(0, len(source.text))), 1.0, 1.0), Span(0, len(text)), margin
    )


def names(groups: list[list[Extract]]) -> list[list[tuple[str, str]]]:
    return [[(member.text, member.article.id) for member in members] for members in groups]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Antony Blinken", "Blinken"),
        ("US Secretary of State Antony Blinken", "Antony Blinken"),
        ("the Vire", "Vire"),
        ("Café Zürich", "cafe zurich"),
        ("Cafe\u0301", "Café"),
        ("Blinken's", "Blinken"),
        ("39", "39 people"),
        ("in 1894", "1894"),
        ("1,500", "1,500 miles"),
        ("5%", "5 percent"),
        ("5", "$5"),
        ("The WHO", "WHO"),
        ("“Really?”", "really"),
        ("👍", "👍"),
    ],
)
def test_two_ways_to_say_it_are_one_answer(one: str, other: str) -> None:
    assert is_same_answer(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5", "5 million"),
        ("5", "5%"),
        ("5", "5 percent"),
        ("$5", "€5"),
        ("5", "15"),
        ("1,500", "1"),
        ("39", "39 thousand people"),
        ("guilty", "not guilty"),
        ("president", "former president"),
        ("president", "vice president"),
        ("Park Jin", "Park"),
        ("9 November", "9 November 2023"),
        ("Jin", "Cho"),
        ("👍", "👎"),
        ("?", "!"),
        ("", "Blinken"),
        ("US", "USA"),
    ],
)
def test_different_answers_stay_apart(one: str, other: str) -> None:
    assert not is_same_answer(one, other)


@given(answers, answers)
def test_saying_the_same_goes_both_ways(one: str, other: str) -> None:
    assert is_same_answer(one, other) == is_same_answer(other, one)


@given(answers)
def test_an_answer_says_the_same_as_itself(answer: str) -> None:
    assert is_same_answer(answer, answer)


@given(answers)
def test_case_does_not_matter(answer: str) -> None:
    assert find_content_words(answer.upper().lower()) == find_content_words(
        answer.upper().casefold()
    )


def test_equal_answers_of_different_articles_are_grouped_under_the_best() -> None:
    found = group([extract("Antony Blinken", "a"), extract("Cho", "b"), extract("Blinken", "c")])
    assert names(found) == [[("Antony Blinken", "a"), ("Blinken", "c")], [("Cho", "b")]]


def test_an_article_is_in_a_group_once() -> None:
    found = group([extract("Antony Blinken", "a"), extract("Blinken", "a")])
    assert names(found) == [[("Antony Blinken", "a")]]


def test_an_article_may_give_two_different_answers() -> None:
    found = group([extract("Blinken", "a"), extract("Cho", "a")])
    assert names(found) == [[("Blinken", "a")], [("Cho", "a")]]


def test_nothing_found_is_no_group() -> None:
    assert group([]) == []


@given(st.lists(st.tuples(answers.filter(str.strip), st.sampled_from("abc")), max_size=8))
def test_groups_differ_in_their_leaders_and_lose_no_answer(found: list[tuple[str, str]]) -> None:
    extracts = [
        extract(text, article)
        for text, article in found
        if "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
    ]
    groups = group(extracts)
    leaders = [members[0].text for members in groups]
    assert not any(
        is_same_answer(one, other) for place, one in enumerate(leaders) for other in leaders[:place]
    )
    assert all(any(is_same_answer(leader, each.text) for leader in leaders) for each in extracts)


places = st.tuples(st.integers(0, 20), st.integers(1, 8)).map(lambda at: Span(at[0], sum(at)))


@given(st.lists(st.tuples(st.sampled_from("ab"), places, st.floats(-9, 9)), max_size=12))
def test_only_extracts_that_overlap_a_better_one_of_their_article_are_left_out(
    drawn: list[tuple[str, Span, float]],
) -> None:
    found = [
        Extract(Hit(Passage(1, Article(name, "A title", "x" * 30), Span(0, 30)), 1.0, 1.0), *rest)
        for name, *rest in drawn
    ]
    kept = suppress_overlaps_by_article(found)
    assert all(
        one.article.id != other.article.id or not one.span.overlaps(other.span)
        for place, one in enumerate(kept)
        for other in kept[:place]
    )
    assert [each.margin for each in kept] == sorted((each.margin for each in kept), reverse=True)
    assert all(
        any(
            better.article.id == each.article.id
            and better.span.overlaps(each.span)
            and better.margin >= each.margin
            for better in kept
        )
        for each in found
    )
