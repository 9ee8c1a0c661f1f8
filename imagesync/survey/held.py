"""Held heads: what a source has of digests that a lock or the spec holds on to, where its tags have left them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.plan.diff import moved_upstream
from imagesync.plan.inventory import Head, Present
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Digest, Reference
from imagesync.store import Stores
from imagesync.survey.answers import read_head
from imagesync.tasks import Task, Tasks


def held_heads(
    wants: Iterable[Wanted], heads: Mapping[Reference, Head], *, stores: Stores, tasks: Tasks
) -> dict[Reference, Head]:
    """The heads, with one for each digest that is held on to. A tag that still points to it says enough, and so
    does a destination that has it; any other digest is asked for."""
    held = [want for want in wants if isinstance(want, Want) and want.asked != want.source and want.asked in heads]
    found: dict[Reference, Head] = {}
    asked: dict[Reference, Task[Head]] = {}
    for want in held:
        if moved_upstream(want, heads) is None:
            found[want.source] = heads[want.asked]
        elif _has(heads[want.destination], want.source.digest):
            found[want.source] = heads[want.destination]
    for want in held:
        if want.source not in found and want.source not in asked:
            asked[want.source] = _ask(want.source, stores, tasks)
    results = zip(asked, tasks.results(list(asked.values())), strict=True)
    return {**heads, **found, **dict(results)}


def _has(head: Head, digest: Digest | None) -> bool:
    return isinstance(head, Present) and head.descriptor.digest == digest


def _ask(reference: Reference, stores: Stores, tasks: Tasks) -> Task[Head]:
    def read() -> Head:
        return read_head(lambda: stores.source(reference.repository), reference, "source")

    return tasks.add(read, hosts=[reference.repository.registry])
