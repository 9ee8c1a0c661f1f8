"""Prunes of docker-registry: by digest alone, never what a kept tag needs, with tokens, and where deleting is off."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.layout import LayoutTree
from imagesync.plan.attachments import tag_of
from imagesync.reference import Tag
from imagesync.spec.model import AttachmentType
from tests.images import MadeImage, make_image, make_index, make_signature, push_image
from tests.real.conftest import Real
from tests.real.registries import RealRegistry, keeping_registry, plain_registry
from tests.real.skopeo import Skopeo
from tests.real.sync import Sync

SPEC = """\
version: 1
state: state.json
sync:
  - source: oci:./origin
    destination: {destination}/pruned
    prune: {{max: 100%}}
    images:
      - name: app
        tags: [{tags}]
"""
NAME = "pruned/app"
IMAGES = {"1": make_index("one"), "2": make_image("two"), "3": make_index("three")}


class Origin:
    """A mirror that apply has filled from a layout, and prunes of it."""

    def __init__(self, sync: Sync, there: RealRegistry) -> None:
        self.sync, self.there = sync, there
        self.store = LayoutTree(sync.folder / "origin").repository("app")

    def mirror(self, images: dict[str, MadeImage]) -> None:
        for tag, image in images.items():
            push_image(self.store, image, tag)
        tags = [tag for tag in images if not tag.startswith("sha256-")]
        self.sync.apply(self.spec(*tags))

    def spec(self, *tags: str) -> str:
        return SPEC.format(destination=self.there.host, tags=", ".join(f'"{tag}"' for tag in tags))

    def prune(self, *wanted: str) -> subprocess.CompletedProcess[str]:
        return self.sync.run("prune", self.spec(*wanted), "--confirm")

    def tags(self) -> list[str]:
        return self.there.tags(NAME)


@pytest.fixture
def there() -> Iterator[RealRegistry]:
    with plain_registry() as registry:
        yield registry


@pytest.fixture
def origin(real: Real, there: RealRegistry, tmp_path: Path) -> Origin:
    return Origin(Sync(tmp_path, real), there)


def test_what_nothing_wants_any_more_goes_with_its_signature_and_the_rest_is_whole(
    origin: Origin, tmp_path: Path
) -> None:
    signed = {
        tag_of(IMAGES[tag].digest, AttachmentType.SIGNATURES): make_signature(IMAGES[tag].digest, tag) for tag in "12"
    }
    origin.mirror({**IMAGES, **signed})
    kept, gone = signed
    done = origin.prune("1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert origin.tags() == ["1", kept]
    assert gone not in origin.tags()
    skopeo = Skopeo(tmp_path, [origin.there])
    skopeo.copy(f"docker://{origin.there.host}/{NAME}:1", f"oci:{tmp_path}/copied:1")
    deletions = [request for request in origin.there.requests() if request.method == "DELETE"]
    assert [request.status for request in deletions] == [400, 202, 202, 202]


def test_what_a_kept_tag_has_too_is_refused_with_the_reason(origin: Origin) -> None:
    """DEL-01."""
    origin.mirror({**IMAGES, "4": IMAGES["1"]})
    done = origin.prune("1", "2")
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"deletes by digest alone, and tag 1 has {IMAGES['1'].digest.short} too" in done.stdout
    assert origin.tags() == ["1", "2", "4"]


def test_what_a_kept_index_lists_is_refused_with_the_reason(origin: Origin) -> None:
    """DEL-01: by its digest a platform of another image would go."""
    child = IMAGES["1"].children[0]
    origin.mirror({"1": IMAGES["1"], "2": MadeImage(child, (), IMAGES["1"].blobs)})
    done = origin.prune("1")
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"tag 1 needs {child.digest.short}" in done.stdout
    assert origin.tags() == ["1", "2"]


def test_where_deleting_is_off_each_tag_says_so_and_other_registries_go_on(
    origin: Origin, real: Real, tmp_path: Path
) -> None:
    """DEL-02."""
    with keeping_registry() as keeping:
        for tag, image in IMAGES.items():
            push_image(origin.store, image, tag)
        both = origin.spec("1", "2", "3").replace(
            f"destination: {origin.there.host}/pruned",
            f"destination: [{keeping.host}/pruned, {origin.there.host}/pruned]",
        )
        origin.sync.apply(both)
        done = origin.sync.run("prune", both.replace('["1", "2", "3"]', '["1"]'), "--confirm")
        assert done.returncode == 1, done.stdout + done.stderr
        assert "2 tags deleted, 2 failed" in done.stdout
        assert "REGISTRY_STORAGE_DELETE_ENABLED=true" in done.stdout
        assert keeping.tags(NAME) == ["1", "2", "3"]
        assert origin.tags() == ["1"]


def test_a_token_to_delete_is_asked_for(real: Real, tmp_path: Path) -> None:
    origin = Origin(Sync(tmp_path, real), real.token)
    origin.mirror({"1": IMAGES["1"], "2": IMAGES["2"]})
    done = origin.prune("1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert origin.tags() == ["1"]
    assert real.token.tokens is not None
    assert (f"repository:{NAME}:delete",) in real.token.tokens.scopes


def test_a_source_that_cannot_be_listed_empties_no_repository(origin: Origin) -> None:
    """DEL-03."""
    origin.mirror(IMAGES)
    listed = origin.spec("1").replace('["1"]', '{include: ["*"]}')
    (tmp := origin.sync.folder / "origin").rename(tmp.with_name("elsewhere"))
    done = origin.sync.run("prune", listed, "--confirm")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "nothing is pruned here: tags cannot be listed" in done.stdout
    assert origin.tags() == ["1", "2", "3"]
    assert Tag("1") in LayoutTree(tmp.with_name("elsewhere")).repository("app").list_tags()


def test_what_has_gone_with_its_digest_is_no_failure(origin: Origin) -> None:
    """DEL-04: the second of two tags is not there any more when its turn comes."""
    origin.mirror({**IMAGES, "4": IMAGES["3"]})
    done = origin.prune("1", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 tags deleted" in done.stdout
    assert "it went with its digest" in done.stdout
    assert origin.tags() == ["1", "2"]
