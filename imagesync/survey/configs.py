"""Configs: the one blob of an image that a survey reads, to know what the image runs on, and when it was made, where no
manifest says it. To read it costs no pull.
"""

from __future__ import annotations

import json

from imagesync.errors import InvalidManifest
from imagesync.manifest import Descriptor
from imagesync.plan.questions import ReadPlatform
from imagesync.platform import Platform
from imagesync.store import BlobFetcher, Stores
from imagesync.survey.blobs import read_blob

MAX_CONFIG_BYTES = 8 * 1024 * 1024


def read_platform(question: ReadPlatform, stores: Stores) -> Platform | None:
    """What an image's config says that it runs on, None where it says nothing. Raises StoreError, InvalidManifest."""
    platform = Platform.from_dict(read_config(stores.source(question.repository), question.config))
    return platform if platform.os and platform.architecture else None


def read_config(store: BlobFetcher, config: Descriptor) -> dict[str, object]:
    """What a config says. Raises StoreError, InvalidManifest."""
    return _parsed(_read(store, config), config)


def _read(store: BlobFetcher, config: Descriptor) -> bytes:
    if config.size_bytes > MAX_CONFIG_BYTES:
        raise InvalidManifest(f"config of {config.size_bytes} bytes: at most {MAX_CONFIG_BYTES} are read")
    return read_blob(store, config, MAX_CONFIG_BYTES)


def _parsed(raw: bytes, config: Descriptor) -> dict[str, object]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest(f"config {config.digest.short} is not JSON") from error
    return found if isinstance(found, dict) else {}
