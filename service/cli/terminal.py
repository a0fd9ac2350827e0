"""The terminal: its width, its colours, and text that cannot act on it."""

import os
import re
import shutil
import sys
from dataclasses import dataclass

from citewire.index.errors import CitewireError

# Control characters and bidirectional overrides could rewrite the text around them.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Columns; longer lines are hard to read.
MAX_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Style:
    """How to mark text: escape codes on a terminal that shows colours, else nothing."""

    colours: bool

    def strong(self, text: str) -> str:
        """Mark what matters most."""
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text

    def faint(self, text: str) -> str:
        """Mark what matters least."""
        return f"\x1b[2m{text}\x1b[0m" if self.colours else text

    def quoted(self, text: str) -> str:
        """Mark the quoted span in its sentence, by guillemets, which survive being copied."""
        return self.strong(f"»{text}«")


def choose_style() -> Style:
    """Return colours for a terminal, unless NO_COLOR asks for none (no-color.org)."""
    return Style(colours=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def measure_width() -> int:
    """Return how many columns text may take."""
    return min(shutil.get_terminal_size().columns, MAX_WIDTH)


def make_safe(text: str) -> str:
    """Return the text in one line, with replacements for all that could act on a terminal."""
    return UNSAFE.sub("�", re.sub(r"\s+", " ", text))


def complain(error: CitewireError) -> None:
    """Print an error; the names of files and articles in it may hold any character."""
    print(f"citewire: {make_safe(str(error))}", file=sys.stderr)
