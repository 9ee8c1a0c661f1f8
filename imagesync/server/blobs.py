"""Blobs: HEAD, GET (whole or a range) and DELETE. Distribution spec, "Pulling blobs" and "Deleting Blobs"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO

from imagesync.errors import NotFoundError
from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.layout.files import pieces
from imagesync.reference import Digest
from imagesync.server.http import Fault, Request, Response, refusal
from imagesync.server.names import parse_digest


class FileBody:
    """Part of an open file as a response body, closed when the server is done with it."""

    def __init__(self, opened: ExitStack, file: BinaryIO, size_bytes: int) -> None:
        self._opened = opened
        self._pieces = pieces(file, size_bytes)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._opened.close()


class Blobs:
    """The blobs endpoint (end-2, end-10) over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree

    def fetch(self, request: Request, name: str, digest: str) -> Response:
        repository, wanted = self._tree.repository(name), parse_digest(digest)
        size = _size(repository, wanted)
        asked = _asked(request.header("Range"), size)
        span = range(size) if asked is None else asked
        if asked is not None and not asked:
            fault = Fault("RANGE_INVALID", f"blob has {size} bytes")
            return refusal(416, fault, headers={"Content-Range": f"bytes */{size}"})
        headers = {
            "Docker-Content-Digest": wanted,
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(span)),
            "Accept-Ranges": "bytes",
        }
        if asked is not None:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        body = b"" if request.method == "HEAD" else _body(repository, wanted, span)
        return Response(200 if asked is None else 206, headers, body)

    def delete(self, _request: Request, name: str, digest: str) -> Response:
        repository, unwanted = self._tree.repository(name), parse_digest(digest)
        _size(repository, unwanted)
        repository.delete_blob(unwanted)
        return Response(202)


def _size(repository: LayoutRepository, digest: Digest) -> int:
    size = repository.blob_size(digest)
    if size is None:
        raise NotFoundError(f"blob {digest} is not here", status=404, code="BLOB_UNKNOWN")
    return size


def _body(repository: LayoutRepository, digest: Digest, span: range) -> FileBody:
    with ExitStack() as stack:
        file = stack.enter_context(repository.open_blob(digest))
        file.seek(span.start)
        return FileBody(stack.pop_all(), file, len(span))


def _asked(header: str | None, size_bytes: int) -> range | None:
    """The bytes that a Range header asks for, empty where there are none such; None where it asks for all.

    RFC 9110, 14.2: other units, and several ranges at once, may be answered with the whole.
    """
    match = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", header or "", re.ASCII)
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        return range(max(0, size_bytes - int(match[2])), size_bytes)
    return range(int(match[1]), min(size_bytes, int(match[2]) + 1) if match[2] else size_bytes)
