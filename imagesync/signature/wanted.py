"""What is wanted of an image, and the verdict: a signature or an attestation, of exactly one digest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from imagesync.lazy import dataclass
from imagesync.reference import Digest
from imagesync.signature.document import shown
from imagesync.signature.evidence import SIMPLE_SIGNING, Evidence
from imagesync.signature.glob import matches
from imagesync.signature.identity import SignedAs, parse_signed_name
from imagesync.signature.payload import SimpleSigning
from imagesync.signature.statement import COSIGN_SIGN, IN_TOTO, Statement
from imagesync.signature.trust import Signed, Trust
from imagesync.signature.verdict import Attested, Refusal, Rejected, Verdict, Verified

MAX_REASONS = 5


class Wanted(Protocol):
    """Judges what a trusted signer has signed."""

    @property
    def digest(self) -> Digest:
        """What must be spoken of."""
        ...

    @property
    def missing(self) -> str:
        """The reason where there is no evidence at all."""
        ...

    def check(self, signed: Signed) -> Verified:
        """Raises Refusal where what was signed is not what is wanted."""
        ...


def verify(evidence: Evidence, wanted: Wanted, trust: Trust) -> Verdict:
    """Judge one piece of evidence. Raises nothing, whatever the evidence holds."""
    try:
        return wanted.check(trust.open(evidence))
    except Refusal as refusal:
        return Rejected(refusal.reason)


def decide(verdicts: Iterable[Verdict], wanted: Wanted) -> Verdict:
    """The verdict on all evidence of one digest: one good piece is enough, whatever else lies beside it."""
    found = tuple(verdicts)
    good = next((verdict for verdict in found if isinstance(verdict, Verified)), None)
    if good is not None:
        return good
    reasons = list(dict.fromkeys(verdict.reason for verdict in found if isinstance(verdict, Rejected)))
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"{len(reasons) - MAX_REASONS} reasons more"]
    return Rejected("; ".join(reasons) or wanted.missing)


@dataclass(frozen=True, slots=True)
class WantedSignature:
    """A signature of this digest; with `signed_as`, one that says how the image is called."""

    digest: Digest
    signed_as: SignedAs | None = None

    @property
    def missing(self) -> str:
        return "no signature"

    def check(self, signed: Signed) -> Verified:
        if signed.payload_type == SIMPLE_SIGNING:
            payload = SimpleSigning.parse(signed.payload)
            _check_digest(self.digest, {payload.digest})
            self._check_name(payload.name)
            return Verified(signed.by, payload.name, signed.log_time, signed.is_promised)
        statement = _statement_about(self.digest, signed)
        if statement.predicate_type != COSIGN_SIGN:
            raise Refusal(f"is an attestation of {shown(statement.predicate_type)}, not a signature")
        self._check_name("")
        return Verified(signed.by, "", signed.log_time, signed.is_promised)

    def _check_name(self, signed_name: str) -> None:
        if self.signed_as is None:
            return
        if not signed_name:
            raise Refusal(f"signs the digest and no name, wanted {self.signed_as}")
        name = parse_signed_name(signed_name)
        if name is None or not self.signed_as.accepts(name):
            raise Refusal(f"signed as {shown(signed_name)}, wanted {self.signed_as}")


@dataclass(frozen=True, slots=True)
class WantedAttestation:
    """An attestation of this type about this digest. `builder` and `source` are globs; empty, any will do."""

    digest: Digest
    predicate_type: str
    builder: str = ""
    source: str = ""

    @property
    def missing(self) -> str:
        return f"no attestation of {self.predicate_type}"

    def check(self, signed: Signed) -> Verified:
        if signed.payload_type == SIMPLE_SIGNING:
            raise Refusal(f"is a signature, wanted an attestation of {self.predicate_type}")
        attested = _statement_about(self.digest, signed).attested()
        if attested.predicate_type != self.predicate_type:
            raise Refusal(f"attests {shown(attested.predicate_type)}, wanted {self.predicate_type}")
        self._check_provenance(attested)
        return Verified(signed.by, "", signed.log_time, signed.is_promised, attested)

    def _check_provenance(self, attested: Attested) -> None:
        if self.builder and not matches(self.builder, attested.builder):
            raise Refusal(f"built by {shown(attested.builder)}, wanted {self.builder}")
        if self.source and not matches(self.source.removeprefix("git+"), attested.source):
            raise Refusal(f"built from {shown(attested.source)}, wanted {self.source}")


def _statement_about(digest: Digest, signed: Signed) -> Statement:
    if signed.payload_type != IN_TOTO:
        raise Refusal(f"signs {shown(signed.payload_type)}, no statement of in-toto")
    statement = Statement.parse(signed.payload)
    _check_digest(digest, statement.subjects)
    return statement


def _check_digest(wanted: Digest, spoken_of: Iterable[str]) -> None:
    others = sorted(spoken_of)
    if wanted not in others:
        raise Refusal(f"speaks of another digest: {shown(others[0]) if others else 'of none'}")
