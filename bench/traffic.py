"""What the registries saw: requests, uploads, mounts and bytes of blobs, read from their access logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from tests.real.registries import RealRegistry, Request

_BLOB_READ = re.compile(r'"GET /v2/\S+/blobs/\S+ HTTP/[0-9.]+" 20[06] (\d+) ')


@dataclass(frozen=True)
class Traffic:
    """Counts since the start of the registries."""

    requests: int
    uploads: int
    mounts: int
    read_bytes: int

    def since(self, before: Traffic) -> Traffic:
        return Traffic(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


def traffic_of(registries: Sequence[RealRegistry]) -> Traffic:
    """What these registries saw so far, all together."""
    requests = [request for registry in registries for request in registry.requests()]
    return Traffic(
        requests=len(requests),
        uploads=sum(_is_upload(request) for request in requests),
        mounts=sum(_is_mount(request) for request in requests),
        read_bytes=sum(map(_read_bytes, registries)),
    )


def _is_upload(request: Request) -> bool:
    """A finished one: cancelled sessions are none, and failed ones neither."""
    return request.method in ("PUT", "POST") and "digest=" in request.path and request.status == 201


def _is_mount(request: Request) -> bool:
    return request.method == "POST" and "mount=" in request.path and request.status == 201


def _read_bytes(registry: RealRegistry) -> int:
    log = (registry.folder / "access.log").read_text(encoding="utf-8", errors="replace")
    return sum(int(match[1]) for match in _BLOB_READ.finditer(log))
