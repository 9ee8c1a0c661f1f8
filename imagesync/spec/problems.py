"""Problems: what a reader of a part of the spec says is wrong, all of it, each with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from imagesync.errors import InvalidReference, Place, Problem

T = TypeVar("T")


class Problems:
    """Adds to a list of problems that all readers of one run share."""

    def __init__(self, found: list[Problem]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def say(self, place: Place, message: str, hint: str | None) -> None:
        """One more thing is wrong."""
        self._found.append(Problem(place, message, hint))

    def parsed(self, parse: Callable[[], T], place: Place) -> T | None:
        """What `parse` returns; None, and a problem, where that is no name, tag or digest."""
        try:
            return parse()
        except InvalidReference as error:
            self.say(place, error.message, error.hint)
            return None
