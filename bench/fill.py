"""Fills a source registry with images: one connection, no program that is measured has a part in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.real.layouts import Layout
from tests.real.registries import RealRegistry


def fill(registry: RealRegistry, repository: str, layout: Layout, tags: Iterable[str]) -> None:
    """Push these tags of a layout, each blob once. The registry speaks TLS and wants no login."""
    assert registry.authority is not None
    with closing(HTTPSConnection(registry.host, context=registry.authority.context())) as connection:
        pushed: set[str] = set()
        for tag in tags:
            raw = layout.root_bytes(tag)
            manifest = json.loads(raw)
            for blob in (manifest["config"], *manifest["layers"]):
                if blob["digest"] not in pushed:
                    pushed.add(blob["digest"])
                    _push_blob(connection, repository, blob["digest"], layout.blob_file(blob["digest"]))
            _request(connection, "PUT", f"/v2/{repository}/manifests/{tag}", raw, manifest["mediaType"])


def _push_blob(connection: HTTPSConnection, repository: str, digest: str, file: Path) -> None:
    location = urlsplit(_request(connection, "POST", f"/v2/{repository}/blobs/uploads/"))
    target = f"{location.path}?{location.query}&digest={digest}"
    _request(connection, "PUT", target, file.read_bytes(), "application/octet-stream")


def _request(connection: HTTPSConnection, method: str, target: str, body: bytes = b"", media_type: str = "") -> str:
    """Send a request and return the Location of its answer."""
    connection.request(method, target, body, {"Content-Type": media_type} if media_type else {})
    response = connection.getresponse()
    answer = response.read()
    if response.status not in (201, 202):
        raise RuntimeError(f"{method} {target}: {response.status} {answer[:200]!r}")
    return response.headers["Location"]
