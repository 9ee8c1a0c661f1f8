"""Fan-out: one read of a blob feeds several destinations, each through a short queue and in a thread of its own.

A destination that fails, or keeps the others waiting for longer than the queue can hold, drops out; who asked for
the copy feeds that one alone. Nothing is tried again here. Chunks are shared, so that memory is that of one queue.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from imagesync.cancellation import Cancellation
from imagesync.errors import StoreError
from imagesync.lazy import dataclass, field
from imagesync.manifest import Descriptor
from imagesync.store import BlobPusher, Pushed

QUEUE_CHUNKS = 4
PATIENCE_SECONDS = 10.0
"""How long one destination may keep the others waiting before they go on without it."""
_END = object()

Open = Callable[[], AbstractContextManager[Iterator[bytes]]]
Settle = Callable[[Pushed | BaseException], None]


class DroppedOut(StoreError):
    """This destination was too slow for the others, and has to be fed alone."""

    kind = "dropped-out"


@dataclass(eq=False, slots=True)
class _Target:
    """One destination: its queue, and how far it is."""

    pusher: BlobPusher
    settle: Settle
    chunks: queue.Queue[object] = field(default_factory=lambda: queue.Queue(QUEUE_CHUNKS))
    is_reading: bool = False
    is_dropped: bool = False
    is_settled: bool = False
    sent_bytes: int = 0
    outcome: Pushed | BaseException | None = None


class FanOut:
    """Copies one blob to several destinations at once. `moved` counts bytes that went out, over all of them."""

    def __init__(self, blob: Descriptor, *, moved: Callable[[int], None], cancellation: Cancellation) -> None:
        self._blob = blob
        self._moved = moved
        self._cancellation = cancellation
        self._changed = threading.Condition()

    def run(self, open_source: Open, pushers: Sequence[tuple[BlobPusher, Settle]]) -> None:
        """Feed all of them, each with a function that is told once what became of it, as soon as that is known.

        The source is opened once, and only when somebody wants its bytes. Returns when all have settled.
        """
        targets = [_Target(pusher, settle) for pusher, settle in pushers]
        for target in targets:
            self._start(target)
        active = self._wait_for_readers(targets)
        if active:
            self._feed(open_source, active)
        with self._changed:
            self._changed.wait_for(lambda: all(target.outcome is not None for target in targets))

    def _start(self, target: _Target) -> None:
        try:
            threading.Thread(target=self._push, args=(target,), daemon=True, name="imagesync-fan-out").start()
        except RuntimeError as error:  # no more threads: it is fed alone
            self._settle(target, error)

    def _push(self, target: _Target) -> None:
        """A target's own thread."""
        try:
            read = partial(self._chunks_for, target)
            outcome: Pushed | BaseException = target.pusher.push_blob(self._blob, read)
        except BaseException as error:  # noqa: BLE001 - handed to who asked for the copy
            self._moved(-target.sent_bytes)
            outcome = error
        self._settle(target, outcome)

    def _settle(self, target: _Target, outcome: Pushed | BaseException) -> None:
        """Tell once what became of a target, and only then let `run` return."""
        with self._changed:
            if target.is_settled:
                return
            target.is_settled = True
        try:
            target.settle(outcome)
        finally:
            with self._changed:
                target.outcome = outcome
                self._changed.notify_all()

    def _drop(self, target: _Target) -> None:
        """Go on without it: its thread ends by itself, at the next chunk that it asks for."""
        target.is_dropped = True
        self._settle(target, DroppedOut("too slow for the other destinations"))

    @contextmanager
    def _chunks_for(self, target: _Target, from_byte: int) -> Iterator[Iterator[bytes]]:
        if target.is_reading or from_byte:
            raise DroppedOut("the bytes were asked for again")
        with self._changed:
            target.is_reading = True
            self._changed.notify_all()
        yield self._chunks(target)

    def _chunks(self, target: _Target) -> Iterator[bytes]:
        while (item := self._next(target)) is not _END:
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, bytes)  # noqa: S101 - narrows what a queue holds
            yield item
            target.sent_bytes += len(item)
            self._moved(len(item))

    def _next(self, target: _Target) -> object:
        while True:
            self._cancellation.check()
            if target.is_dropped:
                raise DroppedOut("too slow for the other destinations")
            try:
                return target.chunks.get(timeout=0.2)
            except queue.Empty:
                continue

    def _wait_for_readers(self, targets: list[_Target]) -> list[_Target]:
        """Those that want the bytes, once each has said whether it does; who takes too long is left out."""
        with self._changed:
            self._changed.wait_for(
                lambda: all(target.is_reading or target.outcome is not None for target in targets),
                timeout=PATIENCE_SECONDS,
            )
            late = [target for target in targets if not target.is_reading and target.outcome is None]
        for target in late:
            self._drop(target)
        return [target for target in targets if target.is_reading and target.outcome is None]

    def _feed(self, open_source: Open, active: list[_Target]) -> None:
        try:
            with open_source() as chunks:
                for chunk in chunks:
                    active = [target for target in active if self._put(target, chunk)]
                    if not active:
                        return
            last: object = _END
        except BaseException as error:  # noqa: BLE001 - every target gets to know of it
            last = error
        for target in active:
            self._put(target, last)

    def _put(self, target: _Target, item: object) -> bool:
        """Hand over one chunk; False where the target has ended, or was too slow for too long."""
        until = time.monotonic() + PATIENCE_SECONDS
        while target.outcome is None and time.monotonic() < until:
            try:
                target.chunks.put(item, timeout=0.1)
            except queue.Full:
                if self._cancellation.is_cancelled:
                    break
                continue
            return True
        self._drop(target)
        return False
