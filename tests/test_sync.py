"""Survey and executor together over stores in memory: what is read, what is written in which order, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, IntegrityError, LimitError, NetworkError
from imagesync.executor import Executor
from imagesync.manifest import Content, Descriptor, Manifest, parse_manifest
from imagesync.pipeline import Drawing, carry_out, make_plan, plan_and_carry_out
from imagesync.plan.actions import Plan
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Repository
from imagesync.selection import Retag
from imagesync.spec.model import Rule
from imagesync.store import BlobReader, Pushed
from imagesync.tasks import Tasks
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_index, make_manifest, make_rule, make_spec

AMD, ARM = make_manifest("base", "amd"), make_manifest("base", "arm")
INDEX = make_index(AMD, ARM)
OLD = make_manifest("old")


class Bench:
    """Stores, and a plan and an apply over them."""

    def __init__(self, workers: int) -> None:
        self.stores = MemoryStores()
        self.cancellation = Cancellation()
        self.tasks = Tasks(workers=workers, hosts=self.stores, cancellation=self.cancellation)
        self.source = self.stores[HUB_NGINX]
        self.destination = self.stores[LOCAL_NGINX]

    def put(self, repository: MemoryRepository, tag: str, root: Content, *below: Content) -> None:
        repository.put(tag, root, *below)
        for content in (root, *below):
            if isinstance(content, Manifest):
                repository.blobs.update((blob.digest, TEXTS[blob.digest]) for blob in content.successors())

    def plan(self, *rules: Rule) -> Plan:
        return make_plan(make_spec(*rules), self.stores, self.tasks)

    def apply(self, *rules: Rule, plan: Plan | None = None) -> list[Outcome]:
        executor = Executor(self.stores, self.tasks, self.cancellation)
        if plan is not None:
            return list(carry_out(plan, executor))
        return list(plan_and_carry_out(Drawing(make_spec(*rules), self.stores, self.tasks), executor))


def _texts() -> dict[str, bytes]:
    from imagesync.manifest import digest_of

    layers = [("base", "amd"), ("base", "arm"), ("old",), ("base",)]
    texts = {text for names in layers for text in ("config " + " ".join(names), *names)}
    return {digest_of(text.encode()): text.encode() for text in texts}


TEXTS = _texts()


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture(params=[1, 8])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    yield made
    made.tasks.close()


def test_an_unchanged_tag_costs_one_request_a_side_and_no_write(bench: Bench) -> None:
    for side in (bench.source, bench.destination):
        bench.put(side, "latest", INDEX, AMD, ARM)
    outcomes = bench.apply(make_rule("latest"))
    assert [outcome.status for outcome in outcomes] == [Status.UNCHANGED]
    assert bench.source.calls == [("resolve", "latest")]
    assert bench.destination.calls == [("resolve", "latest")]


def test_blobs_then_children_then_the_tag_last(bench: Bench) -> None:
    bench.put(bench.source, "latest", INDEX, AMD, ARM)
    (outcome,) = bench.apply(make_rule("latest"))
    assert outcome.status is Status.COPIED
    writes = bench.destination.writes()
    assert writes[-1] == ("push_manifest", "latest")
    children = {("push_manifest", str(AMD.digest)), ("push_manifest", str(ARM.digest))}
    assert children < set(writes)
    for child in (AMD, ARM):
        at = writes.index(("push_manifest", str(child.digest)))
        assert {("push_blob", str(blob.digest)) for blob in child.successors()} <= set(writes[:at])
    assert bench.destination.tags == {"latest": INDEX.digest}


def test_each_blob_is_read_and_written_once_however_many_tags_need_it(bench: Bench) -> None:
    """BLB-08."""
    for tag in ("a", "b", "c"):
        bench.put(bench.source, tag, INDEX, AMD, ARM)
    bench.put(bench.source, "d", AMD)
    outcomes = bench.apply(make_rule("a", "b", "c", "d"))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    blobs = {str(blob.digest) for blob in (*AMD.successors(), *ARM.successors())}
    assert sorted(bench.source.called("fetch_blob")) == sorted(blobs)
    assert sorted(bench.destination.called("push_blob")) == sorted(blobs)
    assert sum(outcome.bytes_copied for outcome in outcomes) == sum(len(TEXTS[digest]) for digest in blobs)


def test_a_registry_gets_each_blob_once_and_mounts_it_into_its_other_repositories(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    others = [Repository("localhost:5000", f"copy-{number}") for number in range(4)]
    outcomes = bench.apply(make_rule("latest", destinations=[LOCAL_NGINX, *others]))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    blobs = sorted(str(blob.digest) for blob in AMD.successors())
    assert sorted(bench.source.called("fetch_blob")) == blobs
    size = sum(blob.size_bytes for blob in AMD.successors())
    assert sum(outcome.bytes_copied for outcome in outcomes) == size
    assert sum(outcome.bytes_mounted for outcome in outcomes) == 4 * size


def test_several_registries_are_fed_from_one_read(bench: Bench) -> None:
    """Also by images that only share a layer."""
    bench.put(bench.source, "latest", INDEX, AMD, ARM)
    bench.put(bench.source, "old", make_manifest("base"))
    registries = [Repository(f"r{number}.example", "nginx") for number in range(3)]
    outcomes = bench.apply(
        make_rule("latest", destinations=registries), make_rule("old", destinations=[Repository("r9.example", "x")])
    )
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    read = bench.source.called("fetch_blob")
    assert len(read) == len(set(read))
    for registry in registries:
        assert bench.stores[registry].tags == {"latest": INDEX.digest}
    moved = sum(outcome.bytes_copied for outcome in outcomes)
    assert moved == sum(
        len(bench.stores[r].blobs[d])
        for r in bench.stores.repositories
        for d in bench.stores[r].blobs
        if r != HUB_NGINX
    )


def test_a_registry_that_fails_is_fed_alone_and_stops_no_other(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    good, bad = Repository("good.example", "nginx"), Repository("bad.example", "nginx")
    for blob in AMD.successors():
        bench.stores[bad].failures["push_blob", str(blob.digest)] = [NetworkError("reset")]
    outcomes = bench.apply(make_rule("latest", destinations=[good, bad]))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    assert len(bench.source.called("fetch_blob")) == len(AMD.successors())
    fed = [*bench.stores[good].called("fetch_blob"), *bench.stores[bad].called("fetch_blob")]
    assert sorted(fed) == sorted(str(blob.digest) for blob in AMD.successors())


def test_a_registry_that_may_not_be_read_sends_the_others_back_to_the_source(bench: Bench) -> None:
    """Decisions 31: a robot that may only push."""
    bench.put(bench.source, "latest", AMD)
    good, bad = Repository("good.example", "nginx"), Repository("bad.example", "nginx")
    for blob in AMD.successors():
        bench.stores[bad].failures["push_blob", str(blob.digest)] = [NetworkError("reset")]
        bench.stores[good].failures["fetch_blob", str(blob.digest)] = [AuthenticationError("denied", status=403)]
    outcomes = bench.apply(make_rule("latest", destinations=[good, bad]))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    assert len(bench.source.called("fetch_blob")) == 2 * len(AMD.successors())
    assert len(bench.stores[good].called("fetch_blob")) <= len(AMD.successors())


def test_what_another_repository_of_the_registry_holds_is_mounted(bench: Bench) -> None:
    held = Repository("localhost:5000", "held")
    bench.put(bench.source, "v1", AMD)
    bench.put(bench.source, "v2", make_manifest("base"))
    bench.put(bench.stores[held], "v1", make_manifest("base"))
    bench.put(bench.stores[held], "old", AMD)
    bench.stores[held].tags.clear()
    outcomes = bench.apply(make_rule("v1", destinations=[held, LOCAL_NGINX]))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    assert bench.source.called("fetch_blob") == []


def test_when_the_first_upload_fails_the_next_that_needs_the_blob_leads(bench: Bench) -> None:
    """Decisions 30."""
    bench.put(bench.source, "latest", AMD)
    other = Repository("localhost:5000", "other")
    broken = str(AMD.successors()[0].digest)
    for repository in (LOCAL_NGINX, other):
        bench.stores[repository].failures["push_blob", broken] = [LimitError("quota exceeded")]
    bench.stores[other].failures.clear()
    bench.stores[LOCAL_NGINX].failures["push_blob", broken] *= 1
    outcomes = {
        o.action.destination.repository: o.status
        for o in bench.apply(make_rule("latest", destinations=[LOCAL_NGINX, other]))
    }
    assert outcomes == {LOCAL_NGINX: Status.FAILED, other: Status.COPIED}


def test_manifests_are_read_once_by_digest(bench: Bench) -> None:
    for tag in ("a", "b"):
        bench.put(bench.source, tag, INDEX, AMD, ARM)
    bench.apply(make_rule("a", "b"))
    assert sorted(bench.source.called("fetch_manifest")) == sorted([INDEX.digest, AMD.digest, ARM.digest])


def test_blobs_that_are_there_are_not_moved(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.put(bench.destination, "other", make_manifest("base"))
    bench.apply(make_rule("latest"))
    base = next(digest for digest, text in TEXTS.items() if text == b"base")
    assert base not in bench.source.called("fetch_blob")


def test_within_one_registry_blobs_are_mounted(bench: Bench) -> None:
    """MNT-01, E2E-02: no blob is read."""
    promoted = Repository("docker.io", "acme/nginx")
    bench.put(bench.source, "latest", AMD)
    (outcome,) = bench.apply(make_rule("latest", destinations=[promoted]))
    assert outcome.status is Status.COPIED
    assert bench.source.called("fetch_blob") == []
    assert outcome.bytes_mounted == sum(blob.size_bytes for blob in AMD.successors())


def test_a_new_tag_in_the_same_repository_is_one_write(bench: Bench) -> None:
    """E2E-02."""
    bench.put(bench.source, "rc", AMD)
    bench.apply(make_rule("rc", destinations=[HUB_NGINX], retag=Retag("{tag}-final")))
    assert bench.source.writes() == [("push_manifest", "rc-final")]


def test_one_image_that_fails_stops_no_other(bench: Bench) -> None:
    """ERR-05."""
    bench.put(bench.source, "good", AMD)
    bench.put(bench.source, "bad", ARM)
    broken = next(blob for blob in ARM.successors() if blob not in AMD.successors())
    bench.source.blobs[broken.digest] = b"x" * broken.size_bytes
    good, bad, absent = sorted(bench.apply(make_rule("good", "bad", "absent")), key=lambda outcome: outcome.exit_code)
    assert good.status is Status.COPIED
    assert {bad.status, absent.status} == {Status.FAILED}
    assert any("hash to" in outcome.reason and "source" in outcome.reason for outcome in (bad, absent))
    assert "bad" not in bench.destination.tags


def test_a_child_that_cannot_be_written_leaves_the_tag_as_it_was(bench: Bench) -> None:
    bench.put(bench.source, "latest", INDEX, AMD, ARM)
    bench.put(bench.destination, "latest", OLD)
    bench.destination.failures["push_manifest", str(ARM.digest)] = [LimitError("quota exceeded")]
    (outcome,) = bench.apply(make_rule("latest"))
    assert (outcome.status, outcome.kind) == (Status.FAILED, "limit")
    assert outcome.reason.startswith("destination")
    assert bench.destination.tags["latest"] == OLD.digest


def test_a_mount_that_was_none_is_mended_by_an_upload(bench: Bench) -> None:
    """MNT-04, MAN-14: MANIFEST_BLOB_UNKNOWN brings the blob and writes the manifest once more."""
    bench.put(bench.source, "latest", AMD)
    plan = bench.plan(make_rule("latest"))
    lying = replace(plan, actions=(replace(plan.copies()[0], missing=()),))
    (outcome,) = bench.apply(plan=lying)
    assert outcome.status is Status.COPIED
    assert len(bench.destination.called("push_blob")) == len(AMD.successors())


def test_what_a_repair_has_brought_is_counted_as_copied_and_not_as_there_before(bench: Bench) -> None:
    bench.put(bench.source, "latest", INDEX, AMD, ARM)
    plan = bench.plan(make_rule("latest"))
    size = sum(blob.size_bytes for blob in plan.copies()[0].missing)
    lying = replace(plan, actions=(replace(plan.copies()[0], missing=(), present_bytes=size),))
    executor = Executor(bench.stores, bench.tasks, bench.cancellation)
    (outcome,) = carry_out(lying, executor)
    assert (outcome.bytes_copied, outcome.bytes_skipped) == (size, 0)
    assert (executor.meter.moved_bytes, executor.meter.total_bytes) == (size, size)


def test_a_tag_that_moved_since_the_plan_is_left_alone(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.put(bench.destination, "latest", OLD)
    plan = bench.plan(make_rule("latest"))
    bench.put(bench.destination, "latest", ARM)
    (outcome,) = bench.apply(plan=plan)
    assert (outcome.status, outcome.exit_code) == (Status.STALE, 3)
    assert OLD.digest.short in outcome.reason
    assert ARM.digest.short in outcome.reason
    assert bench.destination.tags["latest"] == ARM.digest


def test_a_tag_that_appeared_since_a_saved_plan_is_left_alone(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    saved = plan_from_json(plan_to_json(bench.plan(make_rule("latest"))), name="plan")
    bench.put(bench.destination, "latest", ARM)
    (outcome,) = bench.apply(plan=saved)
    assert outcome.status is Status.STALE
    assert "was not there" in outcome.reason


def test_a_tag_that_vanished_since_the_plan_is_left_alone(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.put(bench.destination, "latest", OLD)
    plan = bench.plan(make_rule("latest"))
    bench.destination.tags.clear()
    (outcome,) = bench.apply(plan=plan)
    assert outcome.status is Status.STALE
    assert "is gone now" in outcome.reason


def test_what_another_hand_has_written_meanwhile_is_unchanged(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.put(bench.destination, "latest", OLD)
    plan = bench.plan(make_rule("latest"))
    bench.put(bench.destination, "latest", AMD)
    (outcome,) = bench.apply(plan=plan)
    assert outcome.status is Status.UNCHANGED


def test_a_saved_plan_reads_no_manifest_again_and_copies_what_it_pinned(bench: Bench) -> None:
    """MAN-17: the tag moves at the source between plan and apply."""
    bench.put(bench.source, "latest", INDEX, AMD, ARM)
    saved = plan_from_json(plan_to_json(bench.plan(make_rule("latest"))), name="plan")
    bench.source.calls.clear()
    bench.put(bench.source, "latest", OLD)
    (outcome,) = bench.apply(plan=saved)
    assert outcome.status is Status.COPIED
    assert bench.source.called("fetch_manifest") == []
    assert bench.source.called("resolve") == [INDEX.digest]
    assert bench.destination.tags["latest"] == INDEX.digest


def test_a_destination_that_refuses_to_say_is_tried(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.destination.failures["resolve", "latest"] = [refusal()]
    (outcome,) = bench.apply(make_rule("latest"))
    assert outcome.status is Status.COPIED


def test_a_wrong_password_at_the_destination_is_a_failure(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.destination.failures["resolve", "latest"] = [AuthenticationError("wrong password", status=401)]
    (outcome,) = bench.apply(make_rule("latest"))
    assert (outcome.status, outcome.kind) == (Status.FAILED, "authentication")
    assert outcome.reason.startswith("destination")


def test_a_tag_list_that_fails_fails_its_images_alone(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    other = Repository("quay.io", "app")
    bench.stores[other].failures["list_tags", ""] = [NetworkError("connection refused")]
    glob = make_rule("1.*", source=other, destinations=[Repository("localhost:5000", "app")])
    outcomes = {outcome.status for outcome in bench.apply(make_rule("latest"), glob)}
    assert outcomes == {Status.COPIED, Status.FAILED}


def test_an_index_nested_too_deeply_is_refused_before_any_push(bench: Bench) -> None:
    """MAN-13."""
    nodes: list[Content] = [AMD]
    for _ in range(6):
        nodes.append(make_index(nodes[-1]))
    bench.put(bench.source, "latest", nodes[-1], *nodes[:-1])
    (outcome,) = bench.apply(make_rule("latest"))
    assert outcome.status is Status.FAILED
    assert outcome.reason.startswith(f"source {HUB_NGINX}:latest@sha256:")
    assert "nested more than" in outcome.reason
    assert outcome.hint == "copy the images that it lists one by one"
    assert bench.destination.writes() == []


def test_a_nested_index_is_written_from_the_bottom_up(bench: Bench) -> None:
    """MAN-12: the same child twice is written once."""
    inner = make_index(AMD, AMD)
    outer = make_index(inner, ARM)
    bench.put(bench.source, "latest", outer, inner, AMD, ARM)
    bench.apply(make_rule("latest"))
    pushed = bench.destination.called("push_manifest")
    assert pushed.count(str(AMD.digest)) == 1
    assert pushed.index(str(AMD.digest)) < pushed.index(str(inner.digest)) < pushed.index("latest")


def test_an_empty_index_is_copied(bench: Bench) -> None:
    empty = make_index()
    bench.put(bench.source, "latest", empty)
    (outcome,) = bench.apply(make_rule("latest"))
    assert outcome.status is Status.COPIED
    assert bench.destination.writes() == [("push_manifest", "latest")]


def test_a_cancelled_apply_writes_no_tag(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    plan = bench.plan(make_rule("latest"))
    bench.cancellation.cancel("interrupted by SIGINT")
    (outcome,) = bench.apply(plan=plan)
    assert (outcome.status, outcome.exit_code) == (Status.CANCELLED, 130)
    assert bench.destination.writes() == []


def test_an_integrity_error_names_its_side(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.source.failures["fetch_manifest", str(AMD.digest)] = [IntegrityError("hashes to something else")] * 2
    (outcome,) = bench.apply(make_rule("latest"))
    assert (outcome.kind, outcome.reason.split()[0]) == ("integrity", "source:")


def test_content_that_the_source_never_had_is_not_written(bench: Bench) -> None:
    """An edited plan file: its manifests hash to their names, and nobody at the source knows them."""
    bench.put(bench.source, "latest", AMD)
    saved = plan_from_json(plan_to_json(bench.plan(make_rule("latest"))), name="plan")
    bench.source.manifests.clear()
    (outcome,) = bench.apply(plan=saved)
    assert (outcome.status, outcome.kind) == (Status.FAILED, "not-found")
    assert outcome.reason.startswith("source")
    assert not bench.destination.called("push_manifest")


def test_a_saved_plan_tries_what_was_not_readable_too(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.destination.failures["resolve", "latest"] = [refusal(), refusal()]
    saved = plan_from_json(plan_to_json(bench.plan(make_rule("latest"))), name="plan")
    (outcome,) = bench.apply(plan=saved)
    assert outcome.status is Status.COPIED


def test_a_mistake_of_our_own_fails_one_image_and_not_the_run(bench: Bench) -> None:
    for tag, image in (("good", AMD), ("read", ARM), ("write", OLD)):
        bench.put(bench.source, tag, image)
    bench.source.failures["fetch_manifest", str(ARM.digest)] = [ValueError("read")]
    bench.destination.failures["push_manifest", "write"] = [ValueError("write")]
    outcomes = sorted(bench.apply(make_rule("good", "read", "write")), key=lambda outcome: outcome.reason)
    assert [outcome.status for outcome in outcomes] == [Status.COPIED, Status.FAILED, Status.FAILED]
    assert {outcome.kind for outcome in outcomes[1:]} == {"internal"}
    assert "ValueError: read" in outcomes[1].reason


def test_a_manifest_of_another_size_than_its_index_says_is_refused(bench: Bench) -> None:
    raw = INDEX.raw.replace(f'"size": {len(AMD.raw)}'.encode(), b'"size": 5')
    lying = parse_manifest(raw)
    bench.put(bench.source, "latest", lying, AMD, ARM)
    (outcome,) = bench.apply(make_rule("latest"))
    assert (outcome.status, outcome.kind) == (Status.FAILED, "integrity")
    assert "the index says 5" in outcome.reason
    assert bench.destination.writes() == []


def test_a_blob_that_one_source_cannot_give_comes_from_another(bench: Bench) -> None:
    """Decisions 30: when a leader fails the next one leads, within one repository too."""
    other = Repository("quay.io", "nginx")
    bench.put(bench.source, "a", AMD)
    bench.put(bench.stores[other], "b", AMD)
    bench.source.blobs.clear()
    outcomes = {
        str(outcome.action.destination.tag): outcome.status
        for outcome in bench.apply(make_rule("a"), make_rule("b", source=other))
    }
    assert outcomes["b"] is Status.COPIED


def test_a_tag_that_moves_while_a_blob_is_brought_again_is_left_alone(bench: Bench) -> None:
    bench.put(bench.source, "latest", AMD)
    bench.put(bench.destination, "latest", OLD)
    plan = bench.plan(make_rule("latest"))
    plan = replace(plan, actions=(replace(plan.copies()[0], missing=()),))
    push = bench.destination.push_blob

    def push_and_move(blob: Descriptor, read: BlobReader, mount_from: Repository | None = None) -> Pushed:
        bench.put(bench.destination, "latest", ARM)
        return push(blob, read, mount_from)

    bench.destination.push_blob = push_and_move  # type: ignore[method-assign]
    (outcome,) = bench.apply(plan=plan)
    assert outcome.status is Status.STALE
    assert bench.destination.tags["latest"] == ARM.digest


def refusal() -> AuthenticationError:
    error = AuthenticationError("denied", status=403)
    error.is_refusal = True
    return error
