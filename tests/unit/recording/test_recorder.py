from __future__ import annotations

import json
from base64 import b64encode
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ssbtek_gateway import config
from ssbtek_gateway.recording.persons import read
from ssbtek_gateway.recording.recorder import Exchange, Recorder, RecordingError

if TYPE_CHECKING:
    from ssbtek_gateway.config import Settings

EXAMPLES = Path(__file__).parents[3] / "examples"
TODAY = date(2026, 3, 31)
SETTINGS = config.load(EXAMPLES / "development.toml")
# Nobody's: the check digit is wrong.
NUMBER = "197503141232"


def recorder(folder: Path, settings: Settings = SETTINGS, numbers: tuple[str, ...] = ()) -> Recorder:
    return Recorder(settings, folder, numbers or read(), TODAY)


def exchange(place: str, response: str | bytes, status: int = 200, request: str = f"<q>{NUMBER}</q>") -> Exchange:
    answer = response.encode() if isinstance(response, str) else response
    return Exchange(place, request.encode(), None, answer, None, status)


def files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.*"))}


def test_production_is_never_recorded(tmp_path: Path) -> None:
    production = SETTINGS.model_copy(update={"miljo": "produktion"})
    with pytest.raises(RecordingError, match="never recorded"):
        recorder(tmp_path / "out", production)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="is not empty"):
        recorder(tmp_path)
    with pytest.raises(RecordingError, match="Not a directory"):
        recorder(tmp_path / "file" / "out")


def test_both_sides_of_a_question_become_fixtures_and_a_report(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.keep(
        [
            exchange("callers/10", f"<a><Efternamn>Prov</Efternamn>{NUMBER}</a>"),
            exchange("agencies/fk", '{"meddelande": "Prov saknas"}', 403, f'{{"personnummer": "{NUMBER}"}}'),
            exchange("agencies/so", "<s:Fault xmlns:s='urn:s'>fel</s:Fault>", 500),
        ]
    )
    made.keep([exchange("callers/10", "<a/>")])
    told = made.report()
    found = files(tmp_path)
    assert set(found) == {
        *(f"callers/10/000{n}.{end}.xml" for n in (1, 2) for end in ("request", "response")),
        *(f"agencies/fk/0001.{end}" for end in ("request.json", "response.json", "toml")),
        *("agencies/so/0001.request.xml", "agencies/so/0001.response.xml", "report.json"),
    }
    assert found["agencies/fk/0001.toml"] == "status = 403\n"
    assert found["agencies/fk/0001.response.json"] == '{"meddelande":"Namn1 saknas"}'
    assert json.loads(found["report.json"]) == told
    assert told == {"questions": 2, "replaced": {"namn": 2, "okänt fält": 1, "personnummer": 5}, "refused": {}}
    assert not [name for name, content in found.items() if NUMBER[2:] in content or "Prov" in content]
    assert (tmp_path / "callers/10/0001.request.xml").stat().st_mode & 0o077 == 0


def test_nothing_of_a_question_is_written_where_an_original_survives(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    # Not base64 as anybody writes it, so nobody rewrites it; but somebody could read it.
    hidden = "x" + b64encode(f"om {NUMBER} med mera".encode()).decode()
    made.keep([exchange("callers/10", "<a/>"), exchange("agencies/af", f"<a><klartext>{hidden}</klartext></a>")])
    assert made.report() == {
        "questions": 0,
        "replaced": {"personnummer": 2},
        "refused": {"an original survived: personnummer": 1},
    }
    assert set(files(tmp_path)) == {"report.json"}


def test_what_cannot_be_read_is_left_out_by_itself(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.keep([exchange("callers/10", "<a/>"), exchange("agencies/af", "<html><br></html>", 503)])
    assert made.report()["refused"] == {"neither XML nor JSON": 1}
    assert {"callers/10/0001.request.xml"} < set(files(tmp_path))
    assert not (tmp_path / "agencies").exists()


def test_without_test_numbers_enough_nothing_is_written(tmp_path: Path) -> None:
    made = recorder(tmp_path, numbers=("201901022382",))
    made.keep([exchange("callers/10", "<a/>")])
    assert "--test-numbers" in str(made.report()["refused"])
    assert set(files(tmp_path)) == {"report.json"}
