"""Damage one file of an archive at a time, and compare what it then says with what it said.

    python tests/crash/corrupt.py --damages 500

Every damage is done to a fresh copy: a bit flipped, a stretch overwritten, the file cut short or
removed. The archive may say the same as before or refuse, never anything else, nor die.
"""

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from archive import REFUSED, seen, undisturbed

STEPS = 15
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
        sound, copy = Path(folder, "sound"), Path(folder, "copy")
        before = undisturbed(sound, 0, STEPS)
        assert before is not None
        assert seen(sound) == (0, before)
        files = sorted(
            file.relative_to(sound)
            for file in sound.rglob("*")
            if file.is_file() and file.stat().st_size
        )
        for _ in range(options.damages):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(sound, copy)
            name, damage = chance.choice(files), chance.choice(DAMAGES)
            content = damage(chance, bytearray((copy / name).read_bytes()))
            if content is None:
                (copy / name).unlink()
            else:
                (copy / name).write_bytes(content)
            code, after = seen(copy)
            if code == 0:
                outcome = "same answers" if after == before else "wrong answers"
            else:
                outcome = "refusals" if code == REFUSED else "deaths"
            table[outcome] += 1
            if outcome in ("wrong answers", "deaths"):
                print(f"  {outcome}: {damage.__name__} of {name}", flush=True)
    for outcome in ("same answers", "refusals", "wrong answers", "deaths"):
        print(f"{outcome:<14} {table[outcome]}")
    return int(bool(table["wrong answers"] or table["deaths"]))


if __name__ == "__main__":
    sys.exit(main())
