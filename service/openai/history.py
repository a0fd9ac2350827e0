"""What a chat program sends along of its conversation, as the rules for follow-ups read it."""

import re
from collections.abc import Sequence

from citewire.rag.conversation.rewriting import Unclear, Understood, follow
from citewire.rag.types import MAX_QUESTION_CHARACTERS
from citewire.service.openai.message import escaped
from citewire.service.openai.schemas import ChatMessage
from citewire.service.openai.tasks import task_reply

# What a follow-up leans on is seldom further back.
EARLIER_READ = 8
# How a message that `openai_message` wrote names its best answer: in bold, at a line's start.
ANSWER = re.compile(r"^\*\*((?:\\.|[^*\\\n])+)\*\* \(", re.MULTILINE)
# The two ways in which `escaped` writes a character.
ESCAPED = re.compile(r"\\(.)|&#(\d+);")


def understood(messages: Sequence[ChatMessage]) -> Understood | Unclear:
    """Understand the last question by those before it and what was answered to them."""
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
    return follow(
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


def asked_back(reading: Unclear) -> str:
    """Return the message that asks back."""
    lines = [escaped(reading.ask_back)]
    if reading.candidates:
        lines += ["Perhaps:", "\n".join(f"- {escaped(each)}" for each in reading.candidates)]
    return "\n\n".join(lines)
