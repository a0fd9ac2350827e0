import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.index.types import Article, Passage, Span
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import ReadyModel, prepare_model
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.settings import SHIPPED_READER
from citewire.rag.types import Hit

Read = Callable[[str, str], list[str]]

BRIDGE = (
    "The old stone bridge over the Vire opened in 1894. Mayor Ana Ruiz wants a new one by 2030. "
    "Fishermen from Pont-Nord fear for the river."
)
FILLER = "Rain fell on the quiet valley and the cattle stood under the trees . ".split()
ANSWER = "the Marchetti Foundation of Verona"


def hit(
    text: str,
    name: str = "a",
    number: int = 1,
    title: str = "A title",
    published: date | None = None,
) -> Hit:
    article = Article(name, title, text, published=published)
    return Hit(Passage(number, article, Span(0, len(text))), 1.0, 1.0)


@pytest.fixture
def read(reader: OnnxReader) -> Read:
    """Reads one text; returns the found texts, best first."""

    def ask(question: str, text: str) -> list[str]:
        return [extract.text for extract in reader.read(question, [hit(text)])]

    return ask


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When did the bridge open?", "1894"),
        ("Who is the mayor?", "Ana Ruiz"),
        ("Where are the fishermen from?", "Pont-Nord"),
        ("By when does the mayor want a new bridge?", "2030"),
    ],
)
def test_the_shipped_reader_answers_simple_questions(
    read: Read, question: str, answer: str
) -> None:
    assert answer in read(question, BRIDGE)[0]


def test_an_answer_in_the_text_scores_above_no_answer(reader: OnnxReader) -> None:
    (best, *_) = reader.read("When did the bridge open?", [hit(BRIDGE)])
    assert best.margin > 0


def test_a_question_that_the_text_does_not_answer_scores_lower(reader: OnnxReader) -> None:
    asked = [
        reader.read(question, [hit(BRIDGE)])[0].margin
        for question in ("When did the bridge open?", "Who won the chess tournament in Oslo?")
    ]
    assert asked[0] > asked[1]


@pytest.mark.parametrize("words_before", range(360, 370))
def test_an_answer_at_the_edge_of_a_window_is_found_whole(read: Read, words_before: int) -> None:
    before = " ".join(FILLER[number % len(FILLER)] for number in range(words_before))
    text = f"{before} The new hospital was paid for by {ANSWER} , it said . {' '.join(FILLER * 8)}"
    assert read("Who paid for the new hospital?", text)[0].removeprefix("the ") == (
        ANSWER.removeprefix("the ")
    )


@pytest.mark.parametrize("words_before", range(0, 12, 3))
def test_no_answer_begins_or_ends_inside_a_word(reader: OnnxReader, words_before: int) -> None:
    # Each of these words is several tokens: windows are cut inside of them.
    words = ["so"] * words_before + ["Przemyślański", "Kwiatkowskiego", "Ćwirkowska"] * 60
    text = " ".join(words)
    found = reader.read("Who is Ćwirkowska?", [hit(text)])
    assert {word for extract in found for word in extract.text.split()} <= set(words)


def test_accents_stay_with_their_letters(read: Read) -> None:
    found = read("Who is the mayor?", "The mayor is Jose\u0301 Mun\u0303oz e\u0301.")
    assert found[0] == "Jose\u0301 Mun\u0303oz e\u0301"


def test_no_two_extracts_of_an_article_share_a_character(reader: OnnxReader) -> None:
    article = Article("a", "A title", BRIDGE)
    overlapping = [
        Hit(Passage(1, article, Span(0, 91)), 1.0, 1.0),
        Hit(Passage(2, article, Span(51, len(BRIDGE))), 0.5, 0.5),
    ]
    found = [extract.span for extract in reader.read("Who is the mayor?", overlapping)]
    assert not any(one.overlaps(other) for one, other in combinations(found, 2))


def test_extracts_are_in_the_coordinates_of_their_article(reader: OnnxReader) -> None:
    article = Article("a", "A title", BRIDGE)
    (best, *_) = reader.read(
        "Who is the mayor?", [Hit(Passage(1, article, Span(51, 91)), 1.0, 1.0)]
    )
    assert BRIDGE[best.span.start : best.span.end] == "Ana Ruiz"


SHE = (
    "She said the talks in the capital had been frank, and left for Tokyo in the evening. The two"
    " ministers will meet again in May."
)


