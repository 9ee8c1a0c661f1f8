"""skopeo, which nobody here wrote, pushes to the server and pulls from it; and reads the layouts that it serves."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from imagesync.archive import ArchiveTree
from imagesync.layout import LayoutRepository
from imagesync.manifest import Index
from imagesync.reference import Digest, Tag
from tests.fakes.registry import FakeRegistry
from tests.images import make_index, push_image

NGINX = Path(__file__).parents[3] / "shared" / "images" / "nginx.oci.tar"
NGINX_DIGEST = Digest("sha256:9fe0ab8c21bce339a8c7414303e61812061412f1882f071838374be10d94a8ed")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed"),
]
needs_nginx = pytest.mark.skipif(not NGINX.is_file(), reason="the sample image is not beside the checkout")


def skopeo(*arguments: str) -> str:
    command = ["skopeo", "--insecure-policy", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@needs_nginx
def test_skopeo_copies_a_real_image_in_and_out(registry: FakeRegistry, tmp_path: Path) -> None:
    reference = f"docker://{registry.host}/library/nginx:latest"
    skopeo("copy", "--all", "--preserve-digests", "--dest-tls-verify=false", f"oci-archive:{NGINX}:latest", reference)
    assert registry.repository("library/nginx").resolve(Tag("latest")).digest == NGINX_DIGEST

    skopeo("copy", "--all", "--preserve-digests", "--src-tls-verify=false", reference, f"oci:{tmp_path / 'out'}:back")
    out = LayoutRepository(tmp_path / "out")
    assert out.resolve(Tag("back")).digest == NGINX_DIGEST
    content = out.fetch_manifest(Tag("back"))
    assert isinstance(content, Index)
    for child in content.manifests:
        assert all(out.has_blob(blob) for blob in out.fetch_manifest(child.digest).successors())


@needs_nginx
def test_a_real_archive_is_read_as_skopeo_reads_it() -> None:
    """LAY-05."""
    archived = ArchiveTree(NGINX).repository("library/nginx")
    raw = skopeo("inspect", "--raw", f"oci-archive:{NGINX}:1.22.1")
    assert archived.fetch_manifest(Tag("1.22.1")).raw == raw.encode()
    assert Tag("latest") in archived.list_tags()


def test_skopeo_reads_the_layout_that_is_served(registry: FakeRegistry) -> None:
    image = push_image(registry.repository("a/b"), make_index(), "t")
    raw = skopeo("inspect", "--raw", f"oci:{registry.root / 'a' / 'b'}:t")
    assert raw.encode() == image.root.raw


def test_skopeo_lists_tags(registry: FakeRegistry) -> None:
    push_image(registry.repository("a"), make_index(), "one", "two")
    listed = json.loads(skopeo("list-tags", "--tls-verify=false", f"docker://{registry.host}/a"))
    assert listed["Tags"] == ["one", "two"]


def test_skopeo_deletes_an_image(registry: FakeRegistry) -> None:
    push_image(registry.repository("a"), make_index(), "t")
    skopeo("delete", "--tls-verify=false", f"docker://{registry.host}/a:t")
    assert registry.repository("a").list_tags() == ()


def test_a_layout_that_skopeo_wrote_can_be_written_to(registry: FakeRegistry, tmp_path: Path) -> None:
    """LAY-05."""
    image = push_image(registry.repository("a"), make_index("skopeo"), "t")
    target = f"oci:{tmp_path / 'layout'}:theirs"
    skopeo("copy", "--all", "--preserve-digests", "--src-tls-verify=false", f"docker://{registry.host}/a:t", target)
    store = LayoutRepository(tmp_path / "layout")
    ours = push_image(store, make_index("ours"), "ours")
    assert {tag: store.resolve(tag).digest for tag in store.list_tags()} == {
        "theirs": image.digest,
        "ours": ours.digest,
    }
    assert skopeo("inspect", "--raw", target).encode() == image.root.raw
