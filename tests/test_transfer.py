"""Transfer: verification of a stream, and what the blob copy tries again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, Cancelled, IntegrityError, NetworkError, ProtocolError, StoreError
from imagesync.manifest import Descriptor, digest_of
from imagesync.reference import Repository
from imagesync.store import BlobReader, Pushed
from imagesync.transfer import verify
from imagesync.transfer.blob import ATTEMPTS, BlobCopy
from imagesync.transfer.meter import Meter
from imagesync.transfer.verify import Verification, verified


def make_blob(content: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", digest_of(content), len(content))


class Source:
    """Yields one answer after the other: bytes, or an error in the middle."""

    def __init__(self, *answers: bytes | StoreError) -> None:
        self._answers = list(answers)
        self.reads = 0

    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        self.reads += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return nullcontext(self._chunks(answer))

    def _chunks(self, answer: bytes | StoreError) -> Iterator[bytes]:
        if isinstance(answer, StoreError):
            yield b"part"
            raise answer
        yield from (answer[:3], answer[3:])


class Destination:
    """Takes what it is given, after the failures it was told."""

    def __init__(self, *failures: StoreError) -> None:
        self._failures = list(failures)
        self.received = b""

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        if mount_from is not None:
            return Pushed.MOUNTED
        with read(0) as chunks:
            received = b"".join(chunks)
        if self._failures:
            raise self._failures.pop(0)
        self.received = received
        return Pushed.UPLOADED


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())


def run_copy(
    source: Source,
    destination: Destination,
    meter: Meter | None = None,
    *,
    blob: Descriptor | None = None,
    mount_from: Repository | None = None,
) -> Pushed:
    return BlobCopy(source, meter or Meter(), Cancellation()).run(blob or BLOB, destination, mount_from)


CONTENT = b"some content"
BLOB = make_blob(CONTENT)


@given(st.binary(max_size=200), st.lists(st.integers(1, 50), max_size=10))
def test_right_bytes_come_through_however_they_are_cut(content: bytes, cuts: list[int]) -> None:
    chunks, rest = [], content
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert b"".join(verified([*chunks, rest], make_blob(content))) == content


@given(st.binary(min_size=1, max_size=64), st.integers(0, 63), st.integers(1, 255))
def test_one_wrong_byte_is_an_integrity_error_and_never_arrives_whole(content: bytes, at: int, change: int) -> None:
    """BLB-07: right size, wrong bytes."""
    wrong = bytearray(content)
    wrong[at % len(wrong)] ^= change
    arrived = b""
    with pytest.raises(IntegrityError, match="hash to"):  # noqa: PT012 - what came before the error counts
        for chunk in verified([bytes(wrong[:1]), bytes(wrong[1:])], make_blob(content)):
            arrived += chunk
    assert len(arrived) < len(content)


@given(st.binary(min_size=1, max_size=200), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60)), max_size=5))
def test_a_blob_read_again_from_any_byte_is_verified_as_a_whole(content: bytes, cuts: list[tuple[int, int]]) -> None:
    """UPL-06: what is read again is hashed from the checkpoint below."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "CHECKPOINT_BYTES", 16)
        check, arrived = Verification(make_blob(content)), b""
        for back, count in [*cuts, (0, len(content))]:
            again = max(0, len(arrived) - back)
            start = check.rewind(again)
            assert start <= again < start + 16 + 7, "a checkpoint, and a piece, at most"
            end = min(again + count, len(content))
            pieces = [check.take(content[at : min(at + 7, end)]) for at in range(start, end, 7)]
            pieces += [check.finish()] if end == len(content) else []
            arrived = arrived[:again] + b"".join(pieces)[again - start :]
        assert arrived == content


def test_a_longer_body_is_stopped_at_once() -> None:
    """BLB-07: endless bodies are not read to their end."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    with pytest.raises(IntegrityError, match="more than the 12 bytes"):
        list(verified(endless(), BLOB))


def test_a_shorter_body_is_an_integrity_error() -> None:
    with pytest.raises(IntegrityError, match="4 bytes instead of 12"):
        list(verified([b"some"], BLOB))


def test_the_side_of_an_integrity_error_is_the_source() -> None:
    with pytest.raises(IntegrityError) as caught:
        list(verified([b"some"], BLOB))
    assert caught.value.side == "source"


def test_a_cut_is_tried_again_from_the_start() -> None:
    source, destination, meter = Source(NetworkError("reset"), CONTENT), Destination(), Meter()
    assert run_copy(source, destination, meter) is Pushed.UPLOADED
    assert (source.reads, destination.received, meter.moved_bytes) == (2, CONTENT, len(CONTENT))


def test_corruption_is_read_again_once_and_then_an_error() -> None:
    source = Source(b"xxxx content")
    with pytest.raises(IntegrityError):
        run_copy(source, Destination())
    assert source.reads == 2


def test_one_corrupted_read_is_mended_by_the_next() -> None:
    source, destination = Source(b"xxxx content", CONTENT), Destination()
    run_copy(source, destination)
    assert destination.received == CONTENT


def test_a_destination_that_keeps_failing_ends_after_five_attempts() -> None:
    source = Source(CONTENT)
    with pytest.raises(NetworkError):
        run_copy(source, Destination(*[NetworkError("reset")] * 20))
    assert source.reads == ATTEMPTS


def test_a_refusal_is_not_tried_again() -> None:
    source = Source(CONTENT)
    with pytest.raises(AuthenticationError):
        run_copy(source, Destination(AuthenticationError("denied")))
    assert source.reads == 1


def test_an_error_of_the_source_says_so() -> None:
    source = Source(AuthenticationError("denied"))
    with pytest.raises(AuthenticationError) as caught:
        run_copy(source, Destination())
    assert caught.value.side == "source"


def test_a_mount_reads_nothing() -> None:
    source = Source(CONTENT)
    assert run_copy(source, Destination(), mount_from=Repository("a.example", "b")) is Pushed.MOUNTED
    assert source.reads == 0


def test_embedded_data_is_used_instead_of_a_read() -> None:
    """BLB-12: a descriptor's `data`, right by digest and size."""
    source, destination = Source(b"never"), Destination()
    blob = Descriptor(BLOB.media_type, BLOB.digest, BLOB.size_bytes, data=CONTENT)
    run_copy(source, destination, blob=blob)
    assert (source.reads, destination.received) == (0, CONTENT)


