"""`citewire ask`: one question, or a prompt for many."""

import argparse
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from citewire.index.errors import ArchiveLocked
from citewire.index.types import Filters
from citewire.rag.types import Question
from citewire.service.cli.commands.filter_options import add_filters, read_filters
from citewire.service.cli.exit_codes import ANSWERED, NO_ANSWER
from citewire.service.cli.render_answer import render_response
from citewire.service.cli.terminal import choose_style
from citewire.service.settings import ServiceSettings
from citewire.service.wire.answers import AskResponse

NAME = "ask"
PURPOSE = "Answer a question; without one, open a prompt."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("question", nargs="?", help="the question")
    parser.add_argument("--json", action="store_true", help="print the response of POST /v1/ask")
    add_filters(parser)


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Answer one question, or hold a conversation."""
    # First, so that wrong filters load no model.
    filters = read_filters(options)
    with open_asker(settings, filters) as ask:
        if options.question is None:
            from citewire.service.cli.prompt import converse

            converse(ask, choose_style(), settings.data / "questions.history")
            return ANSWERED
        response = ask(options.question)
    shown = render_response(response, choose_style())
    print(response.model_dump_json(indent=2) if options.json else shown)
    return ANSWERED if response.status == "answered" else NO_ANSWER


@contextmanager
def open_asker(
    settings: ServiceSettings, filters: Filters
) -> Iterator[Callable[[str], AskResponse]]:
    """Yield a function that answers a question, by the archive or the service that has it open."""
    from citewire.rag.wiring import open_pipeline
    from citewire.service.wire.convert import convert_result

    with ExitStack() as stack:
        try:
            pipeline = stack.enter_context(open_pipeline(settings, command="ask"))
        except ArchiveLocked as locked:
            # Only here, since most questions need no service.
            from citewire.service.client.local_service import find_service

            service = find_service(settings, locked)
            yield lambda text: service.ask(text, filters)
        else:
            answerer = pipeline.answerer
            yield lambda text: convert_result(
                answerer.answer(Question(text, filters)), uuid.uuid4().hex
            )
