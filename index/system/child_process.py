"""Work done in a child process, where it may crash, hang or hold the interpreter lock."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any, TypeVar

from citewire.index.errors import CitewireError

Result = TypeVar("Result")

# Seconds until a request to stop is noticed.
SECONDS_BETWEEN_LOOKS = 0.2
# The child's nice value: it gets a tenth of the processor time of a process that answers
# questions, so that a busy one does not starve it.
NICENESS = 10


class ChildFailed(Exception):
    """The child ended without a result; the message says how."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The error that the work raised: one of ours, or the description of another's."""

    error: CitewireError | str


def run_in_child(
    work: Callable[..., Result],
    arguments: tuple[Any, ...],
    *,
    seconds: float,
    stop: threading.Event,
) -> Result:
    """Call a module's function in a child process and return its result.

    Raises:
        ChildFailed: it crashed, raised, was not done in time, or `stop` was set.
        CitewireError: the work raised it.
    """
    context = choose_context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=send_result, args=(theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        outcome = receive(ours, time.monotonic() + seconds, stop)
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


def choose_context() -> SpawnContext | ForkServerContext:
    """Return the fork server's context where a program has chosen that, else the one that spawns.

    Never a plain fork, in which the threads of a process that serves would be missing.
    """
    if multiprocessing.get_start_method(allow_none=True) == "forkserver":
        return multiprocessing.get_context("forkserver")
    return multiprocessing.get_context("spawn")


def receive(pipe: Connection, deadline: float, stop: threading.Event) -> Any:
    """Return the object that the child sends; raise ChildFailed when none comes in time.

    `deadline` is in seconds of the monotonic clock.
    """
    while not pipe.poll(SECONDS_BETWEEN_LOOKS):
        if stop.is_set():
            raise ChildFailed("it was asked to stop")
        if time.monotonic() > deadline:
            raise ChildFailed("it was not done in time")
    return pipe.recv()


def send_result(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Do the work and send its result or failure; the child's main function."""
    # Processes that answer questions go first.
    os.nice(NICENESS)
    with ThreadPoolExecutor(1) as executor:
        # A future holds any error; not every class that Chroma raises is an Exception.
        future = executor.submit(work, *arguments)
        error = future.exception()
    if error is None:
        pipe.send(future.result())
    elif isinstance(error, CitewireError):
        pipe.send(Failure(error))
    else:
        # Described, since not every class of Chroma's can be pickled.
        pipe.send(Failure(f"{type(error).__name__}: {error}"))
