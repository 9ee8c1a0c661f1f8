"""One repository on a registry: manifests, blobs to read, tag lists."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import (
    ImmutableError,
    IntegrityError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.manifest import ACCEPT, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST, digest_of
from imagesync.reference import Tag, make_repository
from imagesync.registry.repository import RemoteRepository
from imagesync.settings import RegistrySettings
from imagesync.store import Pushed
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import list_of, make_referrer, push_image
from tests.registry.remote import Source, make_blob, make_index, make_manifest, open_registries, open_repository
from tests.registry.wire import WireServer, read_head

CONFIG, LAYER = b"{}", b"layer" * 1000
IMAGE = make_manifest(CONFIG, LAYER)
LATEST = Tag("latest")
MANIFEST = f"/v2/a/b/manifests/{LATEST}"
TAGS = "/v2/a/b/tags/list"


def fill(repository: RemoteRepository) -> None:
    for data in (CONFIG, LAYER):
        repository.push_blob(make_blob(data), Source(data))
    repository.push_manifest(IMAGE, LATEST)


def script_manifest(
    registry: FakeRegistry, body: bytes, content_type: str = OCI_MANIFEST, *, digest: str = "", path: str = MANIFEST
) -> None:
    headers = {"Content-Type": content_type, **({"Docker-Content-Digest": digest} if digest else {})}
    registry.script("GET", path, status=200, headers=headers, body=body)


def test_a_manifest_comes_back_as_it_went(registry: FakeRegistry) -> None:
    """MAN-01, MAN-10."""
    with open_repository(registry) as repository:
        fill(repository)
        assert repository.resolve(LATEST) == IMAGE.descriptor
        assert repository.fetch_manifest(LATEST).raw == IMAGE.raw
        assert repository.fetch_manifest(IMAGE.digest).raw == IMAGE.raw
    assert {entry.headers["Accept"] for entry in registry.log.entries("GET", "manifests")} == {ACCEPT}
    assert {entry.headers["Accept"] for entry in registry.log.entries("HEAD", "manifests")} == {ACCEPT}


def test_resolving_costs_one_head(registry: FakeRegistry) -> None:
    with open_repository(registry) as repository:
        fill(repository)
        registry.log.clear()
        repository.resolve(LATEST)
    assert registry.log.lines() == [f"HEAD {MANIFEST} 200"]


def test_what_is_not_there_is_not_found(registry: FakeRegistry) -> None:
    """A 404 is believed here: who surveys a source knows when to ask twice."""
    with open_repository(registry) as repository:
        for call in (repository.resolve, repository.fetch_manifest):
            with pytest.raises(NotFoundError) as raised:
                call(LATEST)
            assert raised.value.reference == f"{registry.host}/a/b:latest"
    assert len(registry.log) == 2


@pytest.mark.parametrize(
    ("status", "headers"),
    [(405, {}), (None, {"Docker-Content-Digest": ""}), (None, {"Content-Type": "application/json"})],
)
def test_a_head_that_says_too_little_is_made_up_for_by_reading(
    registry: FakeRegistry, status: int | None, headers: Mapping[str, str]
) -> None:
    """MAN-04."""
    with open_repository(registry) as repository:
        fill(repository)
        registry.script("HEAD", MANIFEST, status=status, headers=headers)
        assert repository.resolve(LATEST) == IMAGE.descriptor
    assert registry.log.lines("GET") == [f"GET {MANIFEST} 200"]


def test_the_header_must_be_the_digest_of_the_bytes(registry: FakeRegistry) -> None:
    """MAN-05."""
    script_manifest(registry, IMAGE.raw, digest=digest_of(b"other"))
    with open_repository(registry) as repository, pytest.raises(IntegrityError):
        repository.fetch_manifest(LATEST)


def test_the_digest_that_was_asked_for_wins(registry: FakeRegistry) -> None:
    """MAN-06: body and header agree, on another manifest."""
    other = make_index(IMAGE)
    script_manifest(registry, other.raw, other.media_type, digest=other.digest, path="/manifests/sha256:")
    registry.script("HEAD", "/manifests/sha256:", headers={}, status=200)
    with open_repository(registry) as repository:
        with pytest.raises(IntegrityError):
            repository.fetch_manifest(IMAGE.digest)
        with pytest.raises(IntegrityError):
            repository.resolve(IMAGE.digest)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", ""])
def test_the_type_is_found_in_the_document_where_the_header_is_vague(registry: FakeRegistry, content_type: str) -> None:
    """MAN-07."""
    script_manifest(registry, IMAGE.raw, content_type)
    with open_repository(registry) as repository:
        assert repository.fetch_manifest(LATEST).media_type == OCI_MANIFEST


@pytest.mark.parametrize(
    ("body", "own"),
    [
        (b'{"schemaVersion": 1, "name": "a"}', UnsupportedError),
        (b"<html>login</html>", ProtocolError),
        (b"OK", ProtocolError),
        (b'{"schemaVersion": 2, "manifests": [], "layers": []}', ProtocolError),
        (b"[" * 100_000, ProtocolError),
        (b"x" * (MAX_MANIFEST_BYTES + 1), ProtocolError),
    ],
    ids=["schema 1", "page", "text", "two types", "deep", "large"],
)
def test_a_body_that_is_no_manifest_is_a_typed_error(
    registry: FakeRegistry, body: bytes, own: type[StoreError]
) -> None:
    """MAN-03, MAN-08, MAN-09, MAN-11, ERR-02."""
    script_manifest(registry, body, "application/json")
    with open_repository(registry) as repository, pytest.raises(own) as raised:
        repository.fetch_manifest(LATEST)
    assert raised.value.operation == "GET manifest"


def test_a_manifest_that_never_ends_is_stopped_at_the_cap() -> None:
    """MAN-09."""

    def play(opened: socket.socket) -> None:
        read_head(opened)
        opened.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            opened.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    with (
        WireServer(play) as server,
        open_repository(server) as repository,
        pytest.raises(ProtocolError, match="longer than"),
    ):
        repository.fetch_manifest(LATEST)


def test_a_put_whose_answer_is_lost_is_looked_after(registry: FakeRegistry) -> None:
    """MAN-15."""
    registry.script("PUT", MANIFEST, status=502, is_done=True)
    with open_repository(registry) as repository:
        fill(repository)
    assert registry.log.lines("", MANIFEST)[-1] == f"HEAD {MANIFEST} 200"


def test_a_tag_that_is_fixed_may_be_written_with_what_it_has(registry: FakeRegistry) -> None:
    """MAN-18."""
    with open_repository(registry) as repository:
        fill(repository)
        registry.script("PUT", MANIFEST, status=412, body=b'{"errors":[{"code":"X","message":"tag is immutable"}]}')
        repository.push_manifest(IMAGE, LATEST)
        with pytest.raises(ImmutableError):
            repository.push_manifest(make_manifest(CONFIG), LATEST)


def test_a_repository_whose_name_speaks_of_immutable_is_not_found(registry: FakeRegistry) -> None:
    text = "The repository with name 'acme/immutable-base' does not exist"
    body = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": text}]}).encode()
    registry.script(status=404, body=body)
    with open_repository(registry, "acme/immutable-base") as repository:
        with pytest.raises(NotFoundError):
            repository.push_manifest(IMAGE, LATEST)
        with pytest.raises(NotFoundError):
            repository.push_blob(make_blob(LAYER), Source(LAYER))


@pytest.mark.parametrize("said", ["", digest_of(b"another"), "~"])
def test_a_registry_that_does_not_name_the_subject_lists_no_referrer(registry: FakeRegistry, said: str) -> None:
    """RFR-04."""
    with open_repository(registry) as repository:
        fill(repository)
        referrer = push_image(repository, make_referrer(IMAGE))
        assert repository.push_referrer(referrer.root, IMAGE.digest)
        registry.script("PUT", "/manifests/sha256:", headers={"OCI-Subject": said})
        assert not repository.push_referrer(referrer.root, IMAGE.digest)


@pytest.mark.parametrize("status", [200, 404])
def test_whether_a_referrer_is_listed_is_asked_where_the_answer_to_it_was_lost(
    registry: FakeRegistry, status: int
) -> None:
    listed = list_of().root
    registry.script("GET", "/referrers/", status=status, headers={"Content-Type": OCI_INDEX}, body=listed.raw)
    registry.script("PUT", "/manifests/sha256:", status=502, is_done=True)
    with open_repository(registry) as repository:
        fill(repository)
        referrer = push_image(repository, make_referrer(IMAGE))
        assert repository.push_referrer(referrer.root, IMAGE.digest) is (status == 200)


def test_only_201_says_that_a_manifest_was_stored(registry: FakeRegistry) -> None:
    """ERR-02."""
    registry.script("PUT", MANIFEST, status=200, body=b"OK")
    with open_repository(registry) as repository, pytest.raises(ProtocolError):
        repository.push_manifest(IMAGE, LATEST)


def test_a_registry_that_stores_other_bytes_is_found_out(registry: FakeRegistry) -> None:
    headers = {"Docker-Content-Digest": digest_of(b"x")}
    registry.script("PUT", MANIFEST, status=201, headers=headers)
    with open_repository(registry) as repository, pytest.raises(IntegrityError):
        repository.push_manifest(IMAGE, LATEST)


@pytest.mark.parametrize("length", ["1" * 16, "-1"])
def test_a_blob_whose_size_is_not_said_is_an_error_not_an_absence(registry: FakeRegistry, length: str) -> None:
    registry.script("HEAD", "/blobs/", status=200, headers={"Content-Length": length})
    with open_repository(registry) as repository, pytest.raises(ProtocolError, match="does not say how large"):
        repository.blob_size(make_blob(LAYER).digest)


def test_a_missing_blob_is_reported_with_the_registrys_code(registry: FakeRegistry) -> None:
    """MAN-14: who pushes can see what to repair."""
    with open_repository(registry) as repository, pytest.raises(StoreError) as raised:
        repository.push_manifest(IMAGE, LATEST)
    assert raised.value.code == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize("data", [b"", b"x", b"xy", LAYER])
def test_a_blob_comes_back_as_it_went(registry: FakeRegistry, data: bytes) -> None:
    """BLB-01."""
    blob = make_blob(data)
    with open_repository(registry) as repository:
        assert not repository.has_blob(blob)
        repository.push_blob(blob, Source(data))
        assert repository.has_blob(blob)
        with repository.fetch_blob(blob) as pieces:
            assert b"".join(pieces) == data


def test_a_blob_of_another_length_counts_as_absent(registry: FakeRegistry) -> None:
    """BLB-09."""
    with open_repository(registry) as repository:
        repository.push_blob(make_blob(LAYER), Source(LAYER))
        assert not repository.has_blob(make_blob(LAYER, size_bytes=3))


def test_a_redirect_is_followed_without_the_login(make_registry: MakeRegistry, registry: FakeRegistry) -> None:
    """BLB-02."""
    storage = make_registry()
    storage.script("GET", "/signed", status=200, body=LAYER)
    registry.script("GET", "/blobs/", status=307, headers={"Location": f"{storage.url}/signed?X-Sig=a%2Fb|c"})
    with open_repository(registry) as repository, repository.fetch_blob(make_blob(LAYER)) as pieces:
        assert b"".join(pieces) == LAYER
    (entry,) = storage.log.entries()
    assert entry.query == "X-Sig=a%2Fb|c"
    assert not entry.has_authorization


@pytest.mark.parametrize("location", ["/v2/a/b/blobs/again", "ftp://127.0.0.1/x", "http://u:p@127.0.0.1/x", None])
def test_a_redirect_that_leads_nowhere_good_is_refused(registry: FakeRegistry, location: str | None) -> None:
    """BLB-03, S28."""
    registry.script("GET", "/blobs/", status=307, headers={"Location": location} if location else {})
    with (
        open_repository(registry) as repository,
        pytest.raises(ProtocolError),
        repository.fetch_blob(make_blob(LAYER)),
    ):
        pytest.fail("opened")
    assert len(registry.log) <= 11


def test_storage_that_refuses_a_signed_address_is_worth_another_try(
    make_registry: MakeRegistry, registry: FakeRegistry
) -> None:
    """BLB-04: the next attempt begins at the registry, which signs anew."""
    storage = make_registry()
    storage.script("GET", "/signed", status=403)
    registry.script("GET", "/blobs/", status=307, headers={"Location": f"{storage.url}/signed?sig=secret"})
    with open_repository(registry) as repository, pytest.raises(NetworkError) as raised:
        repository.fetch_blob(make_blob(LAYER)).__enter__()
    assert raised.value.is_transient
    assert "secret" not in str(raised.value)


def test_a_mirror_is_asked_first_for_digests_and_never_for_tags(make_registry: MakeRegistry) -> None:
    origin, mirror = make_registry(), make_registry()
    settings = (origin.host, RegistrySettings(mirrors=(mirror.host,)))
    with open_registries(settings) as registries:
        fill(registries.repository(make_repository(mirror.host, "a/b")))
        fill(registries.repository(make_repository(origin.host, "a/b")))
        origin.log.clear()
        repository = registries.repository(make_repository(origin.host, "a/b"))
        assert repository.fetch_manifest(repository.resolve(LATEST).digest).raw == IMAGE.raw
        with repository.fetch_blob(make_blob(LAYER)) as pieces:
            assert b"".join(pieces) == LAYER
    assert origin.log.lines() == [f"HEAD {MANIFEST} 200"]


@pytest.mark.parametrize("status", [404, 500])
def test_what_a_mirror_lacks_comes_from_the_origin(make_registry: MakeRegistry, status: int) -> None:
    origin, mirror = make_registry(), make_registry()
    mirror.script(status=status)
    with open_registries((origin.host, RegistrySettings(mirrors=(mirror.host,)))) as registries:
        repository = registries.repository(make_repository(origin.host, "a/b"))
        fill(repository)
        for _ in range(2):
            assert repository.fetch_manifest(IMAGE.digest).raw == IMAGE.raw
            with repository.fetch_blob(make_blob(LAYER)) as pieces:
                assert b"".join(pieces) == LAYER
    assert len(mirror.log) == (4 if status == 404 else 1), "a mirror that fails is not asked again"


def refuse(repository: RemoteRepository) -> None:
    """What a copy does when it finds wrong bytes."""
    with repository.fetch_blob(make_blob(LAYER)) as pieces:
        assert b"".join(pieces) == b"wrong"
        raise IntegrityError("blob came with other bytes")


def test_a_mirror_that_sent_wrong_bytes_is_given_up(make_registry: MakeRegistry) -> None:
    origin, mirror = make_registry(), make_registry()
    mirror.script("GET", "/blobs/", status=200, body=b"wrong")
    with open_registries((origin.host, RegistrySettings(mirrors=(mirror.host,)))) as registries:
        repository = registries.repository(make_repository(origin.host, "a/b"))
        fill(repository)
        with pytest.raises(IntegrityError):
            refuse(repository)
        with repository.fetch_blob(make_blob(LAYER)) as pieces:
            assert b"".join(pieces) == LAYER


def test_a_copy_takes_a_blob_from_the_origin_when_a_mirror_sent_wrong_bytes(make_registry: MakeRegistry) -> None:
    origin, mirror, target = make_registry(), make_registry(), make_registry()
    mirror.script("GET", "/blobs/", status=200, body=b"wrong" * 1000)
    with open_registries((origin.host, RegistrySettings(mirrors=(mirror.host,)))) as registries:
        source = registries.repository(make_repository(origin.host, "a/b"))
        fill(source)
        destination = registries.repository(make_repository(target.host, "c"))
        copy = BlobCopy(source, Meter(), Cancellation())
        assert copy.run(make_blob(LAYER), destination) is Pushed.UPLOADED
        assert destination.has_blob(make_blob(LAYER))
    assert (len(mirror.log.entries("GET")), len(origin.log.entries("GET"))) == (1, 1)


def fetch_rest(repository: RemoteRepository, from_byte: int = 5) -> bytes:
    with repository.fetch_blob(make_blob(LAYER), from_byte=from_byte) as pieces:
        return b"".join(pieces)


def script_range(registry: FakeRegistry, content_range: str, body: bytes, path: str = "/blobs/") -> None:
    registry.script("GET", path, status=206, headers={"Content-Range": content_range}, body=body)


def test_the_rest_of_a_blob_is_asked_for_by_range(registry: FakeRegistry) -> None:
    """BLB-06."""
    with open_repository(registry) as repository:
        fill(repository)
        assert fetch_rest(repository) == LAYER[5:]
        assert fetch_rest(repository, 0) == LAYER
    first, whole = registry.log.entries("GET", "/blobs/")
    assert (first.headers["Range"], first.status) == ("bytes=5-", 206)
    assert "Range" not in whole.headers


def test_what_a_registry_sends_twice_is_left_out(registry: FakeRegistry) -> None:
    """BLB-06: it does not know ranges."""
    registry.script("GET", "/blobs/", status=200, body=LAYER)
    with open_repository(registry) as repository:
        assert fetch_rest(repository) == LAYER[5:]


@pytest.mark.parametrize("content_range", ["bytes 4-4999/5000", "bytes 50-4999/5000", "bytes */5000", "5-4999", ""])
def test_another_range_than_the_one_that_was_asked_for_is_refused(registry: FakeRegistry, content_range: str) -> None:
    """BLB-06."""
    script_range(registry, content_range, LAYER[5:])
    with open_repository(registry) as repository, pytest.raises(ProtocolError, match="another range"):
        fetch_rest(repository)


def test_a_part_that_was_not_asked_for_is_refused(registry: FakeRegistry) -> None:
    script_range(registry, "bytes 0-4999/5000", LAYER)
    with open_repository(registry) as repository, pytest.raises(ProtocolError):
        fetch_rest(repository, 0)


def test_a_range_that_is_refused_is_an_error(registry: FakeRegistry) -> None:
    """BLB-06."""
    registry.script("GET", "/blobs/", status=416, headers={"Content-Range": "bytes */5000"})
    with open_repository(registry) as repository, pytest.raises(ProtocolError) as raised:
        fetch_rest(repository)
    assert raised.value.status == 416


def test_a_range_is_asked_for_where_a_redirect_leads(make_registry: MakeRegistry, registry: FakeRegistry) -> None:
    """BLB-02, BLB-06."""
    storage = make_registry()
    script_range(storage, f"bytes 5-{len(LAYER) - 1}/{len(LAYER)}", LAYER[5:], "/signed")
    registry.script("GET", "/blobs/", status=307, headers={"Location": f"{storage.url}/signed"})
    with open_repository(registry) as repository:
        assert fetch_rest(repository) == LAYER[5:]
    assert [entry.headers["Range"] for entry in storage.log.entries()] == ["bytes=5-"]


@pytest.mark.parametrize("content_range", ["bytes 5-4999/5000", "bytes 6-4999/5000"])
def test_a_range_comes_from_a_mirror_or_else_from_the_origin(make_registry: MakeRegistry, content_range: str) -> None:
    origin, mirror = make_registry(), make_registry()
    script_range(mirror, content_range, LAYER[5:])
    with open_registries((origin.host, RegistrySettings(mirrors=(mirror.host,)))) as registries:
        repository = registries.repository(make_repository(origin.host, "a/b"))
        fill(repository)
        assert fetch_rest(repository) == LAYER[5:]
    assert [entry.headers["Range"] for entry in mirror.log.entries("GET")] == ["bytes=5-"]
    assert len(origin.log.entries("GET")) == (0 if "5-" in content_range else 1)


def script_tags(registry: FakeRegistry, tags: object, link: str = "", *, skip: int = 0, times: int | None = 1) -> None:
    headers = {"Link": link} if link else {}
    body = json.dumps({"name": "a/b", "tags": tags}).encode()
    registry.script("GET", TAGS, status=200, headers=headers, body=body, skip=skip, times=times)


def test_tags_come_sorted_and_once_and_without_those_that_are_none(registry: FakeRegistry) -> None:
    """TAG-01, TAG-04, TAG-05."""
    script_tags(registry, ["b", "a", "b", "-x", "sha256:ab", "x" * 200, "../../x", "\x1b[31m", 7, None])
    with open_repository(registry) as repository:
        listed = repository.list_tags()
    assert listed == ("a", "b")
    assert set(listed.illegal) == {"-x", "sha256:ab", "x" * 200, "../../x", "\x1b[31m"}


@pytest.mark.parametrize("body", [b'{"tags":null}', b"{}", b'{"tags":[]}'])
def test_a_list_without_tags_is_empty(registry: FakeRegistry, body: bytes) -> None:
    """TAG-04."""
    registry.script("GET", TAGS, status=200, body=body)
    with open_repository(registry) as repository:
        assert repository.list_tags() == ()


def test_a_repository_that_the_registry_does_not_know_is_not_found(registry: FakeRegistry) -> None:
    """TAG-04."""
    with open_repository(registry) as repository, pytest.raises(NotFoundError) as raised:
        repository.list_tags()
    assert raised.value.code == "NAME_UNKNOWN"


@pytest.mark.parametrize("link", ["<{path}?n=2&last=b%20|>; rel=next", '<{url}{path}?n=2&last=b%20|>; rel="next"'])
def test_every_page_is_read_from_the_address_that_was_given(registry: FakeRegistry, link: str) -> None:
    """TAG-02."""
    script_tags(registry, ["b"], link.format(path=TAGS, url=registry.url))
    script_tags(registry, ["a"])
    with open_repository(registry) as repository:
        assert repository.list_tags() == ("a", "b")
    assert [entry.query for entry in registry.log.entries()] == ["n=1000", "n=2&last=b%20|"]


@pytest.mark.parametrize(
    "link", ["https://evil.example/v2/a/b/tags/list", "http://127.0.0.1:1/x", "http://u:p@127.0.0.1/"]
)
def test_a_page_on_another_host_is_refused(registry: FakeRegistry, link: str) -> None:
    """TAG-03."""
    script_tags(registry, ["a"], f'<{link}>; rel="next"')
    with open_repository(registry) as repository, pytest.raises(ProtocolError):
        repository.list_tags()
    assert len(registry.log) == 1


def test_pages_that_lead_in_a_circle_are_an_error(registry: FakeRegistry) -> None:
    """TAG-03."""
    script_tags(registry, ["a"], f'<{TAGS}?last=a>; rel="next"', times=None)
    with open_repository(registry) as repository, pytest.raises(ProtocolError, match="does not end"):
        repository.list_tags()


def test_a_registry_with_smaller_pages_is_asked_without_a_size(registry: FakeRegistry) -> None:
    """TAG-06."""
    registry.script("GET", TAGS, status=405, times=1)
    script_tags(registry, ["a"])
    with open_repository(registry) as repository:
        assert repository.list_tags() == ("a",)
    assert [entry.query for entry in registry.log.entries()] == ["n=1000", ""]


def test_a_page_that_fails_is_asked_for_again(registry: FakeRegistry) -> None:
    """TAG-09."""
    script_tags(registry, ["b"], f'<{TAGS}?last=b>; rel="next"')
    registry.script("GET", TAGS, status=503, times=1)
    script_tags(registry, ["a"])
    with open_repository(registry) as repository:
        assert repository.list_tags() == ("a", "b")


def test_a_list_that_is_a_page_of_a_website_is_an_error(registry: FakeRegistry) -> None:
    """ERR-02."""
    registry.script("GET", TAGS, status=200, body=b"OK")
    with open_repository(registry) as repository, pytest.raises(ProtocolError, match="is this a registry"):
        repository.list_tags()


def test_the_pull_limit_fails_at_once(registry: FakeRegistry) -> None:
    """LIM-03."""
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
    registry.script("GET", MANIFEST, status=429, body=body, headers={"ratelimit-limit": "100;w=21600"})
    with open_repository(registry) as repository, pytest.raises(LimitError, match="100 in 6 hours"):
        repository.fetch_manifest(LATEST)
    assert len(registry.log) == 1
