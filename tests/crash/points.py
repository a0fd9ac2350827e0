"""Kill a process at each crash point, the named moments of changing an archive.

    python tests/crash/points.py            # all of them
    python tests/crash/points.py --quick    # without those that wait for an index to be built

Afterwards the archive must hold every acknowledged step, at most one more, and find what an archive
finds that was never killed; and the script must go on from there to the same end. After a killed
migration an older archive must open as it would have otherwise; after a killed repair, another
attempt must repair it and keep every sound article.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from archive import (
    STEPS_PER_BUILD,
    Contents,
    Opened,
    inspect_by_scan,
    open_archive,
    run_step,
    run_undisturbed,
)
from mending import check_migration, check_repair, run_until_killed
from on_server import check_server_build

from citewire.index.system.crash_points import POINTS

# Steps before and after the kill; the archive has an index and does not build the next one.
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
    parser.add_argument(
        "--quick", action="store_true", help="without the points of building an index"
    )
    parser.add_argument("--only", default="", help="points that begin with this")
    options = parser.parse_args()
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        base, twin = Path(folder, "base"), Path(folder, "twin")
        known = {
            version: run_undisturbed(twin, version - 1, version) for version in range(1, BASE + 1)
        }
        shutil.copytree(twin, base)
        known |= {
            version: run_undisturbed(twin, version - 1, version)
            for version in range(BASE + 1, END + 1)
        }
        for point, check in list_checks(base, known):
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


def list_checks(base: Path, known: Known) -> Iterator[tuple[str, Callable[[Path], list[str]]]]:
    """Yield each point with its check, which kills a process there, in a new folder.

    `base` is an archive after BASE steps; `known` are the contents after each number of steps.
    """
    last = known[END]
    for point in POINTS:
        if point in ON_SERVER:
            yield point, partial(check_server_build, point, base, known[BASE])
        elif point.startswith("migrate: "):
            yield point, partial(check_migration, point, base, (BASE, known[BASE]), (END, last))
        elif point.startswith("repair: "):
            yield point, partial(check_repair, point, base)
        elif point.startswith("create: "):
            yield point, partial(check_writing, point, None, known)
        else:
            yield point, partial(check_writing, point, base, known)


def check_writing(point: str, base: Path | None, known: Known, data: Path) -> list[str]:
    """Kill a writer at the point and check the archive; return all faults."""
    first, last = (0, 2) if base is None else (BASE, END)
    if base is not None:
        shutil.copytree(base, data)

    def work(report: Callable[[str], None]) -> None:
        with open_archive(data, create=True) as archive:
            write(archive, first, last, report)
            if point.startswith(OF_BUILDING):
                archive.vectors.rebuild()

    reports, faults = run_until_killed(point, work)
    if faults:
        return faults
    acknowledged = first + len(reports.splitlines())
    code, found = inspect_by_scan(data)
    if found is not None:
        version = int(str(found["version"]))
        if not acknowledged <= version <= acknowledged + 1:
            faults.append(f"has version {version}, acknowledged was {acknowledged}")
        if version and found != known[version]:
            faults.append("finds something else than one never killed")
    elif acknowledged or base is not None:
        # Without an acknowledged step there may be no archive yet.
        return [f"cannot be opened: {code}"]
    version = 0 if found is None else int(str(found["version"]))
    if run_undisturbed(data, version, last) != known[last]:
        faults.append("does not go on as one never killed")
    return faults


def write(archive: Opened, first: int, last: int, report: Callable[[str], None]) -> None:
    for number in range(first, last):
        run_step(archive, number)
        report("done")


if __name__ == "__main__":
    sys.exit(main())
