"""Identity tokens: JWTs of an OpenID issuer, verified with the keys that it publishes (RFC 7515, 7517 and 7519).

RS256 alone, as GitHub signs: a token does not say how it is to be verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from imagesync.lazy import dataclass
from imagesync.signature.document import from_base64, list_at, read_object, shown, text_at, value_at
from imagesync.signature.key import MIN_RSA_BITS
from imagesync.signature.verdict import Refusal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MAX_TOKEN_LENGTH = 64 * 1024
_ALGORITHM = "RS256"


@dataclass(frozen=True, slots=True)
class Expected:
    """Who has to have issued a token, for whom alone, and when it must still be good."""

    issuer: str
    audience: str
    at: datetime


def claims_of(token: str, keys: Mapping[str, Any], expected: Expected) -> Mapping[str, Any]:
    """What the issuer says in it; `keys` is the issuer's JSON Web Key Set. Raises Refusal."""
    parts = token.split(".") if len(token) <= MAX_TOKEN_LENGTH else []
    if len(parts) != 3:
        raise Refusal("the identity token is no JWT")
    header, payload, signature = (_decoded(part) for part in parts)
    key = _key_of(read_object(header, "the token's header"), keys)
    _check_signature(key, signature, ".".join(parts[:2]).encode())
    claims = read_object(payload, "the token")
    _check_claims(claims, expected)
    return claims


def _decoded(part: str) -> bytes:
    return from_base64(part + "=" * (-len(part) % 4), "a part of the token")


def _key_of(header: Mapping[str, Any], keys: Mapping[str, Any]) -> RSAPublicKey:
    """The issuer's key that the token names."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers  # noqa: PLC0415 - for few runs

    if text_at(header, "alg") != _ALGORITHM:
        raise Refusal(f"the token is signed with {shown(text_at(header, 'alg'))}, wanted {_ALGORITHM}")
    name = text_at(header, "kid")
    found = [one for one in list_at(keys, "keys") if name and text_at(one, "kid") == name]
    if len(found) != 1 or text_at(found[0], "kty") != "RSA":
        raise Refusal("the issuer publishes no such key as the token is signed with")
    modulus, exponent = (int.from_bytes(_decoded(text_at(found[0], part))) for part in ("n", "e"))
    try:
        key = RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError as error:
        raise Refusal("the issuer's key is none of RSA") from error
    if key.key_size < MIN_RSA_BITS:
        raise Refusal(f"the issuer's key has {key.key_size} bits")
    return key


def _check_signature(key: RSAPublicKey, signature: bytes, signed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - for few runs
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise Refusal("the token is not signed by its issuer") from error


def _check_claims(claims: Mapping[str, Any], expected: Expected) -> None:
    if text_at(claims, "iss") != expected.issuer:
        raise Refusal(f"the token is issued by {shown(text_at(claims, 'iss'))}, wanted {expected.issuer}")
    if value_at(claims, "aud") not in (expected.audience, [expected.audience]):
        raise Refusal("the token is for somebody else than asked for it")
    until = value_at(claims, "exp")
    if isinstance(until, bool) or not isinstance(until, int | float) or not until > expected.at.timestamp():
        raise Refusal("the token has expired")
