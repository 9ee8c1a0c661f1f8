"""What a server's certificate says of itself: for whom it is, who issued it, how long it holds. Whether it is trusted
is ssl's business.

A server may write anything there: all text is escaped and cut.
"""

from __future__ import annotations

import warnings
from threading import Lock
from typing import TYPE_CHECKING

from imagesync.lazy import dataclass

if TYPE_CHECKING:
    from cryptography import x509

MAX_NAMES = 20
_MAX_SHOWN = 100
_quiet = Lock()
"""Which warnings are shown is one setting for all threads."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`begins_at` and `ends_at` are seconds of time.time()."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """The hosts and addresses that it is for, at most MAX_NAMES."""
    begins_at: float
    ends_at: float
    is_its_own_issuer: bool = False


def read_certificate(der: bytes | None) -> Certificate | None:
    """The certificate as a server sends it; None where there is none, or where it cannot be read. Never raises."""
    from cryptography import x509  # noqa: PLC0415 - slow, and only who asks for a certificate needs it

    strange = (x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType)
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd in it is the server's business
        try:
            return _read(x509.load_der_x509_certificate(der or b""))
        except (ValueError, TypeError, OverflowError, *strange):
            return None


def _read(found: x509.Certificate) -> Certificate:
    return Certificate(
        subject=_shown(found.subject),
        issuer=_shown(found.issuer),
        names=_names(found),
        begins_at=found.not_valid_before_utc.timestamp(),
        ends_at=found.not_valid_after_utc.timestamp(),
        is_its_own_issuer=found.subject == found.issuer,
    )


def _names(found: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415 - as above

    try:
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    kept = [name for name in listed if isinstance(name, x509.DNSName | x509.IPAddress)]
    return tuple(_cut(str(name.value)) for name in kept[:MAX_NAMES])


def _shown(name: x509.Name) -> str:
    """The common name, as most have one; else all of it."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - as above

    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return _cut((str(common[0].value) if common else "") or name.rfc4514_string() or "nobody")


def _cut(text: str) -> str:
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[: _MAX_SHOWN - 1]}…"
