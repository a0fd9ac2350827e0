"""`citewire eval`."""

import argparse
from pathlib import Path

from citewire.service.cli.exit_codes import ANSWERED
from citewire.service.settings import ServiceSettings

NAME = "eval"
PURPOSE = "Measure answers against files of known questions."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="questions: one JSON a line, asked of the archive; or SQuAD's format (.json,"
        " .json.gz), each read on its own paragraph",
    )
    parser.add_argument(
        "--retrieve",
        action="store_true",
        help="ask SQuAD's questions of a passing archive of all the file's paragraphs",
    )
    parser.add_argument(
        "--questions", type=int, default=0, metavar="N", help="ask N random ones of each file"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="which random ones (default: %(default)s)"
    )
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="write two plots of the confidences, as SVG"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(settings: ServiceSettings, options: argparse.Namespace) -> int:
    """Ask every question of the files and compare."""
    from citewire.rag.evaluation.plots import write_plots
    from citewire.rag.evaluation.report import evaluation_of
    from citewire.service.cli.evaluate import Sample, outcomes_of

    sample = Sample(options.questions, options.seed, retrieve=options.retrieve)
    result = evaluation_of(outcomes_of(settings, options.files, sample))
    print(result.json() if options.json else result.table())
    if options.plots is not None:
        write_plots(options.plots, result.outcomes)
    return ANSWERED
