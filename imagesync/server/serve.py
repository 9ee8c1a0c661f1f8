"""Server: the application on a socket, with TLS where it is asked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from imagesync.errors import UsageError
from imagesync.lazy import dataclass
from imagesync.server.http import WsgiApp

if TYPE_CHECKING:
    from imagesync.server.wsgi import PatientAdapter, WsgiServer


@dataclass(frozen=True, slots=True)
class ServerTls:
    """PEM files: the certificate with its chain, its key, and the CA of clients if they must have a certificate."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class Server:
    """A WSGI application on `address`:`port` in threads of its own. Port 0 is a free one, known after `start`."""

    def __init__(
        self, app: WsgiApp, *, address: str = "127.0.0.1", port: int = 0, tls: ServerTls | None = None
    ) -> None:
        self._app, self._address, self._port, self._tls = app, address, port, tls
        self._server: WsgiServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def host(self) -> str:
        """`address:port`, as it stands in a reference."""
        address = f"[{self._address}]" if ":" in self._address else self._address
        return f"{address}:{self._port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}"

    def start(self) -> Self:
        """Bind and answer. Raises UsageError where the address cannot be bound or the TLS files cannot be used."""
        server = _make_server(self._app, (self._address, self._port), self._tls)
        try:
            server.prepare()
        except OSError as error:
            raise UsageError(f"cannot listen on {self.host}: {error.strerror or error}") from error
        self._port = server.bind_addr[1]
        self._server = server
        self._thread = threading.Thread(target=server.serve, name=f"registry {self.host}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering, close every connection and wait for the threads."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


def _make_server(app: WsgiApp, bind: tuple[str, int], tls: ServerTls | None) -> WsgiServer:
    from imagesync.server.wsgi import WsgiServer  # noqa: PLC0415 - it is slow to import

    server = WsgiServer(bind, app)
    if tls is not None:
        server.ssl_adapter = _make_adapter(tls)
    return server


def _make_adapter(tls: ServerTls) -> PatientAdapter:
    import ssl  # noqa: PLC0415 - only for TLS

    from imagesync.server.wsgi import PatientAdapter  # noqa: PLC0415 - it is slow to import

    try:
        adapter = PatientAdapter(str(tls.certificate), str(tls.key))
        if tls.client_ca is not None:
            adapter.context.load_verify_locations(str(tls.client_ca))
            adapter.context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise UsageError(f"TLS files cannot be used: {error}") from error
    return adapter
