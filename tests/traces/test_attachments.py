"""What speaks of an image travels with it: what that costs on the wire, the order of writes, and what stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from imagesync.executor import Executor
from imagesync.pipeline import Drawing, plan_and_carry_out
from imagesync.plan.actions import Attach, Keep
from imagesync.plan.attachments import tag_of
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Repository, Tag
from imagesync.registry import RemoteRepository
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType
from imagesync.store import Writable
from imagesync.tasks import Tasks
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import (
    MadeImage,
    descriptor_of,
    list_of,
    make_artifact,
    make_image,
    make_index,
    make_referrer,
    make_signature,
    push_image,
)
from tests.traces.harness import Sync, kinds

SIGNATURES, REFERRERS = AttachmentType.SIGNATURES, AttachmentType.REFERRERS
IMAGE = make_image(layers=1)
INDEX = make_index(layers=1)


def without_api(*registries: FakeRegistry) -> None:
    """As docker-registry: what asks for referrers is told that there is no such page."""
    for registry in registries:
        registry.script("GET", "/referrers/", status=404, body=b"404 page not found\n")


@pytest.fixture
def modern(make_registry: MakeRegistry) -> Sync:
    """Both sides list referrers by themselves."""
    sync = Sync(make_registry(), make_registry())
    sync.attachments = ALL_ATTACHMENTS
    return sync


@pytest.fixture
def sync(modern: Sync) -> Sync:
    """Neither side lists referrers."""
    without_api(modern.source, modern.destination)
    return modern


def sign(store: Writable, digest: Digest, *signers: str) -> MadeImage:
    return push_image(store, make_signature(digest, *signers), tag_of(digest, SIGNATURES))


def attach(store: Writable, subject: Digest, *referrers: MadeImage) -> MadeImage:
    """Keep a list of referrers under the tag of what they speak of."""
    return push_image(store, list_of(*referrers), tag_of(subject, REFERRERS))


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def there(sync: Sync, target: str | Digest) -> MadeImage:
    """What the destination holds under a tag or digest."""
    found = target if isinstance(target, Digest) else Tag(target)
    return MadeImage(sync.destination.repository("mirror/app").fetch_manifest(found))


def test_an_unchanged_tag_without_attachments_costs_two_heads_and_one_list(sync: Sync) -> None:
    """Decisions 2. One probe a registry tells that it lists no referrers."""
    sync.fill(INDEX, "latest")
    sync.apply("latest")
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]
    assert kinds(sync.source) == {"HEAD manifests": 1, "GET tags": 1, "GET referrers": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 1}


def test_a_hundred_tags_ask_for_one_list_and_one_probe(sync: Sync) -> None:
    tags = [f"v{number}" for number in range(100)]
    for number, tag in enumerate(tags):
        sync.fill(make_image(f"image {number % 3}", layers=1), tag)
    sync.apply("v*")
    sync.apply("v*")
    assert kinds(sync.source) == {"HEAD manifests": 100, "GET tags": 1, "GET referrers": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 100}


def test_without_attachments_nobody_is_asked_for_any(sync: Sync) -> None:
    sync.attachments = frozenset()
    sync.fill(INDEX, "latest")
    sign(sync.source.repository("app"), INDEX.digest, "alice")
    sync.apply("latest")
    assert kinds(sync.source).keys() == {"HEAD manifests", "GET manifests", "GET blobs"}
    assert sync.destination.repository("mirror/app").list_tags() == ("latest",)


def test_attachments_that_are_there_cost_a_head_a_side_and_no_counted_pull(sync: Sync) -> None:
    sync.fill(INDEX, "latest")
    store = sync.source.repository("app")
    for digest in (INDEX.digest, INDEX.children[0].digest):
        sign(store, digest, "alice")
    attach(store, INDEX.digest, make_referrer(INDEX.root))
    assert statuses(sync.apply("latest")) == [Status.COPIED]
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]
    assert kinds(sync.source) == {"HEAD manifests": 4, "GET tags": 1, "GET referrers": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 4, "GET manifests": 2}


def test_signatures_of_an_index_and_of_its_children_arrive_after_what_they_speak_of_and_before_the_tag(
    sync: Sync,
) -> None:
    """ATT-02. The root goes out by its digest first: cosign's tags may stand only beside what they speak of."""
    sync.fill(INDEX, "latest")
    signed = [INDEX.digest, *(child.digest for child in INDEX.children)]
    for digest in signed:
        sign(sync.source.repository("app"), digest, "alice")
    assert statuses(sync.apply("latest")) == [Status.COPIED]
    puts = [entry.path.rpartition("/")[2] for entry in sync.destination.log.entries("PUT", "/manifests/")]
    tags = [str(tag_of(digest, SIGNATURES)) for digest in signed]
    assert sorted(puts[:3]) == sorted(signed)
    assert sorted(puts[3:-1]) == sorted(tags)
    assert puts[-1] == "latest"
    for digest, tag in zip(signed, tags, strict=True):
        assert there(sync, tag).root.raw == make_signature(digest, "alice").root.raw


