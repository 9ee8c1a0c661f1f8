"""Private keys: one PEM, and signatures with it over some bytes, which its public half verifies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from imagesync.errors import TrustError
from imagesync.signature.key import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_MAKE_ONE = "give an ECDSA, Ed25519 or RSA key as PEM without a password, as `openssl genpkey` writes it"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """ECDSA (P-256, P-384), Ed25519 or RSA; its repr shows the public half alone."""

    public: PublicKey
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, pem: str) -> PrivateKey:
        """Raises TrustError for what is no private key, has a password, or is of another kind."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - for runs that sign alone
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
            load_pem_private_key,
        )

        try:
            key = load_pem_private_key(pem.encode("utf-8"), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise TrustError("this is no private key in PEM form, or it has a password", hint=_MAKE_ONE) from error
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey.parse(public.decode("ascii")), _signer_of(key))


def _signer_of(key: PrivateKeyTypes) -> Callable[[bytes], bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    match key:
        case ed25519.Ed25519PrivateKey():
            return key.sign
        case ec.EllipticCurvePrivateKey():
            return partial(key.sign, signature_algorithm=ec.ECDSA(SHA256()))
        case rsa.RSAPrivateKey():
            return partial(key.sign, padding=padding.PKCS1v15(), algorithm=SHA256())
    raise TrustError("this is a key of another kind", hint=_MAKE_ONE)
