"""Every kind of file is read, and whatever cannot be used is named with its reason."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from datetime import date
from pathlib import Path

import pytest

from citewire.index.errors import BadArticle, InvalidInput
from citewire.index.ingest.files import find_files
from citewire.index.ingest.html import PageParser
from citewire.index.ingest.loading import LoadedArticle, load
from citewire.index.types import Article

FRONT_MATTER = """---
title: "Harbour *opens*"
source: Tideline News
url: https://example.org/harbour
published: 2023-11-09
author: Ada Quill
language: DE
unknown: is passed over
---

The **harbour** opened.
"""


def articles(path: Path) -> list[Article]:
    """What is loaded from a path where nothing is wrong."""
    return [item.article for item in items(path) if isinstance(item, LoadedArticle)]


def complaints(path: Path) -> list[str]:
    """What is said of the articles that cannot be used."""
    return [str(item) for item in items(path) if isinstance(item, BadArticle)]


def items(path: Path) -> Iterator[LoadedArticle | BadArticle]:
    with closing(PageParser()) as html:
        for file in find_files(path):
            yield from load(file, html)


def written(file: Path, content: str | bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


# Kinds of files


def test_markdown_brings_its_fields_in_front(tmp_path: Path) -> None:
    file = written(tmp_path / "harbour.md", FRONT_MATTER)

    assert articles(file) == [
        Article(
            id="harbour.md",
            title="Harbour *opens*",
            text="The harbour opened.",
            source="Tideline News",
            url="https://example.org/harbour",
            published=date(2023, 11, 9),
            author="Ada Quill",
            language="de",
        )
    ]


def test_markdown_without_fields_is_titled_by_its_first_line(tmp_path: Path) -> None:
    file = written(tmp_path / "plain.md", "# Harbour opens\n\nEleven ships waited.")

    assert articles(file) == [
        Article("plain.md", "Harbour opens", "Harbour opens\n\nEleven ships waited.")
    ]


def test_text_file_is_taken_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path / "plain.txt", "---\nnot: fields\n---\n\n*stars* <b>stay</b>\r\n")

    assert articles(file) == [
        Article("plain.txt", "---", "---\nnot: fields\n---\n\n*stars* <b>stay</b>")
    ]


def test_html_file_brings_what_the_page_says_of_itself(tmp_path: Path) -> None:
    page = (
        '<html><head><title>Harbour opens</title><meta name="author" content="Ada Quill">'
        "</head><body><article><p>Eleven ships waited in the harbour of Port"
        " Ellis on Thursday.</p></article></body></html>"
    )
    (article,) = articles(written(tmp_path / "harbour.HTML", page))

    assert article.id == "harbour.HTML"
    assert article.title == "Harbour opens"
    assert article.author == "Ada Quill"
    assert article.text == "Eleven ships waited in the harbour of Port Ellis on Thursday."


def test_json_lines_bring_one_article_a_line(tmp_path: Path) -> None:
    lines = (
        '{"id": "a-1", "headline": "Harbour opens", "publisher": "Tideline", "link": "u",'
        ' "date": null, "byline": "Ada", "lang": "EN", "text": "Eleven ships."}\n'
        "\n"
        '{"text": "A storm\\n\\ncame.", "published": "2023-11-05T06:00:00Z", "title": ""}'
    )
    file = written(tmp_path / "news.jsonl", lines)

    assert articles(file) == [
        Article("a-1", "Harbour opens", "Eleven ships.", "Tideline", "u", None, "Ada", "en"),
        Article("news.jsonl:3", "A storm", "A storm\n\ncame.", published=date(2023, 11, 5)),
    ]


def test_json_lines_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = written(tmp_path / "news.jsonl", b'\xef\xbb\xbf{"id": "a", "text": "Ships."}\r\n')

    assert articles(file) == [Article("a", "Ships.", "Ships.")]


def test_markdown_with_windows_newlines_and_byte_order_mark_is_read(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf---\r\ntitle: Harbour\r\n---\r\nShips.\r\n\r\nMore ships.\r\n"
    file = written(tmp_path / "dos.md", content)

    assert articles(file) == [Article("dos.md", "Harbour", "Ships.\n\nMore ships.")]


def test_long_first_line_makes_a_title_cut_at_a_word(tmp_path: Path) -> None:
    file = written(tmp_path / "long.txt", "harbour " * 50)

    assert articles(file)[0].title == "harbour " * 12 + "…"


def test_formatting_of_a_title_over_two_lines_is_one_line(tmp_path: Path) -> None:
    file = written(tmp_path / "two.jsonl", json.dumps({"title": "One\n  two", "text": "x"}))

    assert articles(file)[0].title == "One two"


# Ids and names


def test_article_is_named_by_its_path_from_the_folder_given(tmp_path: Path) -> None:
    written(tmp_path / "news" / "b.txt", "B")
    written(tmp_path / "news" / "2023" / "a.md", "A")

    ids = [article.id for article in articles(tmp_path / "news")]

    assert ids == ["news/b.txt", "news/2023/a.md"]


def test_own_id_goes_before_the_path(tmp_path: Path) -> None:
    file = written(tmp_path / "a.md", "---\nid: 007\n---\ntext")

    assert articles(file)[0].id == "007"


def test_hidden_files_other_kinds_and_links_in_folders_are_passed_over(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside.txt", "secret")
    folder = tmp_path / "news"
    for name in (".hidden.md", ".git/a.md", "b.pdf", "c.md~", "d.json"):
        written(folder / name, "x")
    (folder / "link.txt").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path)
    (folder / "dangling.md").symlink_to(folder / "gone.md")
    written(folder / "e.md", "kept")

    assert [file.name for file in find_files(folder)] == ["news/e.md"]


def test_link_that_is_named_itself_is_followed(tmp_path: Path) -> None:
    target = written(tmp_path / "archive-2023.txt", "Ships.")
    (tmp_path / "latest.txt").symlink_to(target)

    assert [article.id for article in articles(tmp_path / "latest.txt")] == ["archive-2023.txt"]


def test_folder_named_like_a_file_is_searched(tmp_path: Path) -> None:
    written(tmp_path / "x.md" / "a.txt", "A")

    assert [article.id for article in articles(tmp_path / "x.md")] == ["x.md/a.txt"]


def test_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert find_files(tmp_path) == []


def test_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"gone\.md: no such file or folder$"):
        find_files(tmp_path / "gone.md")


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "paper.pdf", "x")

    with pytest.raises(InvalidInput, match=r"paper\.pdf: not a kind of file that is read \(\.md"):
        find_files(file)


# Fields


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ("2023-11-09", date(2023, 11, 9)),
        ("20231109", date(2023, 11, 9)),
        ("2023-11-09T23:30:00-05:00", date(2023, 11, 9)),
        ("2023-11-09T10:00:00Z", date(2023, 11, 9)),
        ("2023-11-09 10:00:00.5", date(2023, 11, 9)),
        ('"2023-11-09"', date(2023, 11, 9)),
        ("", None),
        ("null", None),
        ("~", None),
    ],
)
def test_date_forms(tmp_path: Path, written_as: str, expected: date | None) -> None:
    file = written(tmp_path / "a.md", f"---\npublished: {written_as}\n---\ntext")

    assert articles(file)[0].published == expected


@pytest.mark.parametrize("value", ["no", "on", "1.10", "0x1F", "12:30:45", "1e3", "null and void"])
def test_front_matter_is_read_as_it_is_written(tmp_path: Path, value: str) -> None:
    file = written(tmp_path / "a.md", f"---\ntitle: {value}\n---\ntext")

    assert articles(file)[0].title == value


def test_norwegian_is_a_language(tmp_path: Path) -> None:
    file = written(tmp_path / "a.md", "---\nlanguage: no\n---\nHavnen åpnet.")

    assert articles(file)[0].language == "no"


def test_number_can_be_an_id(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", '{"id": 4711, "text": "x"}')

    assert articles(file)[0].id == "4711"


def test_invisible_characters_in_fields_are_dropped(tmp_path: Path) -> None:
    line = json.dumps({"id": "a\u200b", "title": "Ru\u00adle\x07", "source": "\ufeff", "text": "x"})
    (article,) = articles(written(tmp_path / "a.jsonl", line))

    assert (article.id, article.title, article.source) == ("a", "Rule", None)


# What cannot be used


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", b"", "is empty"),
        ("a.txt", b" \n\t\r\n ", "is empty"),
        ("a.txt", "\ufeff\u200b\u00ad".encode(), "is empty: no text is left"),
        ("a.md", b"---\ntitle: T\n---\n", "is empty: no text is left"),
        ("a.md", b"<div>only markup</div>", "is empty: no text is left"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8 (byte 0 is 0x89)"),
        ("a.txt", b"GIF8\x00\x00", "is binary: it holds NUL characters"),
        ("a.txt", "Ships".encode("utf-16"), "is not UTF-8 (byte 0 is 0xff)"),
        ("a.txt", "Ships".encode("utf-16-le"), "is binary"),
        ("a.txt", "Café".encode("latin-1"), "is not UTF-8 (byte 3 is 0xe9); convert it"),
        ("a.txt", b"half \xed\xa0\x80 pair", "is not UTF-8 (byte 5 is 0xed)"),
        ("a.md", b"---\ntitle: T\ntext", "the front matter has no closing `---` line"),
        ("a.md", b"---\ntitle: [T\n---\nx", "the front matter is not YAML"),
        ("a.md", b"---\n- one\n- two\n---\nx", "the front matter is not a list of `name: value`"),
        ("a.md", b"---\njust words\n---\nx", "the front matter is not a list of `name: value`"),
        ("a.md", b"---\n" + b"[" * 5000 + b"\n---\nx", "the front matter is not YAML"),
        ("a.md", b"---\n#" + b"x" * 70_000 + b"\n---\nx", "the front matter has over 65536"),
        ("a.md", b"---\npublished: soon\n---\nx", "the date 'soon' is not of the form 2023-11-09"),
        ("a.md", b"---\npublished: 2023-02-30\n---\nx", "the date '2023-02-30' is not"),
        ("a.md", b"---\ntitle: [a, b]\n---\nx", "`title` is not a text but a list"),
        ("a.md", b'---\ntitle: "\\uD800"\n---\nx', "`title`: character 0 is U+D800, not text"),
        ("a.html", b"<html><body></body></html>", "holds no article"),
        ("a.html", b"\x00\x01\x02\x03", "holds no article"),
    ],
)
def test_file_is_named_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (complaint,) = complaints(written(tmp_path / name, content))

    assert complaint.startswith(f"{name}: {reason}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "cut', "not JSON: "),
        (b"[" * 100_000, "not JSON: "),
        (b'{"id": ' + b"9" * 5000 + b', "text": "x"}', "not JSON: "),
        (b'["text"]', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"title": "T"}', "has no field `text` that is a string"),
        (b'{"text": null}', "has no field `text` that is a string"),
        (b'{"text": ["a"]}', "has no field `text` that is a string"),
        (b'{"text": " \\u200b "}', "is empty"),
        (b'{"text": "half \\ud83d pair"}', "the text: character 5 is U+D83D, not text"),
        (b'{"text": "x", "id": "\\udc00"}', "`id`: character 0 is U+DC00, not text"),
        (b'{"text": "x", "date": "yesterday"}', "the date 'yesterday' is not of the form"),
        (b'{"text": "x", "date": {"day": 9}}', "`date` is not a text but a dict"),
        (b'{"text": "x", "title": ' + b"[" * 500 + b"]" * 500 + b"}", "`title` is not a text"),
        (b'\x00{"text": "x"}', "is binary: it holds NUL characters"),
        (b'{"text": "Caf\xe9"}', "is not UTF-8 (byte 13 is 0xe9)"),
    ],
)
def test_line_is_named_with_its_reason_and_the_others_go_on(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    content = b'{"id": "1", "text": "A"}\n' + line + b'\n{"id": "3", "text": "C"}\n'
    found = list(items(written(tmp_path / "news.jsonl", content)))

    assert isinstance(found[1], BadArticle)
    assert str(found[1]).startswith(f"news.jsonl:2: {reason}")
    assert [item.article.id for item in found if isinstance(item, LoadedArticle)] == ["1", "3"]


def test_escaped_pair_of_surrogates_is_one_character(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", b'{"text": "\\ud83c\\udf89 party"}')

    assert articles(file)[0].text == "🎉 party"


def test_escaped_nul_is_dropped_like_other_controls(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", b'{"text": "a\\u0000b"}')

    assert articles(file)[0].text == "ab"


def test_overlong_line_is_named_and_the_next_one_is_read(tmp_path: Path) -> None:
    overlong = b'{"text": "' + b"x" * (21 * 1024 * 1024) + b'"}\n'
    file = written(tmp_path / "news.jsonl", overlong + b'{"id": "2", "text": "B"}')
    first, second = items(file)

    assert str(first) == "news.jsonl:1: the line is longer than 10485760 bytes"
    assert isinstance(second, LoadedArticle)
    assert second.article.id == "2"


def test_overlarge_file_is_named(tmp_path: Path) -> None:
    file = written(tmp_path / "large.txt", b"x" * (10 * 1024 * 1024 + 1))

    assert complaints(file) == ["large.txt: is larger than 10485760 bytes"]


def test_aliases_that_multiply_are_not_multiplied(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    head = "\n".join([*levels, "title: *a11"])
    file = written(tmp_path / "laughs.md", f"---\n{head}\n---\nx")

    assert complaints(file) == ["laughs.md: `title` is not a text but a list"]


def test_merges_that_multiply_are_not_multiplied(tmp_path: Path) -> None:
    levels = ["a0: &a0 {k: v}"]
    levels += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    file = written(tmp_path / "merges.md", "\n".join(["---", *levels, "title: T", "---", "x"]))

    assert articles(file)[0].title == "T"


@pytest.mark.parametrize("value", ["!!int ''", "!!bool maybe", "!!timestamp x", "!!python/none"])
def test_tags_in_front_matter_mean_nothing(tmp_path: Path, value: str) -> None:
    file = written(tmp_path / "tag.md", f"---\nunknown: {value}\n---\ntext")

    assert articles(file)[0].text == "text"


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")

    assert complaints(tmp_path / "pipe.md") == ["pipe.md: is not a regular file"]


def test_pipe_in_a_folder_does_not_hinder_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "news"
    written(folder / "a.md", "A")
    os.mkfifo(folder / "b.jsonl")
    written(folder / "c.md", "C")

    assert [str(getattr(item, "article", item)) for item in items(folder)][1] == (
        "news/b.jsonl: is not a regular file"
    )
    assert [article.id for article in articles(folder)] == ["news/a.md", "news/c.md"]


def test_socket_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By its short name: a socket's path has few characters to spend.
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.txt")

        assert complaints(tmp_path / "socket.txt")[0].startswith("socket.txt: cannot be read: ")


def test_device_is_not_read(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero.txt", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make a device")

    assert complaints(tmp_path / "zero.txt") in (
        ["zero.txt: is not a regular file"],
        ["zero.txt: cannot be read: Permission denied"],
    )


def test_file_that_is_gone_when_its_turn_comes_is_named(tmp_path: Path) -> None:
    file = written(tmp_path / "a.md", "A")
    (found,) = find_files(file)
    file.unlink()

    assert [str(item) for item in load(found, PageParser())] == [
        "a.md: cannot be read: No such file or directory"
    ]


def test_file_whose_name_is_not_text_is_named(tmp_path: Path) -> None:
    written(tmp_path / "news" / os.fsdecode(b"caf\xe9.md"), "A")
    (complaint,) = complaints(tmp_path / "news")

    assert complaint.endswith("is U+DCE9, not text")


def test_file_that_may_not_be_read_is_named(
    public_folder: Path, ordinary_user: Callable[[], AbstractContextManager[None]]
) -> None:
    written(public_folder / "a.md", "A").chmod(0)
    written(public_folder / "b.md", "B")
    with ordinary_user():
        found = list(items(public_folder))

    assert str(found[0]) == f"{public_folder.name}/a.md: cannot be read: Permission denied"
    assert isinstance(found[1], LoadedArticle)


def test_folder_that_cannot_be_listed_is_named_and_the_others_go_on(deep_folder: Path) -> None:
    written(deep_folder / "a.md", "A")

    (complaint,) = complaints(deep_folder)
    assert complaint.startswith("deep/xxx")
    assert complaint.endswith("xxx: cannot be read: File name too long")
    assert [article.id for article in articles(deep_folder)] == ["deep/a.md"]


@pytest.mark.parametrize(
    ("field", "length", "reason"),
    [("id", 401, "the id has 401 characters"), ("title", 1001, "the title has 1001 characters")],
)
def test_field_that_is_too_long_is_named(
    tmp_path: Path, field: str, length: int, reason: str
) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "It rained.", field: "x" * length}))
    with closing(PageParser()) as html:
        (bad,) = load(find_files(tmp_path / "a.jsonl")[0], html)

    assert isinstance(bad, BadArticle)
    assert bad.reason.startswith(reason)


def test_address_in_the_source_becomes_the_url(tmp_path: Path) -> None:
    line = {"text": "It rained.", "source": "Wikinews https://example.org/wiki/Rain"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    with closing(PageParser()) as html:
        (loaded,) = load(find_files(tmp_path / "a.jsonl")[0], html)

    assert isinstance(loaded, LoadedArticle)
    assert loaded.article.source == "Wikinews"
    assert loaded.article.url == "https://example.org/wiki/Rain"