@pytest.mark.parametrize(
    "question",
    [
        "Where did Annalena Baerbock go after the talks?",
        "When will Annalena Baerbock meet the minister again?",
    ],
)
def test_a_title_names_the_person_that_a_passage_is_about(
    reader: OnnxReader, question: str
) -> None:
    right, wrong = (
        reader.read(question, [hit(SHE, title=f"{who} visits Seoul", published=date(2024, 3, 5))])[
            0
        ]
        for who in ("German foreign minister Annalena Baerbock", "Penny Wong")
    )
    assert right.text == wrong.text
    assert right.margin > wrong.margin


@given(
    title=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400),
    published=st.none() | st.dates(),
)
def test_no_title_changes_where_a_quote_stands(
    reader: OnnxReader, title: str, published: date | None
) -> None:
    for extract in reader.read(
        "When did the bridge open?", [hit(BRIDGE, title=title, published=published)]
    ):
        assert BRIDGE[extract.span.start : extract.span.end] == extract.text


def test_a_reader_that_learned_without_titles_is_given_none(
    reader_folder: Path, reader: OnnxReader
) -> None:
    manifest = json.loads((reader_folder / "manifest.json").read_text())
    del manifest["reads_titles"]
    (reader_folder / "manifest.json").write_text(json.dumps(manifest))
    other = OnnxReader(prepare_model("reader", str(reader_folder), Path("unused")))
    question, bare = "When did the bridge open?", hit(BRIDGE, title="", published=date(2020, 5, 1))
    headed = hit(BRIDGE, title="Bridge over the Vire", published=date(2020, 5, 1))
    margins = [other.read(question, [each])[0].margin for each in (bare, headed)]
    assert margins[0] == margins[1] == reader.read(question, [bare])[0].margin
    assert reader.read(question, [headed])[0].margin != margins[0]


def test_the_passage_that_answers_comes_first_whatever_its_place(reader: OnnxReader) -> None:
    others = [hit("It rained all day in the valley.", "b", 2), hit("Sheep graze here.", "c", 3)]
    answering = hit(BRIDGE)
    orders = ([answering, *others], [*others, answering])
    firsts = [reader.read("When did the bridge open?", hits)[0] for hits in orders]
    assert [(first.article.id, first.text) for first in firsts] == [("a", "1894")] * 2


def test_extracts_come_best_first(reader: OnnxReader) -> None:
    margins = [extract.margin for extract in reader.read("Who is the mayor?", [hit(BRIDGE)])]
    assert margins == sorted(margins, reverse=True)


def test_the_company_of_other_passages_does_not_matter(reader: OnnxReader) -> None:
    others = [hit("It rained all day in the valley. " * 9, "b", 2), hit("Sheep.", "c", 3)]
    alone = reader.read("Who is the mayor?", [hit(BRIDGE)])
    together = reader.read("Who is the mayor?", [hit(BRIDGE), *others])
    assert [extract for extract in together if extract.article.id == "a"] == alone


def test_nothing_to_read_is_nothing_found(reader: OnnxReader) -> None:
    assert reader.read("Who is the mayor?", []) == []


@pytest.mark.parametrize(
    "question", ["\u200b", "who " * 250, "日本 " * 300, "e\u0301" * 500, "?" * 1000]
)
def test_any_question_is_read(reader: OnnxReader, question: str) -> None:
    found = reader.read(question, [hit(BRIDGE)])
    assert all(extract.text in BRIDGE for extract in found)


@pytest.mark.parametrize(
    "text", ["?", "\u200d", "e\u0301", "👩\u200d🚀", "a\u0301" * 900, "- " * 500]
)
def test_any_text_is_read(reader: OnnxReader, text: str) -> None:
    found = reader.read("Who is the mayor?", [hit(text)])
    assert all(extract.text in text for extract in found)


def test_threads_read_the_same_as_one_thread(reader: OnnxReader) -> None:
    long = " ".join(FILLER * 30) + BRIDGE

    def asked(question: str) -> Sequence[str]:
        return [extract.text for extract in reader.read(question, [hit(long)])]

    questions = ["Who is the mayor?", "When did the bridge open?"] * 6
    alone = [asked(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(asked, questions))
    assert together == alone


def test_an_encoder_is_no_reader(encoder_model: ReadyModel) -> None:
    with pytest.raises(ModelRejected, match="is another kind of model"):
        OnnxReader(encoder_model)


@pytest.fixture
def reader_folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_READER, tmp_path / "reader"))


def test_a_reader_of_short_windows_is_refused(reader_folder: Path) -> None:
    manifest = json.loads((reader_folder / "manifest.json").read_text())
    (reader_folder / "manifest.json").write_text(json.dumps(manifest | {"max_tokens": 128}))
    with pytest.raises(ModelRejected, match="reads 128 tokens at once; a reader needs 224"):
        OnnxReader(prepare_model("reader", str(reader_folder), Path("unused")))
