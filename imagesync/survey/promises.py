"""Promises: what is remembered of sources that were narrowed before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.plan.image import Image
from imagesync.plan.inventory import Head, Inventory, Present
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Reference
from imagesync.selection import EVERY_PLATFORM
from imagesync.store import Memory


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
