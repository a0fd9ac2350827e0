"""The command line: `citewire COMMAND`."""

import argparse
import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from rag.data_directory import read_owner
from rag.errors import ArchiveLocked, CitewireError, InvalidInput, NotUsable
from rag.settings import VARIABLES, Settings, read_settings
from rag.types import Filters, Question
from service.schemas import AskResponse
from service.terminal import Style, plural, render, safe

ANSWERED, PARTIAL, USAGE, NOT_USABLE, NO_ANSWER = 0, 1, 2, 3, 4
DERIVED_DAMAGE, TRUTH_DAMAGE = 5, 6
INTERRUPTED = 130
EXIT_CODES = """exit codes:
  0  done, or answered
  1  some articles could not be used
  2  wrong usage
  3  the archive or a model is not usable
  4  the archive does not say
  5  doctor: something derived is damaged; --repair makes it again
  6  doctor: articles are damaged or lost; each is named"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = build_parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ, options.data)
        code = int(options.run(settings, options))
        # Here and not at exit, so that a reader who went away is noticed below.
        sys.stdout.flush()
        return code
    except InvalidInput as error:
        complain(error)
        return USAGE
    except NotUsable as error:
        complain(error)
        return NOT_USABLE
    except CitewireError as error:
        complain(error)
        return PARTIAL
    except KeyboardInterrupt:
        print("citewire: interrupted; what was stored stays stored", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough; Python's own flush must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    width = max(map(len, VARIABLES))
    variables = "\n".join(f"  {name:<{width}}  {what}" for name, what in VARIABLES.items())
    parser = argparse.ArgumentParser(
        prog="citewire",
        description="Ask a news archive; the answers are its exact words, each with its source.",
        epilog=f"{EXIT_CODES}\n\nenvironment variables:\n{variables}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str, run: Callable[[Settings, argparse.Namespace], int], purpose: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=purpose,
            description=purpose,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument(
            "--data", type=Path, metavar="DIR", help="the data directory (default: CITEWIRE_DATA)"
        )
        added.set_defaults(run=run)
        return added

    demo = command("demo", run_demo, "Show what it does, with articles that come along.")
    demo.add_argument("--no-serve", action="store_true", help="end after the answers")

    index = command("index", run_index, "Index articles: .md, .txt, .html, .jsonl, or folders.")
    index.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or folder")
    index.add_argument(
        "--prune", action="store_true", help="remove articles that are gone from these paths"
    )

    ask = command("ask", run_ask, "Answer a question; without one, ask for questions.")
    ask.add_argument("question", nargs="?", help="the question")
    ask.add_argument("--json", action="store_true", help="print the response of POST /v1/ask")
    add_filters(ask)

    search = command("search", run_search, "Find passages; no answer is read out of them.")
    search.add_argument("question", help="the question, or any words")
    search.add_argument(
        "--limit", type=int, default=10, metavar="N", help="at most so many (default: %(default)s)"
    )
    search.add_argument(
        "--explain", action="store_true", help="show each leg's rank and score of every passage"
    )
    search.add_argument("--json", action="store_true", help="print the response of POST /v1/search")
    add_filters(search)

    verify = command("verify", run_verify, "Say whether a quote is in the archive, and where.")
    verify.add_argument("quote", help="the quote")
    verify.add_argument("--article", metavar="ID", help="the article that is said to say it")
    verify.add_argument("--json", action="store_true", help="print the response of POST /v1/verify")

    serve = command("serve", run_serve, "Serve the chat page and the HTTP API.")
    serve.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    serve.add_argument(
        "--port", default=8000, type=port_number, help="the port (default: %(default)s)"
    )

    status = command("status", run_status, "Show what the archive holds and which models it uses.")
    status.add_argument("--json", action="store_true", help="print it as JSON")

    keys = command("key", run_key, "Make, list and revoke keys for the service.")
    keys.add_argument("action", choices=["add", "list", "revoke"])
    keys.add_argument("name", nargs="?", help="what the key is called")
    keys.add_argument(
        "--scope",
        action="append",
        default=[],
        choices=["ask", "write", "admin"],
        help="what it is good for; give several (add only)",
    )
    keys.add_argument(
        "--per-minute", type=int, metavar="N", help="how many requests it may make (add only)"
    )

    doctor = command("doctor", run_doctor, "Check everything in the data directory.")
    doctor.add_argument(
        "--repair", action="store_true", help="make again what is derived, drop what is lost"
    )
    doctor.add_argument("--json", action="store_true", help="print it as JSON")

    evaluate = command("eval", run_eval, "Measure answers against files of known questions.")
    evaluate.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="questions: one JSON a line, asked of the archive; or SQuAD's format (.json,"
        " .json.gz), each read on its own paragraph",
    )
    evaluate.add_argument(
        "--retrieve",
        action="store_true",
        help="ask SQuAD's questions of a passing archive of all the file's paragraphs",
    )
    evaluate.add_argument(
        "--questions", type=int, default=0, metavar="N", help="ask N random ones of each file"
    )
    evaluate.add_argument(
        "--seed", type=int, default=1, help="which random ones (default: %(default)s)"
    )
    evaluate.add_argument(
        "--plots", type=Path, metavar="DIR", help="write two plots of the confidences, as SVG"
    )
    evaluate.add_argument("--json", action="store_true", help="print it as JSON")
    return parser


def add_filters(command: argparse.ArgumentParser) -> None:
    """Add the options that say which articles are searched."""
    command.add_argument(
        "--from", type=day, dest="published_from", metavar="DATE", help="published then or later"
    )
    command.add_argument(
        "--to", type=day, dest="published_to", metavar="DATE", help="published then or earlier"
    )
    command.add_argument(
        "--source",
        action="append",
        default=[],
        dest="sources",
        metavar="NAME",
        help="of this source; give several for any of them",
    )


def day(text: str) -> date:
    """Read a date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date like 2023-11-09") from error


