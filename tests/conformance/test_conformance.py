"""The stored questions and answers, replayed against any gateway: SSBTEK_URL's (`make.target`), or one of our own."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from conformance import make

from ssbtek_gateway.replay.compare import judge
from ssbtek_gateway.replay.fixtures import REQUEST, Fixture, read
from ssbtek_gateway.replay.ignores import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssbtek_gateway.replay.send import Sender

FIXTURES = read(make.FOLDER)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Sender]]:
    """Who asks in a version for an organisation, over one connection each."""
    with ExitStack() as stack:
        target = stack.enter_context(make.target(tmp_path_factory.mktemp("conformance")))
        known: dict[tuple[str, str], Sender] = {}

        def find(version: str, organisation: str) -> Sender:
            if (version, organisation) not in known:
                try:
                    known[version, organisation] = stack.enter_context(target.sender(version, organisation))
                except LookupError as error:
                    pytest.skip(str(error))
            return known[version, organisation]

        yield find


def test_the_folder_holds_what_the_script_writes() -> None:
    stored = {path.relative_to(make.FOLDER).as_posix(): path.read_bytes() for path in make.FOLDER.rglob(f"*{REQUEST}")}
    assert stored == {f"{name}{REQUEST}": content for name, content in make.QUESTIONS.items()}


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_the_answer_is_the_stored_one(fixture: Fixture, sender: Callable[[str, str], Sender]) -> None:
    version, organisation, _ = fixture.name.split("/")
    reply = sender(version, organisation).post(fixture.request, fixture.charset)
    result = judge(fixture, reply, DEFAULT)
    assert result.error is None
    assert result.differences == ()
