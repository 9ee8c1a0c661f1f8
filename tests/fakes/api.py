"""FakeApi: a server that answers by the target of a request, letter by letter, and keeps what was asked as whom."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from imagesync.server.http import Environ, StartResponse
from imagesync.server.serve import Server, ServerTls


@dataclass(frozen=True)
class Asked:
    """One request: `GET /v2/x?page=2`, the login that it carried, and its body."""

    line: str
    authorization: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class _Prepared:
    status: int
    headers: Mapping[str, str]
    body: bytes


class FakeApi:
    """Use it in a `with`. What has no answer is 404; answers to one request are given in turn, the last for ever."""

    def __init__(self, *, tls: ServerTls | None = None) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[str, list[_Prepared]] = {}
        self._server = Server(self._answer, tls=tls)

    @property
    def host(self) -> str:
        return self._server.host

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def lines(self) -> list[str]:
        return [one.line for one in self.asked]

    def on(
        self, line: str, document: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Self:
        """Answer `GET /target` with a document as JSON, or with bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._answers.setdefault(line, []).append(_Prepared(status, headers or {}, body))
        return self

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.stop()

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        line = f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']}"
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.asked.append(Asked(line, environ.get("HTTP_AUTHORIZATION", ""), body))
        answers = self._answers.get(line, [_Prepared(404, {}, b'{"message":"Not Found"}')])
        prepared = answers.pop(0) if len(answers) > 1 else answers[0]
        headers = {"Content-Length": str(len(prepared.body)), "Content-Type": "application/json", **prepared.headers}
        start_response(f"{prepared.status} {HTTPStatus(prepared.status).phrase}", list(headers.items()))
        return [prepared.body]
