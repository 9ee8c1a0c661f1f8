"""The group BLB as whole runs: what comes as a blob, and from where."""

from __future__ import annotations

import base64
import json
import re
import socket
import time

import pytest

from imagesync.manifest import FOREIGN_LAYER_TYPES, OCI_MANIFEST, digest_of, parse_manifest
from imagesync.plan.outcome import Status
from imagesync.reference import Digest
from imagesync.server.auth import TokenAuth
from imagesync.settings import Timeouts
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.fakes.wire import Ending, Fault, Wire
from tests.images import LAYER, MadeImage, blob_of, make_bytes, make_image
from tests.registry.wire import WireServer, answer, read_head
from tests.traces.harness import USERS, Sync, kinds
from tests.wire.conftest import Broken
from tests.wire.relay import Break

MIB = 1024 * 1024


def image_of(*bodies: bytes, **fields: object) -> MadeImage:
    """An image with these layers; `fields` are set in the descriptor of every layer."""

    def described(body: bytes, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}

    config = b'{"architecture": "amd64", "os": "linux"}'
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(config, "application/vnd.oci.image.config.v1+json"),
        "layers": [{**described(body, LAYER), **fields} for body in bodies],
    }
    root = parse_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    return MadeImage(root, (), {digest_of(body): body for body in (config, *bodies)})


def check_arrived(registry: FakeRegistry, image: MadeImage) -> None:
    store = registry.repository("mirror/app")
    for digest, body in image.blobs.items():
        with store.fetch_blob(blob_of(body, algorithm=digest.algorithm)) as pieces:
            assert b"".join(pieces) == body


def check_copied(sync: Sync, image: MadeImage) -> None:
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.reason) == (Status.COPIED, "")
    check_arrived(sync.destination, image)


def check_nothing_is_stored(sync: Sync, digest: Digest, *, kind: str = "integrity") -> None:
    """The run must fail so, naming the source; no wrong byte is kept and no tag is written."""
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, kind), outcome.reason
    assert outcome.reason.startswith("source")
    assert not list(sync.destination.root.rglob(digest.encoded))
    assert "PUT manifests" not in kinds(sync.destination)


def test_layers_of_no_one_and_two_bytes_are_copied(sync: Sync) -> None:
    """BLB-01."""
    image = image_of(b"", b"1", b"22", make_bytes("large", MIB + 1))
    sync.fill(image, "latest")
    check_copied(sync, image)


def test_storage_elsewhere_gets_no_login(make_registry: MakeRegistry) -> None:
    """BLB-02: neither the registry's token nor a cookie, though both are at hand."""
    source, storage = make_registry(auth=TokenAuth(USERS)), make_registry()
    sync = Sync(source, make_registry())
    image = image_of(b"a layer")
    layer = image.root.successors()[-1].digest
    sync.fill(image, "latest")
    storage.script("GET", "/signed", status=200, body=b"a layer")
    headers = {"Location": f"{storage.url}/signed?X-Sig=a%2Fb+c|d", "Set-Cookie": "session=secret; Path=/"}
    source.script("GET", f"/blobs/{layer}", status=307, headers=headers)
    check_copied(sync, image)
    (entry,) = storage.log.entries()
    assert entry.query == "X-Sig=a%2Fb+c|d"
    assert not {"Authorization", "Cookie"} & set(entry.headers)


@pytest.mark.parametrize(
    "location",
    ["/v2/app/blobs/BLOB", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://user:secret@127.0.0.1/x", "http://[::1"],
)
def test_a_redirect_that_leads_nowhere_good_fails_the_image(sync: Sync, location: str) -> None:
    """BLB-03."""
    image = image_of(b"a layer")
    layer = image.root.successors()[-1].digest
    sync.fill(image, "latest")
    sync.source.script("GET", f"/blobs/{layer}", status=307, headers={"Location": location.replace("BLOB", layer)})
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "protocol")
    assert "secret" not in outcome.reason
    assert len(sync.source.log.entries("GET", layer)) <= 11


