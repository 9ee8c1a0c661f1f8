"""Pulling: manifests, blobs, ranges, tag lists. Distribution spec, "Pull" and "Content Discovery"."""

from __future__ import annotations

import pytest

from imagesync.manifest import DOCKER_LIST
from tests.fakes.registry import FakeRegistry
from tests.images import blob_of, make_bytes, make_image, make_index, push_image, reader
from tests.server.client import Client

DATA = make_bytes("range", 5000)
BLOB = f"/v2/a/blobs/{blob_of(DATA).digest}"


@pytest.fixture
def ranged(registry: FakeRegistry) -> None:
    registry.repository("a").push_blob(blob_of(DATA), reader(DATA))


def test_the_base_says_that_this_is_a_registry(client: Client) -> None:
    assert client("GET", "/v2/").status == 200
    assert client("HEAD", "/v2/").status == 200
    redirect = client("GET", "/v2")
    assert (redirect.status, redirect.headers["Location"]) == (301, "/v2/")


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2/a", "/v2/a/b/c", "/token"])
def test_other_paths_are_not_found_in_json(client: Client, path: str) -> None:
    reply = client("GET", path)
    assert (reply.status, reply.headers["Content-Type"]) == (404, "application/json")


@pytest.mark.parametrize("docker", [False, True])
def test_a_manifest_by_tag_and_digest_with_its_type_length_and_digest(
    registry: FakeRegistry, client: Client, docker: bool
) -> None:
    image = push_image(registry.repository("a/b"), make_index(docker=docker), "t")
    for target in ("t", image.digest):
        head, got = client("HEAD", f"/v2/a/b/manifests/{target}"), client("GET", f"/v2/a/b/manifests/{target}")
        assert (head.status, head.body, got.body) == (200, b"", image.root.raw)
        for reply in (head, got):
            assert reply.headers["Content-Type"] == image.root.media_type
            assert reply.headers["Content-Length"] == str(len(image.root.raw))
            assert reply.headers["Docker-Content-Digest"] == image.digest
    assert (image.root.media_type == DOCKER_LIST) is docker


def test_unknown_manifests_and_blobs_are_404_with_their_codes(client: Client) -> None:
    absent = blob_of(b"absent").digest
    for target in ("t", absent):
        assert client("HEAD", f"/v2/a/manifests/{target}").status == 404
        assert client("GET", f"/v2/a/manifests/{target}").codes == ["MANIFEST_UNKNOWN"]
    assert client("HEAD", f"/v2/a/blobs/{absent}").status == 404
    assert client("GET", f"/v2/a/blobs/{absent}").codes == ["BLOB_UNKNOWN"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/UPPER/tags/list", "NAME_INVALID"),
        ("/v2/a/../b/tags/list", "NAME_INVALID"),
        ("/v2/a/blobs/tags/list", "NAME_INVALID"),
        ("/v2/_uploads/tags/list", "NAME_INVALID"),
        ("/v2/a%2Fb/tags/list", "NAME_INVALID"),
        ("/v2/a%00/tags/list", "NAME_INVALID"),
        ("/v2/a/manifests/-bad", "NAME_INVALID"),
        ("/v2/a/manifests/sha256:bad", "DIGEST_INVALID"),
        ("/v2/a/blobs/sha256:bad", "DIGEST_INVALID"),
        ("/v2/a/blobs/sha256:..%2F..%2Fetc%2Fpasswd", "DIGEST_INVALID"),
        ("/v2/a/referrers/md5:00", "DIGEST_INVALID"),
    ],
)
def test_names_and_digests_that_break_the_grammar_are_400(client: Client, path: str, code: str) -> None:
    """S9, S17."""
    reply = client("GET", path)
    assert (reply.status, reply.codes) == (400, [code])


def test_a_method_that_an_endpoint_has_not_is_405(client: Client) -> None:
    reply = client("POST", "/v2/a/manifests/t")
    assert (reply.status, reply.codes) == (405, ["UNSUPPORTED"])
    assert reply.headers["Allow"] == "DELETE, GET, HEAD, PUT"


