"""Server: the application on a socket, with TLS where it is asked for; `serve` runs one until it is interrupted."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from imagesync.errors import UsageError
from imagesync.server.app import RegistryApp
from imagesync.server.auth import Auth
from imagesync.server.http import WsgiApp

if TYPE_CHECKING:
    from cheroot.wsgi import Server as CherootServer

THREADS = 16
MAX_IDLE_CONNECTIONS = 512
READ_SECONDS = 60
"""A connection on which nothing moves for so long is closed."""
LOOK_SECONDS = 0.05
"""How often the server looks whether it was stopped."""
STOP_SECONDS = 1
"""What requests under way have to end by themselves when the server stops."""


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
        self._cheroot: CherootServer | None = None
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
        server = _make_cheroot(self._app, (self._address, self._port), self._tls)
        try:
            server.prepare()
        except OSError as error:
            raise UsageError(f"cannot listen on {self.host}: {error.strerror or error}") from error
        self._port = server.bind_addr[1]
        self._cheroot = server
        self._thread = threading.Thread(target=server.serve, name=f"registry {self.host}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering, close every connection and wait for the threads."""
        if self._cheroot is not None and self._thread is not None:
            self._cheroot.stop()
            self._thread.join()
            self._cheroot = None

    def wait(self) -> None:
        """Block until the server is stopped."""
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


def serve(
    directory: Path,
    *,
    address: str = "127.0.0.1",
    port: int = 5000,
    tls: ServerTls | None = None,
    auth: Auth | None = None,
) -> None:
    """Serve the layouts below `directory` until KeyboardInterrupt, which ends it without an error."""
    app = RegistryApp(directory, auth)
    with Server(app, address=address, port=port, tls=tls) as server:
        try:
            server.wait()
        except KeyboardInterrupt:
            return
        finally:
            app.close()


def _make_cheroot(app: WsgiApp, bind: tuple[str, int], tls: ServerTls | None) -> CherootServer:
    from cheroot.wsgi import Server as CherootServer  # noqa: PLC0415 - costs 60 ms, and only this command needs it

    server = CherootServer(
        bind, app, numthreads=THREADS, timeout=READ_SECONDS, shutdown_timeout=STOP_SECONDS, request_queue_size=128
    )
    server.keep_alive_conn_limit = MAX_IDLE_CONNECTIONS
    server.expiration_interval = LOOK_SECONDS
    server.error_log = _log_error  # type: ignore[method-assign,assignment] # it is documented as replaceable
    if tls is not None:
        server.ssl_adapter = _make_adapter(tls)
    return server


def _make_adapter(tls: ServerTls) -> object:
    import ssl  # noqa: PLC0415 - only for TLS

    from cheroot.ssl.builtin import BuiltinSSLAdapter  # noqa: PLC0415 - only for TLS

    try:
        adapter = BuiltinSSLAdapter(str(tls.certificate), str(tls.key))
        if tls.client_ca is not None:
            adapter.context.load_verify_locations(str(tls.client_ca))
            adapter.context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"TLS files cannot be used: {error}") from error
    return adapter


def _log_error(message: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    logging.getLogger("imagesync.server").log(level, "%s", ascii(message)[1:-1], exc_info=traceback)
