"""Crash points: named moments of changing an archive, at which tests kill the process.

Passing one does nothing unless the environment variable RAG_CRASH_POINT names it.
"""

import os
import signal

VARIABLE = "RAG_CRASH_POINT"
# In the order in which they are passed: when an archive is created, changed, indexed and closed;
# when one of an older version is opened; when one is repaired; when its index is built on a server.
# Those of `build` are passed by a child process, and kill its parent as well.
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


def pass_crash_point(point: str) -> None:
    """Kill this process if the environment names this crash point."""
    if os.environ.get(VARIABLE) != point:
        return
    if point.startswith("build: "):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
