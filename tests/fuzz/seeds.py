"""What the parsers are fed with first: good examples, so that what is changed in them gets deep; and ones that grow."""

from __future__ import annotations

import base64
import io
import json
import ssl
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import trustme

from imagesync.manifest import OCI_INDEX, OCI_MANIFEST
from imagesync.plan.file import plan_to_json
from imagesync.promotion.record import record_to_json
from imagesync.state import State, state_to_json
from tests.gates.test_vulnerabilities import grype, sarif, trivy
from tests.plan.test_file import make_plan
from tests.promotion.values import make_record
from tests.signature.recorded import COSIGN, NGINX
from tests.state.values import TWO, deleted, seen, written

ROOT = Path(__file__).resolve().parent.parent.parent
DIGEST = f"sha256:{'a' * 64}"


def _texts(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


def _documents(*documents: Any) -> tuple[bytes, ...]:
    return tuple(json.dumps(document).encode() for document in documents)


def _many(before: str, one: str, after: str, size: int) -> bytes:
    """A list of as many as there is space for; `#` in one of them is its number."""
    count = max(size // (len(one) + 1), 1)
    return (before + ",".join(one.replace("#", str(number)) for number in range(count)) + after).encode()


REFERENCES = _texts(
    "nginx",
    f"docker.io/library/nginx:1.27@{DIGEST}",
    "localhost:5000/a/b_c.d-e:v1.2.3-rc.1",
    "[::1]:5000/a",
    "oci:a/b:c",
)
PLATFORMS = _texts("linux/amd64", "linux/arm/v7", "windows(10.0.17763.1)/amd64", "linux/arm64+a+b")
VERSIONS = _texts("1.27.3", "v1.2.3-rc.1-alpine3.20", "20.04", "1_2-3")
PATTERNS = _texts("1.*", "/v[0-9]+/", "[a-c]?", "latest")
RANGES = _texts(">=7.2 <9 || ^1.2.3", "~1.2", "1.x", "1.2 - 3.4", "*")
DATES = _texts("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00+01:00")
CHALLENGES = _texts(
    'Bearer realm="https://auth.example/token",service="s",scope="repository:a/b:pull,push repository:c:pull"',
    'Negotiate abc==, Basic realm="a\\"b", Bearer realm="x",error="invalid_token"',
)
LINKS = _texts(
    '</v2/a/tags/list?n=1&last=b>; rel="next"', '<https://h/a>; rel=prev, <?n=2>; title="a,b"; rel="next last"'
)
LOCATIONS = _texts(
    "/v2/a/blobs/uploads/1?_state=a%20b+c", "https://storage.example:8443/x?sig=%2F#f", "//h/a", "?n=2", "a"
)
RANGES_OF_BYTES = _texts("0-99", "bytes=0-0", "0--1", "16777216")
RETRY_AFTERS = _texts("120", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "1e9")
PULL_RATES = _texts("76;w=21600", "100,100;w=60", "3")
REFUSALS = (
    *_documents(
        {"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown", "detail": {"Digest": DIGEST}}]},
        {"details": "no"},
        {"errors": ["text"]},
    ),
    *_texts("<!doctype html><p>", "too many requests: pull rate limit"),
)
HEADS = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: a\r\n b\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n",
    b"HTTP/1.0 404 No\nConnection: keep-alive\n\nabc",
)
CHUNKED = (b"3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n",)
GRANTS = _documents(
    {"access": [{"type": "repository", "name": "a/b", "actions": ["pull", "push"]}]},
    {"access": [{"type": "repository", "name": "a/b", "actions": None}, [], None]},
    {"access": {}},
)
CERTIFICATES = (
    ssl.PEM_cert_to_DER_cert(trustme.CA().issue_cert("a.example", "10.0.0.1").cert_chain_pems[0].bytes().decode()),
)
TOKENS = _documents({"token": "abc", "access_token": "abc", "expires_in": 300, "issued_at": "2026-03-01T12:00:00Z"})
TAG_LISTS = _documents({"name": "a", "tags": ["1", "latest"]}, {"tags": None})

_DESCRIPTOR = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": DIGEST, "size": 7}
_CHILD = {
    "mediaType": OCI_MANIFEST,
    "digest": DIGEST,
    "size": 7,
    "platform": {"os": "linux", "architecture": "arm", "variant": "v7", "os.features": ["a"]},
    "annotations": {"org.opencontainers.image.ref.name": "1.0"},
}
MANIFESTS = _documents(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {**_DESCRIPTOR, "mediaType": "application/vnd.oci.image.config.v1+json"},
        "layers": [_DESCRIPTOR, {**_DESCRIPTOR, "urls": ["https://a"], "data": "YQ==", "size": 1}],
        "subject": _CHILD,
        "annotations": {"a": "b"},
        "artifactType": "application/x",
    }
)
INDEXES = _documents({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_CHILD], "subject": _CHILD})
LAYOUTS = INDEXES
LAYOUT_VERSIONS = _documents({"imageLayoutVersion": "1.0.0"})
SPECS = (
    (ROOT / "sync.yaml.example").read_bytes(),
    *_texts(
        "version: 1\nsync:\n  - {source: docker.io, destination: 'local:50', images: [nginx, {name: 'a/{b,c}'}]}\n",
        "version: 1\ndefaults: &a {prune: true}\nregistries:\n  '*.x': {auth: {username: a, password: '${secret:B}'}}",
    ),
)
LOCKS = _texts(
    f"version: 1\ntags:\n  docker.io/library/nginx:latest: {DIGEST}\n  ? 'docker.io/a/b:1'\n  : sha512:{'b' * 128}\n"
)
PLANS = _texts(plan_to_json(make_plan()))
STATES = _texts(state_to_json(State.of([seen(), written(source=TWO), deleted(tag="2.0")])))
FOLDED = _documents(["run-1", "run-2"])
RECORDS = _texts(record_to_json(make_record()))


