"""Digests and tags of a URL, with the error code that registries give for those that break the grammar."""

from __future__ import annotations

from imagesync.errors import InvalidReference, StoreError
from imagesync.reference import Digest, Tag


def parse_digest(text: str) -> Digest:
    """A digest, else a StoreError that is answered 400 DIGEST_INVALID."""
    try:
        return Digest(text)
    except InvalidReference as error:
        raise StoreError(error.message, status=400, code="DIGEST_INVALID") from error


def parse_target(text: str) -> Tag | Digest:
    """The last part of a manifest's URL. Raises InvalidReference for what is no tag."""
    return parse_digest(text) if ":" in text else Tag(text)
