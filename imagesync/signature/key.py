"""Public keys: one PEM, and whether a signature over some bytes is by its owner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from imagesync.errors import TrustError
from imagesync.lazy import dataclass, field
from imagesync.manifest import digest_of
from imagesync.reference import Digest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

MIN_RSA_BITS = 2048
_MAKE_ONE = "give the public key as PEM, such as cosign.pub of `cosign generate-key-pair`"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """ECDSA (P-256, P-384), Ed25519 or RSA. `fingerprint` is the SHA-256 of its DER form."""

    fingerprint: Digest
    _checks: tuple[Callable[[bytes, bytes], None], ...] = field(repr=False, compare=False)
    """One for each way in which signers use such a key; raises InvalidSignature."""

    @classmethod
    def parse(cls, pem: str) -> PublicKey:
        """Raises TrustError for what is no public key, or one of another kind."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - for runs that verify alone
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
            Encoding,
            PublicFormat,
            load_pem_public_key,
        )

        if "PRIVATE KEY" in pem:
            raise TrustError("this is a private key: nothing is signed here", hint=_MAKE_ONE)
        try:
            key = load_pem_public_key(pem.encode("utf-8"))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise TrustError("this is no public key in PEM form", hint=_MAKE_ONE) from error
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(digest_of(der), _checks_of(key))

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this signature over these bytes was made with the private half."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above

        for check in self._checks:
            try:
                check(signature, message)
            except InvalidSignature:
                continue
            return True
        return False


def _checks_of(key: object) -> tuple[Callable[[bytes, bytes], None], ...]:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - as above

    match key:
        case ed25519.Ed25519PublicKey():
            return (key.verify,)  # cosign 3.1 signs with Ed25519ph, which cosign itself rejects: so is it here
        case ec.EllipticCurvePublicKey():
            return _of_curve(key)
        case rsa.RSAPublicKey():
            return _of_rsa(key)
    raise TrustError("this is a key of another kind", hint="ECDSA P-256 or P-384, Ed25519 and RSA can be verified")


def _of_curve(key: ec.EllipticCurvePublicKey) -> tuple[Callable[[bytes, bytes], None], ...]:
    """With SHA-256 whatever the curve, as cosign has long signed; newer signers take the hash of the curve's size."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384  # noqa: PLC0415

    algorithms = {"secp256r1": (SHA256(),), "secp384r1": (SHA256(), SHA384())}.get(key.curve.name)
    if algorithms is None:
        raise TrustError(f"this is a key on the curve {key.curve.name}", hint="use P-256 or P-384")
    return tuple(partial(key.verify, signature_algorithm=ec.ECDSA(algorithm)) for algorithm in algorithms)


def _of_rsa(key: rsa.RSAPublicKey) -> tuple[Callable[[bytes, bytes], None], ...]:
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    if key.key_size < MIN_RSA_BITS:
        raise TrustError(f"this RSA key has {key.key_size} bits", hint=f"use one of {MIN_RSA_BITS} or more")
    pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=padding.PSS.AUTO)
    return tuple(partial(key.verify, padding=form, algorithm=SHA256()) for form in (padding.PKCS1v15(), pss))