def filters_of(options: argparse.Namespace) -> Filters:
    """Return the filters that were given; raise InvalidInput when they contradict each other."""
    return Filters(options.published_from, options.published_to, frozenset(options.sources))


def port_number(text: str) -> int:
    """Read a port; 0 lets the system choose one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not a port")
    return number


# Each command imports what it runs on: a question must not wait for the web framework, nor
# `--help` for the models.


def run_demo(settings: Settings, options: argparse.Namespace) -> int:
    """Show what Citewire does."""
    from service.demo import demo

    demo(settings, output_style(), then_serve=not options.no_serve)
    return ANSWERED


def run_index(settings: Settings, options: argparse.Namespace) -> int:
    """Index the paths, and say what came of it."""
    from index.loading import require_paths
    from service.indexing import index_here_or_there
    from service.progress import shown_progress

    # Before an archive is begun for nothing.
    require_paths(options.paths)
    with shown_progress() as progress:
        done, articles, passages = index_here_or_there(
            settings, options.paths, progress, prune=options.prune
        )
    for bad in done.bad:
        complain(bad)
    print(
        f"{done.added} added, {done.replaced} replaced, {done.unchanged} unchanged,"
        f" {done.removed} removed, {len(done.bad)} not usable; the archive holds"
        f" {plural(articles, 'article')} in {plural(passages, 'passage')}"
    )
    return PARTIAL if done.bad else ANSWERED


def run_ask(settings: Settings, options: argparse.Namespace) -> int:
    """Answer one question, or hold a conversation."""
    # Before anything is loaded for nothing.
    filters = filters_of(options)
    with asking(settings, filters) as ask:
        if options.question is None:
            from service.prompt import converse

            converse(ask, output_style(), settings.data / "questions.history")
            return ANSWERED
        response = ask(options.question)
    print(response.model_dump_json(indent=2) if options.json else render(response, output_style()))
    return ANSWERED if response.status == "answered" else NO_ANSWER


def run_search(settings: Settings, options: argparse.Namespace) -> int:
    """Find passages, in the archive itself or by the service that has it open."""
    from rag.wiring import open_archive, retriever_of
    from service.found import render_found
    from service.remote import RunningService
    from service.search_schemas import MAX_HITS
    from service.search_wire import search_response

    question = Question(options.question, filters_of(options))
    if not 1 <= options.limit <= MAX_HITS:
        raise InvalidInput(f"--limit is {options.limit}; it goes from 1 to {MAX_HITS}")
    try:
        with open_archive(settings, command="search", create=False) as archive:
            found = retriever_of(archive).search(question, options.limit)
            response = search_response(found, uuid.uuid4().hex, explain=options.explain)
    except ArchiveLocked:
        owner = read_owner(settings.data)
        if owner is None or owner.url is None:
            raise
        service = RunningService(owner.url, settings.api_key)
        response = service.search(question, options.limit, explain=options.explain)
    rendered = render_found(response, output_style())
    print(response.model_dump_json(indent=2) if options.json else rendered)
    return ANSWERED if response.passages else NO_ANSWER


def run_verify(settings: Settings, options: argparse.Namespace) -> int:
    """Look a quote up, in the archive itself or by the service that has it open."""
    from rag.verification import Status, Verifier
    from rag.wiring import open_archive
    from service.remote import RunningService
    from service.verdict import render_verdict
    from service.wire import verify_response

    try:
        with open_archive(settings, command="verify", create=False) as archive:
            verdict = Verifier(archive.catalogue).verify(options.quote, options.article)
            response = verify_response(verdict, archive.catalogue, uuid.uuid4().hex)
    except ArchiveLocked:
        owner = read_owner(settings.data)
        if owner is None or owner.url is None:
            raise
        service = RunningService(owner.url, settings.api_key)
        response = service.verify(options.quote, options.article)
    rendered = render_verdict(response, output_style())
    print(response.model_dump_json(indent=2) if options.json else rendered)
    said = response.status in (Status.EXACT, Status.WHITESPACE_ONLY)
    return ANSWERED if said else NO_ANSWER


def run_serve(settings: Settings, options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from service.server import serve

    serve(settings, options.host, options.port)
    return ANSWERED


def run_status(settings: Settings, options: argparse.Namespace) -> int:
    """Show the archive's state."""
    from service.status import read_status

    status = read_status(settings)
    print(status.model_dump_json(indent=2) if options.json else status.text())
    return ANSWERED


