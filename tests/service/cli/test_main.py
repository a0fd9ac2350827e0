"""The command line's manners: help, usage, exit codes, messages."""

import socket
from pathlib import Path

import pytest

from citewire.service.cli.main import main
from citewire.service.cli.status import ArchiveStatus, render_status
from citewire.service.settings import VARIABLES

COMMANDS = ["demo", "index", "ask", "search", "serve", "mcp", "status", "eval"]


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable set but a data directory of the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CITEWIRE_DATA", str(tmp_path / "data"))


def exit_code(*arguments: str) -> int | str | None:
    """How it ends where the argument parser ends it."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(command, "--help") == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: citewire {command} ")
    assert "  3  the archive or a model is not usable\n  4  the archive does not say\n" in shown


def test_help_names_every_command_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--help") == 0
    shown = capsys.readouterr().out
    assert [word for word in [*COMMANDS, *VARIABLES] if f"  {word} " not in shown] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["index"],
        ["ask", "--nothing"],
        ["ask", "one", "two"],
        ["ask", "Who?", "--from", "yesterday"],
        ["search"],
        ["serve", "--port", "many"],
        ["serve", "--port", "65536"],
        ["serve", "--port", "-1"],
        ["eval"],
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(*arguments) == 2
    assert capsys.readouterr().err.startswith("usage: citewire")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "Who?", "--from", "2024-01-02", "--to", "2024-01-01"], "published_from is later"),
        (["search", "Who?", "--from", "2024-01-02", "--to", "2024-01-01"], "published_from is"),
        (["search", " "], "the question is empty"),
        (["search", "Who?", "--limit", "0"], "--limit is 0; it goes from 1 to 100"),
        (["search", "Who?", "--limit", "101"], "--limit is 101; it goes from 1 to 100"),
    ],
)
def test_what_cannot_be_asked_exits_with_2_and_is_explained(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CITEWIRE_DATE", "x", "unknown variable CITEWIRE_DATE; known are CITEWIRE_DATA, "),
        ("CITEWIRE_THRESHOLD", "high", "CITEWIRE_THRESHOLD is 'high', not a number"),
        ("CITEWIRE_THRESHOLD", "1.5", "CITEWIRE_THRESHOLD is 1.5; it goes from 0 to 1"),
        ("CITEWIRE_THRESHOLD", "nan", "CITEWIRE_THRESHOLD is nan; it goes from 0 to 1"),
        ("CITEWIRE_API_KEY", "short", "CITEWIRE_API_KEY is too short; use at least 16 characters"),
    ],
)
def test_wrong_setting_exits_with_2_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    message: str,
) -> None:
    monkeypatch.setenv(name, value)

    assert main(["status"]) == 2
    assert capsys.readouterr().err.startswith(f"citewire: {message}")


@pytest.mark.parametrize(
    "command", [["ask", "Who?"], ["ask"], ["status"], ["serve", "--port", "0"]]
)
def test_archive_that_is_not_there_exits_with_3_and_says_what_to_do(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(command) == 3
    assert capsys.readouterr().err == (
        f"citewire: {tmp_path}/data: nothing is indexed here; run `citewire index PATH` first\n"
    )
    assert not (tmp_path / "data").exists()


def test_directory_on_the_command_line_goes_before_the_variable(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["status", "--data", str(tmp_path / "other")]) == 3
    assert f"{tmp_path}/other: nothing is indexed here" in capsys.readouterr().err


def test_serving_others_without_a_key_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0"]) == 2
    assert capsys.readouterr().err == (
        "citewire: --host 0.0.0.0 can be reached from other machines: make a key with"
        " `citewire key add` or set CITEWIRE_API_KEY first\n"
    )


def test_taken_port_exits_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        assert main(["serve", "--port", port]) == 3
    assert f"127.0.0.1:{port}: cannot listen there" in capsys.readouterr().err


def test_names_in_messages_do_not_act_on_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["status", "--data", str(tmp_path / "\x1b]0;owned\x07\u202e")])

    assert "/�]0;owned��: nothing is indexed here" in capsys.readouterr().err


def test_status_is_shown_in_lines() -> None:
    status = ArchiveStatus(
        data="/d", articles=18, passages=42, index_version="abc-1", served_at="http://x"
    )

    assert render_status(status).splitlines() == [
        "data           /d",
        "articles       18",
        "passages       42",
        "index version  abc-1",
        "served at      http://x",
    ]