def test_a_signed_address_that_has_run_out_is_signed_anew(make_registry: MakeRegistry, broken: Broken) -> None:
    """BLB-04: cut in the middle, the address has run out meanwhile, and the registry gives another."""
    storage, body = make_registry(), make_bytes("layer", 4 * MIB)
    image = image_of(body)
    layer = image.root.successors()[-1].digest
    sync = broken.sync
    sync.fill(image, "latest")
    storage.script("GET", "/first", status=200, body=body, times=1)
    storage.script("GET", "/first", status=403)
    storage.script("GET", "/second", status=200, body=body)
    with Wire(storage.host) as wire:
        wire.faults = {1: Fault(Ending.CUT, after_bytes=2 * MIB + 1000)}
        for name, times in (("first", 2), ("second", None)):
            headers = {"Location": f"http://{wire.host}/{name}?signature=secret"}
            sync.source.script("GET", f"/blobs/{layer}", status=307, headers=headers, times=times)
        check_copied(sync, image)
    assert [entry.path for entry in storage.log.entries()] == ["/first", "/first", "/second"]
    first, resumed, anew = (entry.headers.get("Range") for entry in sync.source.log.entries("GET", layer))
    assert (first, anew) == (None, None)
    assert resumed is not None
    assert resumed.startswith("bytes=")


def test_a_body_that_is_said_to_be_compressed_is_taken_as_it_is(sync: Sync) -> None:
    """BLB-05."""
    image = image_of(make_bytes("layer", 5000))
    sync.fill(image, "latest")
    sync.source.script("GET", "/blobs/", headers={"Content-Encoding": "gzip"})
    check_copied(sync, image)


def test_a_source_that_trickles_is_gone_on_with_on_another_connection(make_registry: MakeRegistry) -> None:
    """BLB-10: each byte comes in time, and the rest never would."""
    body = make_bytes("layer", 4 * MIB)
    image = image_of(body)
    layer = image.root.successors()[-1].digest
    heads: list[bytes] = []

    def trickle(opened: socket.socket) -> None:
        heads.append(read_head(opened))
        opened.sendall(answer(body)[: -2 * MIB])
        for at in range(2 * MIB, len(body)):
            opened.sendall(body[at : at + 1])
            time.sleep(0.02)

    def send_rest(opened: socket.socket) -> None:
        heads.append(read_head(opened))
        start = int(re.findall(rb"bytes=([0-9]+)-", heads[-1])[0])
        opened.sendall(answer(body[start:], "206 Partial Content", f"Content-Range: bytes {start}-/*"))

    sync = Sync(make_registry(), make_registry(), timeouts=Timeouts(read_seconds=0.3))
    sync.fill(image, "latest")
    with WireServer(trickle, send_rest) as storage:
        sync.source.script("GET", layer, status=307, headers={"Location": f"http://{storage.host}/layer"})
        check_copied(sync, image)
    assert len(heads) == 2
    assert kinds(sync.destination)["POST uploads"] == len(image.blobs)


@pytest.mark.parametrize("answer", ["range", "whole", "another range", "416"])
def test_a_download_that_is_cut_arrives_all_the_same(broken: Broken, answer: str) -> None:
    """BLB-06: a range is gone on with; whatever else comes, the bytes that arrive are the blob's."""
    sync, source = broken.sync, broken.source
    image = make_image(layers=1, layer_bytes=4 * MIB)
    layer = image.root.successors()[-1].digest
    sync.fill(image, "latest")
    source.breaks("GET", layer, Break.CUT)
    if answer == "whole":
        source.breaks("GET", layer, Break.WITHOUT_RANGE)
    if answer == "another range":
        headers = {"Content-Range": f"bytes 5-{4 * MIB - 1}/{4 * MIB}"}
        source.answers("GET", layer, 206, headers=headers, body=image.blobs[layer][5:])
    if answer == "416":
        source.answers("GET", layer, 416)
    check_copied(sync, image)
    asked = [entry.headers.get("Range") for entry in sync.source.log.entries("GET", layer)]
    resumed = f"bytes={2 * MIB}-"
    assert asked == [None, resumed if answer == "range" else None]
    if answer == "range":
        requests = kinds(sync.destination)
        assert (requests["POST uploads"], requests["PATCH uploads"]) == (2, 1), "the upload does not notice"


