"""BlobUpload: one blob to one repository in a single attempt. Mount, else POST, PATCH with the whole body, PUT.

Distribution spec, end-11, end-4, end-5, end-6. A registry without PATCH gets the body with its PUT. Trying again
is the business of who copies the blob: only that can open the source anew.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace

from imagesync.errors import (
    AuthenticationError,
    IntegrityError,
    InvalidReference,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
)
from imagesync.manifest import Descriptor
from imagesync.reference import Digest, Repository
from imagesync.registry.client import Answer, Call, RegistryClient
from imagesync.registry.origin import Address, resolve_address
from imagesync.registry.token import Scope
from imagesync.store import BlobReader, Pushed

_STARTED = frozenset({201, 202})
_MOUNT_REFUSED = frozenset({400, 401, 403, 404, 405})
_PATCHED = frozenset({201, 202, 204})
_NO_PATCH = frozenset({404, 405, 415})
_COMMITTED = frozenset({201, 204})


@dataclass(frozen=True, slots=True)
class BlobUpload:
    """`read` opens the bytes from the start; what it yields is counted here, and hashed by who gave it."""

    client: RegistryClient
    repository: Repository
    blob: Descriptor
    read: BlobReader

    def run(self, mount_from: Repository | None) -> Pushed:
        """Bring the blob there, and say how it came. Raises StoreError or Cancelled."""
        answer = self._mount(mount_from) if mount_from is not None else None
        if answer is not None and answer.status == 201:
            return Pushed.MOUNTED
        answer = answer or self._start()
        if answer.status == 201 and self._is_there():
            return Pushed.PRESENT
        self._upload(self._session(answer))
        return Pushed.UPLOADED

    def _mount(self, mount_from: Repository) -> Answer | None:
        """Ask for a mount: 201 is one, 202 a session to upload to; None where the registry will not hear of it."""
        pair = (mount_from.path, self.repository.path)
        if pair in self.client.refused_mounts:
            return None
        call = self._call("POST", f"{self._uploads}?mount={self.blob.digest}&from={mount_from.path}", "mount blob")
        scopes = (*call.scopes, Scope(mount_from.path, ("pull",)))
        with suppress(AuthenticationError):  # a token for both may be refused where one for this alone is not
            answer = self.client.send_once(replace(call, scopes=scopes, accepted=_STARTED | _MOUNT_REFUSED))
            if answer.status in _STARTED:
                return answer
        self.client.refused_mounts.add(pair)
        return None

    def _start(self) -> Answer:
        """POST for a session. A 201 says that the blob is there, of which nothing was sent yet."""
        return self.client.send_once(replace(self._call("POST", self._uploads, "start upload"), accepted=_STARTED))

    def _upload(self, session: Address) -> None:
        if not self.client.uploads_whole:
            with self._discarded_on_failure(session):
                answer = self._patch(session)
                if answer.status in _PATCHED:
                    self._commit(self._session(answer, session))
                    return
            self._discard(session)
            session = self._session(self._start())
        with self._discarded_on_failure(session), closing(self._body()) as body:
            self._commit(session, body)
        self.client.uploads_whole = True

    def _patch(self, session: Address) -> Answer:
        call = self._call("PATCH", session, "upload blob")
        headers = self._body_headers()
        with closing(self._body()) as body, _login_may_have_run_out():
            return self.client.send_once(replace(call, headers=headers, accepted=_PATCHED | _NO_PATCH), body)

    def _commit(self, session: Address, body: Iterator[bytes] | None = None) -> None:
        """PUT the digest, with the body where there is no PATCH. A lost answer is made up for by looking."""
        call = replace(
            self._call("PUT", session.with_parameter("digest", self.blob.digest), "commit blob"),
            headers=self._body_headers() if body is not None else {},
            accepted=_COMMITTED,
            read_seconds=self.client.timeouts.commit_seconds,
        )
        try:
            with _login_may_have_run_out():
                answer = self.client.send_once(call, body)
        except (NetworkError, NotFoundError):  # a proxy that sent it twice is told of a session that is no more
            if self._has_arrived():
                return
            raise
        self._check_digest(call, answer)

    def _has_arrived(self) -> bool:
        with suppress(StoreError):
            return self._is_there()
        return False

    def _is_there(self) -> bool:
        call = self._call("HEAD", f"/v2/{self.repository.path}/blobs/{self.blob.digest}", "HEAD blob")
        answer = self.client.send_once(replace(call, accepted=frozenset({200, 404})))
        return answer.status == 200 and answer.headers.get("Content-Length") == str(self.blob.size_bytes)

    def _check_digest(self, call: Call, answer: Answer) -> None:
        with suppress(InvalidReference):
            stored = Digest(answer.headers.get("Docker-Content-Digest", ""))
            if stored.algorithm == self.blob.digest.algorithm and stored != self.blob.digest:
                raise call.fail(IntegrityError, f"the registry stored {stored}")

    def _body(self) -> Generator[bytes, None, None]:
        """The blob's bytes, counted: a registry is never sent more or less than it was told."""
        sent = 0
        with self.read() as pieces:
            for piece in pieces:
                self.client.cancellation.check()
                sent += len(piece)
                if sent > self.blob.size_bytes:
                    break
                yield piece
        if sent != self.blob.size_bytes:
            raise self._call("GET", "", "read blob").fail(
                IntegrityError, f"{sent} bytes or more came where {self.blob.size_bytes} were announced"
            )

    def _body_headers(self) -> dict[str, str]:
        return {"Content-Type": "application/octet-stream", "Content-Length": str(self.blob.size_bytes)}

    def _session(self, answer: Answer, current: Address | None = None) -> Address:
        """Where to go on: every answer names it anew. Another host gets no login, and only over TLS."""
        location = answer.headers.get("Location")
        call = self._call("POST", "", "upload blob")
        if not location:
            if current is not None:
                return current
            raise call.fail(ProtocolError, "the registry began an upload and did not say where")
        try:
            session = resolve_address(answer.address, location)
        except ProtocolError as error:
            raise call.fail(ProtocolError, f"Location: {error.message}") from error
        if session.origin not in (self.client.origin, answer.address.origin) and session.origin.scheme != "https":
            raise call.fail(ProtocolError, f"an upload over plain http to {session.origin.authority} is refused")
        return session

    @contextmanager
    def _discarded_on_failure(self, session: Address) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._discard(session)
            raise

    def _discard(self, session: Address) -> None:
        self.client.discard(
            replace(self._call("DELETE", session, "cancel upload"), accepted=frozenset({204, 202, 200}))
        )

    def _call(self, method: str, target: str | Address, operation: str) -> Call:
        return Call(
            method=method,
            target=target,
            operation=operation,
            reference=f"{self.repository}@{self.blob.digest}",
            scopes=(Scope(self.repository.path, ("pull", "push")),),
            push=True,
        )

    @property
    def _uploads(self) -> str:
        return f"/v2/{self.repository.path}/blobs/uploads/"


@contextmanager
def _login_may_have_run_out() -> Iterator[None]:
    """A 401 in the middle of an upload: the login has been renewed, and the next attempt goes with that."""
    try:
        yield
    except AuthenticationError as error:
        error.is_transient = error.status == 401
        raise
