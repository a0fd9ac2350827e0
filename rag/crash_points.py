"""Named moments of changing an archive, at which tests kill the process.

Nothing happens at them unless the variable RAG_CRASH_POINT names one.
"""

import os
import signal

VARIABLE = "RAG_CRASH_POINT"
# In the order in which an archive that is made, changed, indexed and closed passes them. Those of
# `build` are a child's, and end it together with the process that waits for it.
POINTS = (
    "create: witnesses begun",
    "create: file made",
    "create: tables made",
    "create: committed",
    "put: begun",
    "put: old deleted",
    "put: article inserted",
    "put: vectors inserted",
    "put: words added",
    "put: before the commit",
    "put: committed",
    "put: acknowledged",
    "checkpoint: done",
    "seal: written aside",
    "seal: in its place",
    "build: rows written",
    "build: index written",
    "build: files synced",
    "json: written aside",
    "json: in its place",
    "rebuild: shown",
    "close: sealed",
    "close: closed",
)


def reached(point: str) -> None:
    """End the process here and now if this is the point that was asked for."""
    if os.environ.get(VARIABLE) != point:
        return
    if point.startswith("build: "):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
