"""Pruning by values: whatever the inputs, nothing is lost that is wanted, foreign, protected, or more than allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagesync.cancellation import Cancellation
from imagesync.errors import UnsupportedError
from imagesync.executor import Executor
from imagesync.manifest import Content
from imagesync.pipeline import execute, plan_prune
from imagesync.plan.actions import Delete, Failure, Plan, Purpose, Spared
from imagesync.plan.attachments import tag_of
from imagesync.plan.locking import hold
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.remembering import written_by
from imagesync.plan.review import approved_by
from imagesync.reference import Reference, Tag
from imagesync.selection import TagFilter, TagPattern
from imagesync.spec.model import AttachmentType, MostNumber, MostPercent, Prune, Rule
from imagesync.spec.pins import Lock, Pin
from imagesync.state import NOTHING_REMEMBERED, Deleted, State, Written
from imagesync.tasks import Tasks
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, PLACE, make_index, make_manifest, make_rule, make_spec

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
CHILDREN = tuple(make_manifest(str(number)) for number in range(3))
INDEXES = (make_index(CHILDREN[0], CHILDREN[1]), make_index(CHILDREN[1], CHILDREN[2]))
IMAGES: tuple[Content, ...] = (*CHILDREN, *INDEXES)
TAGS = ("1", "2", "3", "4", "5", "stable-1")
SIGNATURES = tuple(tag_of(image.digest, AttachmentType.SIGNATURES) for image in IMAGES)
ALL = Prune(most=MostPercent(100))


@contextmanager
def running(stores: MemoryStores) -> Iterator[tuple[Tasks, Executor]]:
    cancellation = Cancellation()
    tasks = Tasks(workers=2, hosts=stores, cancellation=cancellation)
    try:
        yield tasks, Executor(stores, tasks, cancellation)
    finally:
        tasks.close()


@dataclass(frozen=True)
class There:
    """What a destination holds: tag to image, which of them imagesync wrote, and the state that says so."""

    images: Mapping[str, Content]
    owned: frozenset[str]
    moved: frozenset[str] = frozenset()
    """Owned tags that had another digest when they were written."""
    by_digest: bool = False

    def having(self, *tags: str) -> There:
        """With these tags: what is wanted has to be there before anything goes."""
        return replace(self, images={**dict.fromkeys(tags, IMAGES[0]), **self.images})

    def stores(self) -> MemoryStores:
        stores = MemoryStores()
        for tag, image in self.images.items():
            stores[LOCAL_NGINX].put(tag, image, *IMAGES)
        if self.by_digest:
            error = UnsupportedError("the registry deletes no tag by its name")
            failures = {("delete_tag", tag): [error] * 9 for tag in self.images}
            stores[LOCAL_NGINX].failures.update(failures)  # type: ignore[arg-type]
        return stores

    def state(self) -> State:
        other = make_manifest("other").digest
        return State.of(
            Written(Reference(LOCAL_NGINX, Tag(tag)), other if tag in self.moved else self.images[tag].digest, AT)
            for tag in self.owned & self.images.keys()
        )


def prune(there: There, *rules: Rule) -> tuple[Plan, list[Outcome], dict[str, str]]:
    """The plan, what became of it, and the tags that are left with their digests."""
    stores = there.stores()
    with running(stores) as (tasks, executor):
        reviewed = plan_prune(make_spec(*rules), rules, there.state(), stores=stores, tasks=tasks)
        outcomes = list(execute(reviewed, executor))
    return reviewed.plan, outcomes, dict(stores[LOCAL_NGINX].tags)


THERES = st.builds(
    There,
    st.dictionaries(st.sampled_from([*TAGS, *SIGNATURES]), st.sampled_from(IMAGES), max_size=9),
    st.frozensets(st.sampled_from([*TAGS, *SIGNATURES])),
    st.frozensets(st.sampled_from(TAGS)),
    st.booleans(),
)
MOSTS = st.builds(MostNumber, st.integers(1, 4)) | st.builds(MostPercent, st.integers(1, 100))


@settings(max_examples=80, deadline=None)
@given(THERES, st.lists(st.sampled_from(TAGS), min_size=1, unique=True), MOSTS, st.booleans())
def test_whatever_there_is_no_tag_goes_that_may_not(
    there: There, wanted: list[str], most: MostNumber | MostPercent, is_protected: bool
) -> None:
    there = there.having(*wanted)
    patterns = (TagPattern.parse("stable-*"),) if is_protected else ()
    _, outcomes, left = prune(there, replace(make_rule(*wanted), prune=Prune(patterns, most)))
    owned = there.owned & there.images.keys() & set(TAGS)
    gone = there.images.keys() - left.keys()
    gone_images = gone & set(TAGS)
    assert gone_images <= owned - set(wanted) - there.moved
    assert not (is_protected and "stable-1" in gone)
    assert len(gone_images) <= most.of(len(owned))
    assert {tag: there.images[tag].digest for tag in left} == left
    deleted = {str(one.action.destination.tag) for one in outcomes if one.status is Status.DELETED}  # type: ignore[union-attr]
    assert deleted == gone


@settings(max_examples=80, deadline=None)
@given(THERES, st.lists(st.sampled_from(TAGS), min_size=1, unique=True))
def test_whatever_there_is_what_stays_is_whole_and_keeps_what_speaks_of_it(there: There, wanted: list[str]) -> None:
    there = there.having(*wanted)
    stores = there.stores()
    rule = replace(make_rule(*wanted), prune=ALL)
    with running(stores) as (tasks, executor):
        list(execute(plan_prune(make_spec(rule), [rule], there.state(), stores=stores, tasks=tasks), executor))
    left = stores[LOCAL_NGINX]
    needed = {digest for tag in left.tags if tag in TAGS for digest in reach(there.images[tag])}
    assert needed <= left.manifests.keys()
    speaking = {tag for tag in there.images if tag in SIGNATURES and any(tag == name_of(one) for one in needed)}
    assert speaking <= left.tags.keys()


def reach(image: Content) -> set[str]:
    below = {entry.digest for entry in image.successors()} if image in INDEXES else set()
    return {image.digest, *below}


def name_of(digest: str) -> str:
    return f"{digest.replace(':', '-')}.sig"


OWNED = There({"1": IMAGES[0], "2": IMAGES[1], "3": IMAGES[2]}, frozenset("123"))


def by_kind(plan: Plan, kind: type) -> list[str]:
    return [str(action.destination.tag) for action in plan.actions if isinstance(action, kind)]


def test_by_digest_nothing_is_taken_along_that_speaks_of_what_may_yet_stay() -> None:
    """The signature of `5` is the index `2`, which has to go first and would take it along; then `5` cannot go."""
    signature = tag_of(CHILDREN[1].digest, AttachmentType.SIGNATURES)
    there = There({"2": INDEXES[0], "5": CHILDREN[1], signature: INDEXES[0]}, frozenset("25"), by_digest=True)
    _, outcomes, left = prune(there.having("1"), replace(make_rule("1"), prune=ALL))
    assert left.keys() == {"1", "2", "5", signature}
    assert {one.status for one in outcomes} == {Status.BLOCKED, Status.SKIPPED}


def test_nothing_goes_before_what_is_wanted_has_come() -> None:
    """The newest may have failed, or be blocked: until it is there, the one before it is what is in use."""
    plan, outcomes, left = prune(OWNED, replace(make_rule("1", "9"), prune=ALL))
    (failure,) = plan.actions
    assert isinstance(failure, Failure)
    assert failure.reason == "nothing is pruned here: 9 is wanted and not there yet"
    assert [one.exit_code for one in outcomes] == [1]
    assert sorted(left) == ["1", "2", "3"]


def test_what_is_wanted_is_not_waited_for_where_nothing_would_go() -> None:
    plan, _, _ = prune(OWNED, replace(make_rule("1", "2", "3", "9"), prune=ALL))
    assert by_kind(plan, Spared) == ["1", "2", "3"]


def test_of_what_only_the_lock_or_only_the_spec_wants_nobody_knows_whether_it_was_to_come() -> None:
    lock = Lock.of([Pin(str(HUB_NGINX), Tag(tag), IMAGES[0].digest) for tag in ("1", "8")])
    free = replace(make_rule(tag_filter=TagFilter.parse(["*"])), prune=ALL)
    stores = OWNED.stores()
    for tag in ("1", "9"):
        stores[HUB_NGINX].put(tag, IMAGES[0], *IMAGES)
    spec = make_spec(free, *hold([free], lock))
    with running(stores) as (tasks, _):
        plan = plan_prune(spec, [free], OWNED.state(), stores=stores, tasks=tasks).plan
    assert by_kind(plan, Delete) == ["2", "3"]


def test_a_plan_names_what_goes_and_why_the_rest_stays() -> None:
    plan, _, _ = prune(replace(OWNED, moved=frozenset("3")), replace(make_rule("1"), prune=ALL))
    assert plan.purpose is Purpose.PRUNE
    assert by_kind(plan, Delete) == ["2"]
    reasons = {str(one.destination.tag): one.reason for one in plan.actions if isinstance(one, Spared)}
    wrote = make_manifest("other").digest.short
    assert reasons == {"1": "wanted by bases/nginx", "3": f"changed by another hand: imagesync wrote {wrote}"}


def test_where_nothing_may_go_only_the_list_is_read() -> None:
    stores = OWNED.stores()
    rule = replace(make_rule("1", "2", "3"), prune=ALL)
    with running(stores) as (tasks, _):
        plan_prune(make_spec(rule), [rule], OWNED.state(), stores=stores, tasks=tasks)
    assert stores[LOCAL_NGINX].calls == [("list_tags", "")]
    assert stores[HUB_NGINX].calls == []


def test_of_what_several_rules_say_the_strictest_holds_and_every_pattern_protects() -> None:
    one = replace(make_rule("9"), prune=Prune((TagPattern.parse("1"),), MostNumber(3)))
    other = replace(make_rule("8", line=7), prune=Prune((TagPattern.parse("2"),), MostNumber(1)))
    plan, _, left = prune(OWNED.having("8", "9"), one, other)
    assert by_kind(plan, Delete) == ["3"]
    assert sorted(left) == ["1", "2", "8", "9"]


def test_a_rule_that_asks_for_no_prune_has_its_wants_counted_all_the_same() -> None:
    plan, _, _ = prune(OWNED, replace(make_rule("1"), prune=ALL), make_rule("2", line=7))
    assert by_kind(plan, Delete) == ["3"]


def test_a_repository_that_is_not_there_is_nothing_to_prune() -> None:
    plan, outcomes, _ = prune(There({}, frozenset("123")), replace(make_rule("1"), prune=ALL))
    assert plan.actions == ()
    assert outcomes == []


def test_a_tag_that_cannot_be_named_is_a_doubt() -> None:
    rule = replace(make_rule("1"), prune=ALL, keep_previous=None)
    bad = replace(rule, retag=replace(rule.retag, template="{major}-x"), place=replace(PLACE, line=9))
    stores = OWNED.stores()
    stores[HUB_NGINX].put("latest", IMAGES[0])
    unnamed = replace(bad, tags=make_rule("latest").tags)
    plan, _, left = prune(OWNED, rule, unnamed)
    (failure,) = plan.actions
    assert isinstance(failure, Failure)
    assert failure.reason.startswith("nothing is pruned here: retag template")
    assert failure.place.line == 9
    assert sorted(left) == ["1", "2", "3"]


def test_an_approved_plan_approves_no_deletion() -> None:
    check = approved_by(Plan(()))
    delete = Delete(rule="r", place=PLACE, destination=Reference(LOCAL_NGINX, Tag("1")), digest=IMAGES[0].digest)
    assert check(delete) == "not in the approved plan"


@pytest.mark.parametrize("status", [Status.FAILED, Status.BLOCKED, Status.STALE, Status.SKIPPED])
def test_only_what_was_deleted_is_given_up(status: Status) -> None:
    delete = Delete(rule="r", place=PLACE, destination=Reference(LOCAL_NGINX, Tag("1")), digest=IMAGES[0].digest)
    assert list(written_by(Outcome(delete, status), OWNED.state(), AT)) == []


def test_what_is_given_up_comes_after_what_was_written_whatever_the_clock_says() -> None:
    delete = Delete(rule="r", place=PLACE, destination=Reference(LOCAL_NGINX, Tag("1")), digest=IMAGES[0].digest)
    outcome = Outcome(delete, Status.DELETED)
    (entry,) = written_by(outcome, OWNED.state(), AT - timedelta(days=1))
    assert isinstance(entry, Deleted)
    assert OWNED.state().merge(State.of([entry])).written(delete.destination) is None
    assert list(written_by(outcome, NOTHING_REMEMBERED, AT)) == []


def test_what_was_not_begun_when_a_run_is_stopped_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = OWNED.having("9").stores()
    rule = replace(make_rule("9"), prune=ALL)
    cancellation = Cancellation()
    tasks = Tasks(workers=2, hosts=stores, cancellation=cancellation)
    delete_tag = MemoryRepository.delete_tag

    def delete_and_stop(self: MemoryRepository, tag: Tag) -> None:
        cancellation.cancel("stopped")
        delete_tag(self, tag)

    monkeypatch.setattr(MemoryRepository, "delete_tag", delete_and_stop)
    reviewed = plan_prune(make_spec(rule), [rule], OWNED.state(), stores=stores, tasks=tasks)
    statuses = [one.status for one in execute(reviewed, Executor(stores, tasks, cancellation))]
    tasks.close()
    assert sorted(status.value for status in statuses) == ["cancelled", "cancelled", "deleted"]
    assert sorted(stores[LOCAL_NGINX].tags) == ["2", "3", "9"]
