"""What the tests' registry adds to the server: the log, and answers in its place."""

from __future__ import annotations

import time

from tests.fakes.registry import FakeRegistry
from tests.images import blob_of, make_bytes, make_image, push_image
from tests.server.client import Client

DATA = make_bytes("log", 2000)


def test_the_log_holds_what_was_asked_in_order(registry: FakeRegistry) -> None:
    image = push_image(registry.repository("a"), make_image(), "t")
    client = Client(registry)
    client("HEAD", "/v2/a/manifests/t", Authorization="Bearer x")
    client("GET", f"/v2/a/manifests/{image.digest}?ns=q")
    client.upload("a", DATA, blob_of(DATA).digest)
    client.close()

    assert registry.log.lines() == [
        "HEAD /v2/a/manifests/t 200",
        f"GET /v2/a/manifests/{image.digest} 200",
        "POST /v2/a/blobs/uploads/ 202",
        "PUT /v2/a/blobs/uploads/ID 201",
    ]
    head, got, post, put = registry.log.entries()
    assert (head.has_authorization, got.has_authorization) == (True, False)
    assert (got.query, got.bytes_out, post.bytes_in, put.bytes_in) == ("ns=q", len(image.root.raw), 0, 2000)
    assert registry.log.lines("PUT") == registry.log.lines(path="uploads/[0-9a-f]") == [put.line]
    registry.log.clear()
    assert len(registry.log) == 0


def test_the_second_put_answers_503(registry: FakeRegistry) -> None:
    registry.script("PUT", "/blobs/uploads/", status=503, headers={"Retry-After": "1"}, body=b"no", skip=1, times=1)
    client = Client(registry)
    replies = [client.upload("a", DATA, blob_of(DATA).digest) for _ in range(3)]
    client.close()
    assert [reply.status for reply in replies] == [201, 503, 201]
    assert (replies[1].headers["Retry-After"], replies[1].body) == ("1", b"no")
    assert [entry.is_scripted for entry in registry.log.entries("PUT")] == [False, True, False]


def test_every_request_for_a_path_is_answered_until_the_scripts_are_dropped(registry: FakeRegistry) -> None:
    registry.script(path="/tags/list$", status=429)
    client = Client(registry)
    assert [client("GET", "/v2/a/tags/list").status for _ in range(3)] == [429] * 3
    assert client("GET", "/v2/").status == 200
    registry.unscript()
    assert client("GET", "/v2/a/tags/list").status == 404
    client.close()


def test_an_answer_can_be_lost_after_the_work_is_done(registry: FakeRegistry) -> None:
    """UPL-07: the client is told 502, the blob is there."""
    registry.script("PUT", "/blobs/uploads/", status=502, is_done=True)
    client = Client(registry)
    assert client.upload("a", DATA, blob_of(DATA).digest).status == 502
    assert client("HEAD", f"/v2/a/blobs/{blob_of(DATA).digest}").status == 200
    client.close()


def test_headers_are_set_and_removed_and_answers_delayed(registry: FakeRegistry) -> None:
    push_image(registry.repository("a"), make_image(), "t")
    registry.script("HEAD", headers={"Docker-Content-Digest": "", "Content-Type": "text/plain"}, delay_seconds=0.05)
    client = Client(registry)
    started = time.monotonic()
    reply = client("HEAD", "/v2/a/manifests/t")
    client.close()
    assert time.monotonic() - started >= 0.05
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/plain")
    assert "Docker-Content-Digest" not in reply.headers
