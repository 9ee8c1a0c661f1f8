"""What speaks of an image travels with it: what that costs on the wire, the order of writes, and what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.executor import Executor
from imagesync.pipeline import Drawing, plan_and_carry_out
from imagesync.plan.actions import Attach, Keep
from imagesync.plan.attachments import tag_of
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Status
from imagesync.reference import Repository
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType
from imagesync.tasks import Tasks
from tests.conftest import MakeRegistry
from tests.images import (
    list_of,
    make_artifact,
    make_image,
    make_referrer,
    make_signature,
    push_image,
)
from tests.traces.attaching import IMAGE, INDEX, REFERRERS, SIGNATURES, attach, sign, statuses, there, without_api
from tests.traces.harness import Sync, kinds


def test_an_unchanged_tag_without_attachments_costs_two_heads_and_one_list(classic: Sync) -> None:
    """Decisions 2. One probe a registry tells that it lists no referrers."""
    classic.fill(INDEX, "latest")
    classic.apply("latest")
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]
    assert kinds(classic.source) == {"HEAD manifests": 1, "GET tags": 1, "GET referrers": 1}
    assert kinds(classic.destination) == {"HEAD manifests": 1}


def test_a_hundred_tags_ask_for_one_list_and_one_probe(classic: Sync) -> None:
    tags = [f"v{number}" for number in range(100)]
    for number, tag in enumerate(tags):
        classic.fill(make_image(f"image {number % 3}", layers=1), tag)
    classic.apply("v*")
    classic.apply("v*")
    assert kinds(classic.source) == {"HEAD manifests": 100, "GET tags": 1, "GET referrers": 1}
    assert kinds(classic.destination) == {"HEAD manifests": 100}


def test_without_attachments_nobody_is_asked_for_any(classic: Sync) -> None:
    classic.attachments = frozenset()
    classic.fill(INDEX, "latest")
    sign(classic.source.repository("app"), INDEX.digest, "alice")
    classic.apply("latest")
    assert kinds(classic.source).keys() == {"HEAD manifests", "GET manifests", "GET blobs"}
    assert classic.destination.repository("mirror/app").list_tags() == ("latest",)


def test_attachments_that_are_there_cost_a_head_a_side_and_no_counted_pull(classic: Sync) -> None:
    classic.fill(INDEX, "latest")
    store = classic.source.repository("app")
    for digest in (INDEX.digest, INDEX.children[0].digest):
        sign(store, digest, "alice")
    attach(store, INDEX.digest, make_referrer(INDEX.root))
    assert statuses(classic.apply("latest")) == [Status.COPIED]
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]
    assert kinds(classic.source) == {"HEAD manifests": 4, "GET tags": 1, "GET referrers": 1}
    assert kinds(classic.destination) == {"HEAD manifests": 4, "GET manifests": 2}


def test_signatures_of_an_index_and_of_its_children_arrive_after_what_they_speak_of_and_before_the_tag(
    classic: Sync,
) -> None:
    """ATT-02. The root goes out by its digest first: cosign's tags may stand only beside what they speak of."""
    classic.fill(INDEX, "latest")
    signed = [INDEX.digest, *(child.digest for child in INDEX.children)]
    for digest in signed:
        sign(classic.source.repository("app"), digest, "alice")
    assert statuses(classic.apply("latest")) == [Status.COPIED]
    puts = [entry.path.rpartition("/")[2] for entry in classic.destination.log.entries("PUT", "/manifests/")]
    tags = [str(tag_of(digest, SIGNATURES)) for digest in signed]
    assert sorted(puts[:3]) == sorted(signed)
    assert sorted(puts[3:-1]) == sorted(tags)
    assert puts[-1] == "latest"
    for digest, tag in zip(signed, tags, strict=True):
        assert there(classic, tag).root.raw == make_signature(digest, "alice").root.raw