def test_a_cancelled_run_stops_within_a_chunk() -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        BlobCopy(Source(CONTENT), Meter(), cancellation).run(BLOB, Destination())


MIB = 1024 * 1024
LARGE = bytes(range(256)) * (4 * MIB // 256)
LARGE_BLOB = make_blob(LARGE)


class CutSource:
    """Sends a large blob in 1 MiB pieces and is cut after so many bytes of each answer; remembers where each began."""

    def __init__(self, *cut_after: int, on_resume: StoreError | None = None) -> None:
        self._cut_after = list(cut_after)
        self._on_resume = on_resume
        self.began_at: list[int] = []

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        self.began_at.append(from_byte)
        if from_byte and self._on_resume is not None:
            error, self._on_resume = self._on_resume, None
            raise error
        yield self._pieces(from_byte, self._cut_after.pop(0) if self._cut_after else len(LARGE))

    def _pieces(self, start: int, length: int) -> Iterator[bytes]:
        end = min(start + length, len(LARGE))
        for at in range(start, end, MIB):
            yield LARGE[at : min(at + MIB, end)]
        if end < len(LARGE):
            raise NetworkError("reset")


def test_a_cut_download_goes_on_where_it_was_and_the_upload_does_not_notice() -> None:
    """BLB-06: the hash runs on."""
    source, destination, meter = CutSource(2 * MIB, MIB + 5), Destination(), Meter()
    assert run_copy(source, destination, meter, blob=LARGE_BLOB) is Pushed.UPLOADED
    assert source.began_at == [0, 2 * MIB, 3 * MIB + 5]
    assert (destination.received, meter.moved_bytes) == (LARGE, len(LARGE))


def test_a_cut_that_brought_little_is_a_failed_attempt() -> None:
    source, destination = CutSource(1000, 1000), Destination()
    run_copy(source, destination, blob=LARGE_BLOB)
    assert source.began_at == [0, 0, 0]


def test_a_range_that_is_refused_starts_the_blob_anew() -> None:
    """BLB-06: 416, or another range than asked for."""
    source, destination = CutSource(2 * MIB, on_resume=ProtocolError("another range")), Destination()
    run_copy(source, destination, blob=LARGE_BLOB)
    assert source.began_at == [0, 2 * MIB, 0]
    assert destination.received == LARGE


class Resuming:
    """A destination that takes a blob up to each of these bytes, and then wants it again from there."""

    def __init__(self, *ends: int) -> None:
        self._ends = ends
        self.received = b""

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        self.received = b""
        for end in self._ends:
            with read(len(self.received)) as chunks:
                while len(self.received) < end:
                    self.received += next(chunks)
            self.received = self.received[:end]
        with read(len(self.received)) as chunks:
            self.received += b"".join(chunks)
        return Pushed.UPLOADED


def test_an_upload_that_goes_on_reads_from_the_checkpoint_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """UPL-06: and the meter counts what went out once."""
    monkeypatch.setattr(verify, "CHECKPOINT_BYTES", 2 * MIB)
    source, destination, meter = CutSource(), Resuming(MIB + 5, 3 * MIB + 7), Meter()
    assert run_copy(source, destination, meter, blob=LARGE_BLOB) is Pushed.UPLOADED  # type: ignore[arg-type]
    assert source.began_at == [0, 0, 2 * MIB]
    assert destination.received == LARGE
    assert meter.moved_bytes == len(LARGE)


def test_a_source_that_changes_while_an_upload_goes_on_is_found_out() -> None:
    """UPL-06: the hash runs over what is read again, too."""

    class Changing(CutSource):
        def _pieces(self, start: int, length: int) -> Iterator[bytes]:
            is_first = len(self.began_at) % 2
            return (piece if is_first else piece[::-1] for piece in super()._pieces(start, length))

    with pytest.raises(IntegrityError):
        run_copy(Changing(), Resuming(MIB + 5), blob=LARGE_BLOB)  # type: ignore[arg-type]


def test_embedded_data_is_read_again_from_a_byte_on() -> None:
    blob = Descriptor(BLOB.media_type, BLOB.digest, BLOB.size_bytes, data=CONTENT)
    destination = Resuming(5)
    run_copy(Source(b"never"), destination, blob=blob)  # type: ignore[arg-type]
    assert destination.received == CONTENT
