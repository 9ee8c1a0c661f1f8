"""RemoteRepository: one repository on a registry, one method for each endpoint of the distribution spec.

Implements store.Readable and store.Writable. Uploads live in upload, paging in listing, the wire in client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from imagesync.behaviour import Deletes, Referrers, Repush
from imagesync.errors import (
    ImmutableError,
    IntegrityError,
    InvalidManifest,
    InvalidReference,
    LimitError,
    NetworkError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.lazy import replace
from imagesync.manifest import (
    ACCEPT,
    INDEX_TYPES,
    MANIFEST_TYPES,
    MAX_MANIFEST_BYTES,
    SCHEMA_1_TYPES,
    Content,
    Descriptor,
    digest_of,
    parse_manifest,
)
from imagesync.reference import Digest, Reference, Repository, Tag, TagList
from imagesync.registry.allowance import USUAL_MANIFEST_BYTES, bytes_of_manifest
from imagesync.registry.answers import is_page
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.listing import list_tags
from imagesync.registry.referrers import list_referrers
from imagesync.registry.token import Scope
from imagesync.store import BlobReader, Pushed, without_first

DIGEST_HEADER = "Docker-Content-Digest"
SUBJECT_HEADER = "OCI-Subject"
_LET_DELETE = "let the registry delete (docker-registry: REGISTRY_STORAGE_DELETE_ENABLED=true), or leave `prune` out"
_LET_OTHERS_DELETE = (
    "delete at the registry's own page, or leave `prune` out; `behaviour: {deletes: auto}` tries all the same"
)
_LET_LARGER = "build an image with fewer entries, or set `behaviour: {manifest_size: …}` if the registry takes more"
_SCHEMA_1 = "schema 1"
_PAGE = "answered with an HTML page, as from a proxy or a login form"
_NO_REGISTRY = "`imagesync doctor --registry HOST` says what stands at this address"


class RemoteRepository:
    """One repository, through its registry's client."""

    def __init__(self, repository: Repository, client: RegistryClient) -> None:
        self.repository = repository
        self._client = client

    def resolve(self, target: Tag | Digest) -> Descriptor:
        """HEAD a manifest (end-3); a registry that does not say enough in its headers is asked by GET."""
        call = self._manifest_call("HEAD", target, accepted=frozenset({200, 405}))
        answer = self._client.send(call)
        found = _described(call, answer, target) if answer.status == 200 else None
        return found or self.fetch_manifest(target).descriptor

    def fetch_manifest(self, target: Tag | Digest) -> Content:
        """GET a manifest (end-3): at most 4 MiB, its bytes hashed, a digest asked for is the digest that comes."""
        call = self._manifest_call("GET", target, max_bytes=MAX_MANIFEST_BYTES)
        self._client.allowance.ask(USUAL_MANIFEST_BYTES)
        return self._client.read(call, partial(self._kept, call, target))

    def _kept(self, call: Call, target: Tag | Digest, answer: Answer) -> Content:
        content = _content(call, target, answer)
        self._client.allowance.take(call, bytes_of_manifest(content))
        return content

    def has_blob(self, blob: Descriptor) -> bool:
        """HEAD a blob (end-2). A 200 with another length than the blob's counts as absent: it is not that blob."""
        answer = self._client.send(self._blob_call("HEAD", blob.digest, accepted=frozenset({200, 404})))
        return answer.status == 200 and answer.headers.get("Content-Length") == str(blob.size_bytes)

    def blob_size(self, digest: Digest) -> int | None:
        """HEAD a blob (end-2). Raises ProtocolError where it is there and its size is not said."""
        call = self._blob_call("HEAD", digest, accepted=frozenset({200, 404}))
        answer = self._client.send(call)
        length = answer.headers.get("Content-Length", "")
        if answer.status == 404:
            return None
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise call.fail(ProtocolError, "the registry does not say how large the blob is")
        return int(length)

    @contextmanager
    def fetch_blob(self, blob: Descriptor, *, from_byte: int = 0) -> Iterator[Iterator[bytes]]:
        """GET a blob (end-2), in a single try: who copies blobs starts again from here, with a fresh address.

        `from_byte` is asked for with Range; a registry that sends the whole blob all the same is listened to from
        there. Raises ProtocolError for another range than the one that was asked for.
        """
        if 0 < from_byte == blob.size_bytes:  # nothing is left, and no range can say so
            yield iter(())
            return
        call = self._blob_call("GET", blob.digest)
        if from_byte:
            call = replace(call, headers={"Range": f"bytes={from_byte}-"}, accepted=frozenset({200, 206}))
        with self._client.stream(call) as streamed:
            if streamed.status == 206 and not _begins_at(streamed.headers.get("Content-Range", ""), from_byte):
                raise call.fail(ProtocolError, f"asked for the bytes from {from_byte}, got another range")
            yield streamed.pieces if streamed.status == 206 else without_first(streamed.pieces, from_byte)

    def push_blob(self, blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        """Store one blob in a single attempt: mount, else POST, PATCH, PUT (end-11, end-4, end-5, end-6)."""
        from imagesync.registry.upload import BlobUpload  # noqa: PLC0415 - a plan pushes nothing

        is_mountable = mount_from is not None and mount_from.registry == self.repository.registry
        return BlobUpload(self._client, self.repository, blob, read).run(
            mount_from if is_mountable and mount_from != self.repository else None
        )

    def push_manifest(self, content: Content, tag: Tag | None = None) -> None:
        """PUT the exact bytes (end-7). Where the answer is lost, or a tag that is fixed refuses to be written
        twice, a HEAD tells whether they are there."""
        self._put(content, tag or content.digest)

    def push_referrer(self, content: Content, subject: Digest) -> bool:
        """PUT the exact bytes by their digest (end-7); whether the answer names their subject, as that of a registry
        that lists them does. Where the answer is lost its list tells; one that nobody is to ask for is none."""
        answer = self._put(content, content.digest)
        if answer is None or self._client.behaviour.referrers is Referrers.TAG:
            return self.list_referrers(subject) is not None
        return answer.headers.get(SUBJECT_HEADER) == subject

    def _put(self, content: Content, target: Tag | Digest) -> Answer | None:
        """PUT a manifest; None where it is there, and the answer is not known."""
        if self._is_kept(target, content):
            return None
        headers = {"Content-Type": content.media_type}
        call = self._manifest_call(
            "PUT", target, accepted=frozenset({201}), headers=headers, content=content.raw, push=True
        )
        try:
            answer = self._client.send(call)
        except (NetworkError, ImmutableError):
            if self._points_to(target, content.digest):
                return None
            raise
        stored = _header_digest(call, answer)
        if stored is not None and stored != digest_of(content.raw, stored.algorithm):
            raise call.fail(IntegrityError, f"the registry stored {stored}, not {content.digest}")
        return answer

    def delete_tag(self, tag: Tag) -> None:
        """DELETE a tag (end-9). Registries without it answer 400 or 405."""
        self._check_deletable(tag, Deletes.TAG)
        call = self._deletion(tag, frozenset({200, 202, 204, 400}))
        answer = self._client.send(call)
        if answer.status == 400:
            raise call.fail(UnsupportedError, "the registry deletes no tag by its name")

    def delete_manifest(self, digest: Digest) -> None:
        """DELETE a manifest by its digest, and every tag on it with it (end-9)."""
        self._check_deletable(digest, Deletes.DIGEST)
        try:
            self._client.send(self._deletion(digest, frozenset({200, 202, 204})))
        except UnsupportedError as error:
            error.hint = _LET_DELETE
            raise

    def list_tags(self) -> TagList:
        """All legal tags, sorted (end-8a)."""
        return list_tags(self._client, self.repository)

    def list_referrers(self, digest: Digest) -> tuple[Descriptor, ...] | None:
        """What the registry lists as speaking of a digest (end-12a); None where it makes no such list."""
        return list_referrers(self._client, self.repository, digest)

    def _is_kept(self, target: Tag | Digest, content: Content) -> bool:
        """Whether nothing has to be written: an immutable tag with this digest may be refused a second time. Raises
        LimitError for what the registry is known not to take."""
        most = self._client.behaviour.manifest_bytes
        if len(content.raw) > most:
            message = f"the manifest has {len(content.raw)} bytes, and {self._client.host} takes {most}"
            raise self._manifest_call("PUT", target).fail(LimitError, message, hint=_LET_LARGER)
        is_read = isinstance(target, Tag) and self._client.behaviour.repush is Repush.REFUSED
        return is_read and self._points_to(target, content.digest)

    def _check_deletable(self, target: Tag | Digest, how: Deletes) -> None:
        """Raise UnsupportedError for what the registry is known not to do."""
        own = self._client.behaviour.deletes
        if own in (Deletes.AUTO, how):
            return
        known = "nothing" if own is Deletes.NEVER else f"by {own.value} alone"
        message = f"by its API {self._client.host} deletes {known}"
        raise self._manifest_call("DELETE", target).fail(UnsupportedError, message, hint=_LET_OTHERS_DELETE)

    def _deletion(self, target: Tag | Digest, accepted: frozenset[int]) -> Call:
        call = self._manifest_call("DELETE", target, accepted=accepted, push=True)
        return replace(call, scopes=(Scope(self.repository.path, ("delete",)),))

    def _points_to(self, target: Tag | Digest, digest: Digest) -> bool:
        try:
            return self.resolve(target).digest == digest
        except StoreError:
            return False

    def _manifest_call(
        self,
        method: str,
        target: Tag | Digest,
        *,
        accepted: frozenset[int] = frozenset({200}),
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        max_bytes: int = 64 * 1024,
        push: bool = False,
    ) -> Call:
        reference = (
            Reference(self.repository, digest=target)
            if isinstance(target, Digest)
            else Reference(self.repository, target)
        )
        return Call(
            method=method,
            target=f"/v2/{self.repository.path}/manifests/{target}",
            operation=f"{method} manifest",
            reference=str(reference),
            scopes=(Scope(self.repository.path, ("pull", "push") if push else ("pull",)),),
            push=push,
            headers={"Accept": ACCEPT, **(headers or {})},
            content=content,
            accepted=accepted,
            max_bytes=max_bytes,
        )

    def _blob_call(self, method: str, digest: Digest, *, accepted: frozenset[int] = frozenset({200})) -> Call:
        return Call(
            method=method,
            target=f"/v2/{self.repository.path}/blobs/{digest}",
            operation=f"{method} blob",
            reference=f"{self.repository}@{digest}",
            scopes=(Scope(self.repository.path, ("pull",)),),
            accepted=accepted,
        )


def _content(call: Call, target: Tag | Digest, answer: Answer) -> Content:
    asked = target if isinstance(target, Digest) else None
    for expected in (asked, _header_digest(call, answer)):
        if expected is not None and (actual := digest_of(answer.body, expected.algorithm)) != expected:
            raise call.fail(IntegrityError, f"the manifest hashes to {actual}, not to {expected}")
    try:
        return parse_manifest(answer.body, answer.headers.get("Content-Type", ""), asked)
    except InvalidManifest as error:
        if is_page(answer.headers.get("Content-Type", "")):
            raise call.fail(ProtocolError, _PAGE, hint=_NO_REGISTRY) from error
        own = UnsupportedError if _SCHEMA_1 in error.message else ProtocolError
        raise call.fail(own, error.message, hint=error.hint) from error


def _begins_at(content_range: str, first: int) -> bool:
    """Whether a Content-Range (RFC 9110, 14.4) begins at this byte."""
    match = re.match(r"bytes ([0-9]{1,19})-", content_range)
    return match is not None and int(match[1]) == first


def _described(call: Call, answer: Answer, target: Tag | Digest) -> Descriptor | None:
    """What the headers of a HEAD say, or None where they do not say enough."""
    digest = _header_digest(call, answer)
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    length = answer.headers.get("Content-Length", "")
    if media_type in SCHEMA_1_TYPES:
        raise call.fail(UnsupportedError, "image is in Docker's schema 1", hint="rebuild or re-push it")
    if digest is None or media_type not in MANIFEST_TYPES | INDEX_TYPES or not length.isdecimal() or len(length) > 15:
        return None
    if isinstance(target, Digest):
        if target.algorithm == digest.algorithm and target != digest:
            raise call.fail(IntegrityError, f"the registry answered with {digest}, asked for {target}")
        digest = target
    return Descriptor(media_type, digest, int(length))


def _header_digest(call: Call, answer: Answer) -> Digest | None:
    text = answer.headers.get(DIGEST_HEADER)
    if not text:
        return None
    try:
        return Digest(text)
    except InvalidReference as error:
        raise call.fail(ProtocolError, f"{DIGEST_HEADER}: {error.message}") from error
