"""Manifests: HEAD, GET, PUT and DELETE by tag and digest.

Distribution spec, "Pulling manifests", "Pushing Manifests" and "Content Management".
"""

from __future__ import annotations

from imagesync.errors import NotFoundError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.manifest import MAX_MANIFEST_BYTES, Content, Descriptor, digest_of, parse_manifest
from imagesync.reference import Digest, Tag
from imagesync.server.http import Fault, Request, Response, refusal
from imagesync.server.names import parse_target


class Manifests:
    """The manifests endpoint (end-3, end-7, end-9) over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree

    def resolve(self, _request: Request, name: str, target: str) -> Response:
        found = _resolve(self._tree.repository(name), parse_target(target))
        return Response(200, {**_headers(found), "Content-Length": str(found.size_bytes)})

    def fetch(self, _request: Request, name: str, target: str) -> Response:
        repository = self._tree.repository(name)
        found = repository.fetch_manifest(_resolve(repository, parse_target(target)).digest)
        return Response(200, _headers(found.descriptor), found.raw)

    def push(self, request: Request, name: str, target: str) -> Response:
        repository, wanted = self._tree.repository(name), parse_target(target)
        raw = _read(request)
        if raw is None:
            return refusal(413, Fault("SIZE_INVALID", f"a manifest has at most {MAX_MANIFEST_BYTES} bytes"))
        digest = wanted if isinstance(wanted, Digest) else None
        if digest is not None and digest_of(raw, digest.algorithm) != digest:
            return refusal(400, Fault("DIGEST_INVALID", "the body does not have this digest", {"digest": digest}))
        content = parse_manifest(raw, request.header("Content-Type") or "", digest)
        missing = repository.missing_successors(content)
        if missing:
            return refusal(400, *(_blob_unknown(blob) for blob in missing))
        repository.push_manifest(content, wanted if isinstance(wanted, Tag) else None)
        return Response(201, _created(name, content))

    def delete(self, _request: Request, name: str, target: str) -> Response:
        repository, unwanted = self._tree.repository(name), parse_target(target)
        _resolve(repository, unwanted)
        if isinstance(unwanted, Digest):
            repository.delete_manifest(unwanted)
        else:
            repository.delete_tag(unwanted)
        return Response(202)


def _resolve(repository: LayoutRepository, target: Tag | Digest) -> Descriptor:
    try:
        return repository.resolve(target)
    except NotFoundError as error:
        raise NotFoundError(f"manifest {target} is not here", status=404, code="MANIFEST_UNKNOWN") from error


def _headers(found: Descriptor) -> dict[str, str]:
    return {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}


def _created(name: str, content: Content) -> dict[str, str]:
    headers = {"Location": f"/v2/{name}/manifests/{content.digest}", "Docker-Content-Digest": content.digest}
    return headers | ({"OCI-Subject": content.subject.digest} if content.subject else {})


def _blob_unknown(blob: Descriptor) -> Fault:
    return Fault("MANIFEST_BLOB_UNKNOWN", f"{blob.digest} is not in this repository", {"digest": blob.digest})


def _read(request: Request) -> bytes | None:
    """The body; None where it is longer than a manifest may be."""
    if (request.content_length or 0) > MAX_MANIFEST_BYTES:
        return None
    parts, size = [], 0
    for piece in request.pieces():
        parts.append(piece)
        size += len(piece)
        if size > MAX_MANIFEST_BYTES:
            return None
    return b"".join(parts)
