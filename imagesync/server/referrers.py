"""Referrers: the manifests that name a digest as their subject. Distribution spec, "Listing Referrers".

Nothing is stored for this: the list is made of what the layout holds, an index's children included.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from imagesync.errors import NotFoundError, StoreError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.manifest import OCI_INDEX, Content, Index, Manifest
from imagesync.reference import Digest
from imagesync.server.http import Request, Response
from imagesync.server.names import parse_digest

MAX_KNOWN = 20_000
"""Manifests of which subject and children are remembered."""


class Referrers:
    """The referrers endpoint (end-12a, end-12b) over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree
        self._known = _Known()

    def list_referrers(self, request: Request, name: str, digest: str) -> Response:
        subject, wanted = parse_digest(digest), request.query.get("artifactType")
        listed = [_entry(found) for found in self._referrers(self._tree.repository(name), subject)]
        headers = {"Content-Type": OCI_INDEX}
        if wanted is not None:
            listed = [entry for entry in listed if entry.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        return Response.json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}, headers)

    def _referrers(self, repository: LayoutRepository, subject: Digest) -> Iterator[Content]:
        try:
            waiting = deque(entry.digest for entry in repository.index().entries)
        except NotFoundError:
            return
        seen: set[Digest] = set()
        while waiting:
            digest = waiting.popleft()
            if digest in seen:
                continue
            seen.add(digest)
            found_subject, children = self._known.read(repository, digest)
            waiting.extend(children)
            if found_subject == subject:
                yield repository.fetch_manifest(digest)


class _Known:
    """What was read of manifests before: bytes under a digest never change. Shared by all requests."""

    def __init__(self) -> None:
        self._known: dict[Digest, tuple[Digest | None, tuple[Digest, ...]]] = {}

    def read(self, repository: LayoutRepository, digest: Digest) -> tuple[Digest | None, tuple[Digest, ...]]:
        """The subject and the children of a manifest; none of either where it is missing or damaged."""
        if repository.blob_size(digest) is None:
            return None, ()
        found = self._known.get(digest)
        if found is None:
            found = _read(repository, digest)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[digest] = found
        return found


def _read(repository: LayoutRepository, digest: Digest) -> tuple[Digest | None, tuple[Digest, ...]]:
    try:
        content = repository.fetch_manifest(digest)
    except StoreError:
        return None, ()
    children = content.successors() if isinstance(content, Index) else ()
    return content.subject.digest if content.subject else None, tuple(child.digest for child in children)


def _entry(content: Content) -> dict[str, Any]:
    """A line of the list: the descriptor, with the artifact type and annotations of the manifest itself."""
    artifact_type = content.descriptor.artifact_type
    if artifact_type is None and isinstance(content, Manifest):
        artifact_type = content.config.media_type
    annotations = json.loads(content.raw).get("annotations")
    entry = {"mediaType": content.media_type, "digest": content.digest, "size": len(content.raw)}
    optional = {"artifactType": artifact_type, "annotations": annotations}
    return entry | {key: value for key, value in optional.items() if value}