@pytest.mark.parametrize(
    "change", [lambda body: body + b"x" * MIB, lambda body: body[:-1], lambda body: body[::-1]], ids=["+", "-", "x"]
)
def test_a_body_that_is_not_the_blob_is_read_again_once(sync: Sync, change: object) -> None:
    """BLB-07: longer, shorter, of the right size; once is mended, for ever is an error that names the source."""
    assert callable(change)
    image = make_image(layers=1, layer_bytes=100_000)
    layer = image.root.successors()[-1].digest
    sync.fill(image, "latest")
    wrong = change(image.blobs[layer])
    sync.source.script("GET", layer, status=200, body=wrong)
    check_nothing_is_stored(sync, layer)
    assert len(sync.source.log.entries("GET", layer)) == 2
    sync.source.unscript()
    sync.source.script("GET", layer, status=200, body=wrong, times=1)
    check_copied(sync, image)


def test_an_endless_body_is_not_read_to_its_end(sync: Sync) -> None:
    """BLB-07: 64 MiB come where 1,000 bytes were announced."""
    image = make_image(layers=1)
    layer = image.root.successors()[-1].digest
    sync.fill(image, "latest")
    sync.source.script("GET", layer, status=200, body=bytes(64 * MIB))
    check_nothing_is_stored(sync, layer)
    assert all(entry.bytes_in <= 1000 for entry in sync.destination.log.entries(path="/uploads/"))


def test_ten_images_that_share_a_layer_move_it_once(sync: Sync) -> None:
    """BLB-08: into two repositories, so one of them mounts it."""
    shared = make_bytes("shared", 50_000)
    tags = [f"v{number}" for number in range(10)]
    for tag in tags:
        sync.fill(image_of(shared, tag.encode()), tag)
    outcomes = sync.apply(*tags, to=["a", "b"])
    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 20
    assert len(sync.source.log.entries("GET", digest_of(shared))) == 1
    assert [entry.bytes_in for entry in sync.destination.log.entries("PUT")].count(len(shared)) == 1


@pytest.mark.parametrize("length", ["5", "", "junk", "99999999999999999999"])
def test_a_blob_that_is_there_with_another_length_is_brought(sync: Sync, length: str) -> None:
    """BLB-09."""
    image = make_image(layers=1)
    sync.fill(image, "latest")
    sync.destination.script("HEAD", "/blobs/", status=200, headers={"Content-Length": length})
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.COPIED
    check_arrived(sync.destination, image)


def test_a_source_that_falls_silent_is_asked_again(make_registry: MakeRegistry) -> None:
    """BLB-10: nothing comes for longer than the idle limit."""
    source = make_registry()
    with Wire(source.host) as wire:
        sync = Sync(source, make_registry(), source_host=wire.host, timeouts=Timeouts(read_seconds=0.5))
        image = make_image(layers=1, layer_bytes=4 * MIB)
        sync.fill(image, "latest")
        stall = Fault(Ending.STALL, after_bytes=2 * MIB)
        wire.faults = dict.fromkeys(range(1, 4), stall)
        check_copied(sync, image)
        assert wire.connections > 2


def test_a_foreign_layer_is_not_fetched(make_registry: MakeRegistry) -> None:
    """BLB-11: nobody asks the address in its `urls`, and the image is copied with the manifest as it is."""
    source, attacker = make_registry(auth=TokenAuth(USERS)), make_registry(auth=TokenAuth(USERS))
    sync = Sync(source, make_registry())
    for kind in sorted(FOREIGN_LAYER_TYPES):
        image = image_of(b"far away", mediaType=kind, urls=[f"{attacker.url}/layer"])
        sync.fill(image, "latest")
        (outcome,) = sync.apply("latest")
        assert outcome.status is Status.COPIED
        assert not sync.source.log.entries("", digest_of(b"far away"))
    assert len(attacker.log) == 0


@pytest.mark.parametrize(("data", "is_read"), [(b"right", False), (b"wrong", True), (b"longer", True), (None, True)])
def test_embedded_content_is_used_where_it_is_right(sync: Sync, data: bytes | None, is_read: bool) -> None:
    """BLB-12: what is wrong is not believed, and the blob is read."""
    embedded = "not base64!" if data is None else base64.b64encode(data).decode()
    image = image_of(b"right", data=embedded)
    sync.fill(image, "latest")
    check_copied(sync, image)
    assert bool(sync.source.log.entries("GET", digest_of(b"right"))) is is_read
