"""Damage one file of an archive, and compare its answers with those from before.

    python tests/crash/corrupt.py --damages 500

Each damage is done to a fresh copy of an archive that was closed, or of one that a kill left with a
write-ahead log: a bit is flipped, 64 bytes are overwritten, the file is truncated or removed. The
archive must give the same answers as before or refuse to open; it must not die. This holds for
searching by Chroma as well as by scan.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from archive import REFUSED, Contents, inspect, inspect_by_scan, run_and_die, run_undisturbed

# Steps of the archive that was closed, and of the one that was killed.
STEPS, LATER = 15, 17
Damage = Callable[[random.Random, bytearray], bytes | None]


def flip(chance: random.Random, content: bytearray) -> bytes:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def overwrite(chance: random.Random, content: bytearray) -> bytes:
    first = chance.randrange(len(content))
    content[first : first + 64] = chance.randbytes(len(content[first : first + 64]))
    return bytes(content)


def cut(chance: random.Random, content: bytearray) -> bytes:
    return bytes(content[: chance.randrange(len(content))])


def remove(chance: random.Random, content: bytearray) -> None:
    return None


DAMAGES: tuple[Damage, ...] = (flip, flip, flip, overwrite, cut, remove)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damages", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    table: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        archives = prepare_archives(Path(folder))
        copy = Path(folder, "copy")
        for _ in range(options.damages):
            sound, before = chance.choice(archives)
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(sound, copy)
            name, damage = chance.choice(list_files(sound)), chance.choice(DAMAGES)
            apply_damage(damage, copy / name, chance)
            outcome = classify(copy, name, before)
            table[outcome] += 1
            if outcome in ("wrong answers", "deaths"):
                print(f"  {outcome}: {damage.__name__} of {name} ({sound.name})", flush=True)
    for outcome in ("same answers", "refusals", "wrong answers", "deaths"):
        print(f"{outcome:<14} {table[outcome]}")
    return int(bool(table["wrong answers"] or table["deaths"]))


def apply_damage(damage: Damage, file: Path, chance: random.Random) -> None:
    """Overwrite the file with its damaged content, or remove it."""
    content = damage(chance, bytearray(file.read_bytes()))
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)


def classify(archive: Path, damaged: Path, before: Contents) -> str:
    """Read the archive, one of whose files is damaged; return the row of the table."""
    # Opening the Chroma index takes seconds; only damage to it needs that.
    is_of_chroma = damaged.parts[0] == "vectors" and damaged.parent.name != "rows"
    code, after = inspect(archive) if is_of_chroma else inspect_by_scan(archive)
    if code == 0:
        return "same answers" if after == before else "wrong answers"
    return "refusals" if code == REFUSED else "deaths"


def prepare_archives(folder: Path) -> list[tuple[Path, Contents]]:
    """Make an archive that was closed and one that was killed; return each with its contents."""
    closed, killed = folder / "closed", folder / "killed"
    before = run_undisturbed(closed, 0, STEPS)
    assert before is not None
    shutil.copytree(closed, killed)
    run_and_die(killed, STEPS, LATER)
    shutil.copytree(closed, folder / "twin")
    later = run_undisturbed(folder / "twin", STEPS, LATER)
    assert later is not None
    return [(closed, before), (killed, later)]


def list_files(archive: Path) -> list[Path]:
    """Return the files that are not empty, without the WAL index, which each opening rebuilds."""
    return sorted(
        file.relative_to(archive)
        for file in archive.rglob("*")
        if file.is_file() and file.stat().st_size and not file.name.endswith("-shm")
    )


if __name__ == "__main__":
    sys.exit(main())
