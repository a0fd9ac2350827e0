"""A chat program's messages, read as the turns of a conversation that rewriting needs."""

from collections.abc import Sequence

from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification, Rewrite
from citewire.rag.types import MAX_QUESTION_CHARACTERS
from citewire.service.openai.message import read_answer
from citewire.service.openai.schemas import ChatMessage
from citewire.service.openai.tasks import reply_to_task

# Earlier questions; a follow-up seldom refers further back.
EARLIER_READ = 8


def rewrite_last_message(messages: Sequence[ChatMessage]) -> Rewrite | Clarification:
    """Rewrite the last question by the questions before it and the answers to them."""
    questions: list[str] = []
    answers: list[str] = []
    for message in messages:
        if message.role == "user":
            questions.append(message.text)
            answers.append("")
        elif message.role == "assistant" and answers:
            answers[-1] = read_answer(message.text)
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
    return (
        bool(text.strip()) and len(text) <= MAX_QUESTION_CHARACTERS and reply_to_task(text) is None
    )
