import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from citewire.index.data_directory import RESERVED_BYTES, DataDirectory, Owner, read_owner
from citewire.index.errors import ArchiveLocked, NoArchive, NotUsable, StorageFull

ROOT = Path(__file__).parent.parent.parent
HOLDER = """
import sys, time
from pathlib import Path
from citewire.index.data_directory import DataDirectory
with DataDirectory(Path(sys.argv[1]), command="serve", url=sys.argv[2] or None):
    print("held", flush=True)
    sys.stdin.readline()
"""


def start_holder(path: Path, url: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path, url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that owns `tmp_path` and answers questions there."""
    with start_holder(tmp_path, "http://127.0.0.1:8000") as process:
        yield process
        process.kill()


def test_a_second_owner_is_told_of_the_first(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    message = rf"in use by `citewire serve` \(process {holder.pid}\); ask it at http://127\.0\.0\.1"
    with pytest.raises(ArchiveLocked, match=message), DataDirectory(tmp_path, command="index"):
        pass


def test_a_refused_owner_leaves_the_first_ones_name(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    with pytest.raises(ArchiveLocked), DataDirectory(tmp_path, command="index"):
        pass
    assert read_owner(tmp_path) == Owner(holder.pid, "serve", "http://127.0.0.1:8000")


def test_an_owner_without_an_address_is_waited_for(tmp_path: Path) -> None:
    with start_holder(tmp_path, "") as process:
        with (
            pytest.raises(ArchiveLocked, match=rf"\(process {process.pid}\); wait for it to end"),
            DataDirectory(tmp_path, command="index"),
        ):
            pass
        process.kill()


def test_an_owner_that_left_no_name_is_still_respected(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    (tmp_path / "owner.json").write_text("{")
    with (
        pytest.raises(ArchiveLocked, match="another process is using it"),
        DataDirectory(tmp_path, command="index"),
    ):
        pass


def test_a_killed_owner_is_succeeded(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with DataDirectory(tmp_path, command="index"):
        assert read_owner(tmp_path) == Owner(os.getpid(), "index", None)


def test_the_directory_is_free_after_its_owner(tmp_path: Path) -> None:
    with DataDirectory(tmp_path, command="index"):
        pass
    with DataDirectory(tmp_path, command="ask"):
        assert read_owner(tmp_path) == Owner(os.getpid(), "ask", None)
    assert read_owner(tmp_path) is None


def test_the_directory_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), DataDirectory(tmp_path, command="index"):
        raise ZeroDivisionError
    with DataDirectory(tmp_path, command="ask"):
        assert read_owner(tmp_path) == Owner(os.getpid(), "ask", None)


def test_one_process_cannot_own_it_twice(tmp_path: Path) -> None:
    with (
        DataDirectory(tmp_path, command="serve"),
        pytest.raises(ArchiveLocked, match="citewire serve"),
        DataDirectory(tmp_path, command="index"),
    ):
        pass


def test_a_directory_is_made_when_there_is_none(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "new" / "data", command="index") as directory:
        assert directory.catalogue.parent.is_dir()


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(NotUsable, match="file: cannot be used as a data directory"),
        DataDirectory(tmp_path / "file", command="index"),
    ):
        pass


# Root may write everywhere, and so becomes a user who may not.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import NotUsable
if os.geteuid() == 0:
    os.setuid(65534)
try:
    with DataDirectory(Path(sys.argv[1]), command="index"):
        print("owned")
except NotUsable as error:
    print(type(error).__name__, error)
"""


def test_a_directory_that_cannot_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, folder],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT / ".src")},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.startswith(f"NotUsable {folder}: cannot be used as a data directory: ")


def test_an_owner_that_cannot_leave_its_name_keeps_no_lock(tmp_path: Path) -> None:
    (tmp_path / "owner.json").mkdir()
    failed = DataDirectory(tmp_path, command="index")
    with pytest.raises(NotUsable, match=r"owner\.json"), failed:
        pass
    (tmp_path / "owner.json").rmdir()
    with DataDirectory(tmp_path, command="ask"):
        assert read_owner(tmp_path) == Owner(os.getpid(), "ask", None)


def test_a_directory_without_a_catalogue_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NoArchive, match="run `citewire index PATH` first"):
        DataDirectory(tmp_path, command="ask").require_archive()


@pytest.mark.parametrize(
    "fields", [{}, [], {"pid": "x", "command": "a", "url": None}, {"pid": 1, "command": "a"}]
)
def test_an_owner_file_that_says_too_little_names_nobody(tmp_path: Path, fields: object) -> None:
    (tmp_path / "owner.json").write_text(json.dumps(fields))
    assert read_owner(tmp_path) is None


def test_a_nearly_full_disk_is_named_before_anything_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=12 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(StorageFull, match=r"new/data: 12 MiB are free.*64 must stay free"):
        DataDirectory(tmp_path / "new" / "data", command="index").require_room()
    assert not (tmp_path / "new").exists()


def test_there_is_room_on_a_disk_that_has_some(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free > RESERVED_BYTES:
        DataDirectory(tmp_path, command="index").require_room()
