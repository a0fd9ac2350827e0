"""Documents, help, files and code agree: what a document shows is run, what it names is found."""

import argparse
import doctest
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from itertools import dropwhile, groupby
from pathlib import Path

import pytest

from citewire.service.cli.exit_codes import EXIT_CODES
from citewire.service.cli.main import COMMANDS, build_parser
from citewire.service.settings import VARIABLES

ROOT = Path(__file__).parent.parent
PACKAGES = ("index", "rag", "service")
DOCUMENTS = [
    ROOT / "README.md",
    *(path for top in (*PACKAGES, "tests") for path in sorted((ROOT / top).rglob("README.md"))),
]
README, SERVICE = ROOT / "README.md", ROOT / "service" / "README.md"
MODULES_WITH_EXAMPLES = [
    ".".join(["citewire", *path.relative_to(ROOT).with_suffix("").parts])
    for top in PACKAGES
    for path in sorted((ROOT / top).rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]
MEASUREMENTS = [ROOT / "tests" / "bench" / "README.md", ROOT / "tests" / "crash" / "README.md"]
MOST_LINES = 150

# Times differ from run to run, and confidences in the last digit from machine to machine.
VARYING = re.compile(r"\d+ ms|\b(very likely|likely|possible|doubtful), (over|under)? ?\d+ %|\d+ %")
# In the transcript, a line of this stands for lines that are left out.
LEFT_OUT = "…\n"
LINK = re.compile(r'\]\(([^)\s]+)\)|src="([^"]+)"')
FILE = re.compile(r"(?<![\w./-])(?:\.src|\.ci|index|rag|service|seeds|tests)/[\w./-]*")
MODULE = re.compile(r"(?<![\w./])(?:citewire\.)?(?:index|rag|service)(?:\.[a-z_]+)+\b(?!/)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
FORM = ["What", "Figure", "Command", "Commit", "Date", "Machine", "What else ran"]

every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)
every_package = pytest.mark.parametrize("package", PACKAGES)
every_design = pytest.mark.parametrize("package", [*PACKAGES, "rag/training"])


def read_blocks(document: Path, language: str) -> list[str]:
    text = document.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def read_prose(document: Path) -> str:
    """The document without its blocks of code and without the targets of its links."""
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return LINK.sub("", text)


def read_section(document: Path, heading: str) -> str:
    """The text below the heading of the second level, up to the next one."""
    _, found = document.read_text("utf-8").split(f"\n## {heading}\n")
    return found.split("\n## ")[0]


def parse_rows(text: str) -> list[list[str]]:
    """The cells of each row of the tables in the text, their headings among them."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def read_commands(document: Path) -> Iterator[list[str]]:
    """The words of every command that the document shows, in blocks and in its text."""
    for block in read_blocks(document, "sh"):
        yield from split_commands(block)
    for block in read_blocks(document, "console"):
        yield from split_commands("\n".join(re.findall(r"^\$ (.*)$", block, re.MULTILINE)))
    shown = r"`((?:[A-Z_]+=\S+ )?(?:citewire|python|pytest)\s[^`]+)`"
    for code in re.findall(shown, read_prose(document)):
        yield from split_commands(" ".join(code.split()))


def split_commands(script: str) -> Iterator[list[str]]:
    """The words of each command of a shell script, without the variables that are set before it."""
    for line in script.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        words.whitespace_split = True
        for between, found in groupby(words, key=lambda word: set(word) <= set("&|;")):
            command = list(dropwhile(re.compile(r"[A-Z_]+=").match, found))
            if command and not between:
                yield command


def find_flags(words: list[str]) -> set[str]:
    return {word.split("=")[0] for word in words if re.match(r"--\w", word)}


def list_flags(name: str) -> set[str]:
    """The options that the command declares, besides those that all commands have."""
    parser = argparse.ArgumentParser(add_help=False)
    next(command for command in COMMANDS if name == command.NAME).add_arguments(parser)
    return set(re.findall(r"(?<!\w)--[a-z-]+", parser.format_usage()))


def find_unknown_flags(words: list[str], script: Path) -> list[str]:
    """The options of a command that neither its script declares nor, where used, `load.py`."""
    source = script.read_text("utf-8")
    if "from load import" in source:
        source += script.with_name("load.py").read_text("utf-8")
    # Some are declared for each of several names: f"--{name}-minutes".
    declared = re.sub(r"\{\w+\}", "[a-z]+", "|".join(re.findall(r'"(--[^"\s]+)"', source)))
    return [
        flag for flag in sorted(find_flags(words)) if not re.fullmatch(f"--help|{declared}", flag)
    ]


def drop_varying(text: str) -> str:
    return VARYING.sub("…", text)


@pytest.fixture
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


# What the program says of itself


@pytest.mark.usefixtures("eighty_columns")
def test_the_help_in_the_readme_is_the_programs() -> None:
    assert build_parser().format_help() in read_blocks(SERVICE, "text")


def test_exit_codes_are_in_the_help() -> None:
    assert EXIT_CODES in build_parser().format_help()


def test_the_transcript_in_the_readme_is_what_the_demonstration_prints() -> None:
    command, shown = read_blocks(README, "console")[0].split("\n", 1)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "citewire",
            *command.removeprefix("$ citewire ").split(),
        ],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    printed = drop_varying(done.stdout)
    parts = [drop_varying(part) for part in shown.split(LEFT_OUT)]

    assert len(parts) > 1
    assert printed.startswith(parts[0])
    assert printed.rstrip().endswith(parts[-1].rstrip())
    for part in parts:
        assert f"\n{part}" in f"\n{printed}", "not printed, or not in this order"
        printed = printed.split(part, 1)[1]


def test_the_example_of_the_library_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = read_blocks(README, "python")
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    monkeypatch.chdir(tmp_path)
    parsed = doctest.DocTestParser().get_doctest(example, {}, "README.md", None, 0)
    failed = doctest.DocTestRunner().run(parsed).failed

    assert not failed, capsys.readouterr().out


@pytest.mark.parametrize("module", MODULES_WITH_EXAMPLES)
def test_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(import_module(module)).failed == 0


# How to begin


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES


def test_the_set_up_is_two_commands() -> None:
    assert read_blocks(README, "sh")[0].splitlines() == [
        "pip install -c requirements.lock -e . && citewire demo",
        'pip install -c requirements.lock -e ".[test]" && pytest',
    ]


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    assert "grep -m1 'pytest$' README.md" in (ROOT / ".ci" / "run").read_text("utf-8")


# Commands, files and links


def test_every_command_is_shown_in_use() -> None:
    shown = {words[1] for words in read_commands(README) if words[0] == "citewire"}
    assert {"demo", "index", "ask", "search", "serve", "status", "doctor", "eval"} <= shown


def test_every_command_has_a_row_with_all_its_options() -> None:
    table = {row[0].strip("`"): row[1] for row in parse_rows(read_section(SERVICE, "Commands"))[1:]}
    described = {name: set(re.findall(r"--[a-z-]+", cell)) for name, cell in table.items()}

    assert described == {command.NAME: list_flags(command.NAME) for command in COMMANDS}


@every_document
def test_commands_in_blocks_are_understood(document: Path) -> None:
    for block in read_blocks(document, "sh"):
        for words in split_commands(block):
            if words[0] == "citewire":
                build_parser().parse_args(words[1:])


@every_document
def test_every_command_exists_and_knows_its_options(document: Path) -> None:
    for words in read_commands(document):
        if words[0] == "citewire" and words[1] != "--help":
            unknown = sorted(find_flags(words) - list_flags(words[1]) - {"--data", "--help"})
        elif words[:2] == ["python", "-m"] and words[2].startswith("citewire."):
            unknown = find_unknown_flags(words, ROOT / f"{'/'.join(words[2].split('.')[1:])}.py")
        elif words[0] == "python" and words[1].endswith(".py"):
            unknown = find_unknown_flags(words, ROOT / words[1])
        else:
            continue
        assert not unknown, shlex.join(words)


@every_document
def test_every_file_that_it_names_exists(document: Path) -> None:
    text = LINK.sub("", document.read_text("utf-8"))
    named = {found.rstrip(".") for found in FILE.findall(text)}
    assert not sorted(name for name in named if not (ROOT / name).exists())


@every_document
def test_every_module_that_it_names_exists(document: Path) -> None:
    named = {found.removeprefix("citewire.") for found in MODULE.findall(read_prose(document))}
    paths = {name: ROOT / name.replace(".", "/") for name in named}
    assert not sorted(
        name
        for name, path in paths.items()
        if not (path.is_dir() or path.with_suffix(".py").exists())
    )


@every_document
def test_every_test_that_it_names_exists(document: Path) -> None:
    named = set(re.findall(r"\b(test_\w+)`", read_prose(document)))
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named <= {*re.findall(r"def (test_\w+)", sources)}


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = {first or second for first, second in LINK.findall(document.read_text("utf-8"))}
    assert not sorted(target for target in targets if not is_reached(document, target))


def is_reached(document: Path, target: str) -> bool:
    """Say whether the file of a relative link exists and has its anchor."""
    if re.match(r"https?://", target):
        return True
    name, _, anchor = target.partition("#")
    file = (document.parent / name).resolve() if name else document
    return file.exists() and (not anchor or anchor in find_anchors(file))


def find_anchors(document: Path) -> set[str]:
    """The anchors that the document's headings get where it is shown."""
    headings = re.findall(r"^#+ (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_document
def test_every_variable_that_it_names_is_known(document: Path) -> None:
    named = set(re.findall(r"\bCITEWIRE_[A-Z_]+", document.read_text("utf-8")))
    assert named <= VARIABLES.keys()


def test_every_route_that_it_names_is_served() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "service").rglob("*.py")]
    literals = set(re.findall(r'"(/[^"\s]*)"', "\n".join(sources)))
    served = {re.sub(r"\{[^}]*\}", "{id}", path) for path in literals}
    named = set(re.findall(r"`(?:GET|POST|PUT|DELETE) (/[^`\s]*)`", SERVICE.read_text("utf-8")))

    assert named
    assert named <= served


