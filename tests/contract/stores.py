"""The stores that the contract suite runs over, each opened as its users open it.

A source holds one image as `a/image:first` and `:second`. A destination is empty, and opens repositories by path.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from imagesync.archive import ArchiveTree, DockerArchive
from imagesync.cancellation import Cancellation
from imagesync.layout import LayoutTree
from imagesync.reference import make_repository
from imagesync.registry import Registries
from imagesync.settings import Settings
from imagesync.store import Readable, Writable
from tests.archive.tars import new_docker_tar
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, push_image

PATH = "a/image"
TAGS = ("first", "second")
OpenSource = Callable[[Path, MadeImage], AbstractContextManager[Readable]]
Destination = Callable[[str], Writable]
OpenDestination = Callable[[Path], AbstractContextManager[Destination]]


@contextmanager
def layout_source(folder: Path, image: MadeImage) -> Iterator[Readable]:
    push_image(LayoutTree(folder).repository(PATH), image, *TAGS)
    yield LayoutTree(folder).source(PATH)


@contextmanager
def archive_source(folder: Path, image: MadeImage) -> Iterator[Readable]:
    push_image(LayoutTree(folder / "tree").repository(PATH), image, *TAGS)
    with tarfile.open(folder / "tree.tar", "w") as tar:
        tar.add(folder / "tree", ".")
    yield ArchiveTree(folder / "tree.tar").repository(PATH)


@contextmanager
def docker_archive_source(folder: Path, image: MadeImage) -> Iterator[Readable]:
    file = new_docker_tar(folder / "saved.tar", image, [f"docker.io/{PATH}:{tag}" for tag in TAGS])
    yield DockerArchive(file, Cancellation()).repository(PATH)


@contextmanager
def registry_source(_folder: Path, image: MadeImage) -> Iterator[Readable]:
    with FakeRegistry() as registry, open_registries() as opened:
        push_image(registry.repository(PATH), image, *TAGS)
        yield opened.repository(make_repository(registry.host, PATH))


@contextmanager
def layout_destination(folder: Path) -> Iterator[Destination]:
    yield LayoutTree(folder).repository


@contextmanager
def registry_destination(_folder: Path) -> Iterator[Destination]:
    with FakeRegistry() as registry, open_registries() as opened:
        yield lambda path: opened.repository(make_repository(registry.host, path))


SOURCES: dict[str, OpenSource] = {
    "layout": layout_source,
    "archive": archive_source,
    "docker-archive": docker_archive_source,
    "registry": registry_source,
}
DESTINATIONS: dict[str, OpenDestination] = {"layout": layout_destination, "registry": registry_destination}


@contextmanager
def open_registries() -> Iterator[Registries]:
    opened = Registries(Settings(), Cancellation(), environment={})
    try:
        yield opened
    finally:
        opened.close()
