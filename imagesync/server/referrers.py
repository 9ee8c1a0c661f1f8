"""Referrers: the manifests that name a digest as their subject. Distribution spec, "Listing Referrers".

Nothing is stored for this: the list is made of what the layout holds, an index's children included.
"""

from __future__ import annotations

import json
from typing import Any

from imagesync.errors import NotFoundError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.manifest import OCI_INDEX, Content, Manifest
from imagesync.reference import Digest
from imagesync.server.http import Request, Response
from imagesync.server.names import parse_digest


class Referrers:
    """The referrers endpoint (end-12a, end-12b) over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree

    def list_referrers(self, request: Request, name: str, digest: str) -> Response:
        subject, wanted = parse_digest(digest), request.query.get("artifactType")
        listed = [_entry(found) for found in _naming(self._tree.repository(name), subject)]
        headers = {"Content-Type": OCI_INDEX}
        if wanted is not None:
            listed = [entry for entry in listed if entry.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        return Response.json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}, headers)


def _naming(repository: LayoutRepository, subject: Digest) -> list[Content]:
    try:
        return [repository.fetch_manifest(found.digest) for found in repository.naming(subject)]
    except NotFoundError:
        return []


def _entry(content: Content) -> dict[str, Any]:
    """A line of the list: the descriptor, with the artifact type and annotations of the manifest itself."""
    artifact_type = content.descriptor.artifact_type
    if artifact_type is None and isinstance(content, Manifest):
        artifact_type = content.config.media_type
    annotations = json.loads(content.raw).get("annotations")
    entry = {"mediaType": content.media_type, "digest": content.digest, "size": len(content.raw)}
    optional = {"artifactType": artifact_type, "annotations": annotations}
    return entry | {key: value for key, value in optional.items() if value}
