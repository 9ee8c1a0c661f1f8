"""Who is trusted to sign: a key or an identity as a spec names them, and what verifies of what speaks of a digest."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from imagesync.gates.needs import Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass, field
from imagesync.signature import (
    Keyless,
    KeyTrust,
    PublicKey,
    Rejected,
    Signer,
    Trust,
    Verified,
    Wanted,
    decide,
    verify,
)


class Trusted(Protocol):
    """Who may sign. Printed, it is what a verdict calls him."""

    def trust(self) -> Trust:
        """Raises TrustError."""
        ...


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """The owner of a key, whose file is named as the spec has it."""

    file: str
    key: PublicKey

    def __str__(self) -> str:
        return f"the key {self.file}"

    def trust(self) -> Trust:
        return KeyTrust(self.key)


@dataclass(frozen=True, slots=True)
class TrustedIdentity:
    """An identity that an issuer vouches for; the root is sigstore's, as JSON."""

    signer: Signer
    trusted_root: bytes = field(repr=False)

    def __str__(self) -> str:
        return self.signer.identity

    def trust(self) -> Trust:
        return _keyless(self.signer, self.trusted_root)


@lru_cache(maxsize=8)
def _keyless(signer: Signer, trusted_root: bytes) -> Keyless:
    """To read a root takes longer than to verify with it."""
    return Keyless.of(signer, trusted_root)


@dataclass(frozen=True, slots=True)
class Signers:
    """Who is trusted, by name and by what opens what he has signed."""

    by: Trusted
    trust: Trust

    def good(self, wanted: Wanted, pieces: object) -> tuple[Verified, ...] | Finding:
        """What verifies of all that speaks of a digest, or why it is not signed as it has to be."""
        if isinstance(pieces, Unread) or not isinstance(pieces, tuple):
            reason = pieces.reason if isinstance(pieces, Unread) else "it was not read"
            return Finding.blocked(f"what speaks of {wanted.digest.short} cannot be read: {reason}")
        verdicts = [piece if isinstance(piece, Rejected) else verify(piece, wanted, self.trust) for piece in pieces]
        verdict = decide(verdicts, wanted)
        if not isinstance(verdict, Rejected):
            return tuple(one for one in verdicts if isinstance(one, Verified))
        why = "" if verdict.reason == wanted.missing else f": {verdict.reason}"
        hint = f"sign {wanted.digest} where it comes from; `imagesync verify` says what is there"
        return Finding.blocked(f"{wanted.missing} by {self.by}{why}", hint)
