"""Scripts and markup in articles are shown as text and never run; a command tries all."""

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
