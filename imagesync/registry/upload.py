"""BlobUpload: one blob to one repository in a single attempt. Mount, else POST, and then its bytes in one of two ways.

Distribution spec, end-11, end-4, end-5, end-6; docs/adr/0009. Trying again is the business of who copies the blob:
only that can open the source anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress

from imagesync.behaviour import Mount
from imagesync.errors import (
    AuthenticationError,
    IntegrityError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.lazy import dataclass, replace
from imagesync.manifest import Descriptor
from imagesync.reference import Repository
from imagesync.registry.appending import Appending
from imagesync.registry.body import BlobBody
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.habits import WHOLE_BYTES, Way
from imagesync.registry.session import UploadSession, WayRefused
from imagesync.registry.token import Scope
from imagesync.store import BlobReader, Pushed

_STARTED = frozenset({201, 202})
_MOUNT_REFUSED = frozenset({400, 401, 403, 404, 405})
_ILL = 500
_NO_EMPTY = "the blob is empty, which Amazon ECR answers so (aws/containers-roadmap#1074): build the image without it"
_NO_WHOLE = frozenset({400, 404, 405, 411, 415, 501})
"""What a registry answers that takes no body with its PUT."""


@dataclass(frozen=True, slots=True)
class BlobUpload:
    """`read` opens the bytes from any one on; what it yields is counted here, and hashed by who gave it."""

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
        with closing(BlobBody(self.blob, self.read, self.client.cancellation)) as body:
            self._upload(self.client.uploads.ways(self.blob.size_bytes), answer, body)
        return Pushed.UPLOADED

    def _mount(self, mount_from: Repository) -> Answer | None:
        """Ask for a mount: 201 is one, 202 a session to upload to; None where the registry will not hear of it."""
        pair = (mount_from.path, self.repository.path)
        if self.client.behaviour.mount is Mount.NEVER or pair in self.client.refused_mounts:
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

    def _upload(self, ways: Sequence[Way], started: Answer, body: BlobBody) -> None:
        """Bring the bytes there in the first way, or in the next where the registry does not know that."""
        way, *others = ways
        try:
            self._send(way, started, body)
        except WayRefused as refused:
            if not others:
                raise refused.error from refused
            self._upload(others, self._start(), body)
            self.client.uploads.refused.add(way)

    def _send(self, way: Way, started: Answer, body: BlobBody) -> None:
        session = UploadSession.opened(self.client, self._call("POST", "", "upload blob"), started, self.blob.digest)
        with session.discarded_on_failure():
            if way is Way.WHOLE:
                self._put(session, body)
            else:
                self._patch(session, body)

    def _put(self, session: UploadSession, body: BlobBody) -> None:
        """One PUT with the whole body. A small one is read to its end before, so that the other way needs no source."""
        if body.size_bytes > WHOLE_BYTES:
            with closing(body.part(0, body.size_bytes)) as pieces:
                self._commit(session, pieces)
            return
        data = body.whole()
        try:
            self._commit(session, iter([data]))
        except StoreError as error:
            if error.status in _NO_WHOLE and not isinstance(error, (IntegrityError, LimitError)):
                raise WayRefused(error) from error
            # The body may have been overlooked: the next attempt goes by PATCH.
            if isinstance(error, IntegrityError) or error.status == 500:
                self.client.uploads.refused.add(Way.WHOLE)
            raise

    def _patch(self, session: UploadSession, body: BlobBody) -> None:
        """PATCH, in as many requests as it takes, and the PUT that ends them."""
        appending = Appending(session, body, self.client.uploads)
        appending.run(self.client.cancellation)
        try:
            self._commit(session)
        except (IntegrityError, NotFoundError, ProtocolError, UnsupportedError) as error:
            if not appending.is_resumed:
                raise
            self.client.uploads.resumes = False
            message = f"an upload that was cut and gone on with came out wrong: {error.message}"
            raise session.call.fail(NetworkError, message) from error

    def _commit(self, session: UploadSession, body: Iterator[bytes] | None = None) -> None:
        """PUT the digest. A lost answer is made up for by looking, and so is a 404: a proxy may have sent it twice."""
        try:
            session.commit(body, size_bytes=self.blob.size_bytes)
        except (NetworkError, NotFoundError) as error:
            if self._has_arrived():
                return
            if self.blob.size_bytes == 0 and error.status == _ILL:
                error.hint = _NO_EMPTY
            raise

    def _has_arrived(self) -> bool:
        with suppress(StoreError):
            return self._is_there()
        return False

    def _is_there(self) -> bool:
        call = self._call("HEAD", f"/v2/{self.repository.path}/blobs/{self.blob.digest}", "HEAD blob")
        answer = self.client.send_once(replace(call, accepted=frozenset({200, 404})))
        return answer.status == 200 and answer.headers.get("Content-Length") == str(self.blob.size_bytes)

    def _call(self, method: str, target: str, operation: str) -> Call:
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
