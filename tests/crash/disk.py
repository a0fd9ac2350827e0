"""Let a writer run out of disk space (ENOSPC, EFBIG) at different places of the script.

    python tests/crash/disk.py --budgets 40

Mounts a small tmpfs, which needs root; exits with 77 if that is not allowed. For each budget the
disk has that many KiB of room; a second run limits the size of files instead (RLIMIT_FSIZE), so
that single writes fail. Afterwards every acknowledged step must be there, on the full disk and on
a read-only one; and with room again, the script must go on to the same end.
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
from dataclasses import dataclass
from pathlib import Path

from archive import (
    REFUSED,
    STEPS_PER_BUILD,
    Contents,
    inspect_by_scan,
    open_archive,
    run_in_process,
    run_step,
    run_undisturbed,
)

# Steps before the disk is bounded, and at the end.
BASE, END = STEPS_PER_BUILD, STEPS_PER_BUILD + 5
# Exit code: no tmpfs can be mounted.
CANNOT_MOUNT = 77
# Size of the tmpfs while it is not full.
ROOM = "64m"
# KiB between two budgets: three pages.
STEP_KIB = 12


@dataclass(frozen=True)
class Reference:
    """An archive after BASE steps, and the contents after each later step, without faults."""

    base: Path
    known: dict[int, Contents | None]


Bound = Callable[[Path, int], None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, default=40)
    options = parser.parse_args()
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        reference = build_reference(Path(folder))
        disk = Path(folder, "disk")
        disk.mkdir()
        try:
            for number in range(options.budgets):
                for bound in (bound_disk, bound_files):
                    with mount(disk):
                        faults = run_bounded(bound, number * STEP_KIB, disk, reference, table)
                    for fault in faults:
                        table["faults"] += 1
                        print(f"  {bound.__name__}, {number * STEP_KIB} KiB: {fault}", flush=True)
        except PermissionError as error:
            print(f"skipped: {error}")
            return CANNOT_MOUNT
    for name in ("runs", "that ran out", "steps acknowledged", "faults"):
        print(f"{name:<19} {table[name]}")
    return int(bool(table["faults"]))


def build_reference(folder: Path) -> Reference:
    """Run the script without faults."""
    base, twin = folder / "base", folder / "twin"
    for version in range(1, BASE + 1):
        run_undisturbed(twin, version - 1, version)
    shutil.copytree(twin, base)
    known = {BASE: inspect_by_scan(base)[1]}
    for version in range(BASE + 1, END + 1):
        known[version] = run_undisturbed(twin, version - 1, version)
    return Reference(base, known)


def run_bounded(
    bound: Bound, spare_kib: int, disk: Path, reference: Reference, table: Counter[str]
) -> list[str]:
    """Let a writer run into the bound; return all faults found afterwards."""
    data = disk / "data"
    shutil.copytree(reference.base, data)
    bound(disk, spare_kib)

    def work(report: Callable[[str], None]) -> None:
        if bound is bound_files:
            limit = (data / "catalogue.sqlite3").stat().st_size + spare_kib * 1024
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with open_archive(data, create=True) as archive:
            for number in range(BASE, END):
                run_step(archive, number)
                report("done")

    code, reports = run_in_process(work)
    acknowledged = BASE + len(reports.splitlines())
    table["runs"] += 1
    table["that ran out"] += code == REFUSED
    table["steps acknowledged"] += acknowledged - BASE
    faults = [] if code in (0, REFUSED) else [f"the writer ended with {code}"]
    return [*faults, *check_afterwards(data, acknowledged, disk, reference)]


def check_afterwards(
    data: Path, acknowledged: int, disk: Path, reference: Reference
) -> Iterator[str]:
    """Yield the faults of the archive on the full disk, read-only, and with room again."""
    version = BASE
    for state in ("as it is", "read-only"):
        if state == "read-only":
            remount(disk, "ro")
        code, found = inspect_by_scan(data)
        if found is None:
            yield f"{state}: cannot be read: {code}"
            continue
        version = int(str(found["version"]))
        if not acknowledged <= version <= acknowledged + 1:
            yield f"{state}: has version {version}, acknowledged was {acknowledged}"
        elif found != reference.known[version]:
            yield f"{state}: finds something else than one that had room"
    remount(disk, f"rw,size={ROOM}")
    if run_undisturbed(data, version, END) != reference.known[END]:
        yield "does not go on as one that had room"


def bound_disk(disk: Path, spare_kib: int) -> None:
    """Leave this much room on the disk."""
    usage = shutil.disk_usage(disk)
    remount(disk, f"size={usage.used // 1024 + spare_kib + 4}k")


def bound_files(disk: Path, spare_kib: int) -> None:
    """Leave the disk as it is; the writer limits its files itself."""


@contextmanager
def mount(disk: Path) -> Iterator[None]:
    """Mount a tmpfs for the time of the block.

    Raises:
        PermissionError: mounting is not allowed.
    """
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
