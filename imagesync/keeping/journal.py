"""The journal of one run: what it is worth remembering, kept at intervals and at the end, however the run ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from imagesync.errors import ImagesyncError, InternalError
from imagesync.keeping import Keeper
from imagesync.log import log
from imagesync.state import Entry, State

SAVE_SECONDS = 10.0
"""What a run that is killed outright may forget, while keeping it takes no more than a tenth of that."""
_SHARE = 10


class Journal:
    """Collects entries and gives them to a keeper, from a thread of its own: an image that takes an hour does not keep
    those before it from being remembered."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._unsaved: list[Entry] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, entries: Iterable[Entry]) -> None:
        """Remember these."""
        with self._lock:
            self._unsaved += entries
        if self._thread is None and self._unsaved:
            self._thread = threading.Thread(target=self._keep_on, daemon=True, name="imagesync-journal")
            self._thread.start()

    def save(self) -> ImagesyncError | None:
        """Keep what is not kept yet; the error where that fails, since a run that did its work has that to report."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._ended.clear()
            self._thread = None
        return self._keep()

    def _keep_on(self) -> None:
        pause_seconds = SAVE_SECONDS
        while not self._ended.wait(pause_seconds):
            began = time.monotonic()
            error = self._keep()
            if error is not None:
                log.warning("state cannot be kept yet", reason=str(error))
            pause_seconds = max(SAVE_SECONDS, _SHARE * (time.monotonic() - began))

    def _keep(self) -> ImagesyncError | None:
        with self._lock:
            entries, self._unsaved = self._unsaved, []
        if not entries:
            return None
        error = self._added(entries)
        if error is not None:
            with self._lock:
                self._unsaved += entries
        return error

    def _added(self, entries: Iterable[Entry]) -> ImagesyncError | None:
        try:
            self._keeper.add(State.of(entries))
        except ImagesyncError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a mistake of ours may not cost what was noted, and is told
            return InternalError.of(error)
        return None
