"""What a folder must hold to be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway.replay.fixtures import FixtureError, charset, read

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **files: bytes) -> Path:
    """`one__request` is the file one.request.xml; `10__one__request` the same in the folder 10."""
    for name, content in files.items():
        *folders, stem, kind = name.strip("_").split("__")
        path = folder.joinpath(*folders, f"{stem}.{kind}.xml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(FixtureError) as raised:
        read(folder)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_fixtures_come_by_name_from_every_folder_with_their_bytes_unchanged(tmp_path: Path) -> None:
    write(
        tmp_path,
        b__request=b"\xef\xbb\xbf not XML\r\n",
        b__response=b"<b/>",
        _10__a__request=b"",
        _10__a__response=b"<a/>",
    )
    assert [(one.name, one.request, one.response.tag) for one in read(tmp_path)] == [
        ("10/a", b"", "a"),
        ("b", b"\xef\xbb\xbf not XML\r\n", "b"),
    ]


def test_every_problem_is_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__request=b"",
        b__response=b"<b/>",
        c__request=b"",
        c__response=b"<c>",
        d__request=b"",
        d__response=b"",
    )
    (tmp_path / "e.request.xml").mkdir()
    write(tmp_path, e__response=b"<e/>")
    assert problems(tmp_path) == [
        "a.request.xml: has no .response.xml",
        "b.response.xml: has no .request.xml",
        "c.response.xml: not well-formed XML",
        "d.response.xml: not well-formed XML",
        "e.request.xml: Is a directory",
    ]


def test_a_folder_without_fixtures_is_a_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path}: has no *.request.xml"]
    assert problems(tmp_path / "nowhere") == [f"{tmp_path / 'nowhere'}: has no *.request.xml"]


def test_a_stored_answer_may_have_a_comment_but_no_doctype(tmp_path: Path) -> None:
    write(tmp_path, a__request=b"", a__response=b"<!-- c --><a/>")
    assert len(read(tmp_path)) == 1
    write(tmp_path, a__response=b"<!DOCTYPE a><a/>")
    assert problems(tmp_path) == ["a.response.xml: DOCTYPE"]


def test_an_ignore_file_is_for_what_stands_beside_it(tmp_path: Path) -> None:
    write(tmp_path, a__request=b"", a__response=b"<a/>", _10__a__request=b"", _10__a__response=b"<a/>")
    (tmp_path / "10" / "ignore.txt").write_text("# åäö\n//b\n", encoding="utf-8")
    inner, outer = read(tmp_path)
    assert [ignore.expression for ignore in inner.ignores] == ["//b"]
    assert outer.ignores == ()


@pytest.mark.parametrize(("content", "says"), [(b"//a[", "Invalid expression"), (b"\xff", "not UTF-8")])
def test_an_ignore_file_that_cannot_be_used(tmp_path: Path, content: bytes, says: str) -> None:
    write(tmp_path, a__request=b"", a__response=b"<a/>", b__request=b"", b__response=b"<b/>")
    (tmp_path / "ignore.txt").write_bytes(content)
    (problem,) = problems(tmp_path)
    assert problem.startswith("ignore.txt: ")
    assert says in problem


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<a/>", "utf-8"),
        (b"", "utf-8"),
        (b"\xef\xbb\xbf<a/>", "utf-8"),
        ("<a/>".encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + "<a/>".encode("utf-16-be"), "utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "utf-16"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "ISO-8859-1"),
        (b"<?xml version='1.0'\n encoding = 'utf8' standalone='yes'?><a/>", "utf8"),
        (b'<?xml version="1.0"?><a encoding="x"/>', "utf-8"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "utf-8"),
        (b'<?xml version="1.0" encoding="klingon-8"?><a/>', "klingon-8"),
        (b'<?xml version="1.0" encoding="a\r\nX-Header: 1"?><a/>', "utf-8"),
    ],
)
def test_the_charset_is_what_the_file_says(data: bytes, expected: str) -> None:
    assert charset(data) == expected
