"""What every store that lists its repositories does alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.archive import ArchiveTree
from imagesync.errors import IntegrityError, StoreError
from imagesync.layout import LayoutTree
from imagesync.store import RepositoryLister
from tests.contract.listers import LISTERS, PATHS


@pytest.fixture(params=LISTERS)
def lister(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RepositoryLister]:
    with LISTERS[request.param](tmp_path) as opened:
        yield opened


def test_all_repositories_are_listed_sorted(lister: RepositoryLister) -> None:
    assert lister.list_repositories("") == PATHS


def test_those_below_a_prefix_are_listed_and_not_what_only_begins_so(lister: RepositoryLister) -> None:
    assert lister.list_repositories("a") == ("a/x", "a/y", "a/y/z")
    assert lister.list_repositories("a/y") == ("a/y/z",)


def test_nothing_is_listed_below_what_is_not_there(lister: RepositoryLister) -> None:
    assert lister.list_repositories("nobody") == ()
    assert lister.list_repositories("a/x") == ()


def test_what_is_listed_may_be_asked_for_again(lister: RepositoryLister) -> None:
    assert lister.list_repositories("a") == lister.list_repositories("a")


def test_a_folder_that_is_not_there_lists_nothing_and_a_file_that_is_no_tar_is_an_error(tmp_path: Path) -> None:
    assert LayoutTree(tmp_path / "none").list_repositories("") == ()
    (tmp_path / "x.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(IntegrityError):
        ArchiveTree(tmp_path / "x.tar").list_repositories("")
    with pytest.raises(StoreError):
        ArchiveTree(tmp_path / "none.tar").list_repositories("")
