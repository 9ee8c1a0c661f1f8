"""The keepers that the contract suite runs over: each opens as many independent ones of one place as are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from imagesync.cancellation import Cancellation
from imagesync.keeping import Keeper
from imagesync.keeping.file import FileKeeper
from imagesync.keeping.repository import RepositoryKeeper
from imagesync.layout import LayoutTree
from imagesync.reference import Repository, make_repository
from imagesync.registry import Registries
from imagesync.settings import Settings
from tests.fakes.registry import FakeRegistry

PATH = "team/state"
OpenKeeper = Callable[[], Keeper]


@contextmanager
def file_keepers(folder: Path) -> Iterator[OpenKeeper]:
    yield lambda: FileKeeper(folder / "state.json")


@contextmanager
def layout_keepers(folder: Path) -> Iterator[OpenKeeper]:
    where = Repository("registry.internal", PATH)
    yield lambda: RepositoryKeeper(where, lambda: nullcontext(LayoutTree(folder).repository(PATH)))


@contextmanager
def registry_keepers(_folder: Path) -> Iterator[OpenKeeper]:
    with FakeRegistry() as registry:
        where = make_repository(registry.host, PATH)
        opened = Registries(Settings(), Cancellation(), environment={})
        try:
            yield lambda: RepositoryKeeper(where, lambda: nullcontext(opened.repository(where)))
        finally:
            opened.close()


KEEPERS: dict[str, Callable[[Path], AbstractContextManager[OpenKeeper]]] = {
    "file": file_keepers,
    "layout": layout_keepers,
    "registry": registry_keepers,
}
