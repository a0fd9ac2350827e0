import stat
from pathlib import Path

import pytest

from citewire.index.system.files import PRIVATE, write_atomically


def test_a_replaced_file_has_the_new_content_and_nothing_is_left_aside(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for content in (b"old", b"new"):
        write_atomically(file, content)
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_private_file_stays_private_after_an_attempt_that_was_killed(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    aside = tmp_path / "keys.json.tmp"
    aside.write_bytes(b"half")
    aside.chmod(0o666)
    write_atomically(file, b"whole", mode=PRIVATE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_keeps_its_content(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(b"old")
    file.with_name("state.json.tmp").mkdir()
    with pytest.raises(OSError, match=r"state\.json\.tmp"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
