"""FakeAws: STS, ECR and ECR Public on a loopback port, with a log of what they were asked, by whom and as what.

It answers as Amazon documents it: STS in XML to forms, ECR in JSON to JSON. What it refuses is said by the test.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

KEY_ID, SECRET_KEY = "AKIDOFTHEBASE", "secret-key-of-the-base"
ROLE_KEY_ID = "AKIDOFTHEROLE"
_TARGETS = {"AmazonEC2ContainerRegistry_V20150921": "ecr", "SpencerFrontendService": "ecr-public"}
_SIGNED = re.compile(r"Credential=([A-Z]+)/[0-9]{8}/([a-z0-9-]+)/([a-z-]+)/aws4_request")


@dataclass(frozen=True)
class Asked:
    """One request: `signer` is the key ID that signed it, or `nobody`, and `region` the one it was signed for."""

    operation: str
    signer: str
    region: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        return f"{self.operation} by {self.signer} in {self.region}"


@dataclass(frozen=True)
class Refused:
    """What is answered in place of an operation: AWS's code and sentence."""

    code: str
    message: str
    status: int = 400


class FakeAws:
    """Started with `with`. `environment` sends botocore here, with keys and without any other place to look."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.refusals: dict[str, Refused] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self._retired = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def lines(self) -> list[str]:
        return [asked.line for asked in self.asked]

    def password(self) -> str:
        """The password that holds: of the login that was given out last, unless that was retired."""
        given = sum(asked.operation.endswith("AuthorizationToken") for asked in self.asked)
        return "none" if given == self._retired else f"password-{given}"

    def retire(self) -> None:
        """Let the login that was given out last hold no longer."""
        self._retired = sum(asked.operation.endswith("AuthorizationToken") for asked in self.asked)

    def answer(self, asked: Asked) -> dict[str, Any]:
        self.asked.append(asked)
        if asked.operation in self.answers:
            return self.answers[asked.operation]
        if asked.operation.startswith("sts."):
            return _role_keys()
        if not asked.operation.endswith("AuthorizationToken"):
            return {}
        token = base64.b64encode(f"AWS:{self.password()}".encode()).decode()
        data = {"authorizationToken": token, "expiresAt": time.time() + 12 * 3600}
        return {"authorizationData": data if asked.operation.startswith("ecr-public.") else [data]}


def _role_keys() -> dict[str, Any]:
    return {
        "AccessKeyId": ROLE_KEY_ID,
        "SecretAccessKey": "secret-key-of-the-role",
        "SessionToken": "session-token-of-the-role",
        "Expiration": "2100-01-01T00:00:00Z",
    }


def _handler(aws: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = _parse(body, self.headers.get("X-Amz-Target", ""), self.headers.get("Authorization", ""))
            refused = aws.refusals.get(asked.operation)
            if refused is not None:
                aws.asked.append(asked)
                return self._send(refused.status, *_refusal(asked, refused))
            return self._send(200, *_body(asked, aws.answer(asked)))

        def _send(self, status: int, content_type: str, body: str) -> None:
            raw = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Nothing goes to stderr."""

    return Handler


def _parse(body: str, target: str, authorization: str) -> Asked:
    signed = _SIGNED.search(authorization)
    signer, region = (signed[1], signed[2]) if signed else ("nobody", "")
    if target:
        service, _, operation = target.partition(".")
        return Asked(f"{_TARGETS[service]}.{operation}", signer, region, json.loads(body))
    form = dict(parse_qsl(body))
    return Asked(f"sts.{form.pop('Action')}", signer, region, form)


def _body(asked: Asked, answer: dict[str, Any]) -> tuple[str, str]:
    service, _, operation = asked.operation.partition(".")
    if service != "sts":
        return "application/x-amz-json-1.1", json.dumps(answer)
    keys = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in answer.items())
    result = f"<{operation}Result><Credentials>{keys}</Credentials></{operation}Result>"
    return "text/xml", f"<{operation}Response>{result}</{operation}Response>"


def _refusal(asked: Asked, refused: Refused) -> tuple[str, str]:
    if not asked.operation.startswith("sts."):
        return "application/x-amz-json-1.1", json.dumps({"__type": refused.code, "message": refused.message})
    error = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
    return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>"