# Packages, invariants and decisions


@every_package
def test_every_room_of_a_package_is_in_its_readme(package: str) -> None:
    text = (ROOT / package / "README.md").read_text("utf-8")
    modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}

    assert set(re.findall(r"^### `(\w+)/`$", text, re.MULTILINE)) == find_rooms(package)
    assert set(re.findall(rf"^\| `{package}/(\w+\.py)` \|", text, re.MULTILINE)) == modules


@every_package
def test_every_room_of_a_package_is_on_the_map(package: str) -> None:
    on_the_map = re.findall(rf"^\| `{package}/(\w+)/` \|", read_section(README, "Map"), re.M)
    assert set(on_the_map) == find_rooms(package)


def find_rooms(package: str) -> set[str]:
    """The names of the folders in a package."""
    return {path.name for path in (ROOT / package).iterdir() if path.is_dir()} - {"__pycache__"}


@every_design
def test_every_invariant_is_held_by_a_contract_or_a_test(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]}
    _, *invariants = parse_rows(read_section(ROOT / package / "README.md", "Invariants"))

    assert invariants
    for _, holders in invariants:
        named, tests = re.findall(r'"([^"]+)"', holders), TEST.findall(holders)
        assert named or tests
        assert set(named) <= contracts
        for file, name in tests:
            assert f"def {name}(" in (ROOT / file).read_text("utf-8"), f"{file}: {name}"