def run_key(settings: Settings, options: argparse.Namespace) -> int:
    """Change or show the file of keys."""
    from service.keys import KeyFile, KeyScope, table

    file = KeyFile(settings.key_file)
    if options.action == "list":
        print(table(file.keys()))
        return ANSWERED
    if options.name is None:
        raise InvalidInput(f"citewire key {options.action} needs the key's name")
    if options.action == "revoke":
        file.revoke(options.name)
        return ANSWERED
    scopes = [KeyScope(scope) for scope in options.scope]
    print(file.add(options.name, scopes, options.per_minute))
    print("This is the only time that the key is shown.", file=sys.stderr)
    return ANSWERED


def run_doctor(settings: Settings, options: argparse.Namespace) -> int:
    """Check the data directory, and repair what can be."""
    from rag.doctor import Damage, diagnose, repair
    from service.checkup import as_json, as_text

    diagnosis = repair(settings) if options.repair else diagnose(settings)
    print(as_json(diagnosis) if options.json else as_text(diagnosis))
    codes = {
        None: ANSWERED,
        Damage.MODEL: NOT_USABLE,
        Damage.DERIVED: DERIVED_DAMAGE,
        Damage.TRUTH: TRUTH_DAMAGE,
    }
    return codes[diagnosis.worst]


def run_eval(settings: Settings, options: argparse.Namespace) -> int:
    """Ask every question of the files and compare."""
    from rag.evaluation import evaluation_of
    from rag.plots import write_plots
    from service.measuring import Sample, outcomes_of

    sample = Sample(options.questions, options.seed, retrieve=options.retrieve)
    result = evaluation_of(outcomes_of(settings, options.files, sample))
    print(result.json() if options.json else result.table())
    if options.plots is not None:
        write_plots(options.plots, result.outcomes)
    return ANSWERED


@contextmanager
def asking(settings: Settings, filters: Filters) -> Iterator[Callable[[str], AskResponse]]:
    """Yield what answers questions: the archive itself, or the service that has it open."""
    from rag.wiring import open_library
    from service.remote import RunningService
    from service.wire import ask_response

    with ExitStack() as stack:
        try:
            library = stack.enter_context(open_library(settings, command="ask"))
        except ArchiveLocked:
            owner = read_owner(settings.data)
            if owner is None or owner.url is None:
                raise
            service = RunningService(owner.url, settings.api_key)
            yield lambda text: service.ask(text, filters)
        else:
            answerer = library.answerer
            yield lambda text: ask_response(
                answerer.answer(Question(text, filters)), uuid.uuid4().hex
            )


def complain(error: CitewireError) -> None:
    """Say what is wrong; names of files and articles in it may hold anything."""
    print(f"citewire: {safe(str(error))}", file=sys.stderr)


def output_style() -> Style:
    """Use colours where a person looks and has not asked for none (no-color.org)."""
    return Style(colours=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


if __name__ == "__main__":
    sys.exit(main())
