"""The interactive prompt: questions with history and line editing, until Ctrl-D."""

from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory

from rag.errors import InvalidInput
from service.schemas import AskResponse
from service.terminal import Style, render, safe


def converse(ask: Callable[[str], AskResponse], style: Style, history: Path) -> None:
    """Ask for questions and show the answers; a refused question is explained, not fatal."""
    print("Ask the archive. Up and down recall questions; Ctrl-D leaves.")
    session: PromptSession[str] = PromptSession(history=FileHistory(str(history)))
    while True:
        try:
            question = session.prompt("> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not question:
            continue
        try:
            print(render(ask(question), style), end="\n\n")
        except InvalidInput as error:
            print(safe(str(error)))
