import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from citewire.rag.models.model_files import MANIFEST_FILE
from citewire.rag.reading.calibration import UNCALIBRATED, Features, read_calibration
from citewire.rag.reading.question_kind import QuestionKind
from citewire.rag.settings import SHIPPED_READER
from citewire.rag.training.calibrate import expand_counts, main

BRIDGES = [
    ("Lerwick", "Ana Ruiz", "1894", "granite"),
    ("Oban", "Tom Hale", "1911", "steel"),
    ("Thurso", "Ida Berg", "1926", "oak"),
    ("Stromness", "Paul Kerr", "1938", "brick"),
    ("Wick", "Mary Flett", "1949", "concrete"),
    ("Kirkwall", "Erik Lund", "1953", "slate"),
    ("Tarbert", "Rosa Bain", "1967", "larch"),
    ("Portree", "Hugh Innes", "1971", "iron"),
    ("Ullapool", "Nora Shaw", "1980", "limestone"),
    ("Mallaig", "Otto Grieg", "1992", "aluminium"),
    ("Nairn", "Lena Muir", "2003", "glass"),
    ("Golspie", "Karl Dahl", "2011", "copper"),
]


def questions(
    kind: str, town: str, engineer: str, year: str, stuff: str
) -> list[tuple[str, str, str | None]]:
    """Three questions on a paragraph about a bridge."""
    text = (
        f"The {kind} bridge of {town} was drawn by the engineer {engineer}. It opened in {year},"
        f" after two winters of delay, and is built of {stuff}. Fishermen had asked for it for"
        f" decades, since the way around the bay took them most of a morning."
    )
    return [
        (text, f"Who drew the {kind} bridge of {town}?", engineer),
        (text, f"When did the {kind} bridge of {town} open?", year),
        (text, f"What is the {kind} bridge of {town} built of?", stuff),
    ]


@pytest.fixture
def files(squad_file: Callable[..., Path]) -> list[Path]:
    """Two files in SQuAD's format, an article with twelve bridges each."""
    towns, engineers, years, stuffs = zip(*BRIDGES, strict=True)
    written = []
    for kind, others in (("harbour", engineers), ("railway", engineers[::-1])):
        bridges = zip(towns, others, years, stuffs, strict=True)
        article = [question for bridge in bridges for question in questions(kind, *bridge)]
        written.append(squad_file(f"{kind}.json.gz", [article]))
    return written


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The shipped reader without its calibration."""
    folder = tmp_path / "reader"
    shutil.copytree(SHIPPED_READER, folder)
    (folder / "confidence.json").unlink()
    return folder


def calibrate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["calibrate", *map(str, arguments)])
    main()


def test_a_confidence_is_fitted_to_several_files(
    files: list[Path], reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrate(monkeypatch, *files, "--reader", reader, "--threshold", 0.4, "--questions", 36, 24)

    identity = json.loads((reader / MANIFEST_FILE).read_text("utf-8"))["identity"]
    calibration = read_calibration(reader, identity)
    assert calibration != UNCALIBRATED
    assert calibration.threshold == 0.4
    assert json.loads((reader / "confidence.json").read_text("utf-8"))["questions"] == 60
    sure, unsure = (Features(margin, 0.6, 1.0, margin) for margin in (8.0, -8.0))
    assert calibration.probability(sure) > calibration.probability(unsure)


def test_threshold_is_chosen_by_its_risk(
    files: list[Path], reader: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("--who-threshold", 0.99)
    calibrate(monkeypatch, *files, "--reader", reader, "--risk", 0.9, *who)

    fields = json.loads((reader / "confidence.json").read_text("utf-8"))
    risk = fields["risk"]
    assert risk["wrong"] <= risk["given"] <= risk["asked"]
    assert risk["wrong"] / risk["given"] < risk["bound"] <= 0.9
    calibration = read_calibration(reader, fields["reader"])
    assert (calibration.threshold, calibration.risk) == (fields["threshold"], risk["bound"])
    assert calibration.threshold_for(QuestionKind.WHO) == 0.99


def test_risk_that_no_threshold_has_is_refused(
    files: list[Path],
    reader: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        calibrate(monkeypatch, *files, "--reader", reader, "--risk", 0.0001)

    assert "no threshold has a risk of 0.0001 or less" in capsys.readouterr().err
    assert not (reader / "confidence.json").exists()


def test_questions_that_are_too_few_to_fit_to_are_refused(
    files: list[Path],
    reader: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        calibrate(monkeypatch, files[0], "--reader", reader, "--threshold", 0.4, "--questions", 1)

    assert "are right; give more questions" in capsys.readouterr().err
    assert not (reader / "confidence.json").exists()


def test_numbers_of_questions_that_fit_no_files_are_refused(
    files: list[Path],
    reader: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        calibrate(
            monkeypatch, *files, "--reader", reader, "--threshold", 0.4, "--questions", 1, 2, 3
        )

    assert "3 numbers for 2 files; give one, or one for each" in capsys.readouterr().err
    assert not (reader / "confidence.json").exists()


def test_one_number_counts_for_all_files() -> None:
    assert expand_counts([5], 3) == [5, 5, 5]
    assert expand_counts([5, 6], 2) == [5, 6]
