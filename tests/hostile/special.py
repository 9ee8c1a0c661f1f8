"""Lies that only some endpoints can tell: what a manifest, a list, a blob, an upload or a token is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from imagesync.manifest import OCI_INDEX, OCI_MANIFEST, digest_of
from tests.hostile.asked import Asked, Fields, reply
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import Tell, Truth
from tests.hostile.lies import EVIL, truth_of

Change = Callable[[Asked, bytes], bytes]
LISTS = (Endpoint.TAGS, Endpoint.CATALOG, Endpoint.REFERRERS)
READS = (Endpoint.HEAD_TAG, Endpoint.GET_TAG, Endpoint.HEAD_DIGEST, Endpoint.GET_DIGEST, Endpoint.HEAD_THERE)
GETS = (Endpoint.GET_TAG, Endpoint.GET_DIGEST)
BLOBS = (Endpoint.GET_BLOB, Endpoint.STORAGE)
SESSIONS = (Endpoint.MOUNT, Endpoint.POST, Endpoint.PATCH, Endpoint.STATUS)
STORES = (Endpoint.PUT, Endpoint.MANIFEST)
NOBODY = digest_of(b"of nobody")
_numbers = count()


def with_header(name: str, value: str) -> Tell:
    """The truth, but for one header. `value` may name places, as in a redirect."""

    def tell(asked: Asked, truth: Truth) -> Iterator[bytes]:
        status, fields, body = truth_of(asked, truth)
        kept = [(key, text) for key, text in fields if key.lower() != name.lower()]
        shown = value.format(**asked.elsewhere, own=asked.host, target=asked.target, number=next(_numbers))
        yield reply(asked, status, [*kept, *([(name, shown)] if value else [])], body)

    return tell


def with_body(change: Change, *fields: tuple[str, str]) -> Tell:
    """The truth with another body, and nothing said of its digest."""

    def tell(asked: Asked, truth: Truth) -> Iterator[bytes]:
        status, found, body = truth_of(asked, truth)
        dropped = {"content-length", "docker-content-digest", "etag", *(name.lower() for name, _ in fields)}
        yield reply(asked, status, [*_without(found, dropped), *fields], change(asked, body))

    return tell


def saying(document: Any, *fields: tuple[str, str]) -> Tell:
    """200, and a document that is the same for all."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return with_status("200 OK", body, *fields)


def with_status(status: str, body: bytes = b"", *fields: tuple[str, str]) -> Tell:
    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        yield reply(asked, status, fields, body)

    return tell


def growing(link: str) -> Tell:
    """A list with one more name on each page, and always a next page."""

    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        name = f"v{next(_numbers)}"
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(name.encode()), "size": 7}
        body = json.dumps({"tags": [name], "repositories": [name], "schemaVersion": 2, "manifests": [entry]}).encode()
        place = link.format(path=asked.path, number=name)
        yield reply(asked, "200 OK", [("Link", f'<{place}>; rel="next"'), ("Content-Type", OCI_INDEX)], body)

    return tell


def large_pages(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """Pages as long as may be, full of names as long as may be, and always one more."""
    number = next(_numbers)
    key = "tags" if asked.path.endswith("/tags/list") else "repositories"
    names = [f"{number}-{place}-".ljust(510, "x") for place in range(7900)]
    link = f'<{asked.path}?last={number}>; rel="next"'
    yield reply(asked, "200 OK", [("Link", link)], json.dumps({key: names}).encode())


def many_names(length: int) -> Tell:
    """As many names as a list may have, in pages: all of them tags, and paths that the glob of the spec finds."""

    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        first = int(asked.target.rpartition("last=")[2]) if "last=" in asked.target else 0
        key = "tags" if asked.path.endswith("/tags/list") else "repositories"
        names = [f"catalo{number}".ljust(length, "x") for number in range(first, min(first + 20_000, 99_999))]
        link = [("Link", f'<{asked.path}?last={first + 20_000}>; rel="next"')] if first < 80_000 else []
        yield reply(asked, "200 OK", link, json.dumps({key: names}).encode())

    return tell


def large_referrers(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """A list of referrers of which each is as large as a page may be, and always one more."""
    number = next(_numbers)
    entry = _child(number, annotations={"a": "x" * 4_000_000})
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}).encode()
    link = f'<{asked.path}?last={number}>; rel="next"'
    yield reply(asked, "200 OK", [("Link", link), ("Content-Type", OCI_INDEX)], body)


