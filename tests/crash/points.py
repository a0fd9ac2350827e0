"""Kill a process at every named point of changing an archive, one after the other.

    python tests/crash/points.py            # all of them
    python tests/crash/points.py --quick    # without those that wait for an index to be built

Afterwards the archive must hold what was acknowledged, at most one step more, and find what an
archive that was never killed finds; and the script must go on from there to the same end. One of
an older version, killed while it is brought up to date, must open as it would have otherwise; one
that is mended must be mended by another attempt, with every sound article.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from archive import STEPS_PER_BUILD, Contents, Opened, opened, scanned, step, undisturbed
from mending import faults_of_migration, faults_of_repair, killed_at
from on_server import faults_on_server

from citewire.index.system.crash_points import POINTS

# The archive that is killed has an index, and is far from building the next one.
BASE, END = STEPS_PER_BUILD, STEPS_PER_BUILD + 3
ON_SERVER = {
    "build: collection written",
    "build: vectors left to the server",
    "server: old collections dropped",
}
OF_BUILDING = ("build: ", "json: ", "rebuild: ", "server: ")
Known = Mapping[int, Contents | None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the building of an index out")
    parser.add_argument("--only", default="", help="points that begin so")
    options = parser.parse_args()
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        base, twin = Path(folder, "base"), Path(folder, "twin")
        known = {version: undisturbed(twin, version - 1, version) for version in range(1, BASE + 1)}
        shutil.copytree(twin, base)
        known |= {
            version: undisturbed(twin, version - 1, version) for version in range(BASE + 1, END + 1)
        }
        for point, check in checks(base, known):
            if not point.startswith(options.only):
                continue
            if options.quick and point.startswith(OF_BUILDING):
                continue
            data = Path(folder, "killed")
            shutil.rmtree(data, ignore_errors=True)
            faults = check(data)
            table["points"] += 1
            table["faults"] += len(faults)
            for fault in faults:
                print(f"  {point}: {fault}", flush=True)
    for name in ("points", "faults"):
        print(f"{name:<8} {table[name]}")
    return int(bool(table["faults"]))


def checks(base: Path, known: Known) -> Iterator[tuple[str, Callable[[Path], list[str]]]]:
    """Yield each point with what kills a process there, in a new folder, and finds what is wrong.

    `base` is an archive of BASE steps; `known` is what archives of so many steps hold.
    """
    last = known[END]
    for point in POINTS:
        if point in ON_SERVER:
            yield point, partial(faults_on_server, point, base, known[BASE])
        elif point.startswith("migrate: "):
            yield point, partial(faults_of_migration, point, base, (BASE, known[BASE]), (END, last))
        elif point.startswith("repair: "):
            yield point, partial(faults_of_repair, point, base)
        elif point.startswith("create: "):
            yield point, partial(faults_of_writing, point, None, known)
        else:
            yield point, partial(faults_of_writing, point, base, known)


def faults_of_writing(point: str, base: Path | None, known: Known, data: Path) -> list[str]:
    """Kill a writer at the point and look at what is left; return all that is wrong."""
    first, last = (0, 2) if base is None else (BASE, END)
    if base is not None:
        shutil.copytree(base, data)

    def work(tell: Callable[[str], None]) -> None:
        with opened(data, create=True) as archive:
            write(archive, first, last, tell)
            if point.startswith(OF_BUILDING):
                archive.vectors.rebuild()

    told, faults = killed_at(point, work)
    if faults:
        return faults
    acknowledged = first + len(told.splitlines())
    code, found = scanned(data)
    if found is not None:
        version = int(str(found["version"]))
        if not acknowledged <= version <= acknowledged + 1:
            faults.append(f"has version {version}, acknowledged was {acknowledged}")
        if version and found != known[version]:
            faults.append("finds something else than one never killed")
    elif acknowledged or base is not None:
        # Where nothing was ever acknowledged, there may be no archive yet.
        return [f"cannot be opened: {code}"]
    version = 0 if found is None else int(str(found["version"]))
    if undisturbed(data, version, last) != known[last]:
        faults.append("does not go on as one never killed")
    return faults


def write(archive: Opened, first: int, last: int, tell: Callable[[str], None]) -> None:
    for number in range(first, last):
        step(archive, number)
        tell("done")


if __name__ == "__main__":
    sys.exit(main())
