import json

from citewire.rag.evaluation.outcomes import Outcome
from citewire.rag.evaluation.rendering import render_json, render_tables
from citewire.rag.evaluation.report import Evaluation


def test_the_tables_have_a_line_for_each_row() -> None:
    outcomes = [Outcome("when", True, True, 0.0, 2 / 3, True, 0.75)]

    # Nothing was asked that has near misses, flips or causes: these tables are left out.
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


def contrast() -> Evaluation:
    """A question of every kind on two twins, of which the second does not answer it."""
    kinds = ["keyword", "howmany", "howmuch", "howlong", "who"]
    causes = ["negation", "other_event", "hypothetical", "attribution", ""]
    outcomes = []
    for kind, cause in zip(kinds, causes, strict=True):
        outcomes += [
            Outcome(kind, True, True, 1.0, 1.0, None, 0.75, cause, (kind,)),
            Outcome(kind, False, True, 0.0, 0.0, None, 0.25, cause, (kind,)),
        ]
    return Evaluation.from_outcomes(outcomes)


def test_a_contrast_file_has_tables_by_kind_and_by_cause_and_its_thresholds() -> None:
    tables = [table.splitlines() for table in render_tables(contrast()).split("\n\n")]

    assert [table[0].split()[0] for table in tables] == ["kind"] * 4 + ["cause"] * 4 + ["threshold"]
    near_misses, flips = tables[2], tables[3]
    # kept and refused at 90 and at 95 %, who questions, false namings
    assert near_misses[-2].split() == ["who", "2", *["100.0"] * 4, "2", "50.0"]
    assert flips[-1].split() == ["all", "10", "5", "100.0", "0.0", "100.0"]
    assert tables[4][1].startswith("(none)  ")
    assert tables[-1][1:] == [
        "keeps 90 % of right answers       0.750",
        "keeps 95 % of right answers       0.750",
        "best for flips                    0.750",
    ]


def test_no_table_is_wider_than_a_usual_terminal() -> None:
    assert max(map(len, render_tables(contrast()).splitlines())) <= 120


def test_near_misses_flips_causes_and_thresholds_are_in_the_json() -> None:
    figures = json.loads(render_json(contrast()))

    everything = figures["rows"][-1]
    assert everything["kind"] == "all"
    assert (everything["kept_90"], everything["refused_90"]) == (100.0, 100.0)
    assert (everything["who_questions"], everything["false_namings"]) == (2, 50.0)
    assert (everything["flips"], everything["flips_in_order"]) == (5, 100.0)
    assert everything["flips_both_right"] == 0.0
    assert everything["flips_both_right_best_threshold"] == 100.0
    assert [row["cause"] for row in figures["causes"]] == [
        "",
        "attribution",
        "hypothetical",
        "negation",
        "other_event",
    ]
    assert figures["causes"][1]["refused_95"] == 100.0
    assert figures["thresholds"] == {"keep_90": 0.75, "keep_95": 0.75, "flips": 0.75}