def without_entries(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """Empty pages whose place grows."""
    body = json.dumps({"tags": [], "repositories": [], "schemaVersion": 2, "manifests": []}).encode()
    link = f'<{asked.path}?last={"x" * (next(_numbers) % 100)}y>; rel="next"'
    yield reply(asked, "200 OK", [("Link", link), ("Content-Type", OCI_INDEX)], body)


def session(place: str) -> Tell:
    """An upload that goes on at another place."""

    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        location = [("Location", place.format(**asked.elsewhere, own=asked.host))] if place else []
        yield reply(asked, "204 No Content" if asked.method == "GET" else "202 Accepted", location)

    return tell


def other_bytes(_asked: Asked, body: bytes) -> bytes:
    return bytes([body[0] ^ 1]) + body[1:]


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def _without(fields: Fields, names: set[str]) -> list[tuple[str, str]]:
    return [(name, text) for name, text in fields if name.lower() not in names]


def _child(number: int, **more: Any) -> dict[str, Any]:
    return {"mediaType": OCI_MANIFEST, "digest": digest_of(str(number).encode()), "size": 7, **more}


def _index(*children: dict[str, Any], **more: Any) -> Tell:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, **more}
    return saying(document, ("Content-Type", OCI_INDEX))


def large_manifest(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """A manifest that is right, and as long as one may be; each target has another one."""
    layers = [
        {**_CONFIG, "digest": digest_of(str(number).encode()), "annotations": {"a": "x" * 150}}
        for number in range(9900)
    ]
    yield from saying({**_IMAGE, "layers": layers, "annotations": {"a": asked.target}}, _JSON)(asked, _truth)


def _indexes_in_indexes(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """Each child is one more index, and all of them are there."""
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}).encode()
    for _ in range(8):
        digest = digest_of(body)
        place = f"{asked.path.rpartition('/')[0]}/{digest}"
        truth.answer(replace(asked, method="PUT", target=place, headers={"content-type": OCI_INDEX}, body=body))
        child = {"mediaType": OCI_INDEX, "digest": digest, "size": len(body)}
        body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()
    yield reply(asked, "200 OK", [("Content-Type", OCI_INDEX)], body)


_UPLOAD = {
    "a session at a public host": "http://{public}/upload",
    "a session at a public host, by TLS": "https://{public}/upload",
    "a session at a name on loopback": "https://{inside}/upload",
    "a session at metadata": "https://{metadata}/upload",
    "a session in a file": "file:///tmp/upload",
    "a session with a user": "http://user:word@{own}/upload",
    "a session nowhere": "",
}
_BOTH = {"schemaVersion": 2, "manifests": [], "layers": [], "config": _child(0)}
_CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": NOBODY, "size": 2}
_IMAGE = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _CONFIG, "layers": []}
_JSON = ("Content-Type", OCI_MANIFEST)

