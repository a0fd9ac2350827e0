"""Damage one file of an archive at a time, and compare what it then says with what it said.

    python tests/crash/corrupt.py --damages 500

Every damage is done to a fresh copy of an archive that was closed or one that a kill has left, with
a log: a bit flipped, a stretch overwritten, the file cut short or removed. The archive may say the
same as before or refuse, never anything else, nor die; by its Chroma index as well as by scanning.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from archive import REFUSED, killed_after, scanned, seen, undisturbed

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
        archives = prepared(Path(folder))
        copy = Path(folder, "copy")
        for _ in range(options.damages):
            sound, before = chance.choice(archives)
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(sound, copy)
            name, damage = chance.choice(files_of(sound)), chance.choice(DAMAGES)
            content = damage(chance, bytearray((copy / name).read_bytes()))
            if content is None:
                (copy / name).unlink()
            else:
                (copy / name).write_bytes(content)
            # A Chroma index takes seconds to try out, whatever became of the other files.
            of_chroma = name.parts[0] == "vectors" and name.parent.name != "rows"
            code, after = seen(copy) if of_chroma else scanned(copy)
            if code == 0:
                outcome = "same answers" if after == before else "wrong answers"
            else:
                outcome = "refusals" if code == REFUSED else "deaths"
            table[outcome] += 1
            if outcome in ("wrong answers", "deaths"):
                print(f"  {outcome}: {damage.__name__} of {name} ({sound.name})", flush=True)
    for outcome in ("same answers", "refusals", "wrong answers", "deaths"):
        print(f"{outcome:<14} {table[outcome]}")
    return int(bool(table["wrong answers"] or table["deaths"]))


def prepared(folder: Path) -> list[tuple[Path, dict[str, object]]]:
    """Make an archive that was closed and one that was killed; return each with what it says."""
    closed, killed = folder / "closed", folder / "killed"
    before = undisturbed(closed, 0, STEPS)
    assert before is not None
    shutil.copytree(closed, killed)
    killed_after(killed, STEPS, LATER)
    shutil.copytree(closed, folder / "twin")
    later = undisturbed(folder / "twin", STEPS, LATER)
    assert later is not None
    return [(closed, before), (killed, later)]


def files_of(archive: Path) -> list[Path]:
    """Return the files that hold something, and are not made anew by every opening."""
    return sorted(
        file.relative_to(archive)
        for file in archive.rglob("*")
        if file.is_file() and file.stat().st_size and not file.name.endswith("-shm")
    )


if __name__ == "__main__":
    sys.exit(main())
