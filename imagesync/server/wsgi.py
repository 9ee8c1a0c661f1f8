"""cheroot's server, quiet, patient with TLS, reading long chunks in pieces, and soon stopped.

Imported only when a server starts: cheroot is slow to import.
"""

from __future__ import annotations

import logging
import socket
import ssl
import sys

from cheroot.server import HTTPRequest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Gateway_10, Server

from imagesync.server.chunked import ChunkedBody
from imagesync.server.http import WsgiApp

THREADS = 16
MAX_HEADER_BYTES = 64 * 1024
MAX_IDLE_CONNECTIONS = 512
READ_SECONDS = 60
"""A connection on which nothing moves for so long is closed."""
LOOK_SECONDS = 0.05
"""How often the server looks whether it was stopped."""
STOP_SECONDS = 1
"""What requests under way have to end by themselves when the server stops."""


class WsgiServer(Server):
    """A threaded WSGI server on `bind`; 0 as its port is a free one, known after `prepare`."""

    def __init__(self, bind: tuple[str, int], app: WsgiApp) -> None:
        super().__init__(
            bind, app, numthreads=THREADS, timeout=READ_SECONDS, shutdown_timeout=STOP_SECONDS, request_queue_size=128
        )
        self.gateway = ChunkedGateway
        self.max_request_header_size = MAX_HEADER_BYTES
        self.keep_alive_conn_limit = MAX_IDLE_CONNECTIONS
        self.expiration_interval = LOOK_SECONDS

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """A bug goes to the log with its traceback; what a client did to its connection is a detail."""
        is_bug = traceback and not isinstance(sys.exc_info()[1], OSError)
        severity = level if is_bug else logging.DEBUG
        logging.getLogger("imagesync.server").log(severity, "%s", ascii(msg)[1:-1], exc_info=is_bug)


class ChunkedGateway(Gateway_10):
    """Hands chunked bodies to the application through ChunkedBody."""

    def __init__(self, req: HTTPRequest) -> None:
        if req.chunked_read:
            req.rfile = ChunkedBody(req.conn.rfile)
        super().__init__(req)


class PatientAdapter(BuiltinSSLAdapter):
    """Leaves the handshake to the first read, in a worker: one slow client must not keep the others waiting."""

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}
