"""The page's sources: as strict as the Python, and in agreement with the wire and the HTML."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from citewire.service.wire.answers import (
    AnswerOut,
    AskResponse,
    CitationOut,
    ClosestOut,
    FiltersIn,
    QuoteOut,
    Ready,
    SearchedOut,
    SupportOut,
    TimingOut,
)
from citewire.service.wire.articles import ArticleOut, SourceList, SourceOut
from citewire.service.wire.chat import Message, UnclearOut, UnderstoodOut
from citewire.service.wire.events import PassageOut
from citewire.service.wire.phrasing import CLOSEST, NO_ANSWER, OTHER_ANSWERS
from citewire.service.wire.search import FoundOut, LegsOut, SearchResponse
from citewire.service.wire.sessions import SessionOut

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "service" / "static"
SOURCES = sorted(path for path in STATIC.iterdir() if path.suffix != ".svg")
MODULES = [path for path in SOURCES if path.suffix == ".js"]
WIDTH = 100
TYPES: dict[str, type[BaseModel]] = {
    "Answer": AnswerOut,
    "Article": ArticleOut,
    "AskResponse": AskResponse,
    "Citation": CitationOut,
    "Clarification": UnclearOut,
    "ClosestCitation": ClosestOut,
    "Filters": FiltersIn,
    "FoundPassage": FoundOut,
    "Message": Message,
    "Passage": PassageOut,
    "Quote": QuoteOut,
    "Ready": Ready,
    "RewriteResponse": UnderstoodOut,
    "SearchResponse": SearchResponse,
    "SearchScores": LegsOut,
    "Searched": SearchedOut,
    "Session": SessionOut,
    "Source": SourceOut,
    "SourceList": SourceList,
    "Support": SupportOut,
    "Timing": TimingOut,
}


def interfaces() -> dict[str, set[str]]:
    """The fields of each interface in types.d.ts, inherited ones included."""
    text = (STATIC / "types.d.ts").read_text("utf-8")
    found: dict[str, set[str]] = {}
    pattern = r"^export interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}"
    for name, parent, body in re.findall(pattern, text, re.DOTALL | re.MULTILINE):
        found[name] = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) | found.get(
            parent, set()
        )
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_lines_have_at_most_100_columns(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()

    assert [number for number, line in enumerate(lines, 1) if len(line) > WIDTH] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_module_is_checked_by_the_compiler(path: Path) -> None:
    assert path.read_text("utf-8").startswith("// @ts-check\n// ")


def test_continuous_integration_runs_the_compiler_at_an_exact_version() -> None:
    commands = (ROOT / ".ci" / "run").read_text("utf-8")

    assert re.search(
        r"--package=typescript@\d+\.\d+\.\d+ -- tsc -p service/jsconfig\.json", commands
    )


@pytest.mark.parametrize("name", TYPES)
def test_types_have_the_fields_of_the_wire(name: str) -> None:
    assert interfaces()[name] == TYPES[name].model_fields.keys()


def test_headings_of_results_are_those_of_the_other_ways_in() -> None:
    words = (STATIC / "words.js").read_text("utf-8")
    headings = dict(re.findall(r'^export const (\w+) = "(.+)";$', words, re.MULTILINE))

    assert headings == {
        "NO_ANSWER": NO_ANSWER,
        "CLOSEST": CLOSEST.removesuffix(":"),
        "OTHER_ANSWERS": OTHER_ANSWERS,
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_headings_of_results_are_written_once(path: Path) -> None:
    code = path.read_text("utf-8")

    assert path.name == "words.js" or not any(
        text.removesuffix(":") in code for text in (NO_ANSWER, CLOSEST, OTHER_ANSWERS)
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_every_element_that_a_module_looks_for_is_in_a_page(path: Path) -> None:
    page = (STATIC / "index.html").read_text("utf-8")
    if path.name == "sign-in.js":
        page = (ROOT / "service" / "http" / "pages.py").read_text("utf-8")
    wanted = re.findall(r'findById\("([^"]+)"', path.read_text("utf-8"))

    assert [name for name in wanted if f'id="{name}"' not in page] == []
