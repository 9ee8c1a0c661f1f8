"""Indexes that are narrowed on their way, for traces: what the filters are, and what should come of the index."""

from __future__ import annotations

from imagesync.manifest import Content, Manifest
from imagesync.plan.narrowing import narrow
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Tag
from imagesync.selection import IndexForm, PlatformPattern, Platforms
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, make_index
from tests.traces.harness import Sync

INDEX = make_index("whole", attestations=True)
AMD64, ARM64, OF_AMD64, OF_ARM64 = INDEX.children


def keep(*names: str, form: IndexForm = IndexForm.REWRITE, required: tuple[str, ...] = ()) -> Platforms:
    return Platforms.of(map(PlatformPattern.parse, names), form, map(PlatformPattern.parse, required))


ONE = keep("linux/amd64")
SPARSE = keep("linux/amd64", form=IndexForm.SPARSE)
FLAT = keep("linux/amd64", form=IndexForm.FLATTEN)


def narrowed(image: MadeImage, platforms: Platforms = ONE) -> Digest:
    """What the image becomes."""
    return narrow(image.root, platforms, {}).root.digest


def manifests(registry: FakeRegistry, method: str) -> list[str]:
    """What was asked for of the manifests there, by tag or digest, in that order."""
    return [entry.path.rpartition("/")[2] for entry in registry.log.entries(method, "/manifests/")]


def there(sync: Sync, tag: str = "v1") -> Content:
    """What the destination's tag points to, past the wire."""
    return sync.destination.repository("mirror/app").fetch_manifest(Tag(tag))


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def layers_of(*contents: Content) -> set[Digest]:
    """Every blob of these."""
    return {blob.digest for content in contents if isinstance(content, Manifest) for blob in content.successors()}


def blobs_read(sync: Sync) -> set[str]:
    return {entry.path.rpartition("/")[2] for entry in sync.source.log.entries("GET", "/blobs/")}
