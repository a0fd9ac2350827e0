"""Follow-ups of seed articles and invented dialogues: rewritten, left as they are, asked back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.rag.conversation.rewriting import rewrite, rewrite_last
from citewire.rag.conversation.types import Clarification, Rewrite, Turn

PARK = Turn("who met Park Jin?", "Antony Blinken")
COLLAPSE = Turn("How many people died in the Magnitogorsk building collapse?", "39")
LEONOV = Turn("When did Alexei Leonov die?", "Friday")
ZAPATA = Turn("Who flew across the English Channel?", "Franky Zapata")
KIPCHOGE = Turn("Where did Eliud Kipchoge run the marathon?", "Vienna")
COURT = Turn("Which court ruled that the suspension was unlawful?", "The British Supreme Court")
PLANET = Turn("Where was water vapour found?", "K2-18b")
SATELLITE = Turn("When did North Korea launch the satellite Malligyong-1?", "21 November")
ELECTION = Turn("How many seats did the Liberals win in Ontario?", "79")
CRASH = Turn("Where did the plane crash?", "Calicut")
STURGEON = Turn("Who called for Parliament to be recalled?", "Nicola Sturgeon")
CREW = Turn("When did Behnken and Hurley fly?", "May")
UNKNOWN = Turn("Who robbed the bank in Leeds?")
QUEEN = Turn("What did Queen Elizabeth tell Boris Johnson?", "nothing")

WHOLE = [
    # Fragments take the rest of the earlier question.
    (PARK, "where?", "Where was it that Antony Blinken met Park Jin?"),
    (PARK, "When?", "When was it that Antony Blinken met Park Jin?"),
    (PARK, "and why?", "Why was it that Antony Blinken met Park Jin?"),
    (PARK, "on what date?", "On what date was it that Antony Blinken met Park Jin?"),
    (PARK, "who else?", "Who else met Park Jin?"),
    (PARK, "when was that?", "When was it that Antony Blinken met Park Jin?"),
    (
        PARK,
        "in which city did that happen?",
        "In which city was it that Antony Blinken met Park Jin?",
    ),
    (LEONOV, "where?", "Where did Alexei Leonov die?"),
    (LEONOV, "how?", "How did Alexei Leonov die?"),
    (LEONOV, "in which city?", "In which city did Alexei Leonov die?"),
    (COLLAPSE, "when?", "When was it that people died in the Magnitogorsk building collapse?"),
    (COLLAPSE, "why?", "Why was it that people died in the Magnitogorsk building collapse?"),
    (KIPCHOGE, "when exactly?", "When exactly did Eliud Kipchoge run the marathon?"),
    (SATELLITE, "from where?", "From where did North Korea launch the satellite Malligyong-1?"),
    (SATELLITE, "why?", "Why did North Korea launch the satellite Malligyong-1?"),
    (UNKNOWN, "when?", "When was it that someone robbed the bank in Leeds?"),
    (
        Turn("Was the toilet offered to Donald Trump?"),
        "in what year was that?",
        "In what year was the toilet offered to Donald Trump?",
    ),
    (
        Turn("Who was arrested in Leeds?", "Ada Quill"),
        "why?",
        "Why was Ada Quill arrested in Leeds?",
    ),
    # Pronouns take a name.
    (ZAPATA, "how fast did he go?", "How fast did Franky Zapata go?"),
    (ZAPATA, "what is his machine called?", "What is Franky Zapata's machine called?"),
    (ZAPATA, "who went with him?", "Who went with Franky Zapata?"),
    (LEONOV, "how old was he when he died?", "How old was Alexei Leonov when he died?"),
    (LEONOV, "where will he be buried?", "Where will Alexei Leonov be buried?"),
    (STURGEON, "when did she resign?", "When did Nicola Sturgeon resign?"),
    (STURGEON, "what is her party?", "What is Nicola Sturgeon's party?"),
    (STURGEON, "who succeeded her?", "Who succeeded Nicola Sturgeon?"),
    (STURGEON, "but who opposed her?", "Who opposed Nicola Sturgeon?"),
    (KIPCHOGE, "what is his official record?", "What is Eliud Kipchoge's official record?"),
    (QUEEN, "where was she?", "Where was Queen Elizabeth?"),
    (QUEEN, "where was he?", "Where was Boris Johnson?"),
    (
        Turn("When was the former French president Jacques Chirac born?", "1932"),
        "and where did he die?",
        "Where did the former French president Jacques Chirac die?",
    ),
    (
        UNKNOWN,
        "how did he escape?",
        "How did the person who robbed the bank in Leeds escape?",
    ),
    (
        COURT,
        "when was it founded?",
        "When was it founded (The British Supreme Court ruled that the suspension was unlawful)?",
    ),
    (CRASH, "how many people live there?", "How many people live in Calicut?"),
    (CRASH, "what happened there?", "What happened in Calicut?"),
    # Another phrase is substituted.
    (ELECTION, "what about Quebec?", "How many seats did the Liberals win in Quebec?"),
    (ELECTION, "and in Alberta?", "How many seats did the Liberals win in Alberta?"),
    (
        ELECTION,
        "how about the Conservatives?",
        "How many seats did the Conservatives win in Ontario?",
    ),
    (ELECTION, "and in 2015?", "How many seats did the Liberals win in Ontario in 2015?"),
    (
        Turn("Who won the election in France in 2017?", "Emmanuel Macron"),
        "and in 2022?",
        "Who won the election in France in 2022?",
    ),
    (
        Turn("Who won the election in France in 2017?", "Emmanuel Macron"),
        "what about Canada?",
        "Who won the election in Canada in 2017?",
    ),
    (PARK, "and Boris Johnson?", "Who met Boris Johnson?"),
    # A question that fits any event gets the earlier question's topic.
    (
        COLLAPSE,
        "and how many were injured?",
        "How many were injured (people died in the Magnitogorsk building collapse)?",
    ),
    (
        CRASH,
        "how many passengers were on board?",
        "How many passengers were on board (the plane crash)?",
    ),
    (
        ZAPATA,
        "how long did it take?",
        "How long did it take (Franky Zapata flew across the English Channel)?",
    ),
    (PARK, "what did they discuss?", "What did they discuss (Antony Blinken met Park Jin)?"),
    (CRASH, "who was the pilot?", "Who was the pilot (the plane crash)?"),
    (
        COLLAPSE,
        "how many?",
        "How many (people died in the Magnitogorsk building collapse)?",
    ),
    (
        Turn("Who won the women's race?", "Brigid Kosgei"),
        "who came second?",
        "Who came second (Brigid Kosgei won the women's race)?",
    ),
    (
        Turn("How many were injured (people died in the collapse)?"),
        "who was responsible?",
        "Who was responsible (people died in the collapse)?",
    ),
]

ALREADY_WHOLE = [
    "who met Park Jin?",
    "Who won the 2022 FIFA World Cup?",
    "What is the boiling point of ethanol?",
    "When did Blinken say he would visit?",
    "Did Sturgeon say when she would resign?",
    "Which planet was found to have water vapour in its air?",
    "How long does it take to fly to Mars?",
    "Is it true that Kipchoge ran under two hours?",
    "How many judges are there on the Supreme Court?",
    "Numberphile creator podcast",
    "magnitogorsk collapse death toll",
    "Why did the Scottish judges rule against the prime minister?",
    "Where is Calicut?",
    "What did Tsiaras call K2-18b?",
    "Who composed the Four Seasons?",
    "How do bees make honey?",
]

ASKED_BACK = [
    ([], "where?", ()),
    ([], "why?", ()),
    ([], "when did she resign?", ()),
    ([], "what did they find?", ()),
    ([], "what about Canada?", ()),
    ([PLANET], "how old was he?", ()),
    ([LEONOV], "when did she resign?", ()),
    ([CREW], "how old was he?", ("How old was Behnken?", "How old was Hurley?")),
    (
        [Turn("When did Ada Quill and Bo Frost marry?", "1999")],
        "where was she born?",
        ("Where was Ada Quill born?", "Where was Bo Frost born?"),
    ),
    (
        [Turn("Who drove from Paris to Berlin?", "Ada Quill")],
        "what about Madrid?",
        ("Who drove from Madrid to Berlin?", "Who drove from Paris to Madrid?"),
    ),
    ([PLANET], "and Quill?", ("Quill: Where was water vapour found?",)),
]


@pytest.mark.parametrize(("earlier", "question", "whole"), WHOLE, ids=lambda each: str(each)[:60])
def test_follow_up_is_made_whole(earlier: Turn, question: str, whole: str) -> None:
    rewritten = rewrite(question, [earlier])

    assert isinstance(rewritten, Rewrite)
    assert rewritten.question == whole


@pytest.mark.parametrize("question", ALREADY_WHOLE)
@pytest.mark.parametrize(
    "earlier", [[], [PARK], [COLLAPSE, LEONOV]], ids=["first", "park", "later"]
)
def test_whole_question_is_left_as_it_is(earlier: list[Turn], question: str) -> None:
    assert rewrite(question, earlier) == Rewrite(question)


@pytest.mark.parametrize(("earlier", "question", "candidates"), ASKED_BACK)
def test_follow_up_that_cannot_be_resolved_is_asked_back(
    earlier: list[Turn], question: str, candidates: tuple[str, ...]
) -> None:
    rewritten = rewrite(question, earlier)

    assert isinstance(rewritten, Clarification)
    assert rewritten.candidates == candidates
    assert rewritten.ask_back.endswith(("?", "."))


def test_the_likelier_of_two_people_is_meant_and_the_other_is_offered() -> None:
    assert rewrite("when did he arrive?", [PARK]) == Rewrite(
        "When did Antony Blinken arrive?", ("When did Park Jin arrive?",)
    )


def test_person_named_two_questions_ago_is_still_meant() -> None:
    rewritten = rewrite("where was she born?", [STURGEON, COLLAPSE])

    assert rewritten == Rewrite("Where was Nicola Sturgeon born?")


def test_conversation_as_it_was_typed_is_understood_step_by_step() -> None:
    rewritten = rewrite_last(
        ["Who leads the Scottish government?", "when did she resign?", "why?"],
        ["Nicola Sturgeon", "in February"],
    )

    assert rewritten == Rewrite("Why did Nicola Sturgeon resign?")


def test_question_that_was_asked_back_leaves_no_trace() -> None:
    rewritten = rewrite_last(
        ["When did Alexei Leonov die?", "when did she resign?", "where?"], ["Friday", ""]
    )

    assert rewritten == Rewrite("Where did Alexei Leonov die?")


def test_follow_up_that_grows_too_long_is_asked_back() -> None:
    earlier = Turn("Who sank " + "the ship " * 108 + "?")

    assert isinstance(rewrite("how many died and why did it happen?", [earlier]), Clarification)


def test_question_that_was_too_long_as_it_came_is_left_as_it_is() -> None:
    endless = "x" * 1001

    assert rewrite(endless, [STURGEON]) == Rewrite(endless)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_any_text_is_understood_or_asked_back(question: str, earlier: str, answer: str) -> None:
    rewritten = rewrite(question, [Turn(earlier, answer)])

    assert isinstance(rewritten, Rewrite | Clarification)
