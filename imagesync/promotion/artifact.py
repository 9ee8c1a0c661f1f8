"""The artifact that holds a record: an empty config, an empty layer, and the record as an annotation.

So one blob of two bytes is all that a repository needs for any number of records, and reading one is one request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from imagesync.errors import InvalidManifest, LimitError, StoreError
from imagesync.manifest import OCI_MANIFEST, Content, Descriptor, Manifest, digest_of, parse_manifest
from imagesync.plan.attachments import RECORD_TYPE
from imagesync.promotion.record import MAX_BYTES, MAX_IMAGES, Record, record_from_json, record_to_json
from imagesync.promotion.seal import Seal
from imagesync.store import BlobChecker, BlobPusher, ManifestFetcher, ManifestPusher

Written = TypeVar("Written")

ANNOTATION = "vnd.imagesync.promotion.record"
SIGNATURE = "vnd.imagesync.promotion.signature"
"""Of the record's text, in base64."""
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_EMPTY = b"{}"
EMPTY = Descriptor(_EMPTY_TYPE, digest_of(_EMPTY), len(_EMPTY))


class RecordStore(ManifestFetcher, ManifestPusher, BlobChecker, BlobPusher, Protocol):
    """A repository that records are written to."""


def make_artifact(record: Record, seal: Seal, subject: Descriptor | None = None) -> Content:
    """The manifest of a record, signed where the seal does that; with a subject, one that speaks of that digest.
    Raises TrustError, UsageError, and LimitError for a record that could not be read again."""
    text = record_to_json(record)
    if len(text) > MAX_BYTES or len(record.images) > MAX_IMAGES:
        message = f"a record of {len(record.images)} images with {len(text)} letters could not be read again"
        raise LimitError(message, hint=f"at most {MAX_IMAGES} images and {MAX_BYTES} letters are: split the promotion")
    signature = seal.sign(text)
    empty = {"mediaType": EMPTY.media_type, "digest": EMPTY.digest, "size": EMPTY.size_bytes}
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": RECORD_TYPE,
        "config": empty,
        "layers": [empty],
        **({"subject": _described(subject)} if subject is not None else {}),
        "annotations": {ANNOTATION: text, **({SIGNATURE: signature} if signature else {})},
    }
    return parse_manifest(json.dumps(document, ensure_ascii=False).encode(), OCI_MANIFEST)


def record_of(content: Content) -> Record:
    """The record that a manifest holds, whoever has written it. Raises InvalidManifest for any other."""
    return record_from_json(_annotation(content, ANNOTATION))


def is_proved(content: Content, seal: Seal) -> bool:
    """Whether the record that a manifest holds counts. Raises InvalidManifest where it holds none."""
    signature = _annotation(content, SIGNATURE) if seal.is_signed else ""
    return seal.proves(_annotation(content, ANNOTATION), signature)


def _annotation(content: Content, key: str) -> str:
    if not isinstance(content, Manifest) or content.descriptor.artifact_type != RECORD_TYPE:
        raise InvalidManifest("it is no record of a promotion")
    annotations = json.loads(content.raw).get("annotations")
    text = annotations.get(key) if isinstance(annotations, dict) else None
    if not isinstance(text, str):
        raise InvalidManifest("it is not signed" if key == SIGNATURE else "it holds no record")
    return text


def write_record(store: RecordStore, write: Callable[[], Written], *, is_first: bool) -> Written:
    """Write what needs the one blob of all records, which another record proves to be there; where that is the only
    proof and the write fails, the blob may have been collected. Raises StoreError."""
    if is_first:
        _bring_empty(store)
        return write()
    try:
        return write()
    except StoreError:
        if not _bring_empty(store):
            raise
        return write()


def _bring_empty(store: RecordStore) -> bool:
    """See to it that a repository has the blob; whether it had to be brought."""
    is_missing = not store.has_blob(EMPTY)
    if is_missing:
        store.push_blob(EMPTY, _read_empty)
    return is_missing


@contextmanager
def _read_empty(start: int) -> Iterator[Iterator[bytes]]:
    yield iter([_EMPTY[start:]])


def _described(subject: Descriptor) -> dict[str, object]:
    return {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size_bytes}
