import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Span
from citewire.rag.reading.answer_regions import find_regions, is_credit
from citewire.rag.reading.completion import complete_number
from citewire.rag.reading.question_kind import QuestionKind, find_kind
from citewire.rag.reading.reader import number_regions

TALKS = (
    "Talks in Geneva ended without result. Both sides left.\n\n"
    "By Jane Miller and Tom Park\n\nPhoto: Lena Schmidt"
)


def regions(question: str, text: str = TALKS) -> list[str]:
    return [span.of(text) for span in find_regions(text, "en", question)]


def test_person_is_named_within_a_sentence_of_the_story() -> None:
    assert regions("Who took part in the talks?") == [
        "Talks in Geneva ended without result.",
        "Both sides left.",
    ]


def test_other_answers_may_run_over_sentences_but_not_over_paragraphs() -> None:
    assert regions("What happened in Geneva?") == [
        "Talks in Geneva ended without result. Both sides left."
    ]


def test_question_about_the_makers_may_be_answered_by_their_credits() -> None:
    assert "Photo: Lena Schmidt" in regions("Who took the photo?")
    assert "By Jane Miller and Tom Park" in regions("Who wrote the report?")
    assert regions("Who made the video?", "Video: Ana Ruiz") == ["Video: Ana Ruiz"]


@pytest.mark.parametrize(
    "paragraph",
    [
        "By Jane Miller and Tom Park",
        "By María-José O'Neill, Kuala Lumpur",
        "by Jane Miller in Geneva | 14 May 2023",
        "Photograph: Lena Schmidt/Reuters",
        "Photo by: Lena Schmidt",
        "Text and pictures: Lena Schmidt",
        "Words: Tom Park",
        "(Reporting by Jane Miller; editing by Tom Park)",
        "Additional reporting by Tom Park in Paris",
        "© The Herald 2023",
    ],
)
def test_byline_or_credit(paragraph: str) -> None:
    assert is_credit(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        "By noon the talks had ended.",
        "By Friday Jane Miller had left Geneva.",
        "By Jane Miller's account, the talks failed because both sides had come to lose.",
        "Photographs of the minister were published by three newspapers.",
        "Editing the text took nine months.",
        "Video games: the minister wants them banned",
        "By Thursday.",
        "Credit-rating agency Moody's cut Greece's debt to junk on Monday.",
        "Photo-sharing app Instagram was bought by Facebook in 2012.",
        "Words - and blows - were exchanged by Ana Ruiz and Tom Park.",
        "Reporting by the BBC showed that 300 people had died in Homs.",
        "Compiled by the UN, the list names 300 firms.",
        "Text-message donations reached $5 million by Friday.",
    ],
)
def test_sentence_of_the_story_is_no_credit(paragraph: str) -> None:
    assert not is_credit(paragraph)


@given(st.text("aB. \n\u00e9!", max_size=80), st.sampled_from(["Who took part?", "Why?"]))
def test_regions_are_in_order_and_hold_all_of_the_story(text: str, question: str) -> None:
    found = find_regions(text, "en", question)
    ends = [0, *(region.end for region in found)]
    assert all(end <= region.start < region.end for end, region in zip(ends, found, strict=False))
    assert "".join("".join(region.of(text) for region in found).split()) == "".join(text.split())


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=8),
    st.integers(0, 60),
)
def test_token_has_the_number_of_the_region_that_it_begins_in(
    gaps: list[tuple[int, int]], place: int
) -> None:
    found, end = [], 0
    for gap, length in gaps:
        found.append(Span(end + gap, end + gap + length))
        end += gap + length
    inside = [n for n, region in enumerate(found) if region.start <= place < region.end]
    assert number_regions([(place, place + 1)], found).tolist() == (inside or [-1])


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who met Park Jin?", QuestionKind.WHO),
        ("To whom was the prize given?", QuestionKind.WHO),
        ("do you know when the bridge opened", QuestionKind.WHEN),
        ("In which year did she resign?", QuestionKind.WHEN),
        ("How many people died?", QuestionKind.HOW_MANY),
        ("What percentage voted for him?", QuestionKind.HOW_MANY),
        ("How did they escape?", QuestionKind.HOW),
        ("Why did it sink?", QuestionKind.WHY),
        ("What caused the fire?", QuestionKind.WHY),
        ("Which city hosts the games?", QuestionKind.WHERE),
        ("What did the minister say?", QuestionKind.WHAT),
        ("halloway ferry death toll", QuestionKind.KEYWORDS),
        ("WHO vaccine report 2021", QuestionKind.KEYWORDS),
        ("Who leads the WHO?", QuestionKind.WHO),
    ],
)
def test_kind_of_question(question: str, kind: QuestionKind) -> None:
    assert find_kind(question) == kind


@pytest.mark.parametrize(
    ("text", "number", "whole"),
    [
        ("At least 31 people died.", "31", "At least 31"),
        ("It cost about $1.2 million to build.", "1.2", "about $1.2 million"),
        ("Shares fell 4.5 per cent.", "4.5", "4.5 per cent"),
        ("It is nearly 300 square kilometres large.", "300", "nearly 300 square kilometres"),
        ("A dozen of them fled, three by boat.", "three", "three"),
        ("Some 200,000 euros are missing.", "200,000", "Some 200,000 euros"),
        ("Room 12 is empty; about Ana nobody spoke.", "Ana", "Ana"),
        ("He is 31. Million is a town.", "31", "31"),
    ],
)
def test_number_is_quoted_with_qualifier_and_unit(text: str, number: str, whole: str) -> None:
    span = Span(text.index(number), text.index(number) + len(number))
    assert complete_number(text, span).of(text) == whole


@given(st.text("12 million$at least about%", min_size=1, max_size=40), st.data())
def test_completed_span_holds_the_span_and_stays_in_the_text(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    whole = complete_number(text, Span(start, end))
    assert 0 <= whole.start <= start <= end <= whole.end <= len(text)