def test_a_whole_new_image_with_attachments_costs_a_get_a_put_and_a_head_for_each(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    store = classic.source.repository("app")
    sign(store, IMAGE.digest, "alice")
    attach(store, IMAGE.digest, make_referrer(IMAGE.root))
    classic.apply("latest")
    assert kinds(classic.source) == {
        "HEAD manifests": 3,
        "GET tags": 1,
        "GET referrers": 1,
        "GET manifests": 4,
        "GET blobs": 6,
    }
    manifests = {key: count for key, count in kinds(classic.destination).items() if "manifests" in key}
    assert manifests == {"HEAD manifests": 5, "GET manifests": 2, "PUT manifests": 5}


def test_a_signature_that_comes_after_its_image_is_brought(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    signature = sign(classic.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(classic.apply("latest")) == [Status.ATTACHED]
    tag = tag_of(IMAGE.digest, SIGNATURES)
    assert classic.destination.log.lines("PUT", "/manifests/") == [f"PUT /v2/mirror/app/manifests/{tag} 201"]
    assert kinds(classic.source) == {
        "HEAD manifests": 2,
        "GET tags": 1,
        "GET referrers": 1,
        "GET manifests": 1,
        "GET blobs": 2,
    }
    assert there(classic, tag).root.raw == signature.root.raw
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]


def test_only_the_types_that_are_wanted_travel(classic: Sync) -> None:
    classic.attachments = frozenset({AttachmentType.SBOMS})
    classic.fill(IMAGE, "latest")
    store = classic.source.repository("app")
    sign(store, IMAGE.digest, "alice")
    push_image(store, make_artifact("bill"), tag_of(IMAGE.digest, AttachmentType.SBOMS))
    classic.apply("latest")
    assert classic.destination.repository("mirror/app").list_tags() == (
        "latest",
        tag_of(IMAGE.digest, AttachmentType.SBOMS),
    )
    assert "GET referrers" not in kinds(classic.source)


def test_two_tags_of_one_digest_bring_its_signature_once(classic: Sync) -> None:
    for tag in ("a", "b"):
        classic.fill(IMAGE, tag)
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(classic.apply("a", "b")) == [Status.COPIED] * 2
    tag = tag_of(IMAGE.digest, SIGNATURES)
    assert len(classic.destination.log.entries("PUT", f"/manifests/{tag}$")) == 1


def test_a_signature_that_the_destination_has_of_its_own_stays_and_the_sources_is_added(classic: Sync) -> None:
    """Decisions 24: two keys sign the same payload; only the annotations of the layers differ."""
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    sign(classic.destination.repository("mirror/app"), IMAGE.digest, "ours")
    sign(classic.source.repository("app"), IMAGE.digest, "alice", "bob")
    assert statuses(classic.apply("latest")) == [Status.ATTACHED]
    layers = there(classic, tag).root.layers  # type: ignore[union-attr]
    assert [list(layer.annotations.values()) for layer in layers] == [["ours"], ["alice"], ["bob"]]
    assert statuses(classic.apply("latest")) == [Status.UNCHANGED]
    assert classic.destination.log.lines("PUT") == []


def test_a_failed_attachment_fails_its_tag(classic: Sync) -> None:
    """An equal tag stays the proof of a complete copy."""
    classic.fill(IMAGE, "latest")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    classic.destination.script("PUT", f"/manifests/{tag}$", status=403)
    (outcome,) = classic.apply("latest")
    assert outcome.status is Status.FAILED
    assert str(tag) in outcome.reason
    assert "latest" not in classic.destination.repository("mirror/app").list_tags()


def test_an_attachment_tag_that_is_fixed_is_told_of_and_fails_nothing(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    sign(classic.destination.repository("mirror/app"), IMAGE.digest, "ours")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    refusal = b'{"errors": [{"code": "TAG_IMMUTABLE", "message": "tag is immutable"}]}'
    classic.destination.script("PUT", f"/manifests/{tag}$", status=400, body=refusal)
    (outcome,) = classic.apply("latest")
    assert outcome.status is Status.COPIED
    assert outcome.reason.startswith(f"not added to {classic.destination.host}/mirror/app:{tag}: ")


def test_a_saved_plan_pins_attachments_and_carries_them_out(classic: Sync) -> None:
    """Decisions 8: those that come later wait for the next plan."""
    classic.fill(IMAGE, "latest")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(classic.plan("latest"))
    attach(classic.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root))
    (outcome,) = classic.apply(plan=plan_from_json(text, name="plan"))
    assert outcome.status is Status.COPIED
    tags = classic.destination.repository("mirror/app").list_tags()
    assert tags == ("latest", tag_of(IMAGE.digest, SIGNATURES))
    assert "GET manifests" not in kinds(classic.source)
    assert [type(action) for action in classic.plan("latest").actions] == [Attach]


def test_a_saved_plan_attaches_to_the_digest_that_it_saw_alone(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    classic.apply("latest")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(classic.plan("latest"))
    push_image(classic.destination.repository("mirror/app"), make_image("other"), "latest")
    (outcome,) = classic.apply(plan=plan_from_json(text, name="plan"))
    assert outcome.status is Status.STALE
    assert classic.destination.log.lines("PUT") == []


def test_a_saved_plan_unites_with_what_has_come_meanwhile(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(classic.plan("latest"))
    sign(classic.destination.repository("mirror/app"), IMAGE.digest, "ours")
    assert statuses(classic.apply(plan=plan_from_json(text, name="plan"))) == [Status.COPIED]
    layers = there(classic, tag_of(IMAGE.digest, SIGNATURES)).root.layers  # type: ignore[union-attr]
    assert [list(layer.annotations.values()) for layer in layers] == [["ours"], ["alice"]]


def test_within_one_repository_attachments_are_where_they_belong(make_registry: MakeRegistry) -> None:
    registry = make_registry()
    classic = Sync(registry, registry)
    classic.attachments = ALL_ATTACHMENTS
    classic.fill(IMAGE, "latest")
    sign(registry.repository("app"), IMAGE.digest, "alice")
    assert [type(action) for action in classic.plan("latest", to=["app"]).actions] == [Keep]
    assert "GET tags" not in kinds(registry)


def test_within_one_registry_the_blobs_of_attachments_are_mounted(make_registry: MakeRegistry) -> None:
    registry = make_registry()
    classic = Sync(registry, registry)
    classic.attachments = ALL_ATTACHMENTS
    without_api(registry)
    classic.fill(IMAGE, "latest")
    sign(registry.repository("app"), IMAGE.digest, "alice")
    assert statuses(classic.apply("latest")) == [Status.COPIED]
    assert "GET blobs" not in kinds(registry)
    assert tag_of(IMAGE.digest, SIGNATURES) in registry.repository("mirror/app").list_tags()


def test_one_thread_brings_them_all(modern: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions 30: who waits for its turn at a tag holds no worker."""
    make = Tasks.__init__
    monkeypatch.setattr(Tasks, "__init__", lambda self, **given: make(self, **{**given, "workers": 1}))
    without_api(modern.destination)
    modern.fill(INDEX, "latest")
    store = modern.source.repository("app")
    sboms = [push_image(store, make_referrer(INDEX.root, seed)) for seed in "abc"]
    sign(store, INDEX.digest, "alice")
    assert statuses(modern.apply("latest", to=["a", "b"])) == [Status.COPIED] * 2
    for path in ("a", "b"):
        listed = modern.destination.repository(path).fetch_manifest(tag_of(INDEX.digest, REFERRERS)).successors()
        assert {entry.digest for entry in listed} == {sbom.digest for sbom in sboms}


def test_several_repositories_of_one_registry_read_an_attachment_once(classic: Sync) -> None:
    classic.fill(IMAGE, "latest")
    signature = sign(classic.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(classic.apply("latest", to=["a", "b", "c"])) == [Status.COPIED] * 3
    assert kinds(classic.source)["GET blobs"] == len(IMAGE.blobs) + len(signature.blobs)
    assert kinds(classic.source)["GET manifests"] == 2
    for path in ("a", "b", "c"):
        found = classic.destination.repository(path).fetch_manifest(tag_of(IMAGE.digest, SIGNATURES))
        assert found.raw == signature.root.raw


def test_several_registries_read_an_attachment_once(make_registry: MakeRegistry) -> None:
    source, others = make_registry(), [make_registry() for _ in range(2)]
    classic = Sync(source, others[0])
    classic.attachments = ALL_ATTACHMENTS
    without_api(source, *others)
    classic.fill(IMAGE, "latest")
    signature = sign(source.repository("app"), IMAGE.digest, "alice")
    spec = classic.spec(["latest"], ["app"])
    rule = replace(spec.rules[0], destinations=tuple(Repository(other.host, "app") for other in others))
    source.log.clear()
    with classic.session() as (stores, tasks, cancellation):
        executor = Executor(stores, tasks, cancellation)
        outcomes = list(plan_and_carry_out(Drawing(replace(spec, rules=(rule,)), stores, tasks), executor))
    assert statuses(outcomes) == [Status.COPIED] * 2
    assert kinds(source)["GET blobs"] == len(IMAGE.blobs) + len(signature.blobs)
    assert (kinds(source)["GET tags"], kinds(source)["GET manifests"]) == (1, 2)


def test_a_dead_registry_fails_its_own_attachments_alone(make_registry: MakeRegistry) -> None:
    """One destination has the signature, the other refuses it."""
    source, good, bad = make_registry(), make_registry(), make_registry()
    classic = Sync(source, good)
    classic.attachments = ALL_ATTACHMENTS
    without_api(source, good, bad)
    classic.fill(IMAGE, "latest")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    sign(source.repository("app"), IMAGE.digest, "alice")
    bad.script("PUT", f"/manifests/{tag}$", status=403)
    spec = classic.spec(["latest"], ["app"])
    rule = replace(spec.rules[0], destinations=tuple(Repository(one.host, "app") for one in (good, bad)))
    with classic.session() as (stores, tasks, cancellation):
        executor = Executor(stores, tasks, cancellation)
        outcomes = list(plan_and_carry_out(Drawing(replace(spec, rules=(rule,)), stores, tasks), executor))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED, Status.FAILED}
    assert good.repository("app").list_tags() == ("latest", tag)
    assert "latest" not in bad.repository("app").list_tags()


def test_a_signature_of_a_shared_child_comes_with_one_index_though_the_other_fails(classic: Sync) -> None:
    """It waits for the index that it comes with; where that is in vain, the other one waits for it no less."""
    lost, shared = make_image("lost", layers=1), make_image("shared", layers=1)
    for tag, children in (("v1", (lost, shared)), ("v2", (shared, make_image("sound", layers=1)))):
        classic.fill(list_of(*children), tag)
    sign(classic.source.repository("app"), shared.digest, "alice")
    for digest in lost.blobs.keys() - shared.blobs.keys():
        classic.source.script("GET", f"/blobs/{digest}", status=404)
    outcomes = classic.apply(plan=classic.plan("v1", "v2"))
    assert sorted(outcome.status.value for outcome in outcomes) == ["copied", "failed"]
    assert tag_of(shared.digest, SIGNATURES) in classic.destination.repository("mirror/app").list_tags()
