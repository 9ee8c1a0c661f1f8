"""A plain HTTP client for the server's tests: what is sent is what the test says, nothing is followed or retried."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        """The error codes in the body."""
        return [error["code"] for error in self.json["errors"]]


class Client:
    """Requests to one registry, on connections that are kept."""

    def __init__(self, registry: FakeRegistry) -> None:
        self._pool = urllib3.HTTPConnectionPool(registry.host, timeout=10)

    def __call__(self, method: str, path: str, *, body: bytes | Iterable[bytes] | None = None, **headers: str) -> Reply:
        """Headers are keywords with `_` for `-`."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self._pool.request(
            method,
            path,
            body=body,
            headers=sent,
            redirect=False,
            retries=False,
            chunked=body is not None and not isinstance(body, bytes),
        )
        return Reply(answer.status, answer.headers, answer.data)

    def upload(self, name: str, data: bytes, digest: str) -> Reply:
        """POST and PUT."""
        place = self("POST", f"/v2/{name}/blobs/uploads/").headers["Location"]
        return self("PUT", f"{place}?digest={digest}", body=data)

    def push(self, name: str, image: MadeImage, tag: str) -> Reply:
        """A whole image; the answer is that to the tag."""
        for digest, data in image.blobs.items():
            self.upload(name, data, digest)
        for content in image.children:
            self("PUT", f"/v2/{name}/manifests/{content.digest}", body=content.raw, Content_Type=content.media_type)
        return self("PUT", f"/v2/{name}/manifests/{tag}", body=image.root.raw, Content_Type=image.root.media_type)

    def close(self) -> None:
        self._pool.close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
