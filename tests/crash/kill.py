"""Kill a writer at random moments, and compare the archive with one that was never killed.

    python tests/crash/kill.py --kills 200

Each round continues with the archive that the last kill left. The parent counts the acknowledged
steps. Afterwards the archive must hold all of them, and at most the step that had begun; and
it must find what a twin finds that ran the same steps without a kill.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from archive import DIED, REFUSED, inspect_by_scan, open_archive, run_step, run_undisturbed


def write_until_killed(data: Path, first: int, seconds: float) -> int:
    """Let a child run steps from `first` on and kill it; return how many it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with open_archive(data, create=True) as archive:
                for number in range(first, first + 10_000):
                    run_step(archive, number)
                    os.write(writing, b".")
        finally:
            os._exit(DIED)
    os.close(writing)
    with open(reading, "rb") as stream:  # noqa: PTH123  # by its number
        acknowledged = len(stream.read(1))
        killer = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
        killer.start()
        acknowledged += len(stream.read())
    killer.join()
    os.waitpid(child, 0)
    return acknowledged


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    table: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        data, twin = Path(folder, "killed"), Path(folder, "twin")
        done = 0
        for _ in range(options.kills):
            acknowledged = write_until_killed(data, done, chance.uniform(0.0, 0.6))
            began = time.monotonic()
            code, found = inspect_by_scan(data)
            slowest = max(slowest, time.monotonic() - began)
            table["steps acknowledged"] += acknowledged
            table["unopenable"] += code == REFUSED
            table["deaths"] += code not in (0, REFUSED)
            if found is None:
                break
            version = int(str(found["version"]))
            table["steps lost"] += max(0, done + acknowledged - version)
            table["phantom steps"] += max(0, version - done - acknowledged - 1)
            table["wrong answers"] += found != run_undisturbed(twin, done, version)
            done = version
            table["kills"] += 1
    for name in ("kills", "steps acknowledged"):
        print(f"{name:<20} {table.pop(name, 0)}")
    faults = ("steps lost", "phantom steps", "wrong answers", "unopenable", "deaths")
    for name in faults:
        print(f"{name:<20} {table[name]}")
    print(f"{'slowest to answers':<20} {slowest:.1f} s")
    return int(any(table[name] for name in faults))


if __name__ == "__main__":
    sys.exit(main())
