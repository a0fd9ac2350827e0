"""Show the progress of indexing: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from citewire.index.ingest.indexer import Progress

# Seconds between two lines of a log.
SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def show_progress() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that shows a report of progress on standard error."""
    if sys.stderr.isatty():
        with show_bar() as report:
            yield report
    else:
        yield build_line_printer()


@contextmanager
def show_bar() -> Iterator[Callable[[Progress], None]]:
    """Yield a function that moves a bar, with rate and time left."""
    # Here and not above: only indexing needs it.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("Indexing"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[passages]:,} passages"),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, passages=0, rate=0.0)

        def report(progress: Progress) -> None:
            bar.update(
                task,
                completed=progress.bytes_read,
                total=progress.bytes_total,
                passages=progress.passages,
                rate=progress.passages / max(time.monotonic() - started, 1e-9),
            )

        yield report


def build_line_printer() -> Callable[[Progress], None]:
    """Return a function that prints a line every few seconds."""
    started = printed = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal printed
        now = time.monotonic()
        if now - printed >= SECONDS_BETWEEN_LINES:
            printed = now
            share = 100 * progress.bytes_read // max(progress.bytes_total, 1)
            rate = progress.passages / (now - started)
            print(f"{share} %, {progress.passages} passages, {rate:.0f}/s", file=sys.stderr)

    return report
