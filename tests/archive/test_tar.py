"""The tar reader: what tarfile writes is read back, whatever it is called; and of anything else an error comes."""

from __future__ import annotations

import contextlib
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.archive.tar import BLOCK_BYTES, Header, read_headers
from imagesync.errors import IntegrityError, LimitError, StoreError

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300).map(
    lambda name: name.replace("/", "_") + "x"
)
TREE = st.dictionaries(NAMES, st.binary(max_size=2000), max_size=8)


def written(files: dict[str, bytes], form: int, order: list[str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form, encoding="utf-8") as tar:
        for name in order:
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            tar.addfile(info, io.BytesIO(files[name]))
    return made.getvalue()


def read(raw: bytes) -> list[Header]:
    return list(read_headers(io.BytesIO(raw)))


def bodies(raw: bytes) -> dict[str, bytes]:
    return {found.name: raw[found.offset : found.offset + found.size_bytes] for found in read(raw)}


@given(files=TREE, form=st.sampled_from(FORMATS[1:]), data=st.data())
def test_any_names_in_any_order_are_read_as_they_were_written(
    files: dict[str, bytes], form: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sorted(files)))
    raw = written(files, form, order)
    assert bodies(raw) == files
    assert [found.name for found in read(raw)] == order


@given(raw=st.binary(max_size=4 * BLOCK_BYTES))
def test_of_any_bytes_nothing_comes_but_headers_and_errors(raw: bytes) -> None:
    """LAY-02."""
    with contextlib.suppress(StoreError):
        read(raw)


@given(
    files=TREE.filter(bool),
    form=st.sampled_from(FORMATS[1:]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_damaged_tar_gives_headers_within_the_file_or_an_error(
    files: dict[str, bytes], form: int, places: list[tuple[float, int]]
) -> None:
    """LAY-02."""
    raw = bytearray(written(files, form, sorted(files)))
    for place, value in places:
        raw[int(place * len(raw))] = value
    try:
        found = read(bytes(raw))
    except StoreError:
        return
    assert all(header.offset + header.size_bytes <= len(raw) for header in found)


@given(files=TREE.filter(bool), cut=st.floats(0, 1, exclude_max=True))
def test_a_tar_cut_before_its_end_is_an_error(files: dict[str, bytes], cut: float) -> None:
    """LAY-02."""
    raw = written(files, tarfile.GNU_FORMAT, sorted(files))
    end = read(raw)[-1].end
    with pytest.raises(IntegrityError):
        read(raw[: int(cut * end)])


def test_a_long_name_in_the_oldest_form_is_put_together() -> None:
    name = f"{'d' * 100}/{'f' * 90}"
    assert list(bodies(written({name: b"1"}, tarfile.USTAR_FORMAT, [name]))) == [name]


def test_names_that_are_no_text_are_kept_apart() -> None:
    raw = b"".join(one_block(name) for name in (b"\xff", b"\xfe")) + bytes(1024)
    assert len(bodies(raw)) == 2


def one_block(name: bytes, kind: bytes = b"0", body: bytes = b"", *, size: bytes | None = None) -> bytes:
    """A header as it stands in a tar, its checksum right, and its body."""
    block = bytearray(BLOCK_BYTES)
    block[: len(name)] = name
    block[124:136] = size if size is not None else f"{len(body):011o}\0".encode()
    block[156:157] = kind
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block) + body + bytes(-len(body) % BLOCK_BYTES)


def record(key: str, value: str) -> bytes:
    length = len(f" {key}={value}\n")
    digits = next(digits for digits in range(1, 9) if len(str(length + digits)) == digits)
    return f"{length + digits} {key}={value}\n".encode()


def test_sizes_over_eight_gibibytes_stand_in_binary() -> None:
    size = (2**33).to_bytes(12, "big")
    with pytest.raises(IntegrityError, match="'huge' is not whole"):
        read(one_block(b"huge", size=b"\x80" + size[1:]) + bytes(1024))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (b"\xff" * 12, "negative"),
        (b"-0000000001\0", "none, or negative"),
        (b"0x10\0       ", "none, or negative"),
        (b"\x80" + b"\xff" * 11, "not whole"),
        (b"99999999999\0", "none, or negative"),
    ],
)
def test_a_size_that_is_none_is_refused(size: bytes, said: str) -> None:
    with pytest.raises(IntegrityError, match=said):
        read(one_block(b"x", size=size) + bytes(1024))


@pytest.mark.parametrize("kind", [b"5", b"2", b"1", b"3", b"6"])
def test_what_is_no_file_has_no_bytes(kind: bytes) -> None:
    """Programs disagree on whether those are there, and so on what comes next."""
    with pytest.raises(IntegrityError, match="is no file and has a size"):
        read(one_block(b"x", kind, b"hidden") + bytes(1024))


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"0 path=x\n",
        b"9999999 path=x\n",
        b"10 path=x",
        b"11 path=xy",
        b"-1 path=x\n",
        b"9 pathx\n",
        "²0 path=x\n".encode(),
        record("size", "-1"),
        record("size", "1e9"),
        record("size", "9" * 30),
        record("size", "٣"),
    ],
)
def test_an_extended_header_that_breaks_its_form_is_refused(body: bytes) -> None:
    with pytest.raises(IntegrityError, match="breaks its form"):
        read(one_block(b"x", b"x", body) + one_block(b"file") + bytes(1024))


@pytest.mark.parametrize(
    "body",
    [
        record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0"),
        record("GNU.sparse.map", "0,1"),
        record("GNU.sparse.size", "1"),
    ],
)
def test_a_map_of_a_sparse_file_is_refused_unread(body: bytes) -> None:
    """LAY-02. It may be as long as the tar."""
    with pytest.raises(IntegrityError, match="sparse"):
        read(one_block(b"x", b"x", body) + one_block(b"file") + bytes(1024))


@pytest.mark.parametrize("key", ["path", "linkpath", "size"])
def test_one_name_for_all_files_is_refused(key: str) -> None:
    with pytest.raises(IntegrityError, match="all of its files"):
        read(one_block(b"g", b"g", record(key, "1")) + one_block(b"file") + bytes(1024))


def test_what_else_a_global_header_says_is_passed_over_however_many_there_are() -> None:
    """As `git archive` writes one. A chain of them costs no stack and no memory."""
    raw = one_block(b"g", b"g", record("comment", "c" * 1000)) * 5000 + one_block(b"file", body=b"1") + bytes(1024)
    assert bodies(raw) == {"file": b"1"}


def test_a_header_that_speaks_of_nothing_is_refused() -> None:
    with pytest.raises(IntegrityError, match="not there"):
        read(one_block(b"x", b"x", record("path", "lost")) + bytes(1024))


def test_an_extended_header_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagesync.archive.tar.MAX_EXTENDED_BYTES", 100)
    with pytest.raises(LimitError):
        read(one_block(b"x", b"x", record("path", "x" * 200)) + one_block(b"file") + bytes(1024))


def test_a_checksum_in_the_old_signed_form_is_right_too() -> None:
    block = bytearray(one_block(b"\xff\xff"))
    signed = sum(block) - sum(block[148:156]) + 8 * 32 - 2 * 256
    block[148:156] = f"{signed:06o}\0 ".encode()
    assert len(read(bytes(block) + bytes(1024))) == 1
