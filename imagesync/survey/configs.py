"""Configs: the one blob of an image that a survey reads, to know what the image runs on, and when it was made, where no
manifest says it. To read it costs no pull.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from imagesync.errors import InvalidManifest
from imagesync.manifest import Descriptor, has_too_many_values
from imagesync.plan.questions import ReadPlatform
from imagesync.platform import Platform
from imagesync.store import BlobFetcher, Stores
from imagesync.survey.blobs import read_blob

T = TypeVar("T")
MAX_CONFIG_BYTES = 1024 * 1024
_parsing = Lock()
"""Documents are large in memory: there is one at a time, and what is wanted of it is taken meanwhile."""


def read_platform(question: ReadPlatform, stores: Stores) -> Platform | None:
    """What an image's config says that it runs on, None where it says nothing. Raises StoreError, InvalidManifest."""
    platform = read_config(stores.source(question.repository), question.config, Platform.from_dict)
    return platform if platform.os and platform.architecture else None


def read_config(store: BlobFetcher, config: Descriptor, take: Callable[[dict[str, object]], T]) -> T:
    """What is taken of what a config says. Raises StoreError, InvalidManifest."""
    raw = _read(store, config)
    with _parsing:
        return take(_parsed(raw, config))


def _read(store: BlobFetcher, config: Descriptor) -> bytes:
    if config.size_bytes > MAX_CONFIG_BYTES:
        raise InvalidManifest(f"config of {config.size_bytes} bytes: at most {MAX_CONFIG_BYTES} are read")
    return read_blob(store, config, MAX_CONFIG_BYTES)


def _parsed(raw: bytes, config: Descriptor) -> dict[str, object]:
    if has_too_many_values(raw):
        raise InvalidManifest(f"config {config.digest.short} has too many values to be read")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest(f"config {config.digest.short} is not JSON") from error
    return found if isinstance(found, dict) else {}
