"""Configs: the one blob of an image that a survey reads, to know what the image runs on where no index says it."""

from __future__ import annotations

import json

from imagesync.errors import IntegrityError, InvalidManifest
from imagesync.manifest import Descriptor
from imagesync.plan.questions import ReadPlatform
from imagesync.platform import Platform
from imagesync.store import BlobFetcher, Stores
from imagesync.transfer.verify import verified

MAX_CONFIG_BYTES = 8 * 1024 * 1024


def read_platform(question: ReadPlatform, stores: Stores) -> Platform | None:
    """What an image's config says that it runs on, None where it says nothing. Raises StoreError, InvalidManifest."""
    config = _parsed(_read(stores.source(question.repository), question.config), question.config)
    platform = Platform.from_dict(config)
    return platform if platform.os and platform.architecture else None


def _read(store: BlobFetcher, config: Descriptor) -> bytes:
    """The bytes, hashed; those that do not match are read once more, as those of any blob are."""
    if config.size_bytes > MAX_CONFIG_BYTES:
        raise InvalidManifest(f"config of {config.size_bytes} bytes: at most {MAX_CONFIG_BYTES} are read")
    if config.data is not None:
        return config.data
    try:
        return _read_once(store, config)
    except IntegrityError:
        return _read_once(store, config)


def _read_once(store: BlobFetcher, config: Descriptor) -> bytes:
    with store.fetch_blob(config) as pieces:
        return b"".join(verified(pieces, config))


def _parsed(raw: bytes, config: Descriptor) -> dict[str, object]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest(f"config {config.digest.short} is not JSON") from error
    return found if isinstance(found, dict) else {}