@pytest.mark.usefixtures("ranged")
class TestBlobs:
    def test_a_whole_blob(self, client: Client) -> None:
        head, got = client("HEAD", BLOB), client("GET", BLOB)
        assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "5000")
        assert (got.status, got.body) == (200, DATA)

    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [
            ("500-1499", 500, 1500),
            ("500-", 500, 5000),
            ("-500", 4500, 5000),
            ("2000-9000", 2000, 5000),
            ("-9000", 0, 5000),
            ("0-0", 0, 1),
            ("4999-", 4999, 5000),
        ],
    )
    def test_a_range(self, client: Client, asked: str, start: int, end: int) -> None:
        """BLB-06, the server's side."""
        reply = client("GET", BLOB, Range=f"bytes={asked}")
        assert (reply.status, reply.body) == (206, DATA[start:end])
        assert reply.headers["Content-Range"] == f"bytes {start}-{end - 1}/5000"

    @pytest.mark.parametrize("asked", ["500-0", "5000-10000", "5000-", "-0"])
    def test_a_range_outside_the_blob(self, client: Client, asked: str) -> None:
        reply = client("GET", BLOB, Range=f"bytes={asked}")
        assert (reply.status, reply.headers["Content-Range"]) == (416, "bytes */5000")
        assert client("GET", BLOB).body == DATA

    @pytest.mark.parametrize("header", ["bytes=-", "bytes=1-2,5-6", "lines=1-2", "bytes=a-b", "bytes 1-2"])
    def test_what_is_no_range_gets_the_whole(self, client: Client, header: str) -> None:
        assert client("GET", BLOB, Range=header).status == 200


class TestTags:
    def test_pages_follow_one_another(self, registry: FakeRegistry, client: Client) -> None:
        """TAG-02, the server's side."""
        tags = ["a", "B", "c.1", "c_1", "d", "v1"]
        push_image(registry.repository("a"), make_image(), *tags)
        path, found = "/v2/a/tags/list?n=4", []
        while path:
            reply = client("GET", path)
            found += reply.json["tags"]
            path = reply.headers.get("Link", "").partition("<")[2].partition(">")[0]
        assert found == sorted(tags)
        assert len(registry.log) == 2

    def test_all_tags_without_a_number(self, registry: FakeRegistry, client: Client) -> None:
        push_image(registry.repository("a"), make_image(), "one", "two")
        reply = client("GET", "/v2/a/tags/list")
        assert reply.json == {"name": "a", "tags": ["one", "two"]}
        assert "Link" not in reply.headers

    @pytest.mark.parametrize(
        ("query", "expected"),
        [("last=one", ["two"]), ("last=p", ["two"]), ("last=two", []), ("n=0", []), ("n=9&last=o", ["one", "two"])],
    )
    def test_last_and_n(self, registry: FakeRegistry, client: Client, query: str, expected: list[str]) -> None:
        push_image(registry.repository("a"), make_image(), "one", "two")
        reply = client("GET", f"/v2/a/tags/list?{query}")
        assert reply.json["tags"] == expected
        assert "Link" not in reply.headers

    @pytest.mark.parametrize("number", ["-1", "x", "", "1.5", "%C2%B2"])
    def test_a_number_that_is_none(self, client: Client, number: str) -> None:
        assert client("GET", f"/v2/_catalog?n={number}").codes == ["PAGINATION_NUMBER_INVALID"]

    def test_a_repository_that_is_not_there(self, client: Client) -> None:
        """TAG-04, the server's side."""
        reply = client("GET", "/v2/a/tags/list")
        assert (reply.status, reply.codes) == (404, ["NAME_UNKNOWN"])

    def test_the_catalog_is_paged(self, registry: FakeRegistry, client: Client) -> None:
        assert client("GET", "/v2/_catalog").json == {"repositories": []}
        for name in ("b", "a/c", "a"):
            push_image(registry.repository(name), make_image(), "t")
        first = client("GET", "/v2/_catalog?n=2")
        assert first.json == {"repositories": ["a", "a/c"]}
        assert first.headers["Link"] == '</v2/_catalog?n=2&last=a%2Fc>; rel="next"'
        assert client("GET", "/v2/_catalog?n=2&last=a%2Fc").json == {"repositories": ["b"]}
