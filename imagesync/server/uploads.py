"""Uploads: sessions whose bytes go to a file below the root, and from there into a layout. Mounts start here too.

Distribution spec, "Pushing Blobs". A session lives as long as the server, at most an hour without a byte.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import suppress

from imagesync.errors import LimitError, StoreError
from imagesync.layout import LayoutTree
from imagesync.layout.files import file_errors, remove_abandoned
from imagesync.manifest import Descriptor
from imagesync.reference import Digest, check_path
from imagesync.server.http import Request, Response
from imagesync.server.names import parse_digest
from imagesync.server.session import Session, no_session

FOLDER = "_uploads"
"""Below the root; no component of a repository starts with an underscore."""
MAX_IDLE_SECONDS = 3600.0
MAX_SESSIONS = 10_000


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
        found = self._find(name, session)
        found.settle()
        return Response(204, self._headers(session, found))

    def append(self, request: Request, name: str, session: str) -> Response:
        """PATCH: the whole body, or one piece at the place that Content-Range names."""
        found = self._find(name, session)
        with found.turn(request) as is_next:
            if is_next:
                found.append(request)
        return Response(202 if is_next else 416, self._headers(session, found))

    def finish(self, request: Request, name: str, session: str) -> Response:
        """PUT: the last bytes, or none, and the digest that all of them must have."""
        digest = parse_digest(request.query.get("digest", ""))
        return self._complete(session, self._find(name, session), request, digest)

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
        with session.turn(request) as is_next:
            if not is_next:
                return Response(416, self._headers(key, session))
            session.append(request)
            session.end(request)
        try:
            self._store(session, digest)
        finally:
            self._drop(key, session)
        return _created(session.name, digest)

    def _store(self, session: Session, digest: Digest) -> None:
        found = session.digest(digest.algorithm)
        if found != digest:
            raise StoreError(f"the bytes have {found}", status=400, code="DIGEST_INVALID")
        self._tree.repository(session.name).adopt_blob(session.path, digest)

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
            raise no_session()
        return found

    def _drop(self, key: str, session: Session) -> None:
        with self._lock:
            self._sessions.pop(key, None)
        session.is_ended = True
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
