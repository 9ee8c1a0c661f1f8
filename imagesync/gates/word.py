"""Words: what a file says in which somebody approves of an image; as it is, or signed, in an envelope or a bundle.

What is signed is read as what is not: whose signature that has to be, the gate knows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime

from imagesync.gates.age import parse_time
from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, Repository
from imagesync.signature import Evidence, Form, Trust
from imagesync.signature.document import read_object, shown, text_at
from imagesync.signature.envelope import Envelope
from imagesync.signature.evidence import SIGSTORE_BUNDLE
from imagesync.signature.statement import IN_TOTO, Statement
from imagesync.signature.verdict import Refusal

SIGNED_TYPE = "application/vnd.imagesync.approval.v1+json"
"""Of the payload that `imagesync approve` signs with a key."""
PREDICATE_TYPE = "https://github.com/imagesync/imagesync/approval/v1"
"""Of the statement about an image that others sign, such as `cosign attest-blob`; the predicate is the word."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one file says, or what is wrong with it. `destination` is a repository, empty for any."""

    name: str
    digest: str = ""
    by: str = ""
    at: datetime | None = None
    destination: str = ""
    signed: _Signed | None = None
    mistake: str = ""

    @classmethod
    def parse(cls, path: str, raw: bytes) -> Word:
        name = path.rpartition("/")[2]
        try:
            document, signed = _opened(raw.removeprefix(b"\xef\xbb\xbf"))
        except Refusal as refusal:
            return cls(name, mistake=str(refusal))
        digest, by, destination = (text_at(document, key) for key in ("digest", "by", "destination"))
        return cls(name, digest, by, parse_time(document.get("at")), destination, signed)

    def doubt(self, trust: Trust) -> str | None:
        """Why this was not signed by whom is trusted; None where it was."""
        return "not signed" if self.signed is None else self.signed.doubt(trust)


@dataclass(frozen=True, slots=True)
class _Signed:
    """How a word is signed, and what was read of it before anything was verified."""

    evidence: Evidence
    envelope: Envelope = field(repr=False)

    def doubt(self, trust: Trust) -> str | None:
        try:
            signed = trust.open(self.evidence)
        except Refusal as refusal:
            return refusal.reason
        is_as_read = (signed.payload_type, signed.payload) == (self.envelope.payload_type, self.envelope.payload)
        return None if is_as_read else "another text is signed than the one that is read"

    def document(self) -> dict[str, object]:
        """The word. Raises Refusal."""
        if self.envelope.payload_type == SIGNED_TYPE:
            return read_object(self.envelope.payload, "what is signed")
        if self.envelope.payload_type != IN_TOTO:
            raise Refusal(f"it is an envelope of {shown(self.envelope.payload_type)}, not an approval")
        statement = Statement.parse(self.envelope.payload)
        if statement.predicate_type != PREDICATE_TYPE or not isinstance(statement.predicate, dict):
            raise Refusal(f"it attests {shown(statement.predicate_type)}, not an approval")
        if text_at(statement.predicate, "digest") not in statement.subjects:
            raise Refusal("it is a statement about another digest than the one that it approves of")
        return statement.predicate


@dataclass(frozen=True, slots=True)
class Yes:
    """What somebody approves of: this digest, at this destination, from this moment on."""

    digest: Digest
    destination: Repository
    by: str
    at: datetime

    def to_text(self) -> str:
        """The text of the file."""
        at = f"{self.at:%Y-%m-%dT%H:%M:%SZ}"
        document = {"digest": self.digest, "destination": str(self.destination), "by": self.by, "at": at}
        return json.dumps(document, indent=2) + "\n"

    def to_signed_text(self, sign: Callable[[bytes], bytes]) -> str:
        """The same in an envelope."""
        payload = self.to_text().encode()
        signature = sign(Envelope(SIGNED_TYPE, payload, ()).signed_bytes)
        document = {
            "payloadType": SIGNED_TYPE,
            "payload": base64.b64encode(payload).decode("ascii"),
            "signatures": [{"sig": base64.b64encode(signature).decode("ascii")}],
        }
        return json.dumps(document, indent=2) + "\n"


def _opened(raw: bytes) -> tuple[dict[str, object], _Signed | None]:
    document = read_object(raw, "it")
    if text_at(document, "mediaType").startswith(SIGSTORE_BUNDLE):
        signed = _Signed(Evidence(Form.BUNDLE, raw), Envelope.from_bundle(raw))
    elif "payloadType" in document:
        signed = _Signed(Evidence(Form.ENVELOPE, raw), Envelope.from_dict(document))
    else:
        return document, None
    return signed.document(), signed
