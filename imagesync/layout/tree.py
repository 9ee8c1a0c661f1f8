"""LayoutTree: a directory with one layout for each repository, or one that is itself a layout."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from imagesync.errors import InvalidReference, UnsupportedError
from imagesync.layout.document import LAYOUT_FILE
from imagesync.layout.files import file_errors, refuse_links, size_of
from imagesync.layout.repository import LayoutRepository
from imagesync.reference import MAX_PATH_LENGTH, RepositoryList, check_layout_path

MAX_OPEN = 1024
"""Repositories kept with the index.json they were read with."""


class LayoutTree:
    """The layouts below `root`: repository `mirror/nginx` is the layout `root/mirror/nginx/`.

    A root that is itself a layout is a single repository, whatever name it is asked for by. A root that is
    missing or empty becomes a tree with the first write. `lists_with_tag` is that of LayoutRepository.
    """

    def __init__(self, root: Path, *, lists_with_tag: bool = False) -> None:
        self.root = root
        self._lists_with_tag = lists_with_tag
        self._opened: dict[str, LayoutRepository] = {}
        self._sources: dict[str, LayoutRepository] = {}
        self._lock = threading.Lock()

    def repository(self, path: str) -> LayoutRepository:
        """The layout of one repository, whether it is there yet or not. Raises InvalidReference for a bad name."""
        return self._kept(self._opened, path, self._open)

    def source(self, path: str) -> LayoutRepository:
        """The same to copy from: a layout with one manifest and no name for it answers any tag."""
        return self._kept(self._sources, path, self._open_source)

    def is_single(self) -> bool:
        """Whether the root is itself a layout."""
        return size_of(self.root / LAYOUT_FILE) is not None

    def repositories(self) -> tuple[str, ...]:
        """The names of the repositories that are there, sorted; none where the root is itself a layout."""
        if self.is_single():
            return ()
        with file_errors("list repositories", f"oci:{self.root}"):
            return tuple(sorted(_layouts(self.root, ""))) if self.root.exists() else ()

    def list_repositories(self, prefix: str) -> RepositoryList:
        """Those below a prefix, to copy from: a root that is itself a layout has no names to list."""
        if self.is_single():
            raise single_layout(f"oci:{self.root}")
        return RepositoryList.of(self.repositories(), prefix)

    def _kept(
        self, kept: dict[str, LayoutRepository], path: str, make: Callable[[str], LayoutRepository]
    ) -> LayoutRepository:
        with self._lock:
            found = kept.get(path)
            if found is None:
                found = make(path)
                if len(kept) >= MAX_OPEN:
                    kept.clear()
                kept[path] = found
        return found

    def _open(self, path: str) -> LayoutRepository:
        return LayoutRepository(self._directory(path), sibling=self.repository, lists_with_tag=self._lists_with_tag)

    def _open_source(self, path: str) -> LayoutRepository:
        return LayoutRepository(self._directory(path), answers_any_tag=True)

    def _directory(self, path: str) -> Path:
        parts = check_layout_path(path).split("/")
        return self.root if self.is_single() else refuse_links(self.root, *parts)


def single_layout(name: str) -> UnsupportedError:
    """What is said of a layout in whose place a tree of them was meant."""
    return UnsupportedError(
        "is one layout, which answers to any name",
        hint="name the image, in place of the glob",
        operation="list repositories",
        reference=name,
    )


def _layouts(folder: Path, prefix: str) -> Iterator[str]:
    """Those below a folder; no name is longer than MAX_PATH_LENGTH, however deep the folders go."""
    if len(prefix) > MAX_PATH_LENGTH:
        return
    with os.scandir(folder) as found:
        names = [entry.name for entry in found if entry.is_dir(follow_symlinks=False) and _is_component(entry.name)]
    for name in names:
        if size_of(folder / name / LAYOUT_FILE) is not None:
            yield f"{prefix}{name}"
        yield from _layouts(folder / name, f"{prefix}{name}/")


def _is_component(name: str) -> bool:
    try:
        return bool(check_layout_path(name))
    except InvalidReference:
        return False
