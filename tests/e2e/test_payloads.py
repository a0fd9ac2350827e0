"""Scripts and markup in an archive are shown, and none is obeyed; the whole list is a command."""

import subprocess
import sys
from pathlib import Path

COMMAND = Path(__file__).parent.parent / "bench" / "payloads.py"


def test_a_few_payloads_of_every_kind_are_shown_and_not_obeyed() -> None:
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--payloads", "8"],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "payloads            8\nran                 0\n" in done.stdout
