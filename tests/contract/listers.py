"""What lists repositories: a folder of layouts, its tar, and a registry, each over the same repositories."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from imagesync.archive import ArchiveTree, DockerArchive
from imagesync.cancellation import Cancellation
from imagesync.layout import LayoutTree
from imagesync.store import RepositoryLister
from tests.archive.tars import save, skopeo_tar
from tests.contract.stores import open_registries
from tests.fakes.registry import FakeRegistry
from tests.images import make_image, push_image

PATHS = ("a", "a/x", "a/y", "a/y/z", "ab/x", "b/x")
OpenLister = Callable[[Path], AbstractContextManager[RepositoryLister]]


@contextmanager
def layout_lister(folder: Path) -> Iterator[RepositoryLister]:
    _fill(LayoutTree(folder))
    yield LayoutTree(folder)


@contextmanager
def archive_lister(folder: Path) -> Iterator[RepositoryLister]:
    _fill(LayoutTree(folder / "tree"))
    with tarfile.open(folder / "tree.tar", "w") as tar:
        tar.add(folder / "tree", ".")
    yield ArchiveTree(folder / "tree.tar")


@contextmanager
def docker_archive_lister(folder: Path) -> Iterator[RepositoryLister]:
    images = [save(f"registry.internal:5000/{path}:1", seed=path.replace("/", "-")) for path in PATHS]
    yield DockerArchive(skopeo_tar(folder / "saved.tar", *images), Cancellation())


@contextmanager
def registry_lister(_folder: Path) -> Iterator[RepositoryLister]:
    with FakeRegistry() as registry, open_registries() as opened:
        _fill(LayoutTree(registry.root))
        yield opened.lister(registry.host)


LISTERS: dict[str, OpenLister] = {
    "layout": layout_lister,
    "archive": archive_lister,
    "docker-archive": docker_archive_lister,
    "registry": registry_lister,
}


def _fill(tree: LayoutTree) -> None:
    for path in PATHS:
        push_image(tree.repository(path), make_image(path), "1")