def test_a_whole_new_image_with_attachments_costs_a_get_a_put_and_a_head_for_each(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    store = sync.source.repository("app")
    sign(store, IMAGE.digest, "alice")
    attach(store, IMAGE.digest, make_referrer(IMAGE.root))
    sync.apply("latest")
    assert kinds(sync.source) == {
        "HEAD manifests": 3,
        "GET tags": 1,
        "GET referrers": 1,
        "GET manifests": 4,
        "GET blobs": 6,
    }
    manifests = {key: count for key, count in kinds(sync.destination).items() if "manifests" in key}
    assert manifests == {"HEAD manifests": 5, "GET manifests": 2, "PUT manifests": 5}


def test_a_signature_that_comes_after_its_image_is_brought(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    signature = sign(sync.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(sync.apply("latest")) == [Status.ATTACHED]
    tag = tag_of(IMAGE.digest, SIGNATURES)
    assert sync.destination.log.lines("PUT", "/manifests/") == [f"PUT /v2/mirror/app/manifests/{tag} 201"]
    assert kinds(sync.source) == {
        "HEAD manifests": 2,
        "GET tags": 1,
        "GET referrers": 1,
        "GET manifests": 1,
        "GET blobs": 2,
    }
    assert there(sync, tag).root.raw == signature.root.raw
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]


def test_only_the_types_that_are_wanted_travel(sync: Sync) -> None:
    sync.attachments = frozenset({AttachmentType.SBOMS})
    sync.fill(IMAGE, "latest")
    store = sync.source.repository("app")
    sign(store, IMAGE.digest, "alice")
    push_image(store, make_artifact("bill"), tag_of(IMAGE.digest, AttachmentType.SBOMS))
    sync.apply("latest")
    assert sync.destination.repository("mirror/app").list_tags() == (
        "latest",
        tag_of(IMAGE.digest, AttachmentType.SBOMS),
    )
    assert "GET referrers" not in kinds(sync.source)


def test_two_tags_of_one_digest_bring_its_signature_once(sync: Sync) -> None:
    for tag in ("a", "b"):
        sync.fill(IMAGE, tag)
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(sync.apply("a", "b")) == [Status.COPIED] * 2
    tag = tag_of(IMAGE.digest, SIGNATURES)
    assert len(sync.destination.log.entries("PUT", f"/manifests/{tag}$")) == 1


def test_a_signature_that_the_destination_has_of_its_own_stays_and_the_sources_is_added(sync: Sync) -> None:
    """Decisions 24: two keys sign the same payload; only the annotations of the layers differ."""
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    sign(sync.destination.repository("mirror/app"), IMAGE.digest, "ours")
    sign(sync.source.repository("app"), IMAGE.digest, "alice", "bob")
    assert statuses(sync.apply("latest")) == [Status.ATTACHED]
    layers = there(sync, tag).root.layers  # type: ignore[union-attr]
    assert [list(layer.annotations.values()) for layer in layers] == [["ours"], ["alice"], ["bob"]]
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]
    assert sync.destination.log.lines("PUT") == []


def test_the_destinations_own_referrers_stay(sync: Sync) -> None:
    """RFR-06, RFR-04: merged, and a second run adds nothing."""
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    ours, theirs = make_referrer(IMAGE.root, "ours"), make_referrer(IMAGE.root, "theirs")
    attach(sync.destination.repository("mirror/app"), IMAGE.digest, ours)
    attach(sync.source.repository("app"), IMAGE.digest, theirs)
    assert statuses(sync.apply("latest")) == [Status.ATTACHED]
    tag = tag_of(IMAGE.digest, REFERRERS)
    assert [entry.digest for entry in there(sync, tag).root.successors()] == [ours.digest, theirs.digest]
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]
    assert sync.destination.log.lines("PUT") == []


