"""Verdicts: what a piece of evidence proves, or why it proves nothing. A rejection is a value with a reason."""

from __future__ import annotations

from datetime import datetime

from imagesync.lazy import dataclass, field


@dataclass(frozen=True, slots=True)
class Attested:
    """What a verified attestation says; `builder` and `source` are empty where its predicate names none."""

    predicate_type: str
    builder: str = ""
    source: str = ""
    predicate: object = field(default=None, repr=False, compare=False)
    """All of it, as JSON."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Good: the trusted signer says this of exactly the digest that was asked about."""

    by: str
    """Who signed: `key sha256:…`, or an identity and its issuer."""
    signed_identity: str = ""
    """The name that was signed for, as it was written; empty where the digest alone is signed."""
    log_time: datetime | None = None
    """When the transparency log or a timestamp authority saw it, verified; None where neither was asked."""
    is_promised: bool = False
    """Whether the log's promise to take it in is all that there is of the log, as with cosign's old form."""
    attested: Attested | None = None
    """None for a plain signature."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Proves nothing: `reason` says why, in words that lead to what would be accepted."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeftUnread(Rejected):
    """Was not read, since there is too much of it: it may say anything."""


Verdict = Verified | Rejected


class Refusal(Exception):
    """What ends the look into one piece of evidence. `verify` makes it a Rejected; who opens documents himself
    catches it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
