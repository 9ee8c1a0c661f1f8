"""The state in a file: one document, changed under a lock, replaced whole, never begun anew where it is damaged."""

from __future__ import annotations

import os
from pathlib import Path

from imagesync.errors import NotFoundError, StateError
from imagesync.keeping.clock import FORGOTTEN_AFTER, MAX_SIGHTS, now
from imagesync.layout.files import file_errors, locked, open_regular, write_file
from imagesync.state import NOTHING_REMEMBERED, State, state_from_json, state_to_json
from imagesync.state.document import MAX_BYTES

LOCK_SUFFIX = ".lock"


class FileKeeper:
    """Implements Keeper over one file of a local file system."""

    def __init__(self, path: Path) -> None:
        self._path = Path(os.path.realpath(path))
        """Not the link: that is replaced which it points to."""
        self.name = str(path)

    def load(self) -> State:
        try:
            with file_errors("read state", self.name), open_regular(self._path) as file:
                return state_from_json(file.read(MAX_BYTES + 1), name=self.name)
        except NotFoundError:
            return NOTHING_REMEMBERED

    def check_writable(self) -> None:
        """Raise StateError where nothing could be added, before anything is done that is to be remembered."""
        folder = self._path.parent
        if not folder.is_dir():
            raise StateError(f"state {self.name} cannot be kept: there is no directory {folder}", hint="make it")
        if not os.access(folder, os.W_OK):
            raise StateError(
                f"state {self.name} cannot be kept: {folder} may not be written to", hint="let `state` name another"
            )

    def add(self, news: State) -> None:
        """Read again under the lock and merge: between `load` and now another run may have added its own."""
        lock = self._path.with_name(f"{self._path.name}{LOCK_SUFFIX}")
        with file_errors("write state", self.name), locked(lock, b""):
            before = self.load()
            after = before.merge(news).tidied(now() - FORGOTTEN_AFTER, MAX_SIGHTS)
            if after != before:
                write_file(self._path, state_to_json(after).encode("utf-8"))
