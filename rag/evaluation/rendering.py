"""Render an evaluation's figures: as two tables for a terminal, or as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

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


def render_json(evaluation: Evaluation) -> str:
    """Return all figures as JSON."""
    rows = [
        {"kind": row.kind, "questions": row.questions, **flatten(row)} for row in evaluation.rows
    ]
    return json.dumps({"rows": rows}, indent=2)


def render_tables(evaluation: Evaluation) -> str:
    """Return two tables for a terminal: the answers, and the confidences."""
    return "\n\n".join(
        render_table(evaluation.rows, headings)
        for headings in (ANSWER_HEADINGS, CONFIDENCE_HEADINGS)
    )


def render_table(rows: Sequence[Row], headings: Mapping[str, str]) -> str:
    """Return a table with a column for each of the named figures."""
    lines = [["kind", "questions", *headings.values()]]
    for row in rows:
        figures = flatten(row)
        cells = [render_figure(figures[name]) for name in headings]
        lines.append([row.kind, str(row.questions), *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(align(line, widths) for line in lines)


def flatten(row: Row) -> dict[str, float | None]:
    """Return all figures of a row by name."""
    return asdict(row.answers) | asdict(row.squad) | asdict(row.confidences)


def render_figure(figure: float | None) -> str:
    """Return a percentage with one decimal, `-` where none applies."""
    return "-" if figure is None else f"{figure:.1f}"


def align(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a table's line: the first cell to the left, figures to the right."""
    name, *figures = cells
    padded = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *padded])
