"""Seals: who signs the records of a promotion, and which of them count. Without a key all do."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from imagesync.errors import TrustError
from imagesync.spec.stages import Promotion, RecordSigning


class Seal(Protocol):
    """What is put under the text of a record, and what it is looked at by."""

    is_signed: bool

    def sign(self, text: str) -> str:
        """Raises TrustError, and UsageError where the key is not there."""
        ...

    def proves(self, text: str, signature: str) -> bool:
        """Whether a record with this text counts."""
        ...


class NoSeal:
    """For promotions whose records are not signed."""

    is_signed = False

    def sign(self, text: str) -> str:  # noqa: ARG002 - as for a key
        return ""

    def proves(self, text: str, signature: str) -> bool:  # noqa: ARG002 - as for a key
        return True


class KeySeal:
    """A key that signs, whose private half is read when something is signed, and not before."""

    is_signed = True

    def __init__(self, signing: RecordSigning) -> None:
        self._signing = signing

    def sign(self, text: str) -> str:
        from imagesync.signature.signing import PrivateKey  # noqa: PLC0415 - for runs that sign alone

        key = PrivateKey.parse(self._signing.key.reveal(), self._signing.password.reveal)
        if key.public != self._signing.public:
            message = f"the key of {self._signing.key.origin} is not the private half of {self._signing.name}"
            raise TrustError(message, hint="records that it signs would not count: give the two of one pair")
        return base64.b64encode(key.sign(text.encode())).decode("ascii")

    def proves(self, text: str, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        return self._signing.public.has_signed(text.encode("utf-8", "surrogatepass"), raw)


def seal_of(promotion: Promotion) -> Seal:
    """What a promotion's records are signed with."""
    return KeySeal(promotion.signing) if promotion.signing is not None else NoSeal()
