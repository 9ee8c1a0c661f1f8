"""Layouts made to do harm, and writers that are killed (LAY-01, LAY-03), besides those in test_layout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from imagesync.errors import IntegrityError, LimitError, StoreError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.layout.document import REF_NAME, LayoutIndex
from imagesync.manifest import MAX_ENTRIES, MAX_MANIFEST_BYTES, digest_of
from imagesync.reference import Tag
from tests.images import descriptor_of, make_image, push_image

HUGE = 400 * 1024 * 1024
ROOT = Path(__file__).parent.parent


@pytest.fixture
def store(tmp_path: Path) -> LayoutRepository:
    push_image(LayoutRepository(tmp_path / "layout"), make_image(), "t")
    return LayoutRepository(tmp_path / "layout")


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_a_huge_file_is_refused_and_not_read_into_memory(store: LayoutRepository, name: str) -> None:
    """LAY-01. It takes no room on the disk."""
    with (store.directory / name).open("r+b") as file:
        file.truncate(HUGE)
    tracemalloc.start()
    try:
        with pytest.raises(StoreError):
            store.list_tags()
        assert tracemalloc.get_traced_memory()[1] < HUGE // 10
    finally:
        tracemalloc.stop()


def test_an_index_json_that_grows_while_it_is_read_is_refused(
    store: LayoutRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LAY-01. Another hand may write to it between the look at its size and the read."""
    index = store.directory / "index.json"

    def growing(_self: LayoutRepository) -> bytes:
        with index.open("ab") as file:
            file.write(b" " * MAX_MANIFEST_BYTES)
        return (store.directory / "oci-layout").read_bytes()

    monkeypatch.setattr(LayoutRepository, "_read_layout", growing)
    with pytest.raises(LimitError):
        store.list_tags()


def _read(store: LayoutRepository) -> object:
    return store.list_tags()


def _write(store: LayoutRepository) -> object:
    return push_image(store, make_image("another"), "u")


@pytest.mark.parametrize("act", [_read, _write])
@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
def test_a_pipe_in_a_files_place_is_refused_and_holds_nobody_up(
    store: LayoutRepository, name: str, act: Callable[[LayoutRepository], object]
) -> None:
    """LAY-01."""
    (store.directory / name).unlink()
    os.mkfifo(store.directory / name)
    with pytest.raises(StoreError):
        act(store)


@pytest.mark.parametrize("name", ["index.json", "oci-layout", "blobs"])
def test_a_folder_or_a_file_in_anothers_place_is_refused(store: LayoutRepository, name: str) -> None:
    """LAY-01."""
    (store.directory / name).rename(store.directory / "moved")
    if name == "blobs":
        (store.directory / name).write_bytes(b"")
    else:
        (store.directory / name).mkdir()
    for act in (lambda: store.fetch_manifest(Tag("t")), lambda: _write(store)):
        with pytest.raises(StoreError):
            act()


def test_a_name_that_stands_twice_among_very_many_is_found(store: LayoutRepository) -> None:
    """LAY-01. Without comparing each with all others."""
    one = make_image().root
    entries = [descriptor_of(one, annotations={REF_NAME: f"t{number}"}) for number in range(MAX_ENTRIES - 1)]
    raw = json.dumps({"schemaVersion": 2, "manifests": [*entries, entries[-1]]}).encode()
    with pytest.raises(IntegrityError, match=f"'t{MAX_ENTRIES - 2}' to two manifests"):
        LayoutIndex.parse(raw)


def test_folders_in_folders_without_end_are_no_repositories(tmp_path: Path) -> None:
    """No name is as long as that, and they are not gone into."""
    push_image(LayoutTree(tmp_path).repository("a/b"), make_image(), "t")
    deep = tmp_path.joinpath(*["a"] * 200)
    deep.mkdir(parents=True)
    (deep / "oci-layout").write_bytes(b"{}")
    assert LayoutTree(tmp_path).repositories() == ("a/b",)


WRITER = """
import sys
from pathlib import Path
from imagesync.layout import LayoutRepository
from tests.images import make_image, push_image
store = LayoutRepository(Path(sys.argv[1]), lists_with_tag=True)
for number in range(10_000):
    push_image(store, make_image(f"{sys.argv[2]} {number}"), f"{sys.argv[2]}-{number % 40}")
    print(number, flush=True)
"""


def test_writers_that_are_killed_leave_a_layout_that_is_whole(tmp_path: Path) -> None:
    """LAY-03. Two processes write, and both are killed without warning."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "layout"), name], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        assert writer.stdout is not None
        for _ in range(25):
            assert writer.stdout.readline()
    for writer in writers:
        writer.kill()
        writer.communicate()

    store = LayoutRepository(tmp_path / "layout")
    assert {tag.partition("-")[0] for tag in store.list_tags()} == {"one", "two"}
    for tag in store.list_tags():
        for blob in store.fetch_manifest(tag).successors():
            with store.fetch_blob(blob) as pieces:
                assert digest_of(b"".join(pieces)) == blob.digest
    push_image(store, make_image("later"), "later")
    assert Tag("later") in store.list_tags()
