from pathlib import Path

import pytest

from citewire.index.errors import InvalidInput
from citewire.rag.evaluation.question_files import (
    LabelledQuestion,
    build_archive,
    is_squad,
    read_questions,
)
from citewire.rag.evaluation.squad import Gold, SquadExample


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def test_a_question_file_is_read(file: Path) -> None:
    file.write_text(
        '{"question": "When?", "answers": ["1894"], "article_id": "bridge", "kind": "when"}\n'
        "\n"
        '{"question": "Why?", "answers": []}\n'
        '{"question": "Who?", "answers": [], "kind": "who", "why": "role"}\n'
    )
    assert read_questions(file) == [
        LabelledQuestion("When?", ("1894",), "bridge", "when"),
        LabelledQuestion("Why?", (), None, "all"),
        LabelledQuestion("Who?", (), None, "who", cause="role"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "5",
        "null",
        '{"answers": []}',
        '{"question": "Why?"}',
        '{"question": "Why?", "answers": 5}',
    ],
)
def test_a_line_that_is_no_question_is_named(file: Path, line: str) -> None:
    file.write_text(f'{{"question": "When?", "answers": ["1894"]}}\n\n{line}\n')
    with pytest.raises(InvalidInput, match=r"questions\.jsonl:3: not a question"):
        read_questions(file)


def test_an_empty_file_is_refused(file: Path) -> None:
    file.write_text("\n")
    with pytest.raises(InvalidInput, match="holds no questions"):
        read_questions(file)


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"questions\.jsonl: cannot be read"):
        read_questions(file)


@pytest.mark.parametrize(
    ("name", "expected"), [("a.json", True), ("a.json.gz", True), ("a.jsonl", False)]
)
def test_the_name_decides_the_format(name: str, expected: bool) -> None:
    assert is_squad(Path(name)) is expected


def test_paragraphs_become_an_archive_that_its_questions_are_asked_of() -> None:
    examples = [
        SquadExample("1", "Who fled?", "Ana fled.", (Gold("Ana", 0),), (), "A town"),
        SquadExample("2", "Who stayed?", "Ana fled.", (), (), "A town"),
        SquadExample(
            "3",
            "What rose?",
            "The river rose.",
            (Gold("The river", 0),),
            (),
            "A river",
            kind="what",
            cause="type",
        ),
    ]

    articles, questions = build_archive(examples, examples[1:], "town")

    assert [(article.id, article.title) for article in articles] == [
        ("paragraph-0", "A town"),
        ("paragraph-1", "A river"),
    ]
    assert questions == [
        LabelledQuestion("Who stayed?", (), "paragraph-0", "town"),
        LabelledQuestion("What rose?", ("The river",), "paragraph-1", "what", cause="type"),
    ]
