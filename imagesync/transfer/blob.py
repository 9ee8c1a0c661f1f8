"""The blob copy: one blob from one repository to another, tried again where that may help.

One of the two places that retry: each attempt opens the source anew. The transport below makes one attempt
of whatever streams a body; within it, an upload that was cut may go on, and the source is read again from there.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager

from imagesync.cancellation import Cancellation, backoff_seconds
from imagesync.errors import IntegrityError, StoreError
from imagesync.manifest import Descriptor
from imagesync.reference import Repository
from imagesync.store import BlobFetcher, BlobPusher, Pushed, without_first
from imagesync.transfer.fanout import FanOut, Settle
from imagesync.transfer.meter import Meter
from imagesync.transfer.verify import Verification

ATTEMPTS = 5
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
RESUME_BYTES = 1024 * 1024
"""A cut download goes on where it was if it has brought as much since it was opened; else it is a failed attempt."""
RESUME_SECONDS = 1.0
INTEGRITY_ATTEMPTS = 2
"""Bytes that do not match are read once more: a bad edge of a CDN is worth exactly that."""


class BlobCopy:
    """Copies blobs from one source; `meter` counts what goes out. A source that fails is given `source_attempts`.

    `failed` is what has come of a first attempt already, by whoever read ahead.
    """

    def __init__(
        self,
        source: BlobFetcher,
        meter: Meter,
        cancellation: Cancellation,
        *,
        source_attempts: int = ATTEMPTS,
        failed: StoreError | None = None,
    ) -> None:
        self._source = source
        self._failed = failed
        self._source_attempts = source_attempts
        self._meter = meter
        self._cancellation = cancellation

    def run(self, blob: Descriptor, destination: BlobPusher, mount_from: Repository | None = None) -> Pushed:
        """Move one blob, verified on the way. Raises what the last attempt raised."""
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._attempt(blob, destination, mount_from)
            except StoreError as error:
                if not _may_help(error) or attempts >= self._attempts_after(error):
                    raise
            self._cancellation.wait(backoff_seconds(attempts, first=FIRST_WAIT_SECONDS, longest=LONGEST_WAIT_SECONDS))

    def run_for_all(self, blob: Descriptor, destinations: Sequence[tuple[BlobPusher, Settle]]) -> None:
        """Read one blob once and move it to several destinations, in a single attempt; see fanout."""
        work = FanOut(blob, moved=self._meter.moved, cancellation=self._cancellation)
        work.run(lambda: self._open(Verification(blob), 0), destinations)

    def _attempt(self, blob: Descriptor, destination: BlobPusher, mount_from: Repository | None) -> Pushed:
        if self._failed is not None:
            error, self._failed = self._failed, None
            raise error
        check, sent = Verification(blob), _Sent()
        try:
            return destination.push_blob(blob, lambda start: self._open_counted(check, sent, start), mount_from)
        except BaseException:
            self._meter.moved(-sent.size_bytes)
            raise

    @contextmanager
    def _open_counted(self, check: Verification, sent: _Sent, from_byte: int) -> Iterator[Iterator[bytes]]:
        self._meter.moved(from_byte - sent.size_bytes)
        sent.size_bytes = from_byte
        with self._open(check, from_byte) as chunks:
            yield self._counted(chunks, sent)

    @contextmanager
    def _open(self, check: Verification, from_byte: int) -> Iterator[Iterator[bytes]]:
        """The blob's bytes from one on, verified; those that its descriptor embeds need no request."""
        if check.blob.data is not None:
            yield iter([check.blob.data[from_byte:]])
            return
        start = check.rewind(from_byte)
        with closing(self._read(check)) as chunks:
            yield without_first(chunks, from_byte - start)

    def _read(self, check: Verification) -> Generator[bytes, None, None]:
        """The verified bytes of a blob, going on where a cut left off as long as that brings it forward.

        What was read stays read: the hash runs on, and the destination's upload does not notice. Wrong bytes are
        found out while the source is open, so that it gets to know of them.
        """
        resumed_at = check.seen_bytes
        while True:
            try:
                with self._source.fetch_blob(check.blob, from_byte=check.seen_bytes) as chunks:
                    for chunk in chunks:
                        if before := check.take(chunk):
                            yield before
                    last = check.finish()
            except StoreError as error:
                error.side = error.side or "source"
                if not error.is_transient or check.seen_bytes - resumed_at < RESUME_BYTES:
                    # A range that the source will not give is no reason to give up the blob: it starts anew.
                    error.is_transient = error.is_transient or 0 < check.seen_bytes == resumed_at
                    raise
            else:
                break
            resumed_at = check.seen_bytes
            self._cancellation.wait(RESUME_SECONDS)
        if last:
            yield last

    def _attempts_after(self, error: StoreError) -> int:
        """How many attempts there are in all when one failed so."""
        limit = INTEGRITY_ATTEMPTS if isinstance(error, IntegrityError) else ATTEMPTS
        return min(limit, self._source_attempts) if error.side == "source" else limit

    def _counted(self, chunks: Iterator[bytes], sent: _Sent) -> Iterator[bytes]:
        for chunk in chunks:
            self._cancellation.check()
            yield chunk
            sent.size_bytes += len(chunk)
            self._meter.moved(len(chunk))


class _Sent:
    """How much of an attempt has gone out: taken back from the meter when the attempt fails."""

    size_bytes = 0


def _may_help(error: StoreError) -> bool:
    return isinstance(error, IntegrityError) or error.is_transient
