"""Render an evaluation's figures: as tables for a terminal, or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from citewire.rag.evaluation.near_misses import Thresholds
from citewire.rag.evaluation.report import Evaluation, Row

ANSWER_HEADINGS = {
    "exact_match": "EM",
    "f1": "F1",
    "article_first": "article first",
    "answered": "answered",
    "refused": "refused",
    "best_f1": "best F1",
    "all_exact_match": "all EM",
    "all_f1": "all F1",
    "all_f1_best_threshold": "all F1 best",
}
CONFIDENCE_HEADINGS = {
    "wrong_given": "wrong given",
    "auroc": "AUROC",
    "calibration_error": "ECE",
    "calibration_error_by_chance": "by chance",
    "coverage_80": "at 80 %",
    "coverage_90": "at 90 %",
    "coverage_80_exact": "at 80 % EM",
}
NEAR_MISS_HEADINGS = {
    "kept_90": "90 %: kept",
    "refused_90": "90 %: refused",
    "kept_95": "95 %: kept",
    "refused_95": "95 %: refused",
    "who_questions": "who questions",
    "false_namings": "false namings",
}
FLIP_HEADINGS = {
    "flips": "flips",
    "flips_in_order": "in order",
    "flips_both_right": "both right",
    "flips_both_right_best_threshold": "both right best",
}
THRESHOLD_NAMES = {
    "keep_90": "keeps 90 % of right answers",
    "keep_95": "keeps 95 % of right answers",
    "flips": "best for flips",
}
# In a table, the name of the row of questions without a cause.
NO_CAUSE = "(none)"


def render_json(evaluation: Evaluation) -> str:
    """Return all figures as JSON."""
    figures = {
        "rows": [{"kind": row.name} | flatten(row) for row in evaluation.rows],
        "causes": [{"cause": row.name} | flatten(row) for row in evaluation.causes],
        "thresholds": asdict(evaluation.thresholds),
    }
    return json.dumps(figures, indent=2)


def render_tables(evaluation: Evaluation) -> str:
    """Return tables for a terminal, by kind and by cause; those that do not apply are left out."""
    tables = [
        render_table(label, rows, headings)
        for label, rows in (("kind", evaluation.rows), ("cause", evaluation.causes))
        for headings in (ANSWER_HEADINGS, CONFIDENCE_HEADINGS, NEAR_MISS_HEADINGS, FLIP_HEADINGS)
    ]
    tables.append(render_thresholds(evaluation.thresholds))
    return "\n\n".join(table for table in tables if table)


def render_table(label: str, rows: Sequence[Row], headings: Mapping[str, str]) -> str:
    """Return a table with a column for each of the named figures, "" where no row has any.

    A row without a percentage in it is left out.
    """
    lines = []
    for row in rows:
        figures = flatten(row)
        if any(isinstance(figures[name], float) for name in headings):
            cells = [render_figure(figures[name]) for name in ("questions", *headings)]
            lines.append([row.name or NO_CAUSE, *cells])
    return align_all([[label, "questions", *headings.values()], *lines]) if lines else ""


def render_thresholds(thresholds: Thresholds) -> str:
    """Return a table of the thresholds that were chosen, "" where there are none."""
    chosen = asdict(thresholds)
    lines = [
        [name, f"{chosen[key]:.3f}"]
        for key, name in THRESHOLD_NAMES.items()
        if chosen[key] is not None
    ]
    return align_all([["threshold", "confidence"], *lines]) if lines else ""


def flatten(row: Row) -> dict[str, float | None]:
    """Return all figures of a row by name; counts are whole numbers."""
    parts = (row.answers, row.squad, row.confidences, row.near_misses, row.flips)
    figures: dict[str, float | None] = {"questions": row.questions}
    for part in parts:
        figures |= asdict(part)
    return figures


def render_figure(figure: float | None) -> str:
    """Return a percentage with one decimal, a count as it is, `-` where none applies."""
    if isinstance(figure, int):
        return str(figure)
    return "-" if figure is None else f"{figure:.1f}"


def align_all(lines: Sequence[Sequence[str]]) -> str:
    """Return the lines of a table, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(align(line, widths) for line in lines)


def align(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a table's line: the first cell to the left, figures to the right."""
    name, *figures = cells
    padded = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *padded])
