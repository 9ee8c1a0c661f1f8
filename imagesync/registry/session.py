"""UploadSession: one upload that a registry has opened, and the requests that fill, ask for, end and take it back.

Distribution spec, end-5, end-6, end-13, end-14. Every answer may name a new place to go on at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from imagesync.errors import (
    AuthenticationError,
    IntegrityError,
    InvalidReference,
    LimitError,
    ProtocolError,
    StoreError,
)
from imagesync.lazy import dataclass, replace
from imagesync.reference import Digest
from imagesync.registry.body import BlobBody
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.origin import Address, resolve_address
from imagesync.registry.ranges import chunk_length, held_bytes

OUT_OF_ORDER = 416
_PATCHED = frozenset({201, 202, 204})
_COMMITTED = frozenset({201, 204})
_STATUS = frozenset({202, 204})
_CANCELLED = frozenset({200, 202, 204})
_NO_PATCH = frozenset({404, 405, 415})


class WayRefused(Exception):
    """The registry does not take bytes in this way at all; `error` is how it said so."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(error)
        self.error = error


@dataclass(slots=True)
class UploadSession:
    """Where one upload stands. `call` is what its requests have in common."""

    client: RegistryClient
    call: Call
    address: Address
    digest: Digest
    chunk_bytes: int | None
    _range: str = ""

    @classmethod
    def opened(cls, client: RegistryClient, call: Call, answer: Answer, digest: Digest) -> UploadSession:
        """What the answer to a POST began. Raises ProtocolError where it does not say where to go on."""
        if not answer.headers.get("Location"):
            raise call.fail(ProtocolError, "the registry began an upload and did not say where")
        chunk = client.uploads.chunk_bytes
        least = answer.headers.get("OCI-Chunk-Min-Length", "")
        made = cls(client, call, answer.address, digest, chunk and chunk_length(chunk, least))
        made._follow(answer)
        return made

    def append(self, first: int, end: int, body: BlobBody) -> None:
        """PATCH the bytes from `first` up to `end`; a place is named for them unless they are all that there is."""
        is_all = end - first == body.size_bytes
        place = {} if is_all else {"Content-Range": f"{first}-{end - 1}"}
        call = self._to_session("PATCH", "upload blob", _PATCHED | {OUT_OF_ORDER})
        try:
            with self._explained(), closing(body.part(first, end)) as part:
                answer = self.client.send_once(replace(call, headers=_body_headers(end - first) | place), part)
        except StoreError as error:
            if first == 0 and error.status in _NO_PATCH and not body.is_broken:
                raise WayRefused(error) from error
            raise
        self._follow(answer)
        if answer.status == OUT_OF_ORDER:
            raise _out_of_order(call, is_transient=not is_all)

    def held_bytes(self, error: StoreError, *, first: int, sent: int) -> int | None:
        """How many bytes the registry has after a PATCH that failed; None where it does not say so believably.

        A 416 has said it; else the registry is asked.
        """
        if error.status != OUT_OF_ORDER:
            self._range = ""
            with suppress(StoreError):
                self._follow(self.client.send_once(self._to_session("GET", "upload status", _STATUS)))
        return held_bytes(self._range, first=first, sent=sent)

    def commit(self, body: Iterator[bytes] | None = None, *, size_bytes: int = 0) -> None:
        """PUT the digest, which ends the upload, with the whole body where that was not sent before."""
        address = self.address.with_parameter("digest", self.digest)
        call = replace(
            self._to_session("PUT", "commit blob", _COMMITTED),
            target=address,
            headers=_body_headers(size_bytes) if body is not None else {},
            read_seconds=self.client.timeouts.commit_seconds,
        )
        with self._explained():
            self._check_digest(call, self.client.send_once(call, body))

    @contextmanager
    def discarded_on_failure(self) -> Iterator[None]:
        """Take the session back where it is not brought to its end; whether that works matters to nobody."""
        try:
            yield
        except BaseException:
            self.client.discard(self._to_session("DELETE", "cancel upload", _CANCELLED))
            raise

    def _to_session(self, method: str, operation: str, accepted: frozenset[int]) -> Call:
        return replace(self.call, method=method, target=self.address, operation=operation, accepted=accepted)

    def _check_digest(self, call: Call, answer: Answer) -> None:
        with suppress(InvalidReference):
            stored = Digest(answer.headers.get("Docker-Content-Digest", ""))
            if stored.algorithm == self.digest.algorithm and stored != self.digest:
                raise call.fail(IntegrityError, f"the registry stored {stored}")

    def _follow(self, answer: Answer) -> None:
        """Go on where the answer says. Another host gets no login, and only over TLS."""
        self._range = answer.headers.get("Range", "")
        location = answer.headers.get("Location")
        if not location:
            return
        try:
            address = resolve_address(answer.address, location)
        except ProtocolError as error:
            raise self.call.fail(ProtocolError, f"Location: {error.message}") from error
        if address.origin not in (self.client.origin, answer.address.origin) and address.origin.scheme != "https":
            authority = address.origin.authority
            raise self.call.fail(ProtocolError, f"an upload over plain http to {authority} is refused")
        self.address = address

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what to do about a body that is too large, and that a login which ran out is worth another attempt."""
        try:
            yield
        except AuthenticationError as error:
            error.is_transient = error.status == 401  # it has been renewed meanwhile
            raise
        except LimitError as error:
            if error.status == 413:
                error.hint = self._body_limit_hint()
            raise

    def _body_limit_hint(self) -> str:
        if self.chunk_bytes is None:
            return (
                "raise the body limit of the proxy in front of the registry, or set `chunk_size:` below it "
                f"for {self.client.host} under `registries:`"
            )
        return f"a proxy in front of the registry takes less at once: make `chunk_size:` of {self.client.host} smaller"


def _body_headers(size_bytes: int) -> dict[str, str]:
    return {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}


def _out_of_order(call: Call, *, is_transient: bool) -> ProtocolError:
    """A chunk may be out of order because something went wrong before; all that there is cannot be."""
    hint = "where `chunk_size:` is set: some registries take small chunks only, or none"
    error = call.fail(ProtocolError, "the registry says that these bytes are not the next ones", hint=hint)
    error.status, error.is_transient = OUT_OF_ORDER, is_transient
    return error
