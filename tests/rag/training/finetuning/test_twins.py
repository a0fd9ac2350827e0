import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.rag.evaluation.squad import Gold, SquadExample, group_by_question
from citewire.rag.training.finetuning.question_forms import (
    keep_keywords,
    lower,
    mistype,
    vary_form,
)
from citewire.rag.training.finetuning.twins import (
    choose_twins,
    crop_group,
    delete_answer,
)

PASSAGE = (
    "The museum in Lund reopened on Friday after eight months of repairs, its director said."
    " The painter Ebba Lind left it forty canvases. A choir sang in the hall for two hours."
)


def example(context: str, *answers: str, question: str = "Who left canvases?") -> SquadExample:
    golds = tuple(Gold(answer, context.index(answer)) for answer in answers)
    return SquadExample("q", question, context, golds, (context,))


def test_same_question_of_an_articles_passages_is_one_group() -> None:
    article = ("One.", "Two.")
    asked = [
        SquadExample(f"{question}{context}", question, context, (), article)
        for context in article
        for question in ("who?", "when?")
    ]
    groups = group_by_question([*asked, SquadExample("other", "who?", "One.", (), ("One.",))])
    assert [[e.id for e in group] for group in groups] == [
        ["who?One.", "who?Two."],
        ["when?One.", "when?Two."],
        ["other"],
    ]


def test_answered_twin_comes_first() -> None:
    silent, answered = example("Nobody left."), example("Ebba Lind left.", "Ebba Lind")
    for seed in range(5):
        assert choose_twins((silent, silent, answered), random.Random(seed)) == (answered, silent)


def test_sentence_of_the_answer_is_left_out() -> None:
    twin = delete_answer(example(PASSAGE, "Ebba Lind"))
    assert twin is not None
    assert twin.golds == ()
    assert "Lind" not in twin.context
    assert twin.context.startswith("The museum")
    assert twin.context.endswith("two hours.")


@pytest.mark.parametrize(
    "left",
    [
        example("Ebba Lind left forty canvases.", "Ebba Lind"),
        example(PASSAGE + " Ebba Lind is 90.", "Ebba Lind"),
        example(PASSAGE),
    ],
    ids=["too little is left", "the answer stands elsewhere", "no answer"],
)
def test_no_twin_where_none_would_be_honest(left: SquadExample) -> None:
    assert delete_answer(left) is None


@given(
    words=st.lists(st.text("abcé漢.!", min_size=1, max_size=9), min_size=1, max_size=60),
    pick=st.data(),
    characters=st.integers(5, 200),
    place=st.floats(0, 1, exclude_max=True),
)
def test_crop_keeps_golds_verbatim(
    words: list[str], pick: st.DataObject, characters: int, place: float
) -> None:
    context = " ".join(words)
    number = pick.draw(st.integers(0, len(words) - 1))
    gold = Gold(words[number], len(" ".join([*words[:number], ""])))
    asked = SquadExample("q", "who?", context, (gold,), (context,))
    (cut,) = crop_group((asked,), characters, place)
    assert cut.context in context
    assert len(cut.context) <= characters or cut.context == context
    (kept,) = cut.golds
    assert cut.context[kept.start : kept.end] == gold.text


def test_twins_are_cropped_where_they_are_alike() -> None:
    text = "".join(f"Sentence number {number} is here. " for number in range(30)).strip()
    answered = example(text.replace("number 20", "number XX"), "XX")
    silent = example(text)
    for place in (0.0, 0.5, 0.99):
        one, other = crop_group((answered, silent), 120, place)
        assert len(one.context) <= 120
        assert "number XX is here." in one.context
        assert one.context.replace("number XX", "number 20") == other.context


def test_forms_keep_what_is_asked() -> None:
    question = "Who met the minister in Seoul on Thursday?"
    assert lower(question) == "who met the minister in seoul on thursday"
    assert keep_keywords(question) == "who met minister seoul thursday"
    assert keep_keywords("Who is he?") == "Who is he?"
    mistyped = mistype(question, random.Random(1))
    assert sorted(mistyped) == sorted(question)
    assert mistyped != question
    drawn = {vary_form(question, random.Random(seed)) for seed in range(200)}
    assert question in drawn
    assert len(drawn) > 4
