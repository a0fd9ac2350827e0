import json

from citewire.rag.evaluation.outcomes import Outcome
from citewire.rag.evaluation.rendering import render_json, render_tables
from citewire.rag.evaluation.report import Evaluation


def test_the_tables_have_a_line_for_each_row() -> None:
    outcomes = [Outcome("when", True, True, 0.0, 2 / 3, True, 0.75)]

    scores, worth = render_tables(Evaluation.from_outcomes(outcomes)).split("\n\n")

    names, figures = scores.splitlines()
    assert names.split()[:4] == ["kind", "questions", "EM", "F1"]
    assert figures.split()[:4] == ["when", "1", "0.0", "66.7"]
    assert len(names) == len(figures)
    assert worth.splitlines()[1].split()[:3] == ["when", "1", "0.0"]


def test_the_figures_are_given_as_json() -> None:
    outcomes = [Outcome("when", True, True, 0.0, 2 / 3, True, 0.75)]

    (row,) = json.loads(render_json(Evaluation.from_outcomes(outcomes)))["rows"]

    assert (row["kind"], row["f1"], row["calibration_error"]) == ("when", 66.7, 25.0)
