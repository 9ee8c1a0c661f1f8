"""The journal of one run: what it is worth remembering, kept at intervals and at the end, however the run ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from imagesync.errors import ImagesyncError
from imagesync.keeping import Keeper
from imagesync.log import log
from imagesync.state import NOTHING_REMEMBERED, Entry, State

SAVE_SECONDS = 10.0
"""What a run that is killed outright may forget."""


class Journal:
    """Collects entries and gives them to a keeper. `before` is what was remembered when the run began."""

    def __init__(
        self,
        keeper: Keeper,
        before: State = NOTHING_REMEMBERED,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.before = before
        self._keeper = keeper
        self._clock = clock
        self._unsaved: list[Entry] = []
        self._saved_at = clock()

    def note(self, entries: Iterable[Entry]) -> None:
        """Remember these; they are kept now if it is time again."""
        self._unsaved += entries
        if self._unsaved and self._clock() - self._saved_at >= SAVE_SECONDS:
            error = self.save()
            if error is not None:
                log.warning("state cannot be kept yet", reason=str(error))

    def save(self) -> ImagesyncError | None:
        """Keep what is not kept yet; the error where that fails, since a run that did its work has that to report."""
        self._saved_at = self._clock()
        if not self._unsaved:
            return None
        try:
            self._keeper.add(State.of(self._unsaved))
        except ImagesyncError as error:
            return error
        self._unsaved.clear()
        return None
