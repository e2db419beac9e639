"""Personas and fixtures that are read again as their files change, so that whoever writes them need not restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssbtek_gateway.simulator import personas, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ssbtek_gateway.simulator.app import Simulator


class Following:
    """Looks at the folders before each question. What cannot be used leaves all as it was, and `tell` is told why."""

    def __init__(self, simulator: Simulator, people: Path, fixtures: Path | None, tell: Callable[[str], None]) -> None:
        self._simulator = simulator
        self._people = people
        self._fixtures = fixtures
        self._tell = tell
        self._folders = [folder for folder in (people, fixtures) if folder is not None]
        self._stamps = stored.stamps(self._folders)

    def __call__(self) -> None:
        try:
            found = stored.stamps(self._folders)
        except OSError:
            return  # a file went away while we looked; the next question sees what is left
        if found == self._stamps:
            return
        self._stamps = found
        try:
            answers = stored.load(self._fixtures) if self._fixtures else {}
            known = personas.load(self._people, self._simulator.today())
        except (personas.PersonaError, stored.StoredError) as error:
            self._tell(f"not read again: {error}")
            return
        # Those that were put while it runs (`control.py`) have no file here.
        put = {alias: one for alias, one in self._simulator.personas.items() if one.file.parent != self._people}
        self._simulator.stored.clear()
        self._simulator.stored.update(answers)
        self._simulator.personas.clear()
        self._simulator.personas.update(known | put)
        self._tell(f"read again: {len(known)} personas, {sum(map(len, answers.values()))} fixtures")
