"""The progress of indexing, in a log and on a terminal."""

import pytest

from citewire.index.ingest.indexer import Progress
from citewire.service.cli.progress import show_bar, show_progress


def test_log_is_not_filled_with_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress() as report:
        for read in range(1000):
            report(Progress(read, 1000, read))

    assert capsys.readouterr().err == ""


def test_bar_shows_share_passages_and_leaves_nothing_behind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with show_bar() as report:
        report(Progress(500, 1000, 1234))
    shown = capsys.readouterr()

    assert "50 %" in shown.err
    assert "1,234 passages" in shown.err
    assert shown.out == ""


def test_bar_over_empty_files_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    with show_bar() as report:
        report(Progress(0, 0, 0))

    assert capsys.readouterr().out == ""
