"""`citewire search`: passages only."""

import argparse
import uuid

from citewire.index.errors import ArchiveLocked, InvalidInput
from citewire.rag.types import DEFAULT_HITS, Question
from citewire.service.cli.commands.filter_options import add_filters, read_filters
from citewire.service.cli.exit_codes import ANSWERED, NO_ANSWER
from citewire.service.cli.terminal import choose_style
from citewire.service.settings import ServiceSettings

NAME = "search"
PURPOSE = "Find passages, without reading an answer from them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("question", help="the question, or any words")
    parser.add_argument(
        "--limit",
        type=int,
        default=DEFAULT_HITS,
        metavar="N",
        help="at most N passages (default: %(default)s)",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show each passage's rank and score in dense and lexical search",
    )
    parser.add_argument("--json", action="store_true", help="print the response of POST /v1/search")
    add_filters(parser)


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Find passages, in the archive or by the service that has it open."""
    from citewire.rag.wiring import open_owned_archive
    from citewire.service.cli.render_search import render_search
    from citewire.service.wire.convert import convert_search
    from citewire.service.wire.search import MAX_HITS

    question = Question(options.question, read_filters(options))
    if not 1 <= options.limit <= MAX_HITS:
        raise InvalidInput(f"--limit is {options.limit}; it goes from 1 to {MAX_HITS}")
    try:
        with open_owned_archive(settings, command="search", create=False) as opened:
            found = opened.retriever.retrieve(question, options.limit)
            response = convert_search(found, uuid.uuid4().hex, explain=options.explain)
    except ArchiveLocked as locked:
        # Only here, since most questions need no service.
        from citewire.service.client.local_service import find_service

        service = find_service(settings, locked)
        response = service.search(question, options.limit, explain=options.explain)
    rendered = render_search(response, choose_style())
    print(response.model_dump_json(indent=2) if options.json else rendered)
    return ANSWERED if response.passages else NO_ANSWER
