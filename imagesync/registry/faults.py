"""The one boundary where errors of head_lines, ssl and socket become imagesync's own."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imagesync.errors import NetworkError, ProtocolError, StoreError, TlsError
from imagesync.redaction import redacted
from imagesync.registry.head_lines import BadAnswer, CutAnswer
from imagesync.registry.pace import TooSlow

_PLAIN_HTTP_REASONS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
)
_CUT_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

# The first class that fits decides, so the special ones stand before what they are kinds of.
_CLASSES: tuple[tuple[type[Exception], type[StoreError]], ...] = (
    (ssl.SSLEOFError, NetworkError),
    (ssl.SSLZeroReturnError, NetworkError),
    (ssl.SSLSyscallError, NetworkError),
    (ssl.SSLError, TlsError),
    (OSError, NetworkError),
    (CutAnswer, NetworkError),
    (BadAnswer, ProtocolError),
    (UnicodeError, ProtocolError),
)
_FOREIGN = tuple(foreign for foreign, _ in _CLASSES)


def class_for(foreign: type[BaseException]) -> type[StoreError] | None:
    """What a foreign error class becomes, or None for one that is no business of a transport."""
    return next((own for known, own in _CLASSES if issubclass(foreign, known)), None)


@contextmanager
def translated(host: str) -> Iterator[None]:
    """Raise what goes wrong inside as StoreError; `host` is who was spoken to, as a spec writes it."""
    try:
        yield
    except _FOREIGN as error:
        raise translate(error, host) from error


def translate(error: Exception, host: str) -> StoreError:
    """The StoreError for a foreign error: what happened, and for TLS what to do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsError(f"certificate of {host} is not trusted: {error.verify_message}", hint=_TRUST_HINT.format(host))
    if is_plain_http(error):
        return TlsError(f"{host} answers in plain HTTP", hint=_plain_hint(host))
    own = class_for(type(error)) or NetworkError
    return own(_MESSAGES.get(own, "{0}: {1}").format(host, _reason(error)), hint=_network_hint(error))


def _network_hint(error: BaseException) -> str | None:
    """What to do where nobody answers."""
    if isinstance(error, socket.gaierror):
        return "check the host's name, and the name server"
    if isinstance(error, ConnectionRefusedError):
        return "is the registry running? check host and port"
    return None


def is_plain_http(error: Exception) -> bool:
    """Whether a failed TLS handshake looks like one with a server that does not speak TLS."""
    return isinstance(error, ssl.SSLError) and error.reason in _PLAIN_HTTP_REASONS


def has_no_tls(error: Exception) -> bool:
    """Whether a handshake failed because nobody there speaks TLS: a plain answer, silence, or a closed connection."""
    silent = isinstance(error, (*_CUT_TLS, TimeoutError, ConnectionResetError, BrokenPipeError))
    return silent or is_plain_http(error)


_TRUST_HINT = "name its authority in the spec: `registries:` / `{0}:` / `tls: {{ca: FILE}}`"
_MESSAGES = {
    NetworkError: "no answer from {0}: {1}",
    TlsError: "TLS with {0} failed: {1}",
    ProtocolError: "{0} does not answer as HTTP says: {1}",
}


def _plain_hint(host: str) -> str:
    return f"if that is meant, add to the spec:\nregistries:\n  {host}:\n    tls: disabled"


def _reason(error: BaseException) -> str:
    """The innermost words for what happened, without addresses of objects or anything a server wrote unescaped."""
    if isinstance(error, TimeoutError):
        slow = next((found for found in (error, error.__cause__) if isinstance(found, TooSlow)), None)
        return f"timed out: {slow}" if slow else "timed out"
    inner = next((part for part in error.args if isinstance(part, BaseException)), None)
    if inner is not None:
        return _reason(inner)
    if isinstance(error, ssl.SSLError):
        return (error.reason or "connection closed").replace("_", " ").lower()
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return ascii(redacted(text)[:200])[1:-1]
