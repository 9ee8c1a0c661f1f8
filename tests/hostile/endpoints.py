"""Endpoints: every request that imagesync makes of a registry, and what brings it to make them."""

from __future__ import annotations

import re
from enum import Enum

from tests.hostile.asked import Asked, reply


class Endpoint(Enum):
    """Where a liar lies. Its value is its name, and that of the repository whose copy meets it."""

    PING = "ping"
    TOKEN = "token"
    TAGS = "tags"
    CATALOG = "catalog"
    REFERRERS = "referrers"
    HEAD_TAG = "head-tag"
    GET_TAG = "get-tag"
    HEAD_DIGEST = "head-digest"
    GET_DIGEST = "get-digest"
    GET_BLOB = "get-blob"
    STORAGE = "storage"
    """Where the redirect of a blob leads."""
    HEAD_THERE = "head-there"
    """HEAD of the tag at the destination; those below are the destination's, too."""
    HEAD_BLOB = "head-blob"
    MOUNT = "mount"
    POST = "post"
    PATCH = "patch"
    PUT = "put"
    STATUS = "status"
    """GET of an upload that was cut."""
    CANCEL = "cancel"
    """DELETE of an upload that failed."""
    MANIFEST = "manifest"
    """PUT of a manifest."""

    @property
    def is_destination(self) -> bool:
        return self in _DESTINATIONS

    def takes(self, asked: Asked) -> bool:
        """Whether a request is one of this endpoint."""
        method, pattern = _REQUESTS[self]
        return asked.method == method and re.search(pattern, asked.target) is not None

    def lure(self, asked: Asked, *, is_known: bool) -> bytes | None:
        """What is answered to bring the client here: a challenge, a refusal of another way, a redirect."""
        if self.takes(asked) and (is_known or self in (Endpoint.PING, Endpoint.TOKEN)):
            return None
        if self is Endpoint.PING and not asked.login:
            return reply(asked, "401 Unauthorized")
        is_welcome = is_known and (self is not Endpoint.TOKEN or bool(asked.login))
        if not is_welcome and asked.path != "/token":
            return reply(asked, "401 Unauthorized", [("WWW-Authenticate", self._challenge(asked))])
        made = _LURES.get(self)
        return reply(asked, made[2], _located(made[3], asked)) if made and _fits(made[:2], asked) else None

    def _challenge(self, asked: Asked) -> str:
        return f'Bearer realm="{asked.scheme}://{asked.host}/token"' if self is Endpoint.TOKEN else 'Basic realm="liar"'


_SESSION = r"/blobs/uploads/[^/?]+"
_REQUESTS = {
    Endpoint.PING: ("GET", r"/v2/$"),
    Endpoint.TOKEN: ("GET", r"^/token"),
    Endpoint.TAGS: ("GET", r"/tags/list"),
    Endpoint.CATALOG: ("GET", r"/_catalog"),
    Endpoint.REFERRERS: ("GET", r"/referrers/sha256:"),
    Endpoint.HEAD_TAG: ("HEAD", r"/manifests/[^/:]+$"),
    Endpoint.GET_TAG: ("GET", r"/manifests/[^/:]+$"),
    Endpoint.HEAD_DIGEST: ("HEAD", r"/manifests/sha256:"),
    Endpoint.GET_DIGEST: ("GET", r"/manifests/sha256:"),
    Endpoint.GET_BLOB: ("GET", r"/blobs/sha256:"),
    Endpoint.STORAGE: ("GET", r"/stored/"),
    Endpoint.HEAD_THERE: ("HEAD", r"/manifests/[^/:]+$"),
    Endpoint.HEAD_BLOB: ("HEAD", r"/blobs/sha256:"),
    Endpoint.MOUNT: ("POST", r"[?&]mount="),
    Endpoint.POST: ("POST", r"/blobs/uploads/"),
    Endpoint.PATCH: ("PATCH", _SESSION),
    Endpoint.PUT: ("PUT", _SESSION),
    Endpoint.STATUS: ("GET", _SESSION),
    Endpoint.CANCEL: ("DELETE", _SESSION),
    Endpoint.MANIFEST: ("PUT", r"/manifests/"),
}
_DESTINATIONS = frozenset(list(Endpoint)[list(Endpoint).index(Endpoint.HEAD_THERE) :])
_LURES = {
    Endpoint.GET_TAG: ("HEAD", r"/manifests/[^/:]+$", "405 Method Not Allowed", ""),
    Endpoint.STORAGE: ("GET", r"/blobs/sha256:", "307 Temporary Redirect", "/stored/"),
    Endpoint.STATUS: ("PATCH", _SESSION, "503 Service Unavailable", ""),
    Endpoint.CANCEL: ("PUT", _SESSION, "403 Forbidden", ""),
}


def _fits(lured: tuple[str, str], asked: Asked) -> bool:
    return asked.method == lured[0] and re.search(lured[1], asked.target) is not None


def _located(place: str, asked: Asked) -> list[tuple[str, str]]:
    return [("Location", place + asked.path.rpartition("/")[2])] if place else []
