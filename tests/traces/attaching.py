"""Images with what speaks of them, for traces: made at one side, looked for at the other."""

from __future__ import annotations

from imagesync.plan.attachments import tag_of
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Tag
from imagesync.spec.model import AttachmentType
from imagesync.store import Writable
from tests.fakes.registry import FakeRegistry
from tests.images import (
    MadeImage,
    list_of,
    make_image,
    make_index,
    make_signature,
    push_image,
)
from tests.traces.harness import Sync

SIGNATURES, REFERRERS = AttachmentType.SIGNATURES, AttachmentType.REFERRERS
IMAGE = make_image(layers=1)
INDEX = make_index(layers=1)


def without_api(*registries: FakeRegistry) -> None:
    """As docker-registry: what asks for referrers is told that there is no such page."""
    for registry in registries:
        registry.list_no_referrers()


def sign(store: Writable, digest: Digest, *signers: str) -> MadeImage:
    return push_image(store, make_signature(digest, *signers), tag_of(digest, SIGNATURES))


def attach(store: Writable, subject: Digest, *referrers: MadeImage) -> MadeImage:
    """Keep a list of referrers under the tag of what they speak of."""
    return push_image(store, list_of(*referrers), tag_of(subject, REFERRERS))


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def there(classic: Sync, target: str | Digest) -> MadeImage:
    """What the destination holds under a tag or digest."""
    found = target if isinstance(target, Digest) else Tag(target)
    return MadeImage(classic.destination.repository("mirror/app").fetch_manifest(found))
