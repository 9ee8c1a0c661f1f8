"""Archives: what is read from them, and the tars that are refused (LAY-02). What all stores do is in contract/."""

from __future__ import annotations

import tarfile
import tracemalloc
from pathlib import Path

import pytest

from imagesync.archive import ArchiveTree, members
from imagesync.archive.members import list_members
from imagesync.errors import IntegrityError, LimitError, NotFoundError, StoreError, UnsupportedError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.reference import Tag
from tests.archive.tars import Change, make_tar, of_type
from tests.images import make_image, make_index, push_image


@pytest.mark.parametrize("prefix", ["", "./"])
def test_a_tar_of_a_single_layout_is_one_repository_whatever_its_name(tmp_path: Path, prefix: str) -> None:
    image = push_image(LayoutRepository(tmp_path / "layout"), make_index(), "latest")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for path in sorted((tmp_path / "layout").rglob("*"), reverse=True):
            tar.add(path, f"{prefix}{path.relative_to(tmp_path / 'layout')}", recursive=False)

    repository = ArchiveTree(tmp_path / "a.tar").repository("any/name")

    assert repository.resolve(Tag("latest")).digest == image.digest
    assert repository.fetch_manifest(image.digest).raw == image.root.raw


def test_a_tar_of_a_tree_has_a_repository_for_each_folder(tmp_path: Path) -> None:
    tree = LayoutTree(tmp_path / "tree")
    one = push_image(tree.repository("one"), make_image("one"), "t")
    two = push_image(tree.repository("deep/two"), make_image("two"), "t")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "tree", ".")

    archived = ArchiveTree(tmp_path / "a.tar")

    assert archived.repository("one").resolve(Tag("t")).digest == one.digest
    assert archived.repository("deep/two").resolve(Tag("t")).digest == two.digest
    with pytest.raises(NotFoundError):
        archived.repository("three").list_tags()


def test_nothing_is_written_beside_the_tar(tmp_path: Path) -> None:
    image = push_image(LayoutRepository(tmp_path / "layout"), make_image(), "t")
    (tmp_path / "read").mkdir()
    with tarfile.open(tmp_path / "read" / "a.tar", "w") as tar:
        tar.add(tmp_path / "layout", ".")

    ArchiveTree(tmp_path / "read" / "a.tar").repository("x").fetch_manifest(image.digest)

    assert [path.name for path in (tmp_path / "read").iterdir()] == ["a.tar"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("../oci-layout", b"{}"),
        ("a/../../oci-layout", b"{}"),
        ("/oci-layout", b"{}"),
        ("index.json", of_type(tarfile.SYMTYPE, "/etc/passwd")),
        ("index.json", of_type(tarfile.LNKTYPE, "other")),
        ("index.json", of_type(tarfile.CHRTYPE)),
        ("index.json", of_type(tarfile.BLKTYPE)),
        ("index.json", of_type(tarfile.FIFOTYPE)),
    ],
)
def test_a_tar_with_links_devices_or_names_that_lead_out_is_refused(
    tmp_path: Path, name: str, content: Change | bytes
) -> None:
    """LAY-02."""
    file = make_tar(tmp_path / "a.tar", ("oci-layout", b"{}"), (name, content))
    with pytest.raises(IntegrityError, match=r"leads out|link, a device"):
        ArchiveTree(file).repository("x")


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """LAY-02."""
    file = make_tar(tmp_path / "a.tar", ("index.json", b"{}"), ("./index.json", b"{ }"))
    with pytest.raises(IntegrityError, match="twice"):
        list_members(file, "x.tar")


