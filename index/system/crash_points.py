"""Named moments of changing an archive, at which tests kill the process.

Nothing happens at them unless the variable RAG_CRASH_POINT names one.
"""

import os
import signal

VARIABLE = "RAG_CRASH_POINT"
# In the order in which they are passed: by an archive that is made, changed, indexed and closed;
# by one of an older version that is opened; by one that is mended; by one whose index lies on a
# server. Those of `build` are a child's, and end it together with the process that waits for it.
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
    "migrate: witnesses begun",
    "migrate: begun",
    "migrate: schema changed",
    "migrate: words made",
    "migrate: noted",
    "repair: some articles stored",
    "repair: all articles stored",
    "repair: set aside",
    "repair: seal in its place",
    "repair: witnesses in their place",
    "repair: catalogue in its place",
    "repair: index removed",
    "build: collection written",
    "build: vectors left to the server",
    "server: old collections dropped",
)


def reached(point: str) -> None:
    """End the process here and now if this is the point that was asked for."""
    if os.environ.get(VARIABLE) != point:
        return
    if point.startswith("build: "):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
