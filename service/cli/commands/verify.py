"""`citewire verify`."""

import argparse
import uuid

from citewire.index.errors import ArchiveLocked
from citewire.service.cli.exit_codes import ANSWERED, NO_ANSWER
from citewire.service.cli.terminal import choose_style
from citewire.service.settings import ServiceSettings

NAME = "verify"
PURPOSE = "Check whether a quote is in the archive, and where."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("quote", help="the quote")
    parser.add_argument(
        "--article", metavar="ID", help="the article that the quote is attributed to"
    )
    parser.add_argument("--json", action="store_true", help="print the response of POST /v1/verify")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Look up a quote, in the archive or by the service that has it open."""
    from citewire.rag.quotes.verification import Status, Verifier
    from citewire.rag.wiring import open_owned_archive
    from citewire.service.cli.render_verdict import render_verdict
    from citewire.service.wire.convert import convert_verdict

    try:
        with open_owned_archive(settings, command="verify", create=False) as opened:
            archive = opened.archive
            with archive.reading() as snapshot:
                verdict = Verifier(archive).verify(options.quote, options.article)
                response = convert_verdict(verdict, snapshot, uuid.uuid4().hex)
    except ArchiveLocked as locked:
        # Only here, since most quotes need no service.
        from citewire.service.client.local_service import find_service

        response = find_service(settings, locked).verify(options.quote, options.article)
    rendered = render_verdict(response, choose_style())
    print(response.model_dump_json(indent=2) if options.json else rendered)
    found = response.status in (Status.EXACT, Status.WHITESPACE_ONLY)
    return ANSWERED if found else NO_ANSWER
