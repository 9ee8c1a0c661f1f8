"""Pushing: uploads in every form, mounts, manifests, and deleting. Distribution spec, "Push", "Content Management"."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from imagesync.manifest import MAX_MANIFEST_BYTES, OCI_MANIFEST, digest_of
from imagesync.server import session, uploads
from imagesync.server.app import RegistryApp
from tests.fakes.registry import FakeRegistry
from tests.images import blob_of, descriptor_of, make_artifact, make_bytes, make_image, make_index, reader
from tests.server.client import Client

DATA = make_bytes("upload", 3000)
DIGEST = digest_of(DATA)
START = "/v2/a/b/blobs/uploads/"


def leftovers(registry: FakeRegistry) -> list[Path]:
    """Files of uploads that are under way, or were forgotten."""
    return [path for path in registry.root.rglob("*") if path.parent.name == uploads.FOLDER or ".partial" in path.name]


class TestUploads:
    """UPL-01, the server's side."""

    def test_post_and_put(self, registry: FakeRegistry, client: Client) -> None:
        start = client("POST", START)
        assert (start.status, start.headers["Range"]) == (202, "0-0")
        done = client("PUT", f"{start.headers['Location']}?digest={DIGEST}", body=DATA)
        assert (done.status, done.headers["Docker-Content-Digest"]) == (201, DIGEST)
        assert client("GET", done.headers["Location"]).body == DATA
        assert leftovers(registry) == []

    def test_post_patch_and_put(self, client: Client) -> None:
        place = client("POST", START).headers["Location"]
        patched = client("PATCH", place, body=DATA, Content_Type="application/octet-stream")
        assert (patched.status, patched.headers["Range"]) == (202, "0-2999")
        assert client("PUT", f"{patched.headers['Location']}?digest={DIGEST}").status == 201

    def test_a_body_of_unknown_length(self, client: Client) -> None:
        place = client("POST", START).headers["Location"]
        assert client("PATCH", place, body=iter([DATA[:7], DATA[7:]])).headers["Range"] == "0-2999"
        assert client("PUT", f"{place}?digest={DIGEST}").status == 201
        assert client("HEAD", f"/v2/a/b/blobs/{DIGEST}").headers["Content-Length"] == "3000"

    def test_one_post(self, client: Client) -> None:
        reply = client("POST", f"{START}?digest={DIGEST}", body=DATA)
        assert (reply.status, reply.headers["Location"]) == (201, f"/v2/a/b/blobs/{DIGEST}")
        assert client("GET", reply.headers["Location"]).body == DATA

    def test_pieces_in_order_the_last_with_the_put(self, client: Client) -> None:
        place = client("POST", START).headers["Location"]
        assert client("PATCH", place, body=DATA[:1000], Content_Range="0-999").status == 202
        assert client("PATCH", place, body=DATA[1000:2000], Content_Range="1000-1999").status == 202
        done = client("PUT", f"{place}?digest={DIGEST}", body=DATA[2000:], Content_Range="2000-2999")
        assert done.status == 201

    @pytest.mark.parametrize("content_range", ["1000-1999", "500-1499", "0-999", "1-1000"])
    def test_a_piece_out_of_order_is_416_and_the_session_goes_on(self, client: Client, content_range: str) -> None:
        """UPL-10, the server's side."""
        place = client("POST", START).headers["Location"]
        client("PATCH", place, body=DATA[:700], Content_Range="0-699")
        wrong = client("PATCH", place, body=DATA[:1000], Content_Range=content_range)
        assert (wrong.status, wrong.headers["Range"]) == (416, "0-699")
        status = client("GET", place)
        assert (status.status, status.headers["Range"], status.headers["Location"]) == (204, "0-699", place)
        assert client("PUT", f"{place}?digest={DIGEST}", body=DATA[700:]).status == 201

    @pytest.mark.parametrize("content_range", ["bytes 0-9", "0-", "x-y", "9-0-1"])
    def test_a_content_range_that_is_none_is_400(self, client: Client, content_range: str) -> None:
        place = client("POST", START).headers["Location"]
        assert client("PATCH", place, body=b"x", Content_Range=content_range).codes == ["BLOB_UPLOAD_INVALID"]

    def test_a_piece_shorter_than_its_range_is_416(self, client: Client) -> None:
        place = client("POST", START).headers["Location"]
        assert client("PATCH", place, body=b"x", Content_Range="0-9").status == 416

    def test_another_digest_is_400_and_nothing_is_stored(self, registry: FakeRegistry, client: Client) -> None:
        """UPL-08, the server's side."""
        other = digest_of(b"other")
        place = client("POST", START).headers["Location"]
        assert client("PUT", f"{place}?digest={other}", body=DATA).codes == ["DIGEST_INVALID"]
        assert client("HEAD", f"/v2/a/b/blobs/{other}").status == 404
        assert client("HEAD", f"/v2/a/b/blobs/{DIGEST}").status == 404
        assert client("GET", place).codes == ["BLOB_UPLOAD_UNKNOWN"]
        assert leftovers(registry) == []

    @pytest.mark.parametrize("query", ["", "?digest=", "?digest=sha256:bad", "?digest=md5:00"])
    def test_a_digest_that_is_none_is_400(self, client: Client, query: str) -> None:
        place = client("POST", START).headers["Location"]
        assert client("PUT", f"{place}{query}", body=DATA).codes == ["DIGEST_INVALID"]
        assert client("PUT", f"{place}?digest={DIGEST}", body=DATA).status == 201

    def test_a_cancelled_upload_is_gone(self, registry: FakeRegistry, client: Client) -> None:
        """UPL-12, the server's side."""
        place = client("POST", START).headers["Location"]
        client("PATCH", place, body=DATA)
        assert client("DELETE", place).status == 204
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            assert client(method, f"{place}?digest={DIGEST}").status == 404
        assert leftovers(registry) == []

    def test_a_session_belongs_to_its_repository(self, client: Client) -> None:
        place = client("POST", START).headers["Location"]
        assert client("GET", place.replace("/a/b/", "/other/")).status == 404

    def test_an_empty_blob(self, client: Client) -> None:
        """BLB-01."""
        empty = digest_of(b"")
        assert client.upload("a", b"", empty).status == 201
        got = client("GET", f"/v2/a/blobs/{empty}")
        assert (got.status, got.body, got.headers["Content-Length"]) == (200, b"", "0")

    def test_sha512_is_kept(self, client: Client) -> None:
        """MAN-20, the server's side."""
        digest = blob_of(DATA, algorithm="sha512").digest
        assert client.upload("a", DATA, digest).headers["Docker-Content-Digest"] == digest
        assert client("GET", f"/v2/a/blobs/{digest}").body == DATA

    def test_a_connection_cut_in_a_patch_keeps_what_came(self, registry: FakeRegistry, client: Client) -> None:
        """UPL-06, the server's side."""
        place = client("POST", START).headers["Location"]
        address, _, port = registry.host.rpartition(":")
        with socket.create_connection((address, int(port))) as cut:
            head = f"PATCH {place} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n"
            cut.sendall(head.encode() + DATA[:1000])
            cut.shutdown(socket.SHUT_WR)
            while cut.recv(65536):
                continue
        assert client("GET", place).headers["Range"] == "0-999"
        assert client("PATCH", place, body=DATA[1000:], Content_Range="1000-2999").status == 202
        assert client("PUT", f"{place}?digest={DIGEST}").status == 201

    def test_a_request_that_is_gone_on_with_elsewhere_adds_nothing_more(
        self, registry: FakeRegistry, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """UPL-06, the server's side: a connection that the server believes to be alive."""
        monkeypatch.setattr(session, "SETTLE_SECONDS", 0.2)
        place = client("POST", START).headers["Location"]
        address, _, port = registry.host.rpartition(":")
        with socket.create_connection((address, int(port))) as stale:
            head = f"PATCH {place} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            stale.sendall(head.encode() + b"3e8\r\n" + DATA[:1000] + b"\r\n")
            stale.sendall(b"100000\r\n" + bytes(0x100000 - 1000))
            assert client("GET", place).status == 204
            came = int(client("GET", place).headers["Range"].removeprefix("0-")) + 1
            content_range = f"{came}-{came + len(DATA) - 1}"
            assert client("PATCH", place, body=DATA, Content_Range=content_range).status == 202
            stale.sendall(bytes(1000) + b"\r\n0\r\n\r\n")
            assert stale.recv(65536).startswith(b"HTTP/1.1 409 ")
        assert client("GET", place).headers["Range"] == f"0-{came + len(DATA) - 1}"

    def test_idle_sessions_are_dropped_and_open_ones_are_counted(
        self, registry: FakeRegistry, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(uploads, "MAX_SESSIONS", 1)
        client("POST", START)
        assert client("POST", START).codes == ["TOOMANYREQUESTS"]
        monkeypatch.setattr(uploads, "MAX_IDLE_SECONDS", -1.0)
        assert client("POST", START).status == 202
        assert len(leftovers(registry)) == 1

    def test_open_uploads_go_when_the_application_is_closed(self, tmp_path: Path) -> None:
        app = RegistryApp(tmp_path)
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": START, "wsgi.input": open("/dev/null", "rb")}  # noqa: SIM115, PTH123
        with environ["wsgi.input"]:  # type: ignore[attr-defined]
            app(environ, lambda *_: None)
        assert len(list((tmp_path / uploads.FOLDER).iterdir())) == 1
        app.close()
        assert list(tmp_path.iterdir()) == []


class TestMounts:
    def test_a_blob_of_another_repository(self, registry: FakeRegistry, client: Client) -> None:
        """MNT-01, the server's side."""
        registry.repository("from/here").push_blob(blob_of(DATA), reader(DATA))
        reply = client("POST", f"{START}?mount={DIGEST}&from=from/here")
        assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, DIGEST)
        assert client("GET", f"/v2/a/b/blobs/{DIGEST}").body == DATA

    @pytest.mark.parametrize("source", ["&from=not/there", "&from=a/b", ""])
    def test_a_blob_that_is_not_there_opens_a_session(self, client: Client, source: str) -> None:
        """MNT-02, the server's side."""
        reply = client("POST", f"{START}?mount={DIGEST}{source}")
        assert reply.status == 202
        assert client("PUT", f"{reply.headers['Location']}?digest={DIGEST}", body=DATA).status == 201

    def test_without_from_a_blob_that_the_repository_has(self, client: Client) -> None:
        client.upload("a/b", DATA, DIGEST)
        assert client("POST", f"{START}?mount={DIGEST}").status == 201

    @pytest.mark.parametrize("query", ["mount=sha256:bad&from=a", f"mount={DIGEST}&from=../a"])
    def test_a_digest_or_repository_that_is_none(self, client: Client, query: str) -> None:
        assert client("POST", f"{START}?{query}").status == 400


class TestManifests:
    def test_by_tag_and_by_digest(self, client: Client) -> None:
        image = make_index(attestations=True)
        reply = client.push("a/b", image, "t")
        assert (reply.status, reply.headers["Docker-Content-Digest"]) == (201, image.digest)
        assert client("GET", reply.headers["Location"]).body == image.root.raw
        assert client("GET", "/v2/a/b/tags/list").json["tags"] == ["t"]

    def test_bytes_are_kept_as_they_are(self, client: Client) -> None:
        """MAN-10."""
        image = make_image(unknown={"é": "\u1234"}, annotations={"a": "b"})
        raw = b"  \n" + image.root.raw.replace(b", ", b" ,\t") + b"\r\n"
        for digest, data in image.blobs.items():
            client.upload("a", data, digest)
        assert client("PUT", "/v2/a/manifests/t", body=raw, Content_Type=OCI_MANIFEST).status == 201
        assert client("GET", "/v2/a/manifests/t").body == raw

    def test_another_digest_is_400(self, client: Client) -> None:
        image = make_image()
        reply = client("PUT", f"/v2/a/manifests/{DIGEST}", body=image.root.raw, Content_Type=OCI_MANIFEST)
        assert (reply.status, reply.codes) == (400, ["DIGEST_INVALID"])

    @pytest.mark.parametrize(
        "raw", [b"", b"{}", b"[]", b"\xff", b'{"schemaVersion": 1}', b'{"schemaVersion": 2, "layers": 1}', b"[" * 99999]
    )
    def test_what_is_no_manifest_is_400(self, client: Client, raw: bytes) -> None:
        """MAN-11, the server's side."""
        reply = client("PUT", "/v2/a/manifests/t", body=raw, Content_Type=OCI_MANIFEST)
        assert (reply.status, reply.codes) == (400, ["MANIFEST_INVALID"])

    def test_missing_blobs_are_named(self, client: Client) -> None:
        """MAN-14, the server's side."""
        image = make_image(layers=2)
        reply = client("PUT", "/v2/a/manifests/t", body=image.root.raw, Content_Type=OCI_MANIFEST)
        assert (reply.status, set(reply.codes)) == (400, {"MANIFEST_BLOB_UNKNOWN"})
        assert [error["detail"]["digest"] for error in reply.json["errors"]] == [
            blob.digest for blob in image.root.successors()
        ]

    @pytest.mark.parametrize(("over", "status"), [(0, 201), (1, 413)])
    def test_four_mebibytes_are_taken_and_no_byte_more(self, client: Client, over: int, status: int) -> None:
        """MAN-09, the server's side."""
        image = make_artifact(annotations={"filler": ""})
        filler = b"x" * (MAX_MANIFEST_BYTES + over - len(image.root.raw))
        raw = image.root.raw.replace(b'"filler": ""', b'"filler": "' + filler + b'"')
        for digest, data in image.blobs.items():
            client.upload("a", data, digest)
        assert client("PUT", "/v2/a/manifests/t", body=raw, Content_Type=OCI_MANIFEST).status == status
        reply = client("PUT", "/v2/a/manifests/u", body=iter([raw]), Content_Type=OCI_MANIFEST)
        assert reply.status == status

    def test_layers_kept_elsewhere_need_not_be_there(self, client: Client) -> None:
        """BLB-11, the server's side."""
        image = make_image(layers=1)
        document = json.loads(image.root.raw)
        document["layers"].append(
            {
                "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar",
                "digest": DIGEST,
                "size": 3,
                "urls": ["https://example.org/layer"],
            }
        )
        for digest, data in image.blobs.items():
            client.upload("a", data, digest)
        raw = json.dumps(document).encode()
        assert client("PUT", "/v2/a/manifests/t", body=raw, Content_Type=OCI_MANIFEST).status == 201


class TestDeleting:
    def test_a_tag_goes_and_its_manifest_stays(self, client: Client) -> None:
        image = make_image()
        client.push("a", image, "t")
        assert client("DELETE", "/v2/a/manifests/t").status == 202
        assert client("HEAD", "/v2/a/manifests/t").status == 404
        assert client("HEAD", f"/v2/a/manifests/{image.digest}").status == 200
        assert client("DELETE", "/v2/a/manifests/t").codes == ["MANIFEST_UNKNOWN"]

    def test_a_manifest_goes_with_its_tags(self, client: Client) -> None:
        image = make_image()
        client.push("a", image, "t")
        assert client("DELETE", f"/v2/a/manifests/{image.digest}").status == 202
        assert client("HEAD", f"/v2/a/manifests/{image.digest}").status == 404
        assert client("GET", "/v2/a/tags/list").json["tags"] == []

    def test_a_blob_goes(self, client: Client) -> None:
        client.upload("a", DATA, DIGEST)
        assert client("DELETE", f"/v2/a/blobs/{DIGEST}").status == 202
        assert client("HEAD", f"/v2/a/blobs/{DIGEST}").status == 404
        assert client("DELETE", f"/v2/a/blobs/{DIGEST}").codes == ["BLOB_UNKNOWN"]

    def test_a_manifest_is_not_deleted_as_a_blob(self, client: Client) -> None:
        image = make_image()
        client.push("a", image, "t")
        assert client("DELETE", f"/v2/a/blobs/{image.digest}").status == 405
        assert client("HEAD", "/v2/a/manifests/t").status == 200


class TestReferrers:
    """RFR-01, the server's side."""

    def test_none_for_a_digest_that_nobody_knows(self, client: Client) -> None:
        reply = client("GET", f"/v2/a/referrers/{DIGEST}")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/vnd.oci.image.index.v1+json")
        assert reply.json["manifests"] == []
        assert reply.json["schemaVersion"] == 2

    def test_what_names_a_subject_is_listed_with_type_and_annotations(self, client: Client) -> None:
        subject = make_image()
        client.push("a", subject, "t")
        sbom = make_artifact(
            "sbom", artifact_type="application/spdx+json", subject=descriptor_of(subject.root), annotations={"a": "b"}
        )
        pushed = client.push("a", sbom, sbom.digest)
        assert (pushed.status, pushed.headers["OCI-Subject"]) == (201, subject.digest)
        assert client("GET", f"/v2/a/referrers/{subject.digest}").json["manifests"] == [
            {**descriptor_of(sbom.root), "artifactType": "application/spdx+json", "annotations": {"a": "b"}}
        ]

    def test_an_image_is_listed_under_the_type_of_its_config(self, client: Client) -> None:
        subject = make_image("subject")
        referrer = make_image("referrer", subject=descriptor_of(subject.root))
        client.push("a", referrer, "t")
        listed = client("GET", f"/v2/a/referrers/{subject.digest}").json["manifests"]
        assert [entry["artifactType"] for entry in listed] == ["application/vnd.oci.image.config.v1+json"]

    def test_an_index_and_a_child_of_one_can_be_referrers(self, client: Client) -> None:
        subject = descriptor_of(make_image("subject").root)
        index = make_index("index", subject=subject)
        client.push("a", index, "t")
        assert [e["digest"] for e in client("GET", f"/v2/a/referrers/{subject['digest']}").json["manifests"]] == [
            index.digest
        ]

    def test_a_filter_is_applied_and_said_to_be(self, client: Client) -> None:
        subject = descriptor_of(make_image("subject").root)
        for kind in ("application/x", "application/y"):
            artifact = make_artifact(kind, artifact_type=kind, subject=subject)
            client.push("a", artifact, artifact.digest)
        reply = client("GET", f"/v2/a/referrers/{subject['digest']}?artifactType=application/x")
        assert [entry["artifactType"] for entry in reply.json["manifests"]] == ["application/x"]
        assert reply.headers["OCI-Filters-Applied"] == "artifactType"

    def test_a_deleted_referrer_is_not_listed(self, client: Client) -> None:
        subject = descriptor_of(make_image("subject").root)
        artifact = make_artifact(subject=subject)
        client.push("a", artifact, artifact.digest)
        client("DELETE", f"/v2/a/manifests/{artifact.digest}")
        assert client("GET", f"/v2/a/referrers/{subject['digest']}").json["manifests"] == []

    def test_a_damaged_manifest_spoils_no_list(self, registry: FakeRegistry, client: Client) -> None:
        subject = descriptor_of(make_image("subject").root)
        good, bad = make_artifact("good", subject=subject), make_artifact("bad", subject=subject)
        for artifact in (good, bad):
            client.push("a", artifact, artifact.digest)
        path = registry.root / "a" / "blobs" / "sha256" / bad.digest.encoded
        path.write_bytes(b"x" * path.stat().st_size)
        listed = client("GET", f"/v2/a/referrers/{subject['digest']}").json["manifests"]
        assert [entry["digest"] for entry in listed] == [good.digest]
