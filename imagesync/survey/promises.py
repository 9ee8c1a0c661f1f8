"""Promises: what is remembered of sources that were narrowed before, and what an audit finds out at once for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from imagesync.plan.diff import Wanted
from imagesync.plan.image import Image, images_of
from imagesync.plan.inventory import Head, Inventory, Present
from imagesync.plan.promises import with_promises
from imagesync.plan.questions import Question, together
from imagesync.plan.wants import Want
from imagesync.reference import Reference
from imagesync.selection import EVERY_PLATFORM
from imagesync.store import Memory, Stores
from imagesync.survey.answers import answer
from imagesync.tasks import Task, Tasks


def remembered(wants: Iterable[Wanted], heads: Mapping[Reference, Head], memory: Memory) -> dict[Reference, Head]:
    """What narrowed sources become, where an earlier run has found that out and the destination has it."""
    found: dict[Reference, Head] = {}
    for want in wants:
        if isinstance(want, Want) and want.rule.platforms != EVERY_PLATFORM:
            source, there = heads.get(want.source), heads[want.destination]
            if isinstance(source, Present) and isinstance(there, Present):
                known = memory.narrowed(source.descriptor.digest, want.rule.platforms.key)
                found |= {want.promise: there} if known == there.descriptor.digest else {}
    return found


def remember(image: Image, inventory: Inventory, memory: Memory) -> None:
    """Keep what a narrowed image has become, and the index itself that was made for it."""
    head = inventory.heads.get(image.all_wants[0].promise) if image.is_narrowed else None
    if isinstance(head, Present):
        root = head.descriptor.digest
        memory.keep_narrowed(image.digest, image.platforms.key, root)
        if root in inventory.contents:
            memory.keep_manifest(inventory.contents[root])


def read_promises(
    wants: Iterable[Wanted], heads: Mapping[Reference, Head], stores: Stores, tasks: Tasks
) -> Mapping[Reference, Head]:
    """The heads, and what every narrowed source becomes of which a destination has the tag. Raises Cancelled."""
    images = [image for image in images_of(wants, heads) if image.is_narrowed]
    asking = together([with_promises(image, heads) for image in images])
    asked: dict[Question, Task[Any]] = {}
    try:
        questions = next(asking)
        while True:
            for question in questions:
                if question not in asked:
                    hosts = [question.repository.registry]
                    asked[question] = tasks.add(partial(answer, question, stores), hosts=hosts)
            results = tasks.results([asked[question] for question in questions])
            questions = asking.send(dict(zip(questions, results, strict=True)))
    except StopIteration as end:
        return {**heads, **{key: head for found, _ in end.value for key, head in found.items()}}
