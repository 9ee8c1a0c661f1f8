"""A token server of the distribution project's kind: checks a password, signs a token for what was asked.

Tokens are ES256, with the certificate of the key in `x5c`, which docker-registry 2.8 accepts.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

SERVICE = "registry.test"
LIFETIME_SECONDS = 300


class TokenServer:
    """Signs tokens; `scopes` lists what each request asked for, in order."""

    issuer = "tokens.test"

    def __init__(self, credentials: tuple[str, str]) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _certificate(self._key)
        self._login = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        self.realm = ""
        self.exp_seconds = LIFETIME_SECONDS
        """What a token itself says of its end: this long after it was signed, or before."""
        self.said_seconds = LIFETIME_SECONDS
        """What its `expires_in` says."""
        self.scopes: list[tuple[str, ...]] = []

    @property
    def certificate_pem(self) -> bytes:
        """What the registry must trust."""
        return self._certificate.public_bytes(Encoding.PEM)

    def is_welcome(self, authorization: str | None) -> bool:
        return authorization == self._login

    def token(self, scopes: list[str]) -> str:
        """A signed token for scopes such as `repository:a/b:pull,push`."""
        self.scopes.append(tuple(scopes))
        now = int(time.time())
        chain = [base64.b64encode(self._certificate.public_bytes(Encoding.DER)).decode()]
        header = {"typ": "JWT", "alg": "ES256", "x5c": chain}
        claims = {
            "iss": self.issuer,
            "sub": "mirror",
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 10,
            "exp": now + self.exp_seconds,
            "jti": f"{now}-{len(self.scopes)}",
            "access": [_access(scope) for part in scopes for scope in part.split()],
        }
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed.encode())}"

    def _signature(self, data: bytes) -> str:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return _base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@contextmanager
def serve_tokens(tls: tuple[Path, Path], credentials: tuple[str, str]) -> Iterator[TokenServer]:
    """Serve tokens over TLS on a free loopback port; `tls` is certificate and key."""
    tokens = TokenServer(credentials)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(tokens))
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    # The handshake is left to the thread of the connection: a client that says nothing must not stop the others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    tokens.realm = f"https://127.0.0.1:{server.server_address[1]}/token"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield tokens
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(tokens: TokenServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            if not tokens.is_welcome(self.headers["Authorization"]):
                self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
                return
            self._answer(200, {"token": tokens.token(query.get("scope", [])), "expires_in": tokens.said_seconds})

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Tests read `scopes`; stderr stays quiet."""

    return Handler


def _access(scope: str) -> dict[str, Any]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token signer of the tests")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _encoded(document: dict[str, Any]) -> str:
    return _base64url(json.dumps(document, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
