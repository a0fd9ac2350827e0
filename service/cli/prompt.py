"""The interactive prompt: a conversation, with history and line editing, until Ctrl-D."""

from collections.abc import Callable, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory

from citewire.index.errors import InvalidInput
from citewire.rag.conversation.rewriting import Exchange, Unclear, understand
from citewire.service.cli.render_answer import Style, render, safe
from citewire.service.wire.answers import AskResponse


def converse(ask: Callable[[str], AskResponse], style: Style, history: Path) -> None:
    """Ask for questions and show the answers; a refused question is explained, not fatal."""
    print("Ask the archive; a follow-up may be short. Up and down recall questions; Ctrl-D leaves.")
    earlier: list[Exchange] = []
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
            exchange = answer_in_turn(question, earlier, ask, style)
            if exchange is not None:
                earlier.append(exchange)
        except InvalidInput as error:
            print(safe(str(error)))


def answer_in_turn(
    question: str, earlier: Sequence[Exchange], ask: Callable[[str], AskResponse], style: Style
) -> Exchange | None:
    """Show how the question is understood, and its answer; None where it is asked back instead."""
    reading = understand(question, earlier)
    if isinstance(reading, Unclear):
        print(safe(reading.ask_back))
        for candidate in reading.candidates:
            print(f"  {safe(candidate)}")
        print()
        return None
    if reading.question != question:
        print(style.faint(f"asked as: {safe(reading.question)}"))
    for other in reading.alternatives:
        print(style.faint(f"      or: {safe(other)}"))
    response = ask(reading.question)
    print(render(response, style), end="\n\n")
    return Exchange(reading.question, response.answers[0].text if response.answers else "")
