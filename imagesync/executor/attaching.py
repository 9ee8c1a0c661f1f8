"""Attaching: writes what speaks of an image. What the destination has under the same tag stays: both are united.

A registry has no compare-and-set. So the tag is read right before it is written, and looked at once more afterwards:
an entry that another writer has taken away in between is added again.
"""

from __future__ import annotations

import threading

from imagesync.errors import ImmutableError, InvalidManifest, NotFoundError, StoreError
from imagesync.executor.blame import blamed_on
from imagesync.executor.delivery import Delivery
from imagesync.executor.writing import Writing
from imagesync.manifest import Content, Manifest
from imagesync.plan.actions import Copy
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.uniting import index_of_referrer, unite
from imagesync.reference import Digest, Reference
from imagesync.store import Stores
from imagesync.tasks import Postponed, Task, Tasks

MOST_WRITES = 5
"""How often a tag is written that others write at the same time."""


class Attaching:
    """Writes the attachments of one run; called by its tasks, once what a manifest needs has been brought."""

    def __init__(self, stores: Stores, tasks: Tasks, delivery: Delivery, writing: Writing) -> None:
        self._stores = stores
        self._tasks = tasks
        self._delivery = delivery
        self._writing = writing
        self._lock = threading.Lock()
        self._turns: dict[Reference, Task[None]] = {}

    def attach(self, copy: Copy, root: Content) -> Outcome:
        """Write one attachment, by its digest or united with what is under its tag. Raises Postponed while another
        task of this run writes that tag.

        A tag that the registry keeps as it is blocks this attachment alone.
        """
        if copy.destination.tag is None:
            return Outcome(copy, Status.COPIED, bytes_copied=self._writing.push(copy, root))
        turn = self._take_turn(copy.destination)
        try:
            return Outcome(copy, Status.COPIED, bytes_copied=self._add_to_tag(copy, root))
        except ImmutableError as error:
            return Outcome(copy, Status.BLOCKED, error.message, error.hint, error.kind)
        finally:
            self._tasks.give(turn)

    def _add_to_tag(self, copy: Copy, root: Content) -> int:
        """What had a tag at the source is united with the destination's; what had none is added to the list there."""
        if copy.source.tag is not None:
            return self._unite(copy, root)
        brought_bytes = self._writing.push(copy, root)
        return brought_bytes + self._unite(copy, index_of_referrer(root))

    def _unite(self, copy: Copy, new: Content) -> int:
        """Add what the tag lacks until it has all of it; returns how many bytes had to be brought once more."""
        brought_bytes = 0
        for _ in range(MOST_WRITES):
            there = self._read(copy)
            united = _united(copy, there, new)
            if united is there:
                return brought_bytes
            self._bring_config(copy, united)
            brought_bytes += self._writing.push(copy, united, copy.destination.tag)
            if self._digest_now(copy) == united.digest:
                return brought_bytes
        with blamed_on("destination"):
            raise StoreError(
                f"others have written this tag at the same time, {MOST_WRITES} times in a row",
                hint="apply again when they are done",
                operation="PUT manifest",
                reference=str(copy.destination),
            )

    def _bring_config(self, copy: Copy, united: Content) -> None:
        """A manifest that was united has a config of its own, which nobody else holds."""
        if isinstance(united, Manifest) and united.config.data is not None:
            self._delivery.bring_again(copy, united.config)

    def _read(self, copy: Copy) -> Content | None:
        with blamed_on("destination"):
            try:
                return self._stores.destination(copy.destination.repository).fetch_manifest(copy.destination.target)
            except NotFoundError:
                return None

    def _digest_now(self, copy: Copy) -> Digest | None:
        with blamed_on("destination"):
            try:
                return self._stores.destination(copy.destination.repository).resolve(copy.destination.target).digest
            except NotFoundError:
                return None

    def _take_turn(self, tag: Reference) -> Task[None]:
        """One task of this run at a time reads and writes a tag: until the signal is given that this returns."""
        with self._lock:
            before = self._turns.get(tag)
            if before is not None and not before.is_finished:
                raise Postponed(before)
            self._turns[tag] = self._tasks.signal()
            return self._turns[tag]


def _united(copy: Copy, there: Content | None, new: Content) -> Content:
    if there is None:
        return new
    try:
        return unite(there, new)
    except InvalidManifest as error:
        hint = "delete or rename that tag: its name says that it holds what speaks of a digest"
        raise InvalidManifest(f"destination {copy.destination}: {error.message}", hint=hint) from error