def _bodies(*recorded: Any) -> tuple[bytes, ...]:
    return tuple(piece.body for one in recorded for piece in one.evidence)


PAYLOADS = _bodies(NGINX)
BUNDLES = tuple(body for body in _bodies(*COSIGN.values()) if b"dsseEnvelope" in body)
_ENVELOPES = [json.loads(body)["dsseEnvelope"] for body in BUNDLES]
ENVELOPES = _documents(*_ENVELOPES)
STATEMENTS = tuple(base64.b64decode(envelope["payload"]) for envelope in _ENVELOPES)
APPROVALS = (*_documents({"by": "alice", "digest": DIGEST, "at": "2026-03-01T12:00:00Z"}), *ENVELOPES)
FOUND = ("CVE-2026-1", "CRITICAL", True)
SCANS = _documents(*(make(FOUND) for make in (trivy, grype, sarif)))
DOCKER_CONFIGS = _documents(
    {
        "auths": {
            "https://index.docker.io/v1/": {"auth": "dXNlcjpwYXNz"},
            "registry.example/a": {"username": "u", "password": "p", "identitytoken": "i"},
        },
        "credHelpers": {"registry.example": "ecr-login"},
        "credsStore": "desktop",
    }
)
HELPER_ANSWERS = _documents({"ServerURL": "a", "Username": "<token>", "Secret": "abc"})
PROXIES = _texts("http://user:p%40ss@proxy.example:3128", "https://[::1]:8080", "proxy:1")


def tar_of(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


ARCHIVES = (tar_of(("./oci-layout", b"{}"), ("blobs/sha256/ü" + "a" * 120, b"x")), tar_of())

SAVED = _documents(
    [{"Config": "blobs/sha256/a", "RepoTags": ["nginx:1.27", "a.example:5000/b:1"], "Layers": ["a/layer.tar"]}]
)
DOCKER_ARCHIVES = (
    tar_of(("manifest.json", SAVED[0]), ("blobs/sha256/a", b"{}"), ("a/layer.tar", b"x" * 600)),
    tar_of(("oci-layout", LAYOUT_VERSIONS[0]), ("index.json", INDEXES[0]), ("manifest.json", SAVED[0])),
)


def challenges(size: int) -> bytes:
    return _many("Bearer ", 'a#="b\\"c"', "", min(size, 16_000))


def links(size: int) -> bytes:
    return _many("", '<a>; x="y"; b', "", min(size, 16_000))


def headers(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nX: a\r\n" + b" b" * (min(size, 60_000) // 2) + b"\r\n\r\n"


def chunks(size: int) -> bytes:
    return b"1\r\na\r\n" * (size // 6) + b"0\r\n\r\n"


def tag_list(size: int) -> bytes:
    return _many('{"tags":[', '"1.#"', "]}", size)


def manifest(size: int) -> bytes:
    return _many(
        '{"schemaVersion":2,"config":' + json.dumps(_DESCRIPTOR) + ',"layers":[', json.dumps(_DESCRIPTOR), "]}", size
    )


def index(size: int) -> bytes:
    return _many('{"schemaVersion":2,"manifests":[', json.dumps(_CHILD), "]}", size)


def layout(size: int) -> bytes:
    """Each has a name of its own but the last two."""
    named = {**_CHILD, "annotations": {"org.opencontainers.image.ref.name": "1.#"}}
    whole = json.loads(_many('{"schemaVersion":2,"manifests":[', json.dumps(named), "]}", size))
    return json.dumps({**whole, "manifests": [*whole["manifests"], whole["manifests"][-1]]}).encode()


def archive(size: int) -> bytes:
    return tar_of(*((f"blobs/sha256/{number}", b"") for number in range(size // 512)))


def spec(size: int) -> bytes:
    images = "".join(f"      - a/b{number}:1\n" for number in range(size // 14))
    return f"version: 1\nsync:\n  - source: docker.io\n    destination: localhost:5000\n    images:\n{images}".encode()


def lock(size: int) -> bytes:
    lines = (f"  docker.io/library/a:{number}: {DIGEST}\n" for number in range(size // 100))
    return ("version: 1\ntags:\n" + "".join(lines)).encode()


def state(size: int) -> bytes:
    return state_to_json(State.of(written(tag=f"1.{number}") for number in range(size // 300))).encode()


def statement(size: int) -> bytes:
    subject = '{"name":"a#","digest":{"sha256":"' + "a" * 64 + '"}}'
    head = '{"_type":"https://in-toto.io/Statement/v1","predicateType":"a","predicate":{},"subject":['
    return _many(head, subject, "]}", size)


def scan(size: int) -> bytes:
    return _document_with(grype(FOUND), ("matches",), size)


def docker_config(size: int) -> bytes:
    return _many('{"auths":{', '"h#.example":{"auth":"dXNlcjpwYXNz"}', "}}", size)


def _document_with(document: Any, path: Sequence[str], size: int) -> bytes:
    """The document with its list at this path made longer, by what it begins with."""
    found = document
    for key in path[:-1]:
        found = found[key]
    one = found[path[-1]][0]
    found[path[-1]] = [one] * max(size // len(json.dumps(one)), 1)
    return json.dumps(document).encode()
