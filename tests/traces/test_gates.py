"""What gates cost: nothing for a tag that is right, and for one that would be copied just what they have to know."""

from __future__ import annotations

from datetime import timedelta

import pytest

from imagesync.gates import Gate
from imagesync.gates.age import Clock, MinAge
from imagesync.gates.platforms import RequirePlatforms
from imagesync.gates.signed import Signature, Subject
from imagesync.gates.trusted import TrustedKey
from imagesync.plan.actions import Blocked, Copy, Waiting
from imagesync.plan.attachments import tag_of
from imagesync.plan.outcome import Status
from imagesync.reference import Digest
from imagesync.selection import PlatformPattern
from imagesync.spec.model import NO_ATTACHMENTS, AttachmentType
from tests.conftest import MakeRegistry
from tests.images import list_of, make_image, make_index, push_image
from tests.signature.artifacts import make_evidence, make_referrer
from tests.signature.signers import Signer, make_ecdsa, make_payload, make_statement
from tests.traces.attaching import without_api
from tests.traces.harness import Sync, kinds

OWNER = make_ecdsa()
SIGNED = Gate("signed", Signature(TrustedKey("owner.pub", OWNER.key)))


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.gates = (SIGNED,)
    return made


def sign(sync: Sync, digest: Digest, *by: Signer) -> None:
    pieces = [signer.signature(make_payload(digest)) for signer in by or (OWNER,)]
    push_image(sync.source.repository("app"), make_evidence(*pieces), tag_of(digest, AttachmentType.SIGNATURES))


def test_a_gated_tag_that_is_right_costs_two_heads(sync: Sync) -> None:
    image = make_index()
    sync.fill(image, "1")
    sign(sync, image.digest)
    assert [outcome.status for outcome in sync.apply("1")] == [Status.COPIED]
    assert [outcome.status for outcome in sync.apply("1")] == [Status.UNCHANGED]
    assert sync.source.log.lines() == ["HEAD /v2/app/manifests/1 200"]
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/1 200"]


def asked_of_source(sync: Sync) -> dict[str, int]:
    sync.clear()
    sync.plan("1")
    return dict(kinds(sync.source))


def test_a_signature_costs_a_list_a_probe_the_referrers_and_three_reads(sync: Sync) -> None:
    image = make_image()
    sync.fill(image, "1")
    sign(sync, image.digest)
    gated = asked_of_source(sync)
    sync.gates = ()
    plain = asked_of_source(sync)
    assert plain == {"HEAD manifests": 1, "GET manifests": 1}
    assert gated == {
        "HEAD manifests": 2,
        "GET manifests": 2,
        "GET tags": 1,
        "GET referrers": 2,
        "GET blobs": 1,
    }


def test_where_attachments_travel_a_signature_costs_its_own_bytes_alone(modern: Sync) -> None:
    image = make_image()
    modern.fill(image, "1")
    sign(modern, image.digest)
    plain = asked_of_source(modern)
    modern.gates = (SIGNED,)
    gated = asked_of_source(modern)
    assert {kind: gated[kind] - plain.get(kind, 0) for kind in gated} == {**dict.fromkeys(plain, 0), "GET blobs": 1}


@pytest.mark.parametrize("has_api", [True, False])
def test_a_bundle_among_the_referrers_is_found(sync: Sync, has_api: bool) -> None:
    image = make_image()
    sync.fill(image, "1")
    referrer = make_referrer(image.root, OWNER.bundle(make_statement(digests=(image.digest,))))
    if has_api:
        push_image(sync.source.repository("app"), referrer)
    else:
        without_api(sync.source, sync.destination)
        push_image(sync.source.repository("app"), list_of(referrer), tag_of(image.digest, AttachmentType.REFERRERS))
    assert [outcome.status for outcome in sync.apply("1")] == [Status.COPIED]


def test_two_signers_of_one_payload_are_both_looked_at_for_one_read(sync: Sync) -> None:
    image = make_image()
    sync.fill(image, "1")
    sign(sync, image.digest, make_ecdsa(), OWNER)
    asked = asked_of_source(sync)
    assert (asked["GET blobs"], isinstance(sync.plan("1").actions[0], Copy)) == (1, True)


def test_a_signature_on_each_platform_reads_each(sync: Sync) -> None:
    sync.gates = (Gate("signed", Signature(TrustedKey("owner.pub", OWNER.key), Subject.PLATFORMS)),)
    image = make_index()
    sync.fill(image, "1")
    for child in image.children:
        sign(sync, child.digest)
    assert asked_of_source(sync)["GET blobs"] == 2
    assert isinstance(sync.plan("1").actions[0], Copy)


def test_a_source_that_does_not_list_its_tags_passes_nothing(sync: Sync) -> None:
    image = make_image()
    sync.fill(image, "1")
    sign(sync, image.digest)
    sync.source.script("GET", "/tags/list", status=403, times=9)
    (action,) = sync.plan("1").actions
    assert isinstance(action, Blocked)
    assert "gate signed: what speaks of" in action.reason
    assert "cannot be read" in action.reason


def test_a_signature_with_other_bytes_than_its_digest_proves_nothing(sync: Sync) -> None:
    image = make_image()
    sync.fill(image, "1")
    sign(sync, image.digest)
    body = make_payload(image.digest)
    files = [path for path in (sync.source.root / "app").rglob("*") if path.is_file()]
    payload = next(path for path in files if path.read_bytes() == body)
    payload.write_bytes(body.replace(b"critical", b"critikal"))
    (action,) = sync.plan("1").actions
    assert isinstance(action, Blocked)
    assert "no signature by the key owner.pub" in action.reason


def test_what_is_blocked_or_waits_is_not_written(sync: Sync) -> None:
    sync.fill(make_index(platforms=("linux/amd64",)), "1")
    assert [outcome.status for outcome in sync.apply("1")] == [Status.BLOCKED]
    sync.gates = (Gate("old", MinAge(timedelta(days=3))),)
    assert [outcome.status for outcome in sync.apply("1")] == [Status.WAITING]
    assert isinstance(sync.plan("1").actions[0], Waiting)
    assert not [line for line in sync.destination.log.lines() if line.split()[0] in ("POST", "PUT", "PATCH")]


def test_a_config_is_read_once_for_all_gates_and_only_where_no_index_says_it(sync: Sync) -> None:
    arm = Gate("arm", RequirePlatforms((PlatformPattern.parse("linux/arm64"),)))
    sync.gates = (arm, Gate("old", MinAge(timedelta(0), clock=Clock.CREATED)))
    sync.fill(make_image(), "1")
    assert asked_of_source(sync)["GET blobs"] == 1
    sync.gates = (arm,)
    sync.fill(make_index(), "1")
    assert "GET blobs" not in asked_of_source(sync)


def test_an_image_is_judged_by_the_digest_that_is_moved(sync: Sync) -> None:
    """The tag moves right after it was resolved: what was signed is what is copied, or nothing is."""
    signed, other = make_image("signed"), make_image("other")
    sync.fill(signed, "1")
    sign(sync, signed.digest)
    plan = sync.plan("1")
    sync.fill(other, "1")
    (copy,) = plan.copies()
    assert copy.root.digest == signed.digest
    assert [verdict.gate for verdict in copy.verdicts] == ["signed"]
    assert copy.gated is None
    assert isinstance(sync.plan("1").actions[0], Blocked)
    assert sync.attachments == NO_ATTACHMENTS
