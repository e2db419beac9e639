"""What a folder must hold to be replayed."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from ssbtek_gateway.replay.expected import Certificate, Expected, Fault
from ssbtek_gateway.replay.fixtures import FixtureError, charset, read

# What fixture.schema.json must hold; after a change of the model, write it there:
# python -c 'import json; from unit.replay.test_fixtures import SCHEMA; print(json.dumps(SCHEMA, indent=2))'
SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Expected.model_json_schema()}


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
    inner, outer = read(tmp_path)
    assert (inner.name, inner.request) == ("10/a", b"")
    assert (outer.name, outer.request) == ("b", b"\xef\xbb\xbf not XML\r\n")
    assert inner.response is not None
    assert inner.response.tag == "a"


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


def test_a_name_that_cannot_be_shown_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, a__request=b"", a__response=b"<a/>")
    (tmp_path / "\x1b[2J\u202e.request.xml").touch()
    assert problems(tmp_path) == [f"{tmp_path}: '\\x1b[2J\\u202e' has a character that cannot be printed"]


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


def test_a_file_of_its_own_says_what_a_fixture_expects(tmp_path: Path) -> None:
    write(tmp_path, _10__a__request=b"", b__request=b"", b__response=b"<b/>")
    (tmp_path / "10" / "a.toml").write_text(
        """
        status = 500
        ignore = ["//p:b"]
        namespaces = { p = "urn:p" }
        [fault]
        code = "Client"
        felkod = "EJ_BEHORIG"
        [certificate]
        cert = "../pki/other.pem"
        key = "/pki/other.key"
        """,
        encoding="utf-8",
    )
    inner, outer = read(tmp_path)
    assert inner.response is None
    assert [ignore.expression for ignore in inner.ignores] == ["//p:b"]
    assert inner.expected.status == 500
    assert inner.expected.fault == Fault(code="Client", felkod="EJ_BEHORIG")
    assert inner.expected.certificate == Certificate(cert=tmp_path / "pki/other.pem", key=Path("/pki/other.key"))
    assert outer.expected == Expected()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"status = ", "is not TOML: Invalid value (at end of document)"),
        (b"\xff", "is not UTF-8"),
        (b"ignore = ['//p:b']", "ignore: //p:b: Undefined namespace prefix"),
        (b"status = 42\nstatu = 200", "status: Input should be greater than or equal to 100"),
        (b"status = 200\nstatu = 200", "statu: Extra inputs are not permitted"),
        (b"[certificate]\ncert = 'a.pem'", "certificate.key: Field required"),
    ],
)
def test_a_mistake_in_what_a_fixture_expects(tmp_path: Path, content: bytes, says: str) -> None:
    write(tmp_path, a__request=b"", a__response=b"<a/>")
    (tmp_path / "a.toml").write_bytes(content)
    assert problems(tmp_path)[0].startswith(f"a.toml: {says}")


def test_what_is_expected_of_no_question_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, a__request=b"", a__response=b"<a/>")
    (tmp_path / "b.toml").touch()
    assert problems(tmp_path) == ["b.toml: has no .request.xml"]


def test_a_question_may_be_new(tmp_path: Path) -> None:
    write(tmp_path, a__request=b"")
    assert problems(tmp_path) == ["a.request.xml: has no .response.xml"]
    assert [fixture.response for fixture in read(tmp_path, unanswered=True)] == [None]


def test_an_editor_knows_the_file_by_a_schema_that_ships_with_us() -> None:
    shipped = json.loads((files("ssbtek_gateway.replay") / "fixture.schema.json").read_bytes())
    assert shipped == SCHEMA
    example = tomllib.loads("status = 500\nignore = ['//b']\n[fault]\ncode = 'Client'")
    jsonschema.validate(example, shipped)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "statu": 200}, shipped)


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
