"""The shape of the code: who may import whom, what stands where, what an import costs."""

import ast
import re
import subprocess
import sys
from pathlib import Path

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
    # In a process of its own: it silences the loggers of the one that it runs in.
    program = "from importlinter.cli import lint_imports; exit(lint_imports(cache_dir=None))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


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


def test_tracked_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in tracked()) < 40_000_000


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in modules() if path.stem in NAMES_THAT_SAY_NOTHING]


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
    silent = [path for path in modules() if not path.read_text("utf-8").startswith('"""')]
    assert not silent