def test_a_wrong_artifact_type_in_a_list_of_referrers_keeps_nothing_back(sync: Sync) -> None:
    """Decisions 25: cosign writes a wrong one."""
    sync.fill(IMAGE, "latest")
    sbom = make_referrer(IMAGE.root)
    listed = list_of(sbom, artifactType="application/vnd.oci.image.config.v1+json")
    push_image(sync.source.repository("app"), listed, tag_of(IMAGE.digest, REFERRERS))
    sync.apply("latest")
    assert there(sync, sbom.digest).root.raw == sbom.root.raw


def test_another_writer_of_the_same_tag_keeps_its_entry_and_so_do_we(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFR-05: somebody who has read the tag before us writes it right after us."""
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    ours, theirs = make_referrer(IMAGE.root, "ours"), make_referrer(IMAGE.root, "theirs")
    attach(sync.source.repository("app"), IMAGE.digest, ours)
    tag = tag_of(IMAGE.digest, REFERRERS)
    _after_next_put(monkeypatch, lambda: attach(sync.destination.repository("mirror/app"), IMAGE.digest, theirs))
    assert statuses(sync.apply("latest")) == [Status.ATTACHED]
    assert [entry.digest for entry in there(sync, tag).root.successors()] == [theirs.digest, ours.digest]


def test_a_tag_that_others_write_all_the_time_is_given_up_after_five_tries(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    attach(sync.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root, "ours"))
    store, count = sync.destination.repository("mirror/app"), iter(range(99))
    other = _Again(lambda: attach(store, IMAGE.digest, make_referrer(IMAGE.root, f"other {next(count)}")))
    other.after_each_put(monkeypatch)
    (outcome,) = sync.apply("latest")
    assert (outcome.status, "5 times in a row" in outcome.reason) == (Status.FAILED, True)
    assert outcome.hint == "apply again when they are done"
    assert len(sync.destination.log.entries("PUT", f"/manifests/{tag_of(IMAGE.digest, REFERRERS)}$")) == 5


class _Again:
    """Another writer, who comes after each of our writes of a list of referrers."""

    def __init__(self, write: Callable[[], object], times: int = 99) -> None:
        self._write = write
        self._left = times

    def after_each_put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        push = RemoteRepository.push_manifest

        def pushed(store: RemoteRepository, content: object, tag: Tag | None = None) -> None:
            push(store, content, tag)  # type: ignore[arg-type]
            if tag is not None and tag.startswith("sha256-") and self._left:
                self._left -= 1
                self._write()

        monkeypatch.setattr(RemoteRepository, "push_manifest", pushed)


def _after_next_put(monkeypatch: pytest.MonkeyPatch, write: Callable[[], object]) -> None:
    _Again(write, times=1).after_each_put(monkeypatch)


def test_a_list_of_referrers_that_is_an_image_is_left_alone(sync: Sync) -> None:
    """RFR-02."""
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    tag = tag_of(IMAGE.digest, REFERRERS)
    push_image(sync.destination.repository("mirror/app"), make_image("other"), tag)
    attach(sync.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root))
    (outcome,) = sync.apply("latest")
    assert (outcome.status, outcome.kind) == (Status.FAILED, "manifest")
    assert there(sync, tag).digest == make_image("other").digest


def test_a_source_tag_that_is_no_list_of_referrers_fails_its_image_and_says_what_to_do(sync: Sync) -> None:
    """RFR-02."""
    sync.fill(IMAGE, "latest")
    push_image(sync.source.repository("app"), make_image("other"), tag_of(IMAGE.digest, REFERRERS))
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.FAILED
    assert outcome.hint is not None
    assert outcome.hint.startswith("delete or rename that tag; `attachments: none` ")


def test_a_failed_attachment_fails_its_tag(sync: Sync) -> None:
    """An equal tag stays the proof of a complete copy."""
    sync.fill(IMAGE, "latest")
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    sync.destination.script("PUT", f"/manifests/{tag}$", status=403)
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.FAILED
    assert str(tag) in outcome.reason
    assert "latest" not in sync.destination.repository("mirror/app").list_tags()


def test_an_attachment_tag_that_is_fixed_is_told_of_and_fails_nothing(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    sign(sync.destination.repository("mirror/app"), IMAGE.digest, "ours")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    refusal = b'{"errors": [{"code": "TAG_IMMUTABLE", "message": "tag is immutable"}]}'
    sync.destination.script("PUT", f"/manifests/{tag}$", status=400, body=refusal)
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.COPIED
    assert outcome.reason.startswith(f"not added to {sync.destination.host}/mirror/app:{tag}: ")


def test_a_tag_list_that_is_refused_fails_the_image_and_names_the_way_without(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    sync.source.script("GET", "/tags/list", status=400)
    (outcome,) = sync.apply("latest")
    assert outcome.status is Status.FAILED
    assert outcome.hint is not None
    assert "attachments: none" in outcome.hint


def test_referrers_that_a_registry_lists_are_copied_by_digest(modern: Sync) -> None:
    """RFR-01. One GET a digest at the source, and at the destination for what has any."""
    modern.fill(IMAGE, "latest")
    sbom = push_image(modern.source.repository("app"), make_referrer(IMAGE.root))
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    assert there(modern, sbom.digest).root.raw == sbom.root.raw
    assert modern.destination.repository("mirror/app").list_tags() == ("latest",)
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]
    assert kinds(modern.source) == {"HEAD manifests": 1, "GET tags": 1, "GET referrers": 3}
    assert kinds(modern.destination) == {"HEAD manifests": 1, "GET referrers": 2}


def test_where_the_destination_lists_none_the_list_is_kept_under_a_tag(modern: Sync) -> None:
    """RFR-04: no duplicate on a second run. Two referrers of one image take turns at its tag."""
    without_api(modern.destination)
    modern.fill(IMAGE, "latest")
    sboms = [push_image(modern.source.repository("app"), make_referrer(IMAGE.root, seed)) for seed in ("a", "b")]
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    listed = there(modern, tag_of(IMAGE.digest, REFERRERS)).root.successors()
    assert {entry.digest for entry in listed} == {sbom.digest for sbom in sboms}
    assert {entry.artifact_type for entry in listed} == {"application/vnd.example+json"}
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]
    assert modern.destination.log.lines("PUT") == []


def test_a_list_under_a_tag_becomes_one_of_the_registry(modern: Sync) -> None:
    """From a registry without the API to one that has it."""
    without_api(modern.source)
    modern.fill(IMAGE, "latest")
    sbom = make_referrer(IMAGE.root)
    attach(modern.source.repository("app"), IMAGE.digest, sbom)
    modern.apply("latest")
    with modern.session() as (stores, _, __):
        store = stores.destination(Repository(modern.destination_host, "mirror/app"))
        assert [entry.digest for entry in store.list_referrers(IMAGE.digest) or ()] == [sbom.digest]


@pytest.mark.parametrize("has_api", [True, False])
def test_a_signed_sbom_brings_its_signature(modern: Sync, has_api: bool) -> None:
    """RFR-07: attachments of attachments."""
    if not has_api:
        without_api(modern.source, modern.destination)
    modern.fill(IMAGE, "latest")
    store = modern.source.repository("app")
    sbom = make_referrer(IMAGE.root)
    attach(store, IMAGE.digest, sbom)
    proof = push_image(store, make_referrer(sbom.root, "proof"))
    attach(store, sbom.digest, proof)
    signature = sign(store, sbom.digest, "alice")
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    for made in (sbom, proof):
        assert there(modern, made.digest).root.raw == made.root.raw
    assert there(modern, tag_of(sbom.digest, SIGNATURES)).digest == signature.digest
    assert statuses(modern.apply("latest")) == [Status.UNCHANGED]


def test_a_chain_of_referrers_is_followed_so_far_and_a_circle_once(sync: Sync) -> None:
    """RFR-07: lists that name each other."""
    sync.fill(IMAGE, "latest")
    store = sync.source.repository("app")
    a, b = make_referrer(IMAGE.root, "a"), make_referrer(IMAGE.root, "b")
    chain = [make_referrer(a.root, "link")]
    attach(store, IMAGE.digest, a)
    attach(store, a.digest, b, chain[0])
    attach(store, b.digest, a)
    for number in range(9):
        chain.append(make_referrer(chain[-1].root, f"link {number}"))
        attach(store, chain[-2].digest, chain[-1])
    assert statuses(sync.apply("latest")) == [Status.COPIED]
    tags = sync.destination.repository("mirror/app").list_tags()
    assert tag_of(chain[0].digest, REFERRERS) in tags
    assert tag_of(chain[-2].digest, REFERRERS) not in tags
    assert statuses(sync.apply("latest")) == [Status.UNCHANGED]


def test_what_a_registry_lists_and_that_speaks_of_something_else_is_no_referrer(modern: Sync) -> None:
    """RFR-07: a list is the server's word; the manifest says what it speaks of."""
    modern.fill(IMAGE, "latest")
    liar = push_image(modern.source.repository("app"), make_artifact("liar"))
    entry = descriptor_of(liar.root)
    body = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    kind = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
    modern.source.script("GET", "/referrers/", status=200, headers=kind, body=body)
    assert statuses(modern.apply("latest")) == [Status.COPIED]
    assert modern.destination.log.lines("PUT", f"/manifests/{liar.digest}") == []


def test_a_saved_plan_pins_attachments_and_carries_them_out(sync: Sync) -> None:
    """Decisions 8: those that come later wait for the next plan."""
    sync.fill(IMAGE, "latest")
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(sync.plan("latest"))
    attach(sync.source.repository("app"), IMAGE.digest, make_referrer(IMAGE.root))
    (outcome,) = sync.apply(plan=plan_from_json(text, name="plan"))
    assert outcome.status is Status.COPIED
    tags = sync.destination.repository("mirror/app").list_tags()
    assert tags == ("latest", tag_of(IMAGE.digest, SIGNATURES))
    assert "GET manifests" not in kinds(sync.source)
    assert [type(action) for action in sync.plan("latest").actions] == [Attach]


def test_a_saved_plan_attaches_to_the_digest_that_it_saw_alone(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    sync.apply("latest")
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(sync.plan("latest"))
    push_image(sync.destination.repository("mirror/app"), make_image("other"), "latest")
    (outcome,) = sync.apply(plan=plan_from_json(text, name="plan"))
    assert outcome.status is Status.STALE
    assert sync.destination.log.lines("PUT") == []


def test_a_saved_plan_unites_with_what_has_come_meanwhile(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    sign(sync.source.repository("app"), IMAGE.digest, "alice")
    text = plan_to_json(sync.plan("latest"))
    sign(sync.destination.repository("mirror/app"), IMAGE.digest, "ours")
    assert statuses(sync.apply(plan=plan_from_json(text, name="plan"))) == [Status.COPIED]
    layers = there(sync, tag_of(IMAGE.digest, SIGNATURES)).root.layers  # type: ignore[union-attr]
    assert [list(layer.annotations.values()) for layer in layers] == [["ours"], ["alice"]]


def test_within_one_repository_attachments_are_where_they_belong(make_registry: MakeRegistry) -> None:
    registry = make_registry()
    sync = Sync(registry, registry)
    sync.attachments = ALL_ATTACHMENTS
    sync.fill(IMAGE, "latest")
    sign(registry.repository("app"), IMAGE.digest, "alice")
    assert [type(action) for action in sync.plan("latest", to=["app"]).actions] == [Keep]
    assert "GET tags" not in kinds(registry)


def test_within_one_registry_the_blobs_of_attachments_are_mounted(make_registry: MakeRegistry) -> None:
    registry = make_registry()
    sync = Sync(registry, registry)
    sync.attachments = ALL_ATTACHMENTS
    without_api(registry)
    sync.fill(IMAGE, "latest")
    sign(registry.repository("app"), IMAGE.digest, "alice")
    assert statuses(sync.apply("latest")) == [Status.COPIED]
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


def test_several_repositories_of_one_registry_read_an_attachment_once(sync: Sync) -> None:
    sync.fill(IMAGE, "latest")
    signature = sign(sync.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(sync.apply("latest", to=["a", "b", "c"])) == [Status.COPIED] * 3
    assert kinds(sync.source)["GET blobs"] == len(IMAGE.blobs) + len(signature.blobs)
    assert kinds(sync.source)["GET manifests"] == 2
    for path in ("a", "b", "c"):
        found = sync.destination.repository(path).fetch_manifest(tag_of(IMAGE.digest, SIGNATURES))
        assert found.raw == signature.root.raw


def test_several_registries_read_an_attachment_once(make_registry: MakeRegistry) -> None:
    source, others = make_registry(), [make_registry() for _ in range(2)]
    sync = Sync(source, others[0])
    sync.attachments = ALL_ATTACHMENTS
    without_api(source, *others)
    sync.fill(IMAGE, "latest")
    signature = sign(source.repository("app"), IMAGE.digest, "alice")
    spec = sync.spec(["latest"], ["app"])
    rule = replace(spec.rules[0], destinations=tuple(Repository(other.host, "app") for other in others))
    source.log.clear()
    with sync.session() as (stores, tasks, cancellation):
        executor = Executor(stores, tasks, cancellation)
        outcomes = list(plan_and_carry_out(Drawing(replace(spec, rules=(rule,)), stores, tasks), executor))
    assert statuses(outcomes) == [Status.COPIED] * 2
    assert kinds(source)["GET blobs"] == len(IMAGE.blobs) + len(signature.blobs)
    assert (kinds(source)["GET tags"], kinds(source)["GET manifests"]) == (1, 2)


def test_a_dead_registry_fails_its_own_attachments_alone(make_registry: MakeRegistry) -> None:
    """One destination has the signature, the other refuses it."""
    source, good, bad = make_registry(), make_registry(), make_registry()
    sync = Sync(source, good)
    sync.attachments = ALL_ATTACHMENTS
    without_api(source, good, bad)
    sync.fill(IMAGE, "latest")
    tag = tag_of(IMAGE.digest, SIGNATURES)
    sign(source.repository("app"), IMAGE.digest, "alice")
    bad.script("PUT", f"/manifests/{tag}$", status=403)
    spec = sync.spec(["latest"], ["app"])
    rule = replace(spec.rules[0], destinations=tuple(Repository(one.host, "app") for one in (good, bad)))
    with sync.session() as (stores, tasks, cancellation):
        executor = Executor(stores, tasks, cancellation)
        outcomes = list(plan_and_carry_out(Drawing(replace(spec, rules=(rule,)), stores, tasks), executor))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED, Status.FAILED}
    assert good.repository("app").list_tags() == ("latest", tag)
    assert "latest" not in bad.repository("app").list_tags()
