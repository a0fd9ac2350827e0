"""Kill a writer at every named point of changing an archive, one after the other.

    python tests/crash/points.py            # all of them
    python tests/crash/points.py --quick    # without those that wait for an index to be built

Afterwards the archive must hold what was acknowledged, at most one step more, and find what an
archive that was never killed finds; and the script must go on from there to the same end.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from archive import STEPS_PER_BUILD, Opened, in_process, opened, scanned, step, undisturbed

from rag.crash_points import POINTS, VARIABLE

# The archive that is killed has an index, and is far from building the next one.
BASE, END = STEPS_PER_BUILD, STEPS_PER_BUILD + 3
OF_BUILDING = ("build: ", "json: ", "rebuild: ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave the building of an index out")
    options = parser.parse_args()
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        base, twin = Path(folder, "base"), Path(folder, "twin")
        known = {version: undisturbed(twin, version - 1, version) for version in range(1, BASE + 1)}
        shutil.copytree(twin, base)
        known |= {
            version: undisturbed(twin, version - 1, version) for version in range(BASE + 1, END + 1)
        }
        for point in POINTS:
            if options.quick and point.startswith(OF_BUILDING):
                continue
            data = Path(folder, "killed")
            shutil.rmtree(data, ignore_errors=True)
            if not point.startswith("create: "):
                shutil.copytree(base, data)
            faults = faults_at(point, data, known)
            table["points"] += 1
            table["faults"] += len(faults)
            for fault in faults:
                print(f"  {point}: {fault}", flush=True)
    for name in ("points", "faults"):
        print(f"{name:<8} {table[name]}")
    return int(bool(table["faults"]))


def faults_at(point: str, data: Path, known: dict[int, dict[str, object] | None]) -> list[str]:
    """Kill a writer at the point and look at what is left; return all that is wrong."""
    first = BASE if data.exists() else 0
    last = END if first else 2

    def work(tell: Callable[[str], None]) -> None:
        os.environ[VARIABLE] = point
        with opened(data, create=True) as archive:
            write(archive, first, last, tell)
            if point.startswith(OF_BUILDING):
                archive.vectors.rebuild()

    code, told = in_process(work)
    if code != -signal.SIGKILL:
        return [f"was not reached: ended with {code}"]
    acknowledged = first + len(told.splitlines())
    faults = []
    code, found = scanned(data)
    if found is not None:
        version = int(str(found["version"]))
        if not acknowledged <= version <= acknowledged + 1:
            faults.append(f"has version {version}, acknowledged was {acknowledged}")
        if version and found != known[version]:
            faults.append("finds something else than one never killed")
    elif acknowledged or not point.startswith("create: "):
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