def test_every_contract_is_an_invariant() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    stated = "".join(
        read_section(ROOT / package / "README.md", "Invariants") for package in PACKAGES
    )
    names = [contract["name"] for contract in project["tool"]["importlinter"]["contracts"]]
    assert not [name for name in names if f'"{name}"' not in stated]


@every_design
def test_every_decision_has_its_reason_and_its_alternative(package: str) -> None:
    text = read_section(ROOT / package / "README.md", "Decisions")
    _, *decisions = re.split(r"^- ", text, flags=re.MULTILINE)
    form = re.compile(r"\*\*.+?\*\*.*?- \*Because:\* .*?- \*Instead of:\* ", re.DOTALL)

    assert decisions
    assert not [decision for decision in decisions if not form.match(decision)]


def test_a_question_enters_each_package_of_rag_once() -> None:
    _, walk, *_ = read_section(ROOT / "rag" / "README.md", "The walk of a question").split("\n\n")
    entered = Counter(re.findall(r"`rag/(\w+)/`", walk))
    off_the_walk = {"doctor", "evaluation", "training"}

    assert entered == Counter(find_rooms("rag") - off_the_walk)


# Measurements


@pytest.mark.parametrize("document", MEASUREMENTS, ids=lambda path: path.parent.name)
def test_measurements_have_one_form(document: Path) -> None:
    tables = re.findall(r"^\| .*\n\|-.*\n(?:\|.*\n)+", document.read_text("utf-8"), re.MULTILINE)
    measured = [parse_rows(table) for table in tables if "Figure" in parse_rows(table)[0]]
    described = re.findall(r"^\| ([A-Z]) \|", MEASUREMENTS[0].read_text("utf-8"), re.MULTILINE)

    assert measured
    for heading, *figures in measured:
        assert heading == FORM
        for what, figure, command, commit, date, machine, else_ran in figures:
            assert all((what, figure, command, else_ran))
            assert re.fullmatch(r"[0-9a-f]{7}|not recorded", commit)
            assert re.fullmatch(r"\d{4}-\d\d-\d\d|not recorded", date)
            assert machine in {*described, "not recorded"}


@pytest.mark.parametrize("document", MEASUREMENTS, ids=lambda path: path.parent.name)
def test_every_command_that_measures_is_in_its_readme(document: Path) -> None:
    scripts = {path.name for path in document.parent.glob("*.py")}
    tests = {name for name in scripts if name.startswith(("test_", "conftest"))}
    text = document.read_text("utf-8")
    assert not sorted(name for name in scripts - tests if name not in text)


def test_the_readmes_figures_are_among_the_measurements() -> None:
    _, *figures = parse_rows(read_section(README, "Figures"))
    measured = "".join(document.read_text("utf-8") for document in MEASUREMENTS)

    assert len(figures) == 8
    assert not [command for _, _, command in figures if command not in measured]


def test_the_lock_pins_what_the_project_pins() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    pinned = set(re.findall(r'"([\w.-]+==[\w.]+)"', project.split("[project.scripts]")[0]))
    locked = {
        line.lower().replace("_", "-")
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    }
    missing = {pin for pin in pinned if pin.lower().replace("_", "-") not in locked}
    assert missing - {"setuptools==84.2.1"} == set()
