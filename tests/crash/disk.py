"""Fill the disk under a writer, and let its writes fail, at every turn of the script.

    python tests/crash/disk.py --budgets 40

Mounts a small tmpfs, which takes root; says so and ends with 77 where that is not allowed. For each
budget the disk has so many KiB to spare; a second round bounds the size of files instead, so that
single writes fail. Afterwards everything acknowledged must be there, on the full disk and on one
that is read-only; and with room again, the script must go on to the same end.
"""

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from archive import REFUSED, STEPS_PER_BUILD, in_process, opened, scanned, step, undisturbed

BASE, END = STEPS_PER_BUILD, STEPS_PER_BUILD + 5
CANNOT_MOUNT = 77
ROOM = "64m"
# Between budgets: a page of the log, and then some.
STEP_KIB = 12


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, default=40)
    options = parser.parse_args()
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        base, twin, disk = (Path(folder, name) for name in ("base", "twin", "disk"))
        for version in range(1, BASE + 1):
            undisturbed(twin, version - 1, version)
        shutil.copytree(twin, base)
        known = {
            version: undisturbed(twin, version - 1, version) for version in range(BASE + 1, END + 1)
        } | {BASE: scanned(base)[1]}
        disk.mkdir()
        try:
            for number in range(options.budgets):
                for bound in (bounded_disk, bounded_files):
                    with mounted(disk):
                        faults = faults_with(bound, number * STEP_KIB, base, disk, known, table)
                    for fault in faults:
                        table["faults"] += 1
                        print(f"  {bound.__name__}, {number * STEP_KIB} KiB: {fault}", flush=True)
        except PermissionError as error:
            print(f"skipped: {error}")
            return CANNOT_MOUNT
    for name in ("runs", "that ran out", "steps acknowledged", "faults"):
        print(f"{name:<19} {table[name]}")
    return int(bool(table["faults"]))


def faults_with(
    bound: Callable[[Path, int], None],
    spare_kib: int,
    base: Path,
    disk: Path,
    known: dict[int, dict[str, object] | None],
    table: Counter[str],
) -> list[str]:
    """Let a writer run into the bound; return all that is wrong afterwards."""
    data = disk / "data"
    shutil.copytree(base, data)
    bound(disk, spare_kib)

    def work(tell: Callable[[str], None]) -> None:
        if bound is bounded_files:
            limit = (data / "catalogue.sqlite3").stat().st_size + spare_kib * 1024
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with opened(data, create=True) as archive:
            for number in range(BASE, END):
                step(archive, number)
                tell("done")

    code, told = in_process(work)
    acknowledged = BASE + len(told.splitlines())
    table["runs"] += 1
    table["that ran out"] += code == REFUSED
    table["steps acknowledged"] += acknowledged - BASE
    faults = [] if code in (0, REFUSED) else [f"the writer ended with {code}"]
    version = BASE
    for state in ("as it is", "read-only"):
        if state == "read-only":
            remount(disk, "ro")
        code, found = scanned(data)
        if found is None:
            faults.append(f"{state}: cannot be read: {code}")
            continue
        version = int(str(found["version"]))
        if not acknowledged <= version <= acknowledged + 1:
            faults.append(f"{state}: has version {version}, acknowledged was {acknowledged}")
        elif found != known[version]:
            faults.append(f"{state}: finds something else than one that had room")
    remount(disk, f"rw,size={ROOM}")
    if undisturbed(data, version, END) != known[END]:
        faults.append("does not go on as one that had room")
    return faults


def bounded_disk(disk: Path, spare_kib: int) -> None:
    """Leave so much room on the disk."""
    usage = shutil.disk_usage(disk)
    remount(disk, f"size={usage.used // 1024 + spare_kib + 4}k")


def bounded_files(disk: Path, spare_kib: int) -> None:
    """Leave the disk as it is; the writer bounds its files itself."""


@contextmanager
def mounted(disk: Path) -> Iterator[None]:
    """Mount a tmpfs there; raise PermissionError where that is not allowed."""
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)]
    done = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"no tmpfs can be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


if __name__ == "__main__":
    sys.exit(main())
