"""Plot how good the confidences are, as SVG: a risk-coverage curve and a reliability diagram."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from citewire.index.errors import NotUsable
from citewire.rag.evaluation.metrics import reliability_bins, risk_coverage_curve
from citewire.rag.evaluation.outcomes import Outcome
from citewire.rag.evaluation.report import CALIBRATION_BINS

# Pixels: the side of the plotting area, and the margin around it.
SIZE, MARGIN = 360, 56
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Points of a curve at most: one over ten thousand questions looks the same with this many.
MAX_POINTS = 400

Point = tuple[float, float]


def write_plots(folder: Path, outcomes: Sequence[Outcome]) -> None:
    """Write `risk_coverage.svg` and `reliability.svg`; raise NotUsable when that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "risk_coverage.svg").write_text(draw_risk_coverage(outcomes), "utf-8")
        (folder / "reliability.svg").write_text(draw_reliability(outcomes), "utf-8")
    except OSError as error:
        raise NotUsable(f"{folder}: plots cannot be written there: {error}") from error


def draw_risk_coverage(outcomes: Sequence[Outcome]) -> str:
    """Plot the share of wrong answers over the share of questions that are answered."""
    points = risk_coverage_curve(
        [outcome.confidence for outcome in outcomes], [outcome.is_right for outcome in outcomes]
    )
    # From the end, so that the point where all are answered stays.
    thinned = points[:: -(1 + len(points) // MAX_POINTS)]
    return draw_chart("share of questions answered", "share wrong among them", [draw_line(thinned)])


def draw_reliability(outcomes: Sequence[Outcome]) -> str:
    """Plot the share of right answers over the confidence, in bins of equal mass."""
    bins = reliability_bins(
        [outcome.confidence for outcome in outcomes],
        [outcome.is_right for outcome in outcomes],
        CALIBRATION_BINS,
    )
    points = [(confidence, share) for confidence, share, _ in bins]
    ideal = '<path class="ideal" d="M{} {} L{} {}"/>'.format(*to_pixels((0, 0)), *to_pixels((1, 1)))
    return draw_chart(
        "confidence", "share right", [ideal, draw_line(points), *map(draw_dot, points)]
    )


def draw_chart(across: str, up: str, marks: Iterable[str]) -> str:
    """Draw axes from 0 to 1 with names around the marks."""
    grid = []
    for tick in TICKS:
        (left, height), (right, _) = to_pixels((0, tick)), to_pixels((1, tick))
        (along, bottom), (_, top) = to_pixels((tick, 0)), to_pixels((tick, 1))
        grid += [
            f'<path class="grid" d="M{left} {height} H{right} M{along} {bottom} V{top}"/>',
            f'<text x="{left - 8}" y="{height + 4}" text-anchor="end">{tick:g}</text>',
            f'<text x="{along}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>',
        ]
    middle = MARGIN + SIZE / 2
    whole = SIZE + 2 * MARGIN
    names = [
        f'<text x="{middle}" y="{whole - 14}" text-anchor="middle">{across}</text>',
        f'<text x="16" y="{middle}" text-anchor="middle"'
        f' transform="rotate(-90 16 {middle})">{up}</text>',
    ]
    style = (
        "text{font:13px sans-serif;fill:#333}.grid{stroke:#ddd;fill:none}"
        ".ideal{stroke:#999;stroke-dasharray:4 4}.line{stroke:#1a5fb4;stroke-width:2;fill:none}"
        "circle{fill:#1a5fb4}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}">',
            f"<style>{style}</style>",
            f'<rect width="{whole}" height="{whole}" fill="#fff"/>',
            *grid,
            *marks,
            *names,
            "</svg>\n",
        ]
    )


def draw_line(points: Sequence[Point]) -> str:
    """Draw a line through the points."""
    steps = " L".join("{} {}".format(*to_pixels(point)) for point in points)
    return f'<path class="line" d="M{steps}"/>'


def draw_dot(point: Point) -> str:
    """Draw a dot."""
    x, y = to_pixels(point)
    return f'<circle cx="{x}" cy="{y}" r="4"/>'


def to_pixels(point: Point) -> Point:
    """Return the picture's pixel coordinates of a point in the unit square."""
    return round(MARGIN + SIZE * point[0], 1), round(MARGIN + SIZE * (1 - point[1]), 1)
