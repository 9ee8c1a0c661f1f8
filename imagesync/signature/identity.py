"""Signed names: what an image must have been called when it was signed, by the rules of containers-policy.json(5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.reference import Reference, Repository, parse_reference


class SignedAs(Protocol):
    """One rule for signed names; printed, it is what is wanted."""

    def accepts(self, name: Reference) -> bool:
        """`name` is what was signed; it has no tag where the signer wrote none."""
        ...


@dataclass(frozen=True, slots=True)
class Exactly:
    """The image's own name with its tag; its digest where it has no tag (`matchExact`)."""

    reference: Reference

    def __str__(self) -> str:
        return str(_by_tag(self.reference))

    def accepts(self, name: Reference) -> bool:
        return name == _by_tag(self.reference)


@dataclass(frozen=True, slots=True)
class InRepository:
    """Any tag of the image's repository (`matchRepository`)."""

    repository: Repository

    def __str__(self) -> str:
        return str(self.repository)

    def accepts(self, name: Reference) -> bool:
        return name.repository == self.repository


@dataclass(frozen=True, slots=True)
class Remapped:
    """The image's name with its tag, where the longest prefix that fits is replaced (`remapIdentity`).

    Unlike there, a name that was signed without a tag is good for every tag of its repository: cosign signs so.
    """

    reference: Reference

    @classmethod
    def of(cls, reference: Reference, prefixes: Mapping[str, str]) -> Remapped:
        """`prefixes` leads from where images are to where they were signed. Raises InvalidReference."""
        name = str(reference.repository)
        fitting = [prefix for prefix in prefixes if f"{name}/".startswith(f"{prefix}/")]
        if not fitting:
            return cls(_by_tag(reference))
        longest = max(fitting, key=len)
        signed = parse_reference(prefixes[longest] + name.removeprefix(longest))
        return cls(Reference(signed.repository, reference.tag))

    def __str__(self) -> str:
        return str(self.reference)

    def accepts(self, name: Reference) -> bool:
        wanted = self.reference
        if name.repository != wanted.repository:
            return False
        return wanted.tag is None or name in (wanted, Reference(wanted.repository))


def parse_signed_name(text: str) -> Reference | None:
    """What a signer wrote, without the tag `latest` that no one wrote; None for what is no name of an image."""
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return None
    last = text.rpartition("/")[2]
    return reference if ":" in last or "@" in last else Reference(reference.repository)


def _by_tag(reference: Reference) -> Reference:
    """Signers name a tag or a digest, not both."""
    return Reference(reference.repository, reference.tag) if reference.tag else reference
