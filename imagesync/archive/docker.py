"""`docker-archive:FILE`: what `docker save` writes, to copy from. The OCI layout in it is read, if there is one.

Of what older versions of Docker and other tools write, `saved` makes manifests.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

from imagesync.archive.inside import LayoutInside
from imagesync.archive.members import Archive
from imagesync.archive.names import Named, called, list_names, what_is_there
from imagesync.archive.saved import SAVED_FILE, SavedImages
from imagesync.cancellation import Cancellation
from imagesync.errors import NotFoundError, UnsupportedError
from imagesync.layout.document import LAYOUT_FILE
from imagesync.reference import RepositoryList
from imagesync.store import Readable


class Inside(Protocol):
    """What an archive holds, in one of its forms."""

    @property
    def images(self) -> Sequence[Named[Any]]:
        """All of them, with what they are called."""
        ...

    def repository(self, path: str) -> Readable:
        """Those that one name asks for."""
        ...


class DockerArchive:
    """The images in the tar `file`. A name asks for them with the host that they are of, or without it."""

    def __init__(self, file: Path, cancellation: Cancellation) -> None:
        self._archive = Archive(file, f"docker-archive:{file}")
        self._cancellation = cancellation
        self._inside: Inside | None = None
        self._opened: dict[str, Readable] = {}
        self._lock = threading.Lock()

    def repository(self, path: str) -> Readable:
        """The images of one name. Raises NotFoundError where none has it, IntegrityError for what is damaged."""
        with self._lock, self._archive.naming_itself():
            if path not in self._opened:
                self._opened[path] = self._open(path)
            return self._opened[path]

    def list_repositories(self, prefix: str) -> RepositoryList:
        """The names of the images, without their hosts. Raises as `repository` does."""
        return list_names(self.images(), prefix)

    def images(self) -> Sequence[Named[Any]]:
        """What there is. Raises as `repository` does."""
        with self._lock:
            return self._look().images

    def _open(self, path: str) -> Readable:
        inside = self._look()
        if not any(called(path, inside.images)):
            raise NotFoundError(f"holds no image that is called {path}", hint=what_is_there(inside.images))
        return inside.repository(path)

    def _look(self) -> Inside:
        if self._inside is None:
            self._inside = self._found()
        return self._inside

    def _found(self) -> Inside:
        with self._archive.naming_itself():
            files = self._archive.members().files
            if LAYOUT_FILE in files:
                return LayoutInside(self._archive)
            if SAVED_FILE in files:
                return SavedImages(self._archive, self._cancellation)
            raise UnsupportedError("holds no image: neither a layout nor manifest.json", hint=_hint(files))


def _hint(files: Collection[str]) -> str:
    if "repositories" in files:
        return "it was saved by a Docker before 1.10: load it and save it again"
    return "`docker save -o FILE IMAGE` writes one"
