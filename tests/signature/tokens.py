"""An OpenID issuer of the tests' own, which signs identity tokens as GitHub does."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.signature.signers import Signer, make_rsa


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Issuer:
    """`url` is who it says that it is."""

    url: str = "https://token.actions.githubusercontent.com"
    signer: Signer = field(default_factory=make_rsa)

    def keys(self, **changed: Any) -> dict[str, Any]:
        """What it publishes, with other values in its key."""
        assert isinstance(self.signer.private, RSAPrivateKey)
        numbers = self.signer.private.public_key().public_numbers()
        modulus, exponent = (one.to_bytes((one.bit_length() + 7) // 8) for one in (numbers.n, numbers.e))
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": encoded(modulus), "e": encoded(exponent)}
        return {"keys": [{"kty": "EC", "kid": "other"}, {**key, **changed}]}

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        """Signed whatever it says; `header` has other values for its first part."""
        parts = ({"typ": "JWT", "alg": "RS256", "kid": "one", **header}, {"iss": self.url, **claims})
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{encoded(self.signer.sign(signed.encode()))}"
