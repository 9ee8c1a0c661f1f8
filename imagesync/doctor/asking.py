"""Asking: one right in one repository, with one request that changes nothing; and a token's own word for the rest.

To read, a HEAD of a manifest, which Docker Hub does not count. To write, a tag list with a token to write: what the
token allows is read from it. Only `ProbingUploads` begins an upload, and takes it back.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from imagesync.behaviour import Deletes, creation_advice
from imagesync.doctor.facts import Tried
from imagesync.doctor.subjects import Right, Want
from imagesync.errors import AuthenticationError, ImagesyncError, NotFoundError, StoreError, UnsupportedError
from imagesync.lazy import dataclass, replace
from imagesync.manifest import ACCEPT
from imagesync.registry import Registries
from imagesync.registry.call import Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.origin import resolve_address
from imagesync.registry.pull_rate import parse_pull_rate
from imagesync.registry.token import Scope

_ABSENT = 404
_THERE_OR_NOT = frozenset({200, _ABSENT})
_HEAD_ANSWERS = _THERE_OR_NOT | {405}
"""Some registries know no HEAD: who may not read is told otherwise."""
_MAX_LIST_BYTES = 4 * 1024 * 1024
_ACTIONS = {Right.ENTER: (), Right.PULL: ("pull",), Right.PUSH: ("pull", "push"), Right.DELETE: ("delete",)}


class Asking(Protocol):
    """How a right is tried."""

    def tried(self, want: Want) -> Tried:
        """What came of it. Raises Cancelled alone."""
        ...


@dataclass(frozen=True, slots=True)
class Harmless:
    """Tries rights without a write."""

    registries: Registries

    def tried(self, want: Want) -> Tried:
        client, call = self.registries.client(want.repository.registry), _call(want)
        try:
            tried = self._asked(client, call, want)
        except StoreError as error:
            tried = Tried(want, error=error, granted=_granted_all_the_same(client, call, error))
        with suppress(StoreError):
            return replace(tried, use=client.authorizer.describe(call.scopes, call.push))
        return tried

    def _asked(self, client: RegistryClient, call: Call, want: Want) -> Tried:
        if want.right is Right.DELETE:  # to ask the registry would be to do it: the token says what there is to know
            _check_deletes(client, call)
            return Tried(want, granted=client.authorizer.granted(call.scopes, push=True))
        answer = client.send(call)
        if want.right is Right.PUSH:
            granted = client.authorizer.granted(call.scopes, push=True)
            return Tried(want, answer.status, granted=granted, creation=self._creation(client, answer, want))
        if want.right is Right.PULL and answer.status == _ABSENT:
            _list(client, want)
        return Tried(want, answer.status, rate=parse_pull_rate(answer.headers))

    def _creation(self, client: RegistryClient, answer: Answer, want: Want) -> str | None:
        """What somebody has to do first, where a repository is not there that neither a push nor a run makes."""
        if answer.status != _ABSENT or self.registries.creates(want.repository):
            return None
        return creation_advice(client.kind, client.behaviour.creation, client.host, want.repository.path)


@dataclass(frozen=True, slots=True)
class ProbingUploads:
    """Begins an upload wherever one is wanted, and takes it back: some registries keep an empty repository of that."""

    registries: Registries
    harmless: Harmless

    def tried(self, want: Want) -> Tried:
        tried = self.harmless.tried(want)
        if want.right is not Right.PUSH or not _is_let_in(tried.error):
            return tried
        client = self.registries.client(want.repository.registry)
        try:
            _begin_and_cancel(client, want)
        except StoreError as error:
            is_to_come = isinstance(error, NotFoundError) and self.registries.creates(want.repository)
            return tried if is_to_come else replace(tried, error=error, is_proven=True)
        return replace(tried, error=None, is_proven=True)


def _begin_and_cancel(client: RegistryClient, want: Want) -> None:
    call = replace(
        _call(want),
        method="POST",
        target=f"/v2/{want.repository.path}/blobs/uploads/",
        operation="start upload",
        accepted=frozenset({202}),
    )
    answer: Answer = client.send_once(call)
    location = answer.headers.get("Location")
    if location:
        begun = resolve_address(answer.address, location)
        client.discard(replace(call, method="DELETE", target=begun, operation="cancel upload"))


def _check_deletes(client: RegistryClient, call: Call) -> None:
    """Raise UnsupportedError for a registry of which the table says that its API deletes nothing."""
    if client.behaviour.deletes is Deletes.NEVER:
        hint = "delete there by hand, or leave `prune` out of what goes there"
        raise call.fail(UnsupportedError, f"by its API {client.host} deletes nothing", hint=hint)


def _is_let_in(error: ImagesyncError | None) -> bool:
    """Whether the login was good, be it that this one thing was refused."""
    return error is None or (isinstance(error, AuthenticationError) and error.is_refusal)


def _granted_all_the_same(client: RegistryClient, call: Call, error: StoreError) -> frozenset[str] | None:
    """What a token allows that the registry refused nevertheless; None where none was given."""
    with suppress(StoreError):
        return client.authorizer.granted(call.scopes, push=True) if _is_let_in(error) and call.push else None
    return None


def _call(want: Want) -> Call:
    path = want.repository.path
    is_write = want.right in (Right.PUSH, Right.DELETE)
    call = Call(
        method="GET",
        target=f"/v2/{path}/tags/list?n=1",
        operation="list tags",
        reference=str(want.repository),
        scopes=(Scope(path, _ACTIONS[want.right]),),
        push=is_write,
        accepted=_THERE_OR_NOT,
        max_bytes=_MAX_LIST_BYTES,
    )
    if want.right is Right.ENTER:
        host = want.repository.registry
        return replace(call, target="/v2/", operation="log in", reference=host, scopes=(), accepted=frozenset({200}))
    if want.right is Right.PULL:
        target, headers = f"/v2/{path}/manifests/{want.target}", {"Accept": ACCEPT}
        asked = replace(call, method="HEAD", target=target, operation="HEAD manifest", headers=headers)
        return replace(asked, accepted=_HEAD_ANSWERS)
    return call


def _list(client: RegistryClient, want: Want) -> None:
    """Tell a repository that is not there from a tag that is not. Raises NotFoundError."""
    listing = _call(replace(want, right=Right.PUSH))
    client.send(replace(listing, scopes=_call(want).scopes, push=False, accepted=frozenset({200})))
