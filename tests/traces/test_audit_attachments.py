"""Wire traces of an audit and a repair of what speaks of an image, at registries that list referrers and others."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from imagesync.audit import Looking, audit
from imagesync.executor import Executor
from imagesync.pipeline import Drawing, plan_and_carry_out
from imagesync.plan.attachments import tag_of
from imagesync.plan.findings import Audit, Kind
from imagesync.plan.mending import incomplete_tags, rules_to_mend
from imagesync.plan.outcome import Status
from imagesync.reference import Digest, Reference
from imagesync.spec.model import Spec
from tests.images import MadeImage, make_artifact, make_referrer, push_image
from tests.traces.attaching import INDEX, REFERRERS, SIGNATURES, attach, sign, statuses, without_api
from tests.traces.harness import Sync, kinds
from tests.traces.narrowing import ONE

SBOM = make_referrer(INDEX.root)


def audited(sync: Sync) -> Audit:
    sync.clear()
    with sync.session() as (stores, tasks, _):
        return audit(sync.spec(["latest"], ["mirror/app"]), Looking(stores), tasks)


def repaired(sync: Sync, found: Audit) -> list[Status]:
    incomplete: Collection[Reference] = incomplete_tags(found)
    sync.clear()
    with sync.session() as (stores, tasks, cancellation):
        drawing = Drawing(Spec(rules_to_mend(found), sync.settings, ()), stores, tasks, incomplete=incomplete)
        return statuses(list(plan_and_carry_out(drawing, Executor(stores, tasks, cancellation))))


def found_kinds(found: Audit) -> list[Kind]:
    return [finding.kind for finding in found.findings()]


def mirrored(sync: Sync, *referrers: MadeImage) -> Sync:
    """The index with a signature, and referrers that its registry lists."""
    sync.fill(INDEX, "latest")
    sign(sync.source.repository("app"), INDEX.digest, "alice")
    for referrer in referrers:
        push_image(sync.source.repository("app"), referrer)
    sync.apply("latest")
    return sync


def lose(sync: Sync, digest: Digest) -> None:
    """Take a blob or manifest from the destination's disk."""
    (file,) = (sync.destination.root / "mirror" / "app").rglob(digest.encoded)
    file.unlink()


def test_an_audit_of_what_has_arrived_reads_it_at_the_destination_alone(modern: Sync) -> None:
    mirrored(modern, SBOM)
    found = audited(modern)
    assert found_kinds(found) == []
    assert kinds(modern.source) == {"HEAD manifests": 2, "GET tags": 1, "GET referrers": 1 + 5}
    assert kinds(modern.destination) == {
        "HEAD manifests": 2,
        "GET manifests": 3 + 1 + 1,
        "HEAD blobs": len(INDEX.blobs) + 2 + 2,
        "GET referrers": 2,
    }


def test_a_list_under_a_tag_is_read_once(classic: Sync) -> None:
    attach(classic.source.repository("app"), INDEX.digest, SBOM)
    mirrored(classic)
    assert found_kinds(audited(classic)) == []
    assert kinds(classic.destination)["GET manifests"] == 3 + 1 + 2
    assert kinds(classic.source) == {"HEAD manifests": 3, "GET tags": 1, "GET referrers": 1}


def test_a_referrer_that_the_destination_does_not_list_is_missing_and_a_repair_brings_it(modern: Sync) -> None:
    mirrored(modern)
    push_image(modern.source.repository("app"), SBOM)
    found = audited(modern)
    assert [(one.kind, one.subject) for one in found.findings()] == [
        (Kind.MISSING_ATTACHMENT, f"{modern.destination.host}/mirror/app@{SBOM.digest}")
    ]
    assert repaired(modern, found) == [Status.ATTACHED]
    assert found_kinds(audited(modern)) == []


@pytest.mark.parametrize("number", [0, 1])
def test_a_blob_that_a_listed_referrer_lost_is_brought_and_nothing_else_is(modern: Sync, number: int) -> None:
    mirrored(modern, SBOM)
    blob = SBOM.root.successors()[number]
    lose(modern, blob.digest)
    found = audited(modern)
    assert found_kinds(found) == [Kind.MISSING_BLOB]
    assert repaired(modern, found) == [Status.ATTACHED]
    assert modern.source.log.lines("GET", "/blobs/") == [f"GET /v2/app/blobs/{blob.digest} 200"]
    assert modern.destination.log.lines("PUT", "/manifests/latest") == []
    assert found_kinds(audited(modern)) == []


def test_a_signature_that_lost_a_blob_is_mended_and_its_tag_stays_what_it_is(classic: Sync) -> None:
    mirrored(classic)
    tag = tag_of(INDEX.digest, SIGNATURES)
    digest = classic.destination.repository("mirror/app").resolve(tag).digest
    content = classic.destination.repository("mirror/app").fetch_manifest(digest)
    lose(classic, content.successors()[1].digest)
    found = audited(classic)
    assert found_kinds(found) == [Kind.MISSING_BLOB]
    assert repaired(classic, found) == [Status.ATTACHED]
    assert found_kinds(audited(classic)) == []
    assert classic.destination.repository("mirror/app").resolve(tag).digest == digest


def test_a_referrer_under_a_tag_that_is_gone_is_written_again_and_the_others_stay(classic: Sync) -> None:
    attach(classic.source.repository("app"), INDEX.digest, SBOM)
    mirrored(classic)
    own, tag = make_artifact("own", subject=None), tag_of(INDEX.digest, REFERRERS)
    attach(classic.destination.repository("mirror/app"), INDEX.digest, own, SBOM)
    before = classic.destination.repository("mirror/app").resolve(tag).digest
    classic.destination.script("GET", f"/manifests/{SBOM.digest}", status=404, times=1)
    found = audited(classic)
    assert found_kinds(found) == [Kind.MISSING_CHILD]
    assert repaired(classic, found) == [Status.ATTACHED]
    assert len(classic.destination.log.lines("PUT", f"/manifests/{SBOM.digest}")) == 1
    assert classic.destination.repository("mirror/app").resolve(tag).digest == before
    assert found_kinds(audited(classic)) == []


def test_between_a_registry_that_lists_and_one_that_does_not_a_repair_mends_the_tag(modern: Sync) -> None:
    without_api(modern.destination)
    mirrored(modern, SBOM)
    lose(modern, SBOM.root.successors()[1].digest)
    found = audited(modern)
    assert found_kinds(found) == [Kind.MISSING_BLOB]
    assert repaired(modern, found) == [Status.ATTACHED]
    assert found_kinds(audited(modern)) == []


def test_of_a_narrowed_index_the_signatures_of_what_is_kept_are_promised(classic: Sync) -> None:
    amd64, arm64 = (child.digest for child in INDEX.children)
    classic.platforms = ONE
    classic.fill(INDEX, "latest")
    classic.apply("latest")
    for digest in (INDEX.digest, amd64, arm64):
        sign(classic.source.repository("app"), digest, "alice")
    found = audited(classic)
    assert [(one.kind, one.subject.rpartition(":")[2]) for one in found.findings()] == [
        (Kind.MISSING_ATTACHMENT, tag_of(amd64, SIGNATURES))
    ]
    assert repaired(classic, found) == [Status.ATTACHED]
    assert found_kinds(audited(classic)) == []
