"""A chat program's messages, read as the turns of a conversation that rewriting needs."""

import re
from collections.abc import Sequence

from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import MAX_QUESTION_CHARACTERS
from citewire.service.openai.message import escaped
from citewire.service.openai.schemas import ChatMessage
from citewire.service.openai.tasks import task_reply

# Earlier questions; a follow-up seldom refers further back.
EARLIER_READ = 8
# How a message that `openai_message` wrote names its best answer: in bold, at a line's start.
ANSWER = re.compile(r"^\*\*((?:\\.|[^*\\\n])+)\*\* \(", re.MULTILINE)
# The two ways in which `escaped` writes a character.
ESCAPED = re.compile(r"\\(.)|&#(\d+);")


def rewrite_last_question(messages: Sequence[ChatMessage]) -> Rewrite | Clarification:
    """Rewrite the last question by the questions before it and the answers to them."""
    questions: list[str] = []
    answers: list[str] = []
    for message in messages:
        if message.role == "user":
            questions.append(message.text)
            answers.append("")
        elif message.role == "assistant" and answers:
            answers[-1] = answer_in(message.text)
    earlier = [
        (question, answer)
        for question, answer in zip(questions[:-1], answers[:-1], strict=True)
        if is_question(question)
    ][-EARLIER_READ:]
    return rewrite_last(
        [*(question for question, _ in earlier), questions[-1]], [answer for _, answer in earlier]
    )


def is_question(text: str) -> bool:
    """Say whether the archive would have been asked this."""
    return bool(text.strip()) and len(text) <= MAX_QUESTION_CHARACTERS and task_reply(text) is None


def answer_in(message: str) -> str:
    r"""Return the text of the best answer that one of our messages gives, "" where it gives none.

    >>> answer_in("**Mr\\. A \\& B** (likely, 66 %, said by 1 article)")
    'Mr. A & B'
    """
    found = ANSWER.search(message)
    return ESCAPED.sub(unescaped, found.group(1)) if found else ""


def unescaped(found: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    return found.group(1) or chr(int(found.group(2)))


def render_clarification(clarification: Clarification) -> str:
    """Return the message that asks back."""
    lines = [escaped(clarification.ask_back)]
    if clarification.candidates:
        lines += ["Perhaps:", "\n".join(f"- {escaped(each)}" for each in clarification.candidates)]
    return "\n\n".join(lines)
