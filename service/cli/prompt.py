"""The interactive prompt: a conversation, with history and line editing, until Ctrl-D."""

from collections.abc import Callable, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory

from citewire.index.errors import InvalidInput
from citewire.rag.conversation.rewriting import rewrite
from citewire.rag.conversation.types import Clarification, Turn
from citewire.service.cli.render_answer import render_response
from citewire.service.cli.terminal import Style, make_safe
from citewire.service.wire.answers import AskResponse


def converse(ask: Callable[[str], AskResponse], style: Style, history: Path) -> None:
    """Ask for questions and show the answers; a refused question is explained, not fatal."""
    print("Ask the archive; a follow-up may be short. Up and down recall questions; Ctrl-D leaves.")
    earlier: list[Turn] = []
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
            turn = answer_in_turn(question, earlier, ask, style)
            if turn is not None:
                earlier.append(turn)
        except InvalidInput as error:
            print(make_safe(str(error)))


def answer_in_turn(
    question: str, earlier: Sequence[Turn], ask: Callable[[str], AskResponse], style: Style
) -> Turn | None:
    """Show how the question is understood, and its answer; None where it is asked back instead."""
    rewritten = rewrite(question, earlier)
    if isinstance(rewritten, Clarification):
        print(make_safe(rewritten.ask_back))
        for candidate in rewritten.candidates:
            print(f"  {make_safe(candidate)}")
        print()
        return None
    if rewritten.question != question:
        print(style.faint(f"asked as: {make_safe(rewritten.question)}"))
    for other in rewritten.alternatives:
        print(style.faint(f"      or: {make_safe(other)}"))
    response = ask(rewritten.question)
    print(render_response(response, style), end="\n\n")
    return Turn(rewritten.question, response.answers[0].text if response.answers else "")
