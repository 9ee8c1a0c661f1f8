"""Words: what a file says in which somebody approves of an image; as it is, or signed, in a DSSE envelope.

What is signed is read as what is not: whose key that has to be, the gate knows.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from imagesync.gates.age import parse_time
from imagesync.reference import Digest, Repository
from imagesync.signature.document import read_object, shown, text_at
from imagesync.signature.envelope import Envelope
from imagesync.signature.key import PublicKey
from imagesync.signature.verdict import Refusal

SIGNED_TYPE = "application/vnd.imagesync.approval.v1+json"


@dataclass(frozen=True, slots=True)
class Word:
    """What one file says, or what is wrong with it. `destination` is a repository, empty for any."""

    name: str
    digest: str = ""
    by: str = ""
    at: datetime | None = None
    destination: str = ""
    envelope: Envelope | None = None
    mistake: str = ""

    @classmethod
    def parse(cls, path: str, raw: bytes) -> Word:
        name = path.rpartition("/")[2]
        try:
            document, envelope = _opened(raw)
        except Refusal as refusal:
            return cls(name, mistake=str(refusal))
        digest, by, destination = (text_at(document, key) for key in ("digest", "by", "destination"))
        return cls(name, digest, by, parse_time(document.get("at")), destination, envelope)

    def is_signed_by(self, key: PublicKey) -> bool:
        if self.envelope is None:
            return False
        signed = self.envelope.signed_bytes
        return any(key.has_signed(signed, signature) for signature in self.envelope.signatures)


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


def _opened(raw: bytes) -> tuple[dict[str, object], Envelope | None]:
    document = read_object(raw.removeprefix(b"\xef\xbb\xbf"), "it")
    if "payloadType" not in document:
        return document, None
    envelope = Envelope.from_dict(document)
    if envelope.payload_type != SIGNED_TYPE:
        raise Refusal(f"it is an envelope of {shown(envelope.payload_type)}, not an approval")
    return read_object(envelope.payload, "what is signed"), envelope
