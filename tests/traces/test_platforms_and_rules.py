"""Narrowed tags of which a rule says more: immutable, trusted, kept when replaced, planned before, audited, mended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.audit import Looking, audit
from imagesync.cache import Cache
from imagesync.errors import PlanFileError
from imagesync.executor import Executor
from imagesync.pipeline import Drawing, make_plan, plan_and_carry_out
from imagesync.plan.actions import Attach, Conflict, Copy, Keep, Plan
from imagesync.plan.attachments import tag_of
from imagesync.plan.conformity import check_yielded
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.findings import Audit, Kind
from imagesync.plan.mending import incomplete_tags, rules_to_mend
from imagesync.plan.outcome import Status
from imagesync.plan.review import approved_by, review
from imagesync.selection import Platforms, Retag, TagFilter
from tests.conftest import MakeRegistry
from tests.images import descriptor_of, index_of, make_image, make_index, make_referrer, push_image
from tests.plan.values import make_immutable
from tests.traces.attaching import SIGNATURES, attach, sign
from tests.traces.harness import Sync, kinds
from tests.traces.narrowing import (
    AMD64,
    ARM64,
    FLAT,
    INDEX,
    OF_AMD64,
    OF_ARM64,
    ONE,
    SPARSE,
    keep,
    manifests,
    narrowed,
    statuses,
    there,
)


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.platforms = ONE
    return made


def saved(plan: Plan, sync: Sync, tag: str = "v1") -> Plan:
    """The plan through a file, accepted for this spec."""
    found = plan_from_json(plan_to_json(plan), name="plan.json")
    check_yielded(found, sync.spec([tag], ["mirror/app"]))
    return found


def audited(sync: Sync, *tags: str) -> Audit:
    sync.clear()
    with sync.session() as (stores, tasks, _):
        return audit(sync.spec(tags, ["mirror/app"]), Looking(stores), tasks)


def test_an_immutable_tag_that_is_right_stays(sync: Sync) -> None:
    sync.immutable = make_immutable("v*")
    sync.fill(INDEX, "v1")
    assert statuses(sync.apply("v1")) == [Status.COPIED]
    assert statuses(sync.apply("v1")) == [Status.UNCHANGED]


def test_an_immutable_tag_that_is_not_what_the_source_becomes_is_a_conflict(sync: Sync) -> None:
    """MAN-18: as is one that was copied whole before."""
    sync.immutable = make_immutable("v*")
    sync.fill(INDEX, "v1")
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    (outcome,) = sync.apply("v1")
    assert (outcome.status, outcome.exit_code) == (Status.BLOCKED, 3)
    assert isinstance(outcome.action, Conflict)
    assert outcome.reason == (
        f"immutable tag has {INDEX.digest.short}, the source becomes {narrowed(INDEX).short} when narrowed"
    )
    assert there(sync).digest == INDEX.digest
    assert saved(sync.plan("v1"), sync).actions == sync.plan("v1").actions


def test_an_immutable_tag_that_appears_meanwhile_is_kept(sync: Sync) -> None:
    sync.immutable = make_immutable("v*")
    sync.fill(INDEX, "v1")
    plan = sync.plan("v1")
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    (outcome,) = sync.apply(plan=saved(plan, sync))
    assert (outcome.status, outcome.kind) == (Status.BLOCKED, "immutable")
    assert narrowed(INDEX).short in outcome.reason


def test_a_trusted_tag_is_not_looked_into(sync: Sync) -> None:
    sync.immutable = make_immutable("v*", trusts_list=True)
    sync.fill(INDEX, "v1")
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    assert statuses(sync.apply("v1")) == [Status.ASSUMED]
    assert kinds(sync.source) == {}
    assert kinds(sync.destination) == {"GET tags": 1}


def test_what_a_narrowed_tag_was_is_kept_under_another(sync: Sync) -> None:
    sync.keep_previous = Retag("{tag}-previous")
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    newer = make_index("newer", attestations=True)
    sync.fill(newer, "v1")
    assert statuses(sync.apply("v1")) == [Status.COPIED]
    assert there(sync).digest == narrowed(newer)
    assert there(sync, "v1-previous").digest == narrowed(INDEX)


@pytest.mark.parametrize("platforms", [ONE, FLAT, keep(required=("linux/amd64",)), keep("linux/amd64", "linux/arm64")])
def test_a_saved_plan_is_carried_out_without_reading_a_manifest_again(sync: Sync, platforms: Platforms) -> None:
    sync.platforms = platforms
    sync.fill(INDEX, "v1")
    plan = saved(sync.plan("v1"), sync)
    assert statuses(sync.apply(plan=plan)) == [Status.COPIED]
    assert manifests(sync.source, "GET") == []
    assert manifests(sync.source, "HEAD") == [INDEX.digest]
    assert there(sync).digest == narrowed(INDEX, platforms)
    assert statuses(sync.apply(plan=plan)) == [Status.UNCHANGED]


@pytest.mark.usefixtures("_takes_sparse")
def test_a_saved_plan_of_a_sparse_index_brings_what_is_kept(sync: Sync) -> None:
    """Beside a copy of the whole index to another repository, whose manifests the file holds as well."""
    sync.platforms = SPARSE
    sync.fill(INDEX, "v1")
    spec = sync.spec(["v1"], ["mirror/app"])
    elsewhere = replace(sync.spec(["v1"], ["whole/app"]).rules[0], platforms=keep())
    both = replace(spec, rules=(spec.rules[0], elsewhere))
    with sync.session() as (stores, tasks, _):
        plan = plan_from_json(plan_to_json(make_plan(both, stores, tasks)), name="plan.json")
    check_yielded(plan, both)
    assert statuses(sync.apply(plan=plan)) == [Status.COPIED] * 2
    written = [entry.path for entry in sync.destination.log.entries("PUT", "/mirror/app/manifests/")]
    assert {path.rpartition("/")[2] for path in written} == {AMD64.digest, OF_AMD64.digest, "v1"}


def edited(plan: Plan, sync: Sync, **changes: object) -> None:
    """Read the plan with its one action changed, as a person with an editor could."""
    document = json.loads(plan_to_json(plan))
    document["actions"][0].update(changes)
    document["actions"][0].update(missing=[])
    found = plan_from_json(json.dumps(document), name="plan.json")
    check_yielded(found, sync.spec(["v1"], ["mirror/app"]))


@pytest.mark.parametrize(
    ("platforms", "changes"),
    [
        (ONE, {"narrowed": None}),
        (ONE, {"narrowed": AMD64.digest}),
        (FLAT, {"narrowed": None}),
        (SPARSE, {"left_out": [ARM64.digest]}),
        (SPARSE, {"narrowed": AMD64.digest, "left_out": []}),
        (keep(), {"narrowed": AMD64.digest}),
        (keep(), {"left_out": [ARM64.digest]}),
    ],
)
def test_a_saved_plan_cannot_widen_itself(sync: Sync, platforms: Platforms, changes: dict[str, object]) -> None:
    sync.fill(INDEX, "v1")
    sync.platforms = platforms
    plan = sync.plan("v1")
    sync.platforms = keep()
    whole = sync.plan("v1")
    sync.platforms = platforms
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        edited(replace(plan, contents={**whole.contents, **plan.contents}), sync, **changes)


def test_a_saved_plan_cannot_bring_other_bytes_as_a_signature(classic: Sync) -> None:
    """What speaks of an image comes as its source has it: nothing of it is ever narrowed."""
    classic.platforms = ONE
    classic.fill(INDEX, "v1")
    signed(classic)
    plan = classic.plan("v1")
    document = json.loads(plan_to_json(plan))
    document["actions"][0]["attachments"][0].update(narrowed=AMD64.digest, missing=[])
    found = plan_from_json(json.dumps(document), name="plan.json")
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(found, classic.spec(["v1"], ["mirror/app"]))


def test_a_saved_plan_cannot_attach_to_a_tag_that_nobody_narrows(classic: Sync) -> None:
    classic.fill(INDEX, "v1")
    classic.apply("v1")
    sign(classic.source.repository("app"), AMD64.digest, "alice")
    document = json.loads(plan_to_json(classic.plan("v1")))
    assert document["actions"][0]["action"] == "attach"
    document["actions"][0]["narrowed"] = AMD64.digest
    found = plan_from_json(json.dumps(document), name="plan.json")
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(found, classic.spec(["v1"], ["mirror/app"]))


def test_a_saved_plan_without_the_sources_index_is_damaged(sync: Sync) -> None:
    """Nothing could be derived again without it."""
    sync.fill(INDEX, "v1")
    plan = sync.plan("v1")
    contents = {digest: content for digest, content in plan.contents.items() if digest != INDEX.digest}
    with pytest.raises(PlanFileError, match="lacks its manifest or its digest"):
        plan_from_json(plan_to_json(replace(plan, contents=contents)), name="plan.json")


def test_a_child_without_a_platform_can_be_planned_before(sync: Sync) -> None:
    amd, arm = make_image("amd"), make_image("arm", platform="linux/arm64")
    sync.fill(index_of([descriptor_of(one.root) for one in (amd, arm)], [amd, arm]), "v1")
    assert statuses(sync.apply(plan=saved(sync.plan("v1"), sync))) == [Status.COPIED]


def test_what_is_unchanged_is_saved_with_what_it_became(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    (action,) = saved(sync.plan("v1"), sync).actions
    assert isinstance(action, Keep)
    assert (action.source.digest, action.found) == (INDEX.digest, narrowed(INDEX))


def test_an_approved_plan_allows_the_same_narrowed_copy_and_no_wider_one(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    approved = saved(sync.plan("v1"), sync)
    same, wider = sync.plan("v1"), replace(ONE, keep=(*ONE.keep, *keep("linux/arm64").keep))
    assert review(same, (approved_by(approved),)).plan.actions == same.actions
    sync.platforms = wider
    (blocked,) = review(sync.plan("v1"), (approved_by(approved),)).plan.actions
    assert "not in the approved plan" in str(blocked)


def test_an_audit_compares_with_what_the_source_becomes(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    found = audited(sync, "v1")
    assert found.exit_code == 0
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET manifests": 1}
    assert (found.manifests, found.blobs) == (3, 5)


def test_an_audit_finds_a_tag_that_was_copied_whole(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    (finding,) = audited(sync, "v1").findings()
    assert finding.kind is Kind.OTHER_DIGEST
    assert f"what is kept of the source has {narrowed(INDEX).short}" in finding.reason


@pytest.mark.parametrize("platforms", [keep("linux/s390x"), keep(required=("linux/s390x",))])
def test_an_audit_finds_platforms_that_are_not_there(sync: Sync, platforms: Platforms) -> None:
    sync.fill(INDEX, "v1")
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    sync.platforms = platforms
    found = audited(sync, "v1")
    assert found.counts() == {Kind.OTHER_PLATFORMS: 1}
    assert found.exit_code == 2


@pytest.mark.usefixtures("_takes_sparse")
def test_an_audit_misses_no_child_that_was_left_out(sync: Sync) -> None:
    sync.platforms = SPARSE
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    found = audited(sync, "v1")
    assert (found.exit_code, found.manifests) == (0, 3)
    sync.platforms = keep()
    assert audited(sync, "v1").counts() == {Kind.MISSING_CHILD: 2}


@pytest.mark.usefixtures("_takes_sparse")
@pytest.mark.parametrize("platforms", [ONE, SPARSE, FLAT])
def test_what_an_audit_misses_of_a_narrowed_tag_is_mended(sync: Sync, platforms: Platforms) -> None:
    sync.platforms = platforms
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    layer = AMD64.layers[0].digest  # type: ignore[union-attr]
    next((sync.destination.root / "mirror").rglob(layer.encoded)).unlink()
    found = audited(sync, "v1")
    assert found.counts() == {Kind.MISSING_BLOB: 1}
    with sync.session() as (stores, tasks, cancellation):
        spec = replace(sync.spec(["v1"], ["mirror/app"]), rules=rules_to_mend(found))
        drawing = Drawing(spec, stores, tasks, incomplete=incomplete_tags(found))
        outcomes = list(plan_and_carry_out(drawing, Executor(stores, tasks, cancellation)))
    assert statuses(outcomes) == [Status.COPIED]
    assert sync.source.log.lines("GET", "/blobs/") == [f"GET /v2/app/blobs/{layer} 200"]
    assert audited(sync, "v1").exit_code == 0


def signed(sync: Sync) -> None:
    """Signatures of the index, of both platforms, and a list of referrers of one."""
    repository = sync.source.repository("app")
    for digest in (INDEX.digest, AMD64.digest, ARM64.digest):
        sign(repository, digest, "alice")
    attach(repository, AMD64.digest, make_referrer(AMD64))


def brought(sync: Sync) -> set[str]:
    """The tags that were written of what speaks of digests."""
    return {target for target in manifests(sync.destination, "PUT") if target.startswith("sha256-")}


def test_what_speaks_of_what_is_kept_travels_and_what_speaks_of_the_index_stays(classic: Sync) -> None:
    """ATT-01, ATT-02."""
    classic.platforms = ONE
    classic.fill(INDEX, "v1")
    signed(classic)
    assert statuses(classic.apply("v1")) == [Status.COPIED]
    amd64 = tag_of(AMD64.digest, SIGNATURES)
    assert brought(classic) == {amd64, amd64.removesuffix(".sig")}
    assert not classic.source.log.lines("", tag_of(INDEX.digest, SIGNATURES))
    assert statuses(classic.apply("v1")) == [Status.UNCHANGED]


@pytest.mark.usefixtures("_takes_sparse")
def test_what_speaks_of_a_sparse_index_travels_too(classic: Sync) -> None:
    classic.platforms = SPARSE
    classic.fill(INDEX, "v1")
    signed(classic)
    assert statuses(classic.apply("v1")) == [Status.COPIED]
    amd64 = tag_of(AMD64.digest, SIGNATURES)
    assert brought(classic) == {amd64, amd64.removesuffix(".sig"), tag_of(INDEX.digest, SIGNATURES)}
    assert statuses(classic.apply("v1")) == [Status.UNCHANGED]


def test_what_speaks_of_a_flattened_image_travels(classic: Sync) -> None:
    classic.platforms = FLAT
    classic.fill(INDEX, "v1")
    signed(classic)
    classic.apply("v1")
    amd64 = tag_of(AMD64.digest, SIGNATURES)
    assert brought(classic) == {amd64, amd64.removesuffix(".sig")}


@pytest.mark.usefixtures("_takes_sparse")
@pytest.mark.parametrize("platforms", [ONE, SPARSE, FLAT])
@pytest.mark.parametrize("is_remembered", [True, False])
def test_what_is_signed_later_is_attached_to_a_narrowed_tag(
    classic: Sync, platforms: Platforms, is_remembered: bool, tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    classic.memory = cache if is_remembered else classic.memory
    classic.platforms = platforms
    classic.fill(INDEX, "v1")
    classic.apply("v1")
    sign(classic.source.repository("app"), AMD64.digest, "alice")
    sign(classic.source.repository("app"), ARM64.digest, "alice")
    plan = saved(classic.plan("v1"), classic)
    (attached,) = plan.actions
    assert isinstance(attached, Attach)
    assert attached.found == narrowed(INDEX, platforms)
    assert statuses(classic.apply(plan=plan)) == [Status.ATTACHED]
    assert brought(classic) == {tag_of(AMD64.digest, SIGNATURES)}
    assert statuses(classic.apply("v1")) == [Status.UNCHANGED]
    cache.close()


def test_referrers_that_a_registry_lists_are_asked_for_of_what_is_kept_alone(modern: Sync) -> None:
    modern.platforms = ONE
    modern.fill(INDEX, "v1")
    push_image(modern.source.repository("app"), make_referrer(AMD64))
    modern.apply("v1")
    asked = {entry.path.rpartition("/")[2] for entry in modern.source.log.entries("GET", "/referrers/")}
    assert ARM64.digest not in asked
    assert narrowed(INDEX) not in asked
    assert AMD64.digest in asked


def test_a_saved_plan_is_stale_where_the_tag_was_moved_since(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    plan = saved(sync.plan("v1"), sync)
    push_image(sync.destination.repository("mirror/app"), INDEX, "v1")
    assert statuses(sync.apply(plan=plan)) == [Status.STALE]


def test_a_saved_plan_of_an_index_that_the_source_has_no_more_fails(sync: Sync) -> None:
    sync.fill(INDEX, "v1")
    plan = saved(sync.plan("v1"), sync)
    assert [type(action) for action in plan.actions] == [Copy]
    sync.source.repository("app").delete_manifest(INDEX.digest)
    assert statuses(sync.apply(plan=plan)) == [Status.FAILED]


def test_an_audit_looks_for_what_speaks_of_what_is_kept(classic: Sync) -> None:
    classic.platforms = ONE
    classic.fill(INDEX, "v1")
    signed(classic)
    classic.apply("v1")
    assert audited(classic, "v1").exit_code == 0
    sign(classic.source.repository("app"), OF_AMD64.digest, "alice")
    sign(classic.source.repository("app"), OF_ARM64.digest, "alice")
    (finding,) = audited(classic, "v1").findings()
    assert finding.kind is Kind.MISSING_ATTACHMENT
    assert OF_AMD64.digest.encoded in finding.subject


@pytest.mark.usefixtures("_takes_sparse")
@pytest.mark.parametrize("platforms", [ONE, SPARSE, FLAT])
def test_an_audit_beside_a_whole_copy_tells_them_apart(classic: Sync, platforms: Platforms) -> None:
    """Two rules of one source into one repository: what one leaves out, the other must have."""
    classic.platforms = platforms
    classic.fill(INDEX, "v1")
    classic.fill(INDEX, "v2")
    signed(classic)
    spec = classic.spec(["v1"], ["mirror/app"])
    both = replace(spec, rules=(spec.rules[0], replace(spec.rules[0], tags=TagFilter.parse(["v2"]), platforms=keep())))
    with classic.session() as (stores, tasks, cancellation):
        outcomes = list(plan_and_carry_out(Drawing(both, stores, tasks), Executor(stores, tasks, cancellation)))
    assert statuses(outcomes) == [Status.COPIED] * 2
    with classic.session() as (stores, tasks, _):
        assert audit(both, Looking(stores), tasks).exit_code == 0
    next((classic.destination.root / "mirror").rglob(ARM64.digest.encoded)).unlink()
    with classic.session() as (stores, tasks, _):
        found = audit(both, Looking(stores), tasks)
    assert [tag.subject.rpartition(":")[2] for tag in found.broken] == ["v2"]


def test_an_audit_reads_a_destination_once_that_answers_for_its_source(sync: Sync) -> None:
    """It has the very digest: nothing but a tag is asked of the source."""
    sync.platforms = keep(required=("linux/amd64",))
    sync.fill(INDEX, "v1")
    sync.apply("v1")
    assert audited(sync, "v1").exit_code == 0
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination)["GET manifests"] == 5