SPECIAL: dict[str, tuple[tuple[Endpoint, ...], Tell]] = {
    "a next page at a public host": (LISTS, with_header("Link", '<http://{public}/list>; rel="next"')),
    "a next page on loopback": (LISTS, with_header("Link", '<http://{inside}/list>; rel="next"')),
    "a next page at metadata": (LISTS, with_header("Link", '<http://{metadata}/list>; rel="next"')),
    "a next page in a file": (LISTS, with_header("Link", '<file:///etc/passwd>; rel="next"')),
    "a next page that is this one": (LISTS, with_header("Link", '<{target}>; rel="next"')),
    "pages without end": (LISTS, growing("{path}?last={number}")),
    "large pages without end": (LISTS[:2], large_pages),
    "large pages of referrers": (LISTS[2:], large_referrers),
    "empty pages without end": (LISTS, without_entries),
    "99999 names": (LISTS[:2], many_names(12)),
    "99999 long names": (LISTS[:2], many_names(128)),
    "names that are none": (
        (Endpoint.TAGS, Endpoint.CATALOG),
        saying(
            {
                key: ["../../etc", "-x", EVIL, "a\r\nSet-Cookie: b", "%2e%2e", 7, None]
                for key in ("tags", "repositories")
            }
        ),
    ),
    "a list of brackets": (LISTS, saying(b'{"tags":[' + b"[]," * 1_380_000 + b'0],"manifests":[]}')),
    "another digest": (READS, with_header("Docker-Content-Digest", NOBODY)),
    "a digest that is a path": (READS, with_header("Docker-Content-Digest", "sha256:../../../../etc/passwd")),
    "a digest that is a command": (READS, with_header("Docker-Content-Digest", "sha256:\x1b[2J::error::owned")),
    "an unknown type": (READS, with_header("Content-Type", "text/html")),
    "another manifest": (GETS, saying(_IMAGE, _JSON)),
    "another manifest of that digest": (GETS, with_body(other_bytes)),
    "an index that is an image": (GETS, saying(_BOTH, _JSON)),
    "another type than its own": (GETS, saying(_IMAGE, ("Content-Type", OCI_INDEX))),
    "brackets of a manifest": (GETS, saying(b'{"schemaVersion":2,"manifests":[' + b"{}," * 1_380_000 + b"{}]}", _JSON)),
    "short texts": (GETS, saying(b'{"schemaVersion":2,"x":[' + '"Ā",'.encode() * 800_000 + b"0]}", _JSON)),
    "brackets in brackets": (GETS, saying(nested(500_000), _JSON)),
    "a size without end": (
        GETS,
        saying(json.dumps(_IMAGE).replace(": 2}", ": " + "9" * 100_000 + "}").encode(), _JSON),
    ),
    "a size below nothing": (GETS, saying({**_IMAGE, "config": {**_CONFIG, "size": -1}}, _JSON)),
    "a size that is no number": (GETS, saying({**_IMAGE, "config": {**_CONFIG, "size": float("nan")}}, _JSON)),
    "a blob that is a path": (GETS, saying({**_IMAGE, "config": {**_CONFIG, "digest": "sha256:../../etc"}}, _JSON)),
    "a layer from elsewhere": (
        GETS,
        saying({**_IMAGE, "layers": [{**_CONFIG, "urls": ["http://169.254.169.254/"]}]}, _JSON),
    ),
    "10001 children": (GETS, _index(*map(_child, range(10_001)))),
    "one child 20000 times": (GETS, _index(*[_child(1)] * 20_000)),
    "indexes in indexes": ((Endpoint.GET_TAG,), _indexes_in_indexes),
    "other bytes": (BLOBS, with_body(other_bytes)),
    "more bytes": (BLOBS, with_body(lambda _asked, body: body + b"more")),
    "fewer bytes": (BLOBS, with_body(lambda _asked, body: body[:-1])),
    "no bytes": (BLOBS, with_body(lambda _asked, _body: b"")),
    "another range": (BLOBS, with_status("206 Partial Content", b"x", ("Content-Range", "bytes 5-5/6"))),
    **{name: (SESSIONS, session(form)) for name, form in _UPLOAD.items()},
    "another digest stored": (STORES, with_header("Docker-Content-Digest", NOBODY)),
    "stored, and it is not": ((Endpoint.PUT,), with_status("201 Created")),
    "mounted, and it is not": ((Endpoint.MOUNT,), with_status("201 Created")),
    "there, of another length": ((Endpoint.HEAD_BLOB,), with_status("200 OK", b"", ("Content-Length", "5"))),
    "a range past the end": ((Endpoint.STATUS,), with_status("204 No Content", b"", ("Range", "0-99999999"))),
    "no token": ((Endpoint.TOKEN,), saying({"tokens": []})),
    "a token of 100000 letters": ((Endpoint.TOKEN,), saying({"token": "x" * 100_000})),
    "a token with a line break": ((Endpoint.TOKEN,), saying({"token": "x\r\nX-Evil: 1"})),
    "a token that is none": ((Endpoint.TOKEN,), saying({"token": {"a": 1}, "expires_in": -5})),
    "a token for ever": ((Endpoint.TOKEN,), saying(b'{"token": "x", "expires_in": 1e999}')),
}
