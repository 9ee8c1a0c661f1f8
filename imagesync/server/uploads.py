"""Uploads: sessions whose bytes go to a file below the root, and from there into a layout. Mounts start here too.

Distribution spec, "Pushing Blobs". A session lives as long as the server, at most an hour without a byte.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from imagesync.errors import LimitError, NotFoundError, StoreError
from imagesync.layout import LayoutTree
from imagesync.layout.files import copy_pieces, file_errors, remove_abandoned
from imagesync.manifest import Descriptor
from imagesync.reference import Digest, check_path
from imagesync.server.http import Request, Response
from imagesync.server.names import parse_digest

FOLDER = "_uploads"
"""Below the root; no component of a repository starts with an underscore."""
MAX_IDLE_SECONDS = 3600.0
MAX_SESSIONS = 10_000
SETTLE_SECONDS = 5.0
"""How long a request waits for another of its session: of one that was cut there may be bytes still to come."""


@dataclass(slots=True)
class Session:
    """One upload under way. `lock` is held by the request that adds to it."""

    name: str
    path: Path
    hasher: hashlib._Hash = field(default_factory=hashlib.sha256)
    size_bytes: int = 0
    touched: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def append(self, request: Request) -> None:
        """Take over the body of a request; what came before it was cut stays, and counts."""
        expected, start = request.content_length, self.size_bytes
        with file_errors("upload", self.name), self.path.open("ab") as file:
            for piece in request.pieces():
                file.write(piece)
                self.hasher.update(piece)
                self.size_bytes += len(piece)
                self.touched = time.monotonic()
        if expected is not None and self.size_bytes - start != expected:
            raise StoreError("the body ended too early", status=400, code="SIZE_INVALID")

    def digest(self, algorithm: str) -> str:
        """The digest of all that came."""
        if algorithm == self.hasher.name:
            return f"{algorithm}:{self.hasher.hexdigest()}"
        hasher = hashlib.new(algorithm)
        with file_errors("upload", self.name):
            for piece in copy_pieces(self.path):
                hasher.update(piece)
        return f"{algorithm}:{hasher.hexdigest()}"


class Uploads:
    """The uploads endpoint (end-4 to end-6, end-11, end-13, end-14) over a tree of layouts."""

    def __init__(self, tree: LayoutTree) -> None:
        self._tree = tree
        self._folder = tree.root / FOLDER
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        remove_abandoned(self._folder, prefix="")

    def start(self, request: Request, name: str) -> Response:
        """POST: a mount, a whole upload in one request (`digest`), or a new session."""
        self._tree.repository(name)
        mounted = parse_digest(request.query["mount"]) if "mount" in request.query else None
        if mounted is not None and self._mount(name, mounted, request.query.get("from")):
            return _created(name, mounted)
        digest = parse_digest(request.query["digest"]) if "digest" in request.query else None
        key, session = self._open(name)
        if digest is not None:
            return self._complete(key, session, request, digest)
        return Response(202, self._headers(key, session))

    def status(self, _request: Request, name: str, session: str) -> Response:
        with self._settled(name, session) as found:
            return Response(204, self._headers(session, found))

    def append(self, request: Request, name: str, session: str) -> Response:
        """PATCH: the whole body, or one piece at the place that Content-Range names."""
        with self._settled(name, session) as found:
            if not _is_in_order(request, found):
                return Response(416, self._headers(session, found))
            found.append(request)
            return Response(202, self._headers(session, found))

    def finish(self, request: Request, name: str, session: str) -> Response:
        """PUT: the last bytes, or none, and the digest that all of them must have."""
        digest = parse_digest(request.query.get("digest", ""))
        with self._settled(name, session) as found:
            if not _is_in_order(request, found):
                return Response(416, self._headers(session, found))
            return self._complete(session, found, request, digest)

    def cancel(self, _request: Request, name: str, session: str) -> Response:
        self._drop(session, self._find(name, session))
        return Response(204)

    def close(self) -> None:
        """Remove the files of all sessions."""
        for key, session in list(self._sessions.items()):
            self._drop(key, session)
        with suppress(OSError):
            self._folder.rmdir()

    def _complete(self, key: str, session: Session, request: Request, digest: Digest) -> Response:
        session.append(request)
        try:
            found = session.digest(digest.algorithm)
            if found != digest:
                raise StoreError(f"the bytes have {found}", status=400, code="DIGEST_INVALID")
            self._tree.repository(session.name).adopt_blob(session.path, digest)
        finally:
            self._drop(key, session)
        return _created(session.name, digest)

    def _mount(self, name: str, digest: Digest, source: str | None) -> bool:
        """Whether the blob is in the repository now. Without `from`, only if it was there before."""
        repository = self._tree.repository(name)
        size = (self._tree.repository(source) if source else repository).blob_size(digest)
        if size is None:
            return False
        return not source or repository.mount_blob(Descriptor("application/octet-stream", digest, size), source)

    def _open(self, name: str) -> tuple[str, Session]:
        self._expire()
        key = secrets.token_hex(16)
        session = Session(check_path(name), self._folder / key)
        with file_errors("upload", name):
            self._folder.mkdir(parents=True, exist_ok=True)
            session.path.touch(exist_ok=False)
        with self._lock:
            self._sessions[key] = session
        return key, session

    def _expire(self) -> None:
        limit = time.monotonic() - MAX_IDLE_SECONDS
        with self._lock:
            idle = [item for item in self._sessions.items() if item[1].touched < limit]
            is_full = len(self._sessions) - len(idle) >= MAX_SESSIONS
        for key, session in idle:
            self._drop(key, session)
        if is_full:
            raise LimitError("too many uploads are open", status=429, code="TOOMANYREQUESTS")

    def _find(self, name: str, key: str) -> Session:
        found = self._sessions.get(key)
        if found is None or found.name != name:
            raise NotFoundError("there is no such upload", status=404, code="BLOB_UPLOAD_UNKNOWN")
        return found

    @contextmanager
    def _settled(self, name: str, key: str) -> Iterator[Session]:
        """A session that no other request adds to, as long as the block lasts."""
        session = self._find(name, key)
        if not session.lock.acquire(timeout=SETTLE_SECONDS):
            raise StoreError("another request adds to this upload", status=409, code="BLOB_UPLOAD_INVALID")
        try:
            yield self._find(name, key)  # it may have come to its end meanwhile
        finally:
            session.lock.release()

    def _drop(self, key: str, session: Session) -> None:
        with self._lock:
            self._sessions.pop(key, None)
        with suppress(FileNotFoundError):
            session.path.unlink()

    def _headers(self, key: str, session: Session) -> dict[str, str]:
        return {
            "Location": f"/v2/{session.name}/blobs/uploads/{key}",
            "Docker-Upload-UUID": key,
            "Range": f"0-{max(0, session.size_bytes - 1)}",
        }


def _created(name: str, digest: Digest) -> Response:
    return Response(201, {"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})


def _is_in_order(request: Request, session: Session) -> bool:
    """Whether a piece starts where the last one ended and is as long as it says. Without a place it always does."""
    header = request.header("Content-Range")
    if header is None:
        return True
    match = re.fullmatch(r"(\d{1,19})-(\d{1,19})", header, re.ASCII)
    if match is None:
        raise StoreError("Content-Range is not FIRST-LAST", status=400, code="BLOB_UPLOAD_INVALID")
    first, last = int(match[1]), int(match[2])
    length = request.content_length
    return first == session.size_bytes and (length is None or last - first + 1 == length)
