from pathlib import Path
from xml.etree import ElementTree

import pytest

from citewire.index.errors import NotUsable
from citewire.rag.evaluation.outcomes import Outcome
from citewire.rag.evaluation.plots import write_plots

SVG = "{http://www.w3.org/2000/svg}"


def outcome(confidence: float, *, right: bool) -> Outcome:
    return Outcome("who", True, True, float(right), float(right), True, confidence)


def test_plots_show_how_good_the_confidences_are(tmp_path: Path) -> None:
    # Half of the answers given with 0.2 are right, and all of those given with 0.8.
    outcomes = [outcome(0.2, right=number % 2 == 0) for number in range(30)]
    outcomes += [outcome(0.8, right=True) for _ in range(30)]

    write_plots(tmp_path / "plots", outcomes)

    reliability = ElementTree.parse(tmp_path / "plots" / "reliability.svg").getroot()
    dots = [
        (float(dot.get("cx", "")), float(dot.get("cy", "")))
        for dot in reliability.iter(f"{SVG}circle")
    ]
    assert len(dots) == 15
    # The last bin is at 0.8 of the width and at the top of the chart.
    assert dots[-1] == (344.0, 56.0)
    curve = ElementTree.parse(tmp_path / "plots" / "risk_coverage.svg").getroot()
    (line,) = [path for path in curve.iter(f"{SVG}path") if path.get("class") == "line"]
    # Sure ones first: half are answered without a mistake, all with a quarter wrong.
    assert line.get("d") == "M416.0 326.0 L236.0 416.0"


def test_plots_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("a file")

    with pytest.raises(NotUsable, match="plots cannot be written there"):
        write_plots(tmp_path / "plots", [outcome(0.5, right=True)])
