"""`citewire index`."""

import argparse
from pathlib import Path

from citewire.service.cli.exit_codes import ANSWERED, PARTIAL
from citewire.service.cli.terminal import complain
from citewire.service.settings import ServiceSettings
from citewire.service.wire.phrasing import count

NAME = "index"
PURPOSE = "Index articles: .md, .txt, .html, .jsonl, or folders."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or folder")
    parser.add_argument(
        "--prune", action="store_true", help="remove articles whose files are gone from these paths"
    )


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Index the paths; print how many articles changed and which are not usable."""
    from citewire.index.ingest.files import require_paths
    from citewire.service.cli.indexing import index_paths
    from citewire.service.cli.progress import show_progress

    # First, so that a wrong path creates no archive.
    require_paths(options.paths)
    with show_progress() as progress:
        done, articles, passages = index_paths(
            settings, options.paths, progress, prune=options.prune
        )
    for bad in done.bad:
        complain(bad)
    print(
        f"{done.added} added, {done.replaced} replaced, {done.unchanged} unchanged,"
        f" {done.removed} removed, {len(done.bad)} not usable; the archive holds"
        f" {count(articles, 'article')} in {count(passages, 'passage')}"
    )
    return PARTIAL if done.bad else ANSWERED
