"""TLS contexts: one for each way to trust a registry, made when first needed and shared by all connections."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from imagesync.errors import TlsError
from imagesync.settings import Tls, TlsMode


class TlsContexts:
    """Makes contexts. `environment` gives SSL_CERT_FILE and SSL_CERT_DIR, which replace the system's authorities."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._file = environment.get("SSL_CERT_FILE") or None
        self._directory = environment.get("SSL_CERT_DIR") or None
        self._contexts: dict[Tls, ssl.SSLContext] = {}
        self._lock = Lock()

    def context_for(self, tls: Tls) -> ssl.SSLContext:
        """The context for these settings. Raises TlsError naming the file that cannot be used."""
        with self._lock:
            if tls not in self._contexts:
                self._contexts[tls] = self._create(tls)
            return self._contexts[tls]

    def _create(self, tls: Tls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        if tls.mode is TlsMode.INSECURE:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            self._trust(context, tls.ca)
        if tls.certificate is not None:
            _load_client_certificate(context, tls.certificate, tls.key)
        return context

    def _trust(self, context: ssl.SSLContext, ca: Path | None) -> None:
        """Trust the environment's or the system's authorities, and the registry's own besides."""
        if self._file or self._directory:
            _load_authorities(context, self._file, self._directory, " (SSL_CERT_FILE, SSL_CERT_DIR)")
        elif _has_system_authorities():
            context.load_default_certs()
        else:
            import certifi  # noqa: PLC0415 - only where the system brings no authorities, as a bare macOS Python

            context.load_verify_locations(certifi.where())
        if ca is not None:
            _load_authorities(context, str(ca), None)


def _has_system_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    return any(path is not None and Path(path).exists() for path in (paths.cafile, paths.capath))


def _load_authorities(context: ssl.SSLContext, file: str | None, directory: str | None, named_by: str = "") -> None:
    try:
        context.load_verify_locations(file, directory)
    except (OSError, ssl.SSLError) as error:
        where = f"{file or directory}{named_by}"
        hint = "it must be there, and hold certificates as PEM"
        raise TlsError(f"certificates in {where} cannot be read: {_reason(error)}", hint=hint) from error


def _load_client_certificate(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # The empty password keeps OpenSSL from asking on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise TlsError(
            f"client certificate {certificate} cannot be used: {_reason(error)}",
            hint="it must be PEM, fit its key, and the key may not be encrypted",
        ) from error


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return error.strerror or type(error).__name__
