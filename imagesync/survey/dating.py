"""Dating: answers the questions of when images were made. A config is a small blob: to read it costs no pull."""

from __future__ import annotations

import json
from collections.abc import Iterable

from imagesync.errors import IntegrityError, StoreError
from imagesync.manifest import Content, Descriptor, digest_of
from imagesync.plan.dates import needs_a_child
from imagesync.plan.questions import MayRead, ReadCreated
from imagesync.store import BlobFetcher, Stores

MAX_CONFIG_BYTES = 4 * 1024 * 1024
"""A larger one is no image's: it is not read, and says nothing."""
MAX_LENGTH = 64


def set_aside(question: MayRead, stores: Stores) -> None:
    """Reserve the pulls that it takes at the most: none for what earlier runs have read. Raises BudgetError."""
    known = {root: stores.memory.manifest(root.digest) for root in question.roots}
    stores.reserve_pulls(question.repository.registry, sum(_pulls(*one) for one in known.items()))


def _pulls(root: Descriptor, content: Content | None) -> int:
    if content is None:
        return 2 if root.is_index else 1
    return 0 if needs_a_child(content) is None else 1


def created_of(question: ReadCreated, stores: Stores) -> str | None:
    """What the config says, by what an earlier run has read where one has."""
    known = stores.memory.created(question.digest)
    if known is None:
        known = read_created(stores.source(question.repository), question.config)
        stores.memory.keep_created(question.digest, known)
    return known or None


def read_created(store: BlobFetcher, config: Descriptor) -> str:
    """Its `created` as it stands there, empty where there is none; what fails for a moment is tried once more."""
    if config.size_bytes > MAX_CONFIG_BYTES or not config.media_type.endswith("+json"):
        return ""
    try:
        return _created_in(_read(store, config))
    except StoreError as error:
        if not error.is_transient and not isinstance(error, IntegrityError):
            raise
        return _created_in(_read(store, config))


def _read(store: BlobFetcher, config: Descriptor) -> bytes:
    if config.data is not None:
        return config.data
    with store.fetch_blob(config) as pieces:
        raw = b"".join(_no_more_than(config.size_bytes, pieces))
    if digest_of(raw, config.digest.algorithm) != config.digest:
        raise IntegrityError(f"config {config.digest.short} has other bytes than its digest says")
    return raw


def _no_more_than(size_bytes: int, pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The pieces up to that size and the one that goes beyond: enough to see that these are others."""
    for piece in pieces:
        yield piece
        size_bytes -= len(piece)
        if size_bytes < 0:
            return


def _created_in(raw: bytes) -> str:
    try:
        config = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    created = config.get("created") if isinstance(config, dict) else None
    return created if isinstance(created, str) and len(created) <= MAX_LENGTH else ""
