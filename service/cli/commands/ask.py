"""`citewire ask`: one question, or a prompt for many."""

import argparse
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from citewire.index.errors import ArchiveLocked
from citewire.index.types import Filters
from citewire.rag.types import Question
from citewire.service.cli.commands.filter_options import add_filters, filters_of
from citewire.service.cli.exit_codes import ANSWERED, NO_ANSWER
from citewire.service.cli.render_answer import output_style, render
from citewire.service.settings import ServiceSettings
from citewire.service.wire.answers import AskResponse

NAME = "ask"
PURPOSE = "Answer a question; without one, ask for questions."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("question", nargs="?", help="the question")
    parser.add_argument("--json", action="store_true", help="print the response of POST /v1/ask")
    add_filters(parser)


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Answer one question, or hold a conversation."""
    # Before anything is loaded for nothing.
    filters = filters_of(options)
    with asking(settings, filters) as ask:
        if options.question is None:
            from citewire.service.cli.prompt import converse

            converse(ask, output_style(), settings.data / "questions.history")
            return ANSWERED
        response = ask(options.question)
    print(response.model_dump_json(indent=2) if options.json else render(response, output_style()))
    return ANSWERED if response.status == "answered" else NO_ANSWER


@contextmanager
def asking(settings: ServiceSettings, filters: Filters) -> Iterator[Callable[[str], AskResponse]]:
    """Yield what answers questions: the archive itself, or the service that has it open."""
    from citewire.rag.wiring import open_library
    from citewire.service.wire.convert import convert_result

    with ExitStack() as stack:
        try:
            library = stack.enter_context(open_library(settings, command="ask"))
        except ArchiveLocked as locked:
            # Most questions need no service: its client is not loaded for these.
            from citewire.service.client.local_service import service_with

            service = service_with(settings, locked)
            yield lambda text: service.ask(text, filters)
        else:
            answerer = library.answerer
            yield lambda text: convert_result(
                answerer.answer(Question(text, filters)), uuid.uuid4().hex
            )
