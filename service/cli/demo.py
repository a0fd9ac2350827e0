"""The demonstration: index the seed articles, answer three questions, serve the page."""

import socket
import tempfile
from dataclasses import replace
from pathlib import Path

from citewire.index.errors import InvalidInput, NotUsable
from citewire.index.ingest.indexer import Indexer
from citewire.rag.types import Question
from citewire.rag.wiring import open_owned_archive, open_pipeline
from citewire.service.cli.progress import show_progress
from citewire.service.cli.render_answer import render_response
from citewire.service.cli.terminal import Style
from citewire.service.server import bind_socket, serve_pipeline
from citewire.service.settings import ServiceSettings
from citewire.service.wire.convert import convert_result
from citewire.service.wire.phrasing import count

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
QUESTIONS = (
    "who met Park Jin?",
    "How many people died in the Magnitogorsk building collapse?",
    "Who won the 2022 FIFA World Cup?",
)
HOST, PORT = "127.0.0.1", 8000


def run_demo(settings: ServiceSettings, style: Style, *, then_serve: bool) -> None:
    """Index the seed articles into a temporary data directory, and ask about them."""
    if not SEEDS.is_dir():
        raise InvalidInput(
            f"{SEEDS}: the seed articles are missing; run the demonstration from a checkout"
        )
    with tempfile.TemporaryDirectory(prefix="citewire-demo-") as folder:
        own = replace(settings, data=Path(folder))
        with (
            open_owned_archive(own, command="demo", create=True) as opened,
            show_progress() as report,
        ):
            indexer = Indexer.into(opened.archive, opened.encoder, report)
            done = indexer.index([SEEDS], prune=False)
        print(f"Indexed {count(done.added, 'article')} from {SEEDS.name}/\n")
        with open_pipeline(own, command="demo") as pipeline:
            for text in QUESTIONS:
                print(style.strong(f"> {text}"))
                result = pipeline.answerer.answer(Question(text))
                print(render_response(convert_result(result, "demo"), style), end="\n\n")
            if then_serve:
                with bind_free_port() as listening:
                    serve_pipeline(pipeline, own, HOST, listening)


def bind_free_port() -> socket.socket:
    """Return a socket bound to the usual port, or to any free one when that is taken."""
    try:
        return bind_socket(HOST, PORT)
    except NotUsable:
        return bind_socket(HOST, 0)
