"""Private keys: one PEM, and signatures with it over some bytes, which its public half verifies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from imagesync.errors import TrustError, UsageError
from imagesync.lazy import dataclass, field
from imagesync.signature.key import PublicKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_MAKE_ONE = "give an ECDSA, Ed25519 or RSA key as PEM, as `openssl genpkey` writes it"
_COSIGNS_OWN = ("ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY")
_WITH_PASSWORD = ("BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED")
_FOR_BOTH = (
    "make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`: give that here, and "
    "to cosign with `cosign import-key-pair --key key.pem`"
)


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """ECDSA (P-256, P-384), Ed25519 or RSA; its repr shows the public half alone."""

    public: PublicKey
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)

    @classmethod
    def parse(cls, pem: str, password: Callable[[], str]) -> PrivateKey:
        """`password` is asked for where the key has one. Raises TrustError for what is no private key, or of another
        kind, and for a password that is missing or is not the key's."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - for runs that sign alone
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
            load_pem_private_key,
        )

        if any(form in pem for form in _COSIGNS_OWN):
            raise TrustError("this key is in cosign's own encrypted form, which only cosign reads", hint=_FOR_BOTH)
        secret = _asked(password) if any(form in pem for form in _WITH_PASSWORD) else None
        try:
            key = load_pem_private_key(pem.encode("utf-8"), password=secret)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _unreadable(is_encrypted=secret is not None) from error
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(PublicKey.parse(public.decode("ascii")), _signer_of(key))


def _asked(password: Callable[[], str]) -> bytes:
    try:
        return password().encode("utf-8")
    except UsageError as error:
        raise TrustError(f"this private key has a password, and {error.message}", hint=error.hint) from error


def _unreadable(*, is_encrypted: bool) -> TrustError:
    if is_encrypted:
        return TrustError("this private key does not open with its password", hint="is it the one of this key?")
    return TrustError("this is no private key in PEM form", hint=_MAKE_ONE)


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
