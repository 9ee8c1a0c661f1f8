"""The journal of one run: what it is worth remembering, kept at intervals and at the end, however the run ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from imagesync.errors import ImagesyncError
from imagesync.keeping import Keeper
from imagesync.log import log
from imagesync.state import Entry, State

SAVE_SECONDS = 10.0
"""What a run that is killed outright may forget, while keeping it takes no more than a tenth of that."""
_SHARE = 10


class Journal:
    """Collects entries and gives them to a keeper; used from one thread."""

    def __init__(self, keeper: Keeper, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeper = keeper
        self._clock = clock
        self._unsaved: list[Entry] = []
        self._save_at = clock() + SAVE_SECONDS

    def note(self, entries: Iterable[Entry]) -> None:
        """Remember these; they are kept now if it is time again."""
        self._unsaved += entries
        if self._unsaved and self._clock() >= self._save_at:
            error = self.save()
            if error is not None:
                log.warning("state cannot be kept yet", reason=str(error))

    def save(self) -> ImagesyncError | None:
        """Keep what is not kept yet; the error where that fails, since a run that did its work has that to report."""
        if not self._unsaved:
            return None
        began = self._clock()
        try:
            self._keeper.add(State.of(self._unsaved))
        except ImagesyncError as error:
            return error
        finally:
            now = self._clock()
            self._save_at = now + max(SAVE_SECONDS, _SHARE * (now - began))
        self._unsaved.clear()
        return None
