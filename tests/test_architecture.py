"""The shape of the code: who may import whom, what stands where, what an import costs."""

import ast
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CUSTOMERS_TOP_LEVEL = {"pyproject.toml", "README.md", "rag", "service", "index", "tests", "seeds"}
BESIDE_IT = {"LICENSE", "requirements.lock"}
HEAVY = ("chromadb", "fastapi", "numpy", "onnxruntime", "torch", "transformers", "rich")
SQL = re.compile(
    r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|(CREATE|DROP|ALTER) TABLE|PRAGMA)\s"
)
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "base", "manager", "misc"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def modules() -> list[Path]:
    return [path for top in ("rag", "index", "service") for path in (ROOT / top).rglob("*.py")]


def test_imports_keep_their_contracts() -> None:
    done = lint_imports(ROOT / ".src")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        (
            "index/catalogue/catalogue.py",
            "import citewire.rag.conversation.rewriting",
            "service asks rag, rag reads index BROKEN",
        ),
        (
            "rag/reading/reader.py",
            "import citewire.rag.retrieval.retriever",
            "reading, retrieval, quotes and conversation do not know each other BROKEN",
        ),
        ("rag/helpers.py", '"""A module that has no room."""', "- citewire.rag.helpers"),
    ],
    ids=["catalogue imports conversation", "reading imports retrieval", "a stray module"],
)
def test_a_violation_breaks_its_contract(
    tmp_path: Path, module: str, statement: str, contract: str
) -> None:
    package = tmp_path / "citewire"
    shutil.copytree(ROOT / ".src" / "citewire", package, ignore=only_modules)
    with (package / module).open("a", encoding="utf-8") as seeded:
        seeded.write(f"\n{statement}\n")
    done = lint_imports(tmp_path)
    assert done.returncode == 1
    assert contract in done.stdout


def lint_imports(source: Path) -> "subprocess.CompletedProcess[str]":
    """Check the contracts of the package in a folder.

    In a process of its own: it silences the loggers of the one that it runs in.
    """
    program = "from importlinter.cli import lint_imports; exit(lint_imports(cache_dir=None))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def only_modules(folder: str, names: list[str]) -> set[str]:
    """Pass over everything but folders and Python files when a tree is copied."""
    return {name for name in names if Path(folder, name).is_file() and not name.endswith(".py")}


def test_functions_are_short() -> None:
    lengths = sorted(end - start + 1 for _, start, end in functions())
    assert statistics.median(lengths) <= 7
    assert lengths[len(lengths) * 9 // 10] <= 19


def test_no_function_is_long() -> None:
    assert not [name for name, start, end in functions() if end - start + 1 > 40]


def functions() -> Iterator[tuple[str, int, int]]:
    """Yield every function's name, and its first and last line."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, node.lineno, node.end_lineno or node.lineno


def test_all_sql_is_in_one_package() -> None:
    package = ROOT / "index" / "catalogue"
    assert has_sql(package / "articles.py")
    assert not [path for path in modules() if has_sql(path) and not path.is_relative_to(package)]


def has_sql(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return any(isinstance(text, str) and SQL.search(text) for text in texts)


def test_the_top_level_is_the_customers() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {top for top in tops if not top.startswith(".")} == CUSTOMERS_TOP_LEVEL | BESIDE_IT


def test_one_name_is_installed() -> None:
    assert {path.relative_to(ROOT).parts[:2] for path in tracked() if ".src" in path.parts} == {
        (".src", "citewire")
    }
    links = {path.name: path.readlink() for path in (ROOT / ".src" / "citewire").iterdir()
             if path.is_symlink()}  # fmt: skip
    assert links == {name: Path("..", "..", name) for name in ("rag", "index", "service")}


def test_tracked_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in tracked()) < 40_000_000


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in modules() if path.stem in NAMES_THAT_SAY_NOTHING]


def test_a_class_name_means_one_thing() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    )

    # The protocol of every archive, and the one that `import citewire` opens.
    assert {name for name, count in names.items() if count > 1} == {"Archive"}


def test_the_command_line_imports_nothing_heavy() -> None:
    program = "import sys, citewire.service.cli.main;"
    program += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_service_that_is_asked_by_no_language_model_does_without_its_library() -> None:
    program = "import sys, citewire.service.server;"
    program += "print([name for name in sys.modules if name == 'mcp'])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent
