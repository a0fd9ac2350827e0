import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from citewire.index.errors import InvalidInput, NoArchive
from citewire.rag.evaluation.squad import SquadExample
from citewire.service.cli.evaluate import Sample, ask_files
from citewire.service.cli.main import main
from citewire.service.settings import ServiceSettings, read_service_settings

TOWN = [
    (
        "The old bridge crosses the Vire. It opened in 1894.",
        "When did the old bridge open?",
        "1894",
    ),
    ("The mayor of the town is Ana Ruiz.", "Who is the mayor of the town?", "Ana Ruiz"),
    ("Fishermen from Pont-Nord fear for the river.", "What is the boiling point of gold?", None),
]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A file in SQuAD's format: two questions with an answer, one without."""
    paragraphs = []
    for context, question, answer in TOWN:
        golds = [{"text": answer, "answer_start": context.index(answer)}] if answer else []
        qa = {"id": question, "question": question, "answers": golds}
        paragraphs.append({"context": context, "qas": [qa | {"is_impossible": answer is None}]})
    file = tmp_path / "town.json.gz"
    file.write_bytes(gzip.compress(json.dumps({"data": [{"paragraphs": paragraphs}]}).encode()))
    return file


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return replace(read_service_settings(os.environ), data=tmp_path / "data")


@pytest.fixture
def contrast(tmp_path: Path) -> Path:
    """A contrast file: two questions asked of both twins, of which one flips."""
    paragraphs = []
    for letter, context, opener in [
        ("a", "The mayor Ana Ruiz opened the old bridge in 1894.", "Ana Ruiz"),
        ("b", "The mayor Ana Ruiz refused to open the old bridge in 1894.", None),
    ]:
        fields = [
            ("Who opened the old bridge?", opener, "negation"),
            ("who is mayor", "Ana Ruiz", ""),
        ]
        qas = [
            {
                "id": f"town-001-{letter}-{number}",
                "question": question,
                "answers": [{"text": gold, "answer_start": context.index(gold)}] if gold else [],
                "is_impossible": gold is None,
                "kind": "who",
                "why": cause,
            }
            for number, (question, gold, cause) in enumerate(fields)
        ]
        paragraphs.append({"context": context, "qas": qas})
    file = tmp_path / "contrast.json"
    file.write_text(json.dumps({"data": [{"title": "A bridge", "paragraphs": paragraphs}]}))
    return file


@pytest.mark.parametrize("retrieve", [False, True], ids=["read alone", "retrieve and read"])
def test_a_squad_file_is_asked_without_any_archive_of_ours(
    settings: ServiceSettings, town: Path, retrieve: bool
) -> None:
    outcomes = ask_files(settings, [town], Sample(0, 1, retrieve=retrieve))

    assert [outcome.kind for outcome in outcomes] == ["town"] * 3
    assert [outcome.answerable for outcome in outcomes] == [True, True, False]
    assert [outcome.f1 for outcome in outcomes] == [1.0, 1.0, 0.0]
    assert not outcomes[2].answered
    assert not settings.data.exists()


def test_the_same_seed_asks_the_same_questions(settings: ServiceSettings, town: Path) -> None:
    first, second = (ask_files(settings, [town], Sample(2, 5, retrieve=False)) for _ in range(2))

    assert len(first) == 2
    assert first == second


def test_questions_to_an_archive_need_one(settings: ServiceSettings, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "When?", "answers": []}\n')

    with pytest.raises(NoArchive, match="nothing is indexed here"):
        ask_files(settings, [file], Sample(0, 1, retrieve=False))


def test_a_broken_file_is_found_before_anything_is_asked(
    settings: ServiceSettings, town: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")

    with pytest.raises(InvalidInput, match=r"broken\.json: not a question file"):
        ask_files(settings, [town, broken], Sample(0, 1, retrieve=False))


def test_a_negative_number_of_questions_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--questions is -1"):
        Sample(-1, 1, retrieve=False)


def test_a_contrast_file_is_measured_by_kind_by_cause_and_by_its_flips(
    contrast: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", str(contrast), "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    (row,) = figures["rows"]
    assert (row["kind"], row["questions"], row["who_questions"]) == ("who", 4, 4)
    assert [(row["cause"], row["flips"]) for row in figures["causes"]] == [("", 0), ("negation", 1)]
    assert figures["thresholds"].keys() == {"keep_90", "keep_95", "flips"}


def test_a_sample_of_a_contrast_file_keeps_twins_together() -> None:
    examples = [
        SquadExample(f"{letter}-{number}", f"Who did {number}?", letter, (), ("a", "b"), kind="who")
        for letter in "ab"
        for number in range(20)
    ]

    drawn = Sample(10, 1, retrieve=False).draw_twins(examples)

    assert len(drawn) == 10
    assert len({example.question for example in drawn}) == 5


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """A folder with an article, a file of articles beside it, and questions about both."""
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "bridge.md").write_text(f"# The old bridge\n\n{TOWN[0][0]}\n")
    article = {"id": "mayor", "title": "Town hall", "text": TOWN[1][0]}
    (tmp_path / "more.jsonl").write_text(json.dumps(article) + "\n")
    questions = [
        {"question": TOWN[0][1], "answers": ["1894"], "article_id": "news/bridge", "kind": "when"},
        {"question": TOWN[1][1], "answers": ["Ana Ruiz"], "article_id": "mayor", "kind": "who"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in questions))
    return file


def test_questions_are_asked_of_the_articles_that_are_given_with_them(
    settings: ServiceSettings, news: Path
) -> None:
    articles = (news.parent / "news", news.parent / "more.jsonl")

    outcomes = ask_files(settings, [news], Sample(0, 1, retrieve=False, articles=articles))

    assert [(each.kind, each.f1, each.article_first) for each in outcomes] == [
        ("when", 1.0, True),
        ("who", 1.0, True),
    ]
    assert not settings.data.exists()


def test_article_files_are_given_on_the_command_line_one_by_one(
    news: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, file = news.parent / "news", news.parent / "more.jsonl"

    assert main(["eval", str(news), "--articles", str(folder), "--articles", str(file)]) == 0

    assert "when" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.md", None, "gone.md: no such file or folder"),
        ("broken.jsonl", "{", r"broken\.jsonl:1: not JSON.*needs all of its articles"),
    ],
)
def test_an_article_file_that_cannot_be_used_ends_the_evaluation(
    settings: ServiceSettings, news: Path, name: str, content: str | None, message: str
) -> None:
    file = news.parent / name
    if content is not None:
        file.write_text(content)

    with pytest.raises(InvalidInput, match=message):
        ask_files(settings, [news], Sample(0, 1, retrieve=False, articles=(file,)))


def test_articles_without_questions_that_are_asked_of_them_are_refused(
    settings: ServiceSettings, town: Path, news: Path
) -> None:
    articles = (news.parent / "news",)

    with pytest.raises(InvalidInput, match="--articles is for questions"):
        ask_files(settings, [town], Sample(0, 1, retrieve=False, articles=articles))