def test_more_members_than_the_limit_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAY-02."""
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    file = make_tar(tmp_path / "a.tar", *((str(number), b"") for number in range(4)))
    with pytest.raises(LimitError):
        list_members(file, "x.tar")


def test_names_that_are_too_long_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LAY-02: of 200000 members with names of 4096 letters a list would take 800 MB."""
    monkeypatch.setattr(members, "MAX_NAMES_LENGTH", 400)
    assert list_members(make_tar(tmp_path / "a.tar", *((f"{number}".ljust(99), b"") for number in range(4))), "x.tar")
    file = make_tar(tmp_path / "b.tar", *((f"{number}".ljust(99), b"") for number in range(5)))
    with pytest.raises(LimitError, match="names of over 400 letters"):
        list_members(file, "x.tar")


HUGE = 400 * 1024 * 1024


@pytest.mark.parametrize(
    "kind",
    [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK],
)
@pytest.mark.parametrize("position", [0, 1])
def test_a_header_that_says_it_is_huge_is_refused_unread(tmp_path: Path, kind: bytes, position: int) -> None:
    """LAY-02. A few bytes on the disk must not become hundreds of megabytes in memory."""
    file = write_headers(tmp_path / "a.tar", *[header("one")] * position, header("x", kind, HUGE))
    with file.open("r+b") as opened:
        opened.truncate(HUGE + 4096)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match="extended header"):
            list_members(file, "x.tar")
        assert tracemalloc.get_traced_memory()[1] < HUGE // 10
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_negative_size_is_refused(tmp_path: Path, kind: bytes) -> None:
    """LAY-02. Read as a count, it would mean the whole rest of the file."""
    with pytest.raises(IntegrityError):
        list_members(write_headers(tmp_path / "a.tar", header("one"), header("x", kind, -1)), "x.tar")


def test_long_names_are_read(tmp_path: Path) -> None:
    name = "/".join(["x" * 90] * 5)
    for number, form in enumerate((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)):
        with tarfile.open(tmp_path / f"{number}.tar", "w", format=form) as tar:
            tar.addfile(tarfile.TarInfo(name))
        assert list(list_members(tmp_path / f"{number}.tar", "x.tar").files) == [name]


def header(name: str, kind: bytes = tarfile.REGTYPE, size_bytes: int = 0) -> bytes:
    """One block of a tar, with the size that it is told to have."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size_bytes
    return info.tobuf(tarfile.GNU_FORMAT)


def write_headers(file: Path, *blocks: bytes) -> Path:
    file.write_bytes(b"".join(blocks) + bytes(1024))
    return file


def test_a_tar_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """LAY-02. Cut in a header, in a body, between two members, and before the end is marked."""
    whole = make_tar(tmp_path / "a.tar", ("one", b"1" * 700), ("two", b"2" * 700)).read_bytes()
    for length in (100, 512, 600, 1536, 1700, 2048, 3071, 3072):
        (tmp_path / "cut.tar").write_bytes(whole[:length])
        with pytest.raises(IntegrityError):
            list_members(tmp_path / "cut.tar", "x.tar")


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"\0" * 100])
def test_what_is_no_tar_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(StoreError):
        ArchiveTree(tmp_path / "a.tar").repository("x").list_tags()


def test_a_compressed_tar_is_refused_with_its_kind(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz"):
        pass
    with pytest.raises(UnsupportedError, match="gzip"):
        list_members(tmp_path / "a.tar", "x.tar")


def test_a_missing_file_is_told_with_its_path_and_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"there is no file {tmp_path / 'none.tar'}"):
        list_members(tmp_path / "none.tar", "x.tar")
    with pytest.raises(StoreError):
        list_members(tmp_path, "x.tar")


def test_the_tar_itself_may_be_named_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.tar").symlink_to(make_tar(tmp_path / "a.tar", ("one", b"1")))
    assert list(list_members(tmp_path / "link.tar", "x.tar").files) == ["one"]


def test_a_long_name_from_the_tar_is_escaped_in_the_message(tmp_path: Path) -> None:
    file = make_tar(tmp_path / "a.tar", ("../\x1b[31m" + "x" * 500, b""))
    with pytest.raises(IntegrityError) as caught:
        list_members(file, "x.tar")
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400
