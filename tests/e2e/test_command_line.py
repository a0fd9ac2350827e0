"""The command line as people and scripts use it: real processes, real models."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from citewire.service.cli.status import ArchiveStatus
from citewire.service.wire.answers import AskResponse
from citewire.service.wire.search import SearchResponse

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-m", "citewire"]
ANSWERED = "who met Park Jin?"
NOT_ANSWERED = "What is the boiling point of ethanol?"
KEY = "a-key-of-sixteen-characters"
# As people run it: output is buffered until the command ends.
BUFFERED = os.environ | {"PYTHONUNBUFFERED": ""}
Citewire = Callable[..., "subprocess.CompletedProcess[str]"]
Serving = Callable[..., AbstractContextManager[tuple[str, "subprocess.Popen[str]"]]]


# Asking


def test_answer_names_who_met_park_jin_and_cites_several_articles(
    citewire: Citewire, seed_archive: Path
) -> None:
    done = citewire("ask", "--data", str(seed_archive), ANSWERED)
    first = done.stdout.split("\n\n")[0]

    assert done.returncode == 0
    assert done.stderr == ""
    assert "Blinken" in first.splitlines()[0]
    assert len(set(re.findall(r"^      (seeds/\S+\.md) \[\d+:\d+\]$", first, re.M))) >= 2


def test_json_is_the_object_of_the_http_api(
    citewire: Citewire, seed_archive: Path, service_url: str
) -> None:
    done = citewire("ask", "--json", "--data", str(seed_archive), ANSWERED)
    printed = AskResponse.model_validate_json(done.stdout)
    request = urllib.request.Request(
        f"{service_url}/v1/ask",
        json.dumps({"question": ANSWERED}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        served = AskResponse.model_validate_json(response.read())

    own = {"index_version", "timing_ms", "request_id", "cached"}
    assert printed.model_dump(exclude=own) == served.model_dump(exclude=own)
    assert json.loads(done.stdout).keys() == AskResponse.model_fields.keys()


def test_question_without_an_answer_exits_with_4(citewire: Citewire, seed_archive: Path) -> None:
    done = citewire("ask", "--data", str(seed_archive), NOT_ANSWERED)

    assert done.returncode == 4
    assert done.stdout.startswith("The archive does not say.\n")


def test_empty_question_exits_with_2(citewire: Citewire, seed_archive: Path) -> None:
    done = citewire("ask", "--data", str(seed_archive), " ")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "citewire: the question is empty\n"


def test_question_is_answered_without_the_training_libraries(seed_archive: Path) -> None:
    script = (
        "import sys; from citewire.service.cli.main import main; code = main(sys.argv[1:]);"
        " print([name for name in ('torch', 'transformers', 'sentence_transformers', 'fastapi',"
        " 'uvicorn', 'trafilatura', 'prompt_toolkit') if name in sys.modules], file=sys.stderr);"
        " sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "ask", "--data", seed_archive, ANSWERED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_help_is_shown_without_loading_anything_heavy() -> None:
    script = (
        "import sys; from citewire.service.cli.main import build_parser;"
        " build_parser().format_help();"
        " print([name for name in ('numpy', 'chromadb', 'onnxruntime', 'tokenizers', 'fastapi')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["ask", ANSWERED], ["ask", "--json", ANSWERED], ["status"]])
def test_closed_output_is_not_an_error(seed_archive: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as gone:  # noqa: PTH123  # by its number
        done = subprocess.run(
            [*COMMAND, *arguments, "--data", seed_archive],
            cwd=ROOT,
            env=BUFFERED,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")


def test_first_line_can_be_read_without_the_rest(seed_archive: Path) -> None:
    command = f'"$@" ask --data "{seed_archive}" "{ANSWERED}" | head -1'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *COMMAND],
        cwd=ROOT,
        env=BUFFERED,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Blinken" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_everything_works_without_a_network(seed_archive: Path, tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        pytest.skip("a network of one's own is not permitted here: `unshare -rn` fails")
    (tmp_path / "a.md").write_text("Mayor Ada Quill opened the harbour of Port Ellis on Thursday.")
    script = (
        'ip link set lo up 2>/dev/null; "$@" index --data "$DATA" "$FILE"'
        ' && "$@" ask --data "$DATA" "Who opened the harbour?"'
    )
    done = subprocess.run(
        [unshare, "-rn", "sh", "-c", script, "sh", *COMMAND],
        cwd=ROOT,
        env=os.environ | {"DATA": str(tmp_path / "data"), "FILE": str(tmp_path / "a.md")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("1 added, 0 replaced")
    assert "Ada Quill" in done.stdout.splitlines()[1]


# Indexing


def test_broken_file_is_named_and_the_others_are_indexed(
    citewire: Citewire, tmp_path: Path
) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "good.md").write_text("The harbour opened on Thursday.")
    (news / "latin.txt").write_bytes("Café".encode("latin-1"))
    (news / "\x1b[2J.md").write_text("")
    done = citewire("index", "--data", str(tmp_path / "data"), str(news))

    assert done.returncode == 1
    assert done.stdout == (
        "1 added, 0 replaced, 0 unchanged, 0 removed, 2 not usable;"
        " the archive holds 1 article in 1 passage\n"
    )
    assert done.stderr.splitlines() == [
        "citewire: news/�[2J.md: is empty",
        "citewire: news/latin.txt: is not UTF-8 (byte 3 is 0xe9); convert it",
    ]


def test_missing_path_exits_with_2(citewire: Citewire, tmp_path: Path) -> None:
    done = citewire("index", "--data", str(tmp_path / "data"), str(tmp_path / "gone"))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"citewire: {tmp_path}/gone: no such file or folder\n"
    assert not (tmp_path / "data").exists()


def test_directory_that_cannot_be_made_exits_with_3(citewire: Citewire, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = citewire("index", "--data", str(tmp_path / "file" / "data"), str(ROOT / "seeds"))

    assert done.returncode == 3
    assert f"{tmp_path}/file/data: cannot be used as a data directory" in done.stderr


def test_removed_file_is_pruned(citewire: Citewire, tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    for name in ("a.md", "b.md"):
        (news / name).write_text(f"The harbour opened, said {name}.")
    citewire("index", "--data", str(tmp_path / "data"), str(news))
    (news / "a.md").unlink()
    done = citewire("index", "--prune", "--data", str(tmp_path / "data"), str(news))

    assert done.stdout == (
        "0 added, 0 replaced, 1 unchanged, 1 removed, 0 not usable;"
        " the archive holds 1 article in 1 passage\n"
    )


def test_indexing_web_pages_leaves_no_process_behind(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>Mayor Ada Quill opened the harbour of Port Ellis.</p>" * 5)
    with subprocess.Popen(
        [*COMMAND, "index", "--data", tmp_path / "data", tmp_path / "a.html"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        code = process.wait(60)
    deadline = time.monotonic() + 5
    while (left := processes_of_session(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert (code, left) == (0, [])


def test_interrupted_indexing_says_so_and_keeps_the_stored_articles(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    for number in range(8):
        sentences = (f"On day {day} the harbour took in {number} ships. " for day in range(5000))
        (news / f"{number}.txt").write_text("".join(sentences))
    data = tmp_path / "data"
    with subprocess.Popen(
        [*COMMAND, "index", "--data", data, news],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,  # noqa: PLW1509  # nothing but this happens in between
    ) as process:
        deadline = time.monotonic() + 60
        while not stored_articles(data) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert (
        errors.splitlines()[-1] == "citewire: interrupted; all articles that were stored are kept"
    )
    assert 1 <= stored_articles(data) < 8


# Checking


def test_doctor_reports_derived_damage_and_repairs_it(
    citewire: Citewire, tmp_path: Path, seed_archive: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    good = citewire("doctor", "--data", str(data))
    (data / "vectors" / "current.json").write_text("{")
    damaged = citewire("doctor", "--data", str(data))
    repaired = citewire("doctor", "--repair", "--data", str(data))
    answered = citewire("ask", "--data", str(data), ANSWERED)

    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "good")
    assert damaged.returncode == 5
    assert "current.json: is no manifest; `citewire doctor --repair`" in damaged.stdout
    assert (repaired.returncode, repaired.stdout.splitlines()[-1]) == (0, "good")
    assert "Blinken" in answered.stdout.splitlines()[0]


def test_doctor_names_a_changed_article_which_is_not_answered_from(
    citewire: Citewire, tmp_path: Path, seed_archive: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as opened, opened:
        opened.execute(
            "UPDATE articles SET published = '1999-01-01' WHERE id LIKE '%park-seoul-talks.md'"
        )
    answered = citewire("ask", "--data", str(data), ANSWERED)
    doctor = citewire("doctor", "--json", "--data", str(data))

    assert (answered.returncode, answered.stdout) == (3, "")
    assert "pages were changed or damaged from outside; `citewire doctor`" in answered.stderr
    assert doctor.returncode == 6
    assert json.loads(doctor.stdout)["findings"][0]["articles"] == [
        "seeds/blinken-park-seoul-talks.md"
    ]


def test_a_lost_archive_is_not_silently_begun_anew(
    citewire: Citewire, tmp_path: Path, seed_archive: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    (data / "catalogue.sqlite3").unlink()
    indexed = citewire("index", "--data", str(data), str(ROOT / "seeds"))
    asked = citewire("ask", "--data", str(data), ANSWERED)

    for done in (indexed, asked):
        assert (done.returncode, done.stdout) == (6, "")
        assert "vectors/ are left of it; restore the data directory from a backup" in done.stderr
    assert not (data / "catalogue.sqlite3").exists()


def test_an_archive_that_cannot_be_written_still_answers(
    tmp_path: Path, seed_archive: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    data.chmod(0o555)
    # Root may write everywhere; its capabilities are dropped, not its name.
    command = [*COMMAND, "ask", "--data", str(data), ANSWERED]
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("nothing here drops capabilities")
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    data.chmod(0o755)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Blinken" in done.stdout.splitlines()[0]
    assert sorted(file.name for file in data.iterdir()) == sorted(
        file.name for file in seed_archive.iterdir()
    )


def test_doctor_of_a_served_directory_says_to_stop_the_service(
    citewire: Citewire, served_archive: Path, service_url: str
) -> None:
    done = citewire("doctor", "--repair", "--data", str(served_archive))

    assert (done.returncode, done.stdout) == (3, "")
    assert "stop it first" in done.stderr


# A running service


def test_question_to_a_served_directory_is_answered_by_the_service(
    citewire: Citewire, served_archive: Path, service_url: str
) -> None:
    done = citewire("ask", "--data", str(served_archive), ANSWERED)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Blinken" in done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("question", "message"),
    [(" ", "the question is empty"), ("x" * 1001, "at most 1000 characters")],
    ids=["empty", "long"],
)
def test_question_that_the_service_refuses_exits_with_2(
    citewire: Citewire, served_archive: Path, service_url: str, question: str, message: str
) -> None:
    done = citewire("ask", "--data", str(served_archive), question)

    assert done.returncode == 2
    assert message in done.stderr


def test_status_of_a_served_directory_says_where_it_is_served(
    citewire: Citewire, served_archive: Path, service_url: str
) -> None:
    done = citewire("status", "--json", "--data", str(served_archive))
    status = ArchiveStatus.model_validate_json(done.stdout)

    assert (status.articles, status.served_at) == (18, service_url)


# Verifying


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["Antony Blinken met South Korean"], 0, "The archive says exactly this."),
        (["Antony  Blinken met South Korean"], 0, "with other white space"),
        (["antony blinken met South Korean"], 4, "in other letters or marks"),
        (["Blinken met", "--article", "seeds/none.md"], 4, "another does"),
    ],
)
def test_quote_is_verified_by_the_archive_and_by_its_service_alike(
    citewire: Citewire,
    seed_archive: Path,
    served_archive: Path,
    service_url: str,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    own = citewire("verify", "--data", str(seed_archive), *arguments)
    served = citewire("verify", "--data", str(served_archive), *arguments)

    assert (own.returncode, own.stderr) == (code, "")
    assert said in own.stdout
    assert (served.returncode, served.stdout) == (own.returncode, own.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--limit", "3", "--explain"],
        ["--from", "2023-11-10", "--to", "2023-11-30", "--source", "Meridian Desk"],
    ],
)
def test_passages_are_found_alike_with_and_without_a_service(
    citewire: Citewire,
    seed_archive: Path,
    served_archive: Path,
    service_url: str,
    arguments: list[str],
) -> None:
    command = ["search", "who met Park Jin?", "--json", *arguments]
    own = citewire(*command, "--data", str(seed_archive))
    served = citewire(*command, "--data", str(served_archive))

    assert (own.returncode, own.stderr) == (0, "")
    found = SearchResponse.model_validate_json(own.stdout)
    assert "Park Jin" in found.passages[0].quote
    assert [each.score for each in found.passages] == sorted(
        [each.score for each in found.passages], reverse=True
    )
    assert found.passages == SearchResponse.model_validate_json(served.stdout).passages


def test_filters_hold_for_passages_and_answers(citewire: Citewire, seed_archive: Path) -> None:
    filters = ["--source", "Meridian Desk", "--from", "2023-11-10", "--data", str(seed_archive)]
    found = SearchResponse.model_validate_json(
        citewire("search", "--json", "Park Jin", *filters).stdout
    )
    asked = AskResponse.model_validate_json(citewire("ask", "--json", "Park Jin?", *filters).stdout)
    cited = [citation for answer in asked.answers for citation in answer.citations]

    assert found.passages
    for each in [*found.passages, *cited, *asked.closest]:
        assert each.source == "Meridian Desk"
        assert each.published_at is not None
        assert each.published_at >= date(2023, 11, 10)


def test_passage_is_shown_with_its_place(citewire: Citewire, seed_archive: Path) -> None:
    done = citewire("search", "Park Jin", "--limit", "1", "--data", str(seed_archive))

    assert done.returncode == 0
    assert re.search(r"^      seeds/\S+\.md \[\d+:\d+\]$", done.stdout, re.MULTILINE)


def test_status_names_size_and_models(citewire: Citewire, seed_archive: Path) -> None:
    done = citewire("status", "--json", "--data", str(seed_archive))
    status = ArchiveStatus.model_validate_json(done.stdout)

    assert done.returncode == 0
    assert (status.articles, status.served_at) == (18, None)
    assert status.vectors_indexed == status.passages > 18
    assert re.fullmatch("encoder:[0-9a-f]{64}", str(status.encoder))
    assert re.fullmatch("reader:[0-9a-f]{64}", str(status.reader))


def test_status_is_shown_in_lines(citewire: Citewire, seed_archive: Path) -> None:
    lines = citewire("status", "--data", str(seed_archive)).stdout.splitlines()

    assert re.fullmatch(rf"data +{re.escape(str(seed_archive))}", lines[0])
    assert re.fullmatch(r"articles +18", lines[1])


@pytest.mark.parametrize("end_signal", [signal.SIGTERM, signal.SIGINT])
def test_service_ends_in_order_at_a_signal(
    serving: Serving, tmp_path: Path, seed_archive: Path, end_signal: signal.Signals
) -> None:
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    with serving(data) as (url, process):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            idle.recv(1)
            started = time.monotonic()
            process.send_signal(end_signal)
            code = process.wait(30)

    assert (code, time.monotonic() - started < 10) == (0, True)
    assert not (data / "owner.json").exists()


def test_service_under_another_address_is_asked_there_and_wants_its_key(
    citewire: Citewire, serving: Serving, tmp_path: Path, seed_archive: Path
) -> None:
    if not has_ipv6():
        pytest.skip("there is no IPv6 here")
    data = tmp_path / "data"
    shutil.copytree(seed_archive, data)
    with serving(data, "--host", "::", CITEWIRE_API_KEY=KEY, CITEWIRE_HOSTS="here") as (url, _):
        with_key = citewire("ask", "--data", str(data), ANSWERED, CITEWIRE_API_KEY=KEY)
        without = citewire("ask", "--data", str(data), ANSWERED)

    assert url.startswith("http://[::]:")
    assert (with_key.returncode, with_key.stderr) == (0, "")
    assert without.returncode == 3
    assert "send a key of this service" in without.stderr


def heed_interrupts() -> None:
    """Restore the handling of SIGINT, which a shell disables for background processes."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processes_of_session(session: int) -> list[str]:
    """The command lines of the processes in a session, zombies apart."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = stat.read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append((stat.parent / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def stored_articles(data: Path) -> int:
    """Count the articles of a catalogue that another process may be writing."""
    try:
        with closing(sqlite3.connect(f"file:{data}/catalogue.sqlite3?mode=ro", uri=True)) as opened:
            count: tuple[Any, ...] = opened.execute("SELECT count(*) FROM articles").fetchone()
            return int(count[0])
    except sqlite3.OperationalError:
        return 0


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
