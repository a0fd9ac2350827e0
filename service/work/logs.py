"""Logs as lines of JSON, and the notes of a request that its line will hold."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

# The attribute of a log record that holds its fields.
FIELDS = "citewire_fields"
# The field with the question's text: always noted, written only where that is configured.
QUESTION = "question"
_notes: ContextVar[dict[str, object] | None] = ContextVar("notes", default=None)


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of ASCII, which can neither forge a line nor control a terminal.

    With `questions`, the texts of questions are written as well.
    """

    def __init__(self, *, questions: bool = False) -> None:
        super().__init__()
        self._questions = questions

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, FIELDS, {})
        if not self._questions:
            line.pop(QUESTION, None)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logs(*, questions: bool) -> None:
    """Log to standard error: our own messages, with questions or without, and others' warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(questions=questions))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("citewire").setLevel(logging.INFO)


@contextmanager
def collect_notes() -> Iterator[dict[str, object]]:
    """Yield the fields that `note` adds in this context, in any of its threads."""
    notes: dict[str, object] = {}
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def note(fields: Mapping[str, object]) -> None:
    """Add fields to the log line of the request that is being served, if one is."""
    notes = _notes.get()
    if notes is not None:
        notes.update(fields)
