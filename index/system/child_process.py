"""Work done in a child process: what crashes, hangs or holds the interpreter does it there."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any, TypeVar

from citewire.index.errors import CitewireError

Result = TypeVar("Result")

# How soon a wish to stop is noticed.
SECONDS_BETWEEN_LOOKS = 0.2
# A tenth of the share of a process that answers questions, so that a busy one does not starve it.
NICENESS = 10


class ChildFailed(Exception):
    """The child ended without a result; the message says how."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What the work raised, where that was on purpose, or in words."""

    error: CitewireError | str


def in_child(
    work: Callable[..., Result],
    arguments: tuple[Any, ...],
    *,
    seconds: float,
    stop: threading.Event,
) -> Result:
    """Return what the work, a function of a module, returns in a child process.

    Raises:
        ChildFailed: it crashed, raised, was not done in time, or `stop` was set.
        CitewireError: the work raised it.
    """
    context = starting()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=answer_through, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        outcome = received(ours, time.monotonic() + seconds, stop)
    except EOFError as error:
        process.join()
        raise ChildFailed(f"the child process ended with {process.exitcode}") from error
    finally:
        ours.close()
        process.kill()
        process.join()
    if isinstance(outcome, Failure) and isinstance(outcome.error, CitewireError):
        raise outcome.error
    if isinstance(outcome, Failure):
        raise ChildFailed(outcome.error)
    result: Result = outcome
    return result


def starting() -> SpawnContext | ForkServerContext:
    """Return what starts a child: a spawn, or the fork server where a program has chosen that.

    Never a plain fork, in which the threads of a process that serves would be missing.
    """
    if multiprocessing.get_start_method(allow_none=True) == "forkserver":
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def received(pipe: Connection, deadline: float, stop: threading.Event) -> Any:
    """Return what comes through the pipe in time; raise ChildFailed when nothing does."""
    while not pipe.poll(SECONDS_BETWEEN_LOOKS):
        if stop.is_set():
            raise ChildFailed("it was told to stop")
        if time.monotonic() > deadline:
            raise ChildFailed("it was not done in time")
    return pipe.recv()


def answer_through(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Do the work and send its result or failure; the child's main."""
    # Whoever waits for an answer goes first.
    os.nice(NICENESS)
    try:
        outcome = work(*arguments)
    except CitewireError as error:
        outcome = Failure(error)
    except BaseException as error:
        # Of Chroma's, not every class is an Exception or can be pickled.
        outcome = Failure(f"{type(error).__name__}: {error}")
    pipe.send(outcome)
