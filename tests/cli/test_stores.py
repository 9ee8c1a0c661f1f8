"""Which class serves which repository, and one object for all who ask for the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.archive.layouts import ArchiveRepository
from imagesync.cancellation import Cancellation
from imagesync.cli.stores import LAYOUT_CONCURRENCY, OpenStores
from imagesync.layout import LayoutRepository
from imagesync.reference import Repository, Tag
from imagesync.settings import DEFAULT_CONCURRENCY, Settings
from tests.archive.tars import make_tar
from tests.images import make_image, push_image


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[OpenStores]:
    opened = OpenStores(Settings(), Cancellation(), directory=str(tmp_path), environment={})
    yield opened
    opened.close()


@pytest.mark.parametrize("host", ["ocir.example.com", "oci.example.com", "oci-archive.example.com:5000"])
def test_a_host_that_begins_like_a_scheme_is_a_registry(stores: OpenStores, host: str) -> None:
    assert stores.slots(host) == DEFAULT_CONCURRENCY
    assert not isinstance(stores.source(Repository(host, "x")), LayoutRepository | ArchiveRepository)


@pytest.mark.parametrize("registry", ["oci:folder", "oci-archive:x.tar"])
def test_a_layout_has_a_concurrency_of_its_own(stores: OpenStores, registry: str) -> None:
    assert stores.slots(registry) == LAYOUT_CONCURRENCY


def test_an_archive_and_a_folder_of_one_name_are_two(stores: OpenStores, tmp_path: Path) -> None:
    make_tar(tmp_path / "x.tar", ("oci-layout", b"{}"))
    assert isinstance(stores.source(Repository("oci-archive:x.tar", "a")), ArchiveRepository)
    assert isinstance(stores.source(Repository("oci:x.tar", "a")), LayoutRepository)


def test_a_repository_is_the_same_each_time(stores: OpenStores, tmp_path: Path) -> None:
    make_tar(tmp_path / "x.tar", ("oci-layout", b"{}"))
    for registry in ("oci:folder", "oci:./folder", "oci-archive:x.tar"):
        repository = Repository(registry, "a")
        assert stores.source(repository) is stores.source(repository)
    written = stores.destination(Repository("oci:folder", "a"))
    assert written is stores.destination(Repository("oci:./folder", "a"))
    image = push_image(written, make_image(), "t")
    assert stores.source(Repository("oci:folder", "a")).resolve(Tag("t")).digest == image.digest
