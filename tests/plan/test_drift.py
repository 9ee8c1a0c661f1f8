"""Drift: what a state says of tags that differ, and what becomes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from imagesync.manifest import Content
from imagesync.plan.actions import Cause, Conflict, Copy, Delete, Drifted, Failure, Keep, Plan
from imagesync.plan.diff import diff
from imagesync.plan.drift import cause_of, holding_back, with_causes, with_memory
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.image import images_of
from imagesync.plan.inventory import Broken, Head
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.remembering import make_written, sights_of, written_by
from imagesync.plan.review import review
from imagesync.plan.settled import settled
from imagesync.plan.summary import is_drifted, summarise
from imagesync.plan.wants import make_wants
from imagesync.reference import Digest, Reference
from imagesync.report.model import plan_exit_code
from imagesync.spec.model import OnDrift, Rule
from imagesync.state import NOTHING_REMEMBERED, Deleted, FirstSeen, State, Written
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    PLACE,
    make_immutable,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
    make_spec,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW, FOREIGN = (make_manifest("base", name) for name in ("old", "new", "foreign"))
SOURCE, DESTINATION = make_reference(HUB_NGINX, "latest"), make_reference(LOCAL_NGINX, "latest")


def rule(on_drift: OnDrift = OnDrift.OVERWRITE, *, is_immutable: bool = False) -> Rule:
    made = make_rule("latest", immutable=make_immutable("*") if is_immutable else make_immutable())
    return replace(made, on_drift=on_drift)


def wrote(content: Content, *, at: datetime = NOON) -> State:
    return State.of([Written(DESTINATION, content.digest, at)])


def plan_of(found: Content | Head | None, state: State | None, *rules: Rule, source: Content | Head = NEW) -> Plan:
    wants = make_wants(rules or (rule(),), {})
    inventory = make_inventory({SOURCE: source, DESTINATION: found}, contents=(OLD, NEW, FOREIGN))
    return diff(wants, replace(inventory, heads=with_memory(wants, inventory.heads, state)))


def cause(plan: Plan) -> Cause | None:
    (copy,) = plan.copies()
    return copy.cause


def test_a_tag_that_has_what_was_last_written_is_pending() -> None:
    assert cause(plan_of(OLD, wrote(OLD))) is Cause.PENDING


def test_a_tag_that_has_neither_the_sources_digest_nor_what_was_written_is_drifted() -> None:
    plan = plan_of(FOREIGN, wrote(OLD))
    assert cause(plan) is Cause.DRIFTED
    assert summarise(plan).drifted == summarise(plan).update == 1


def test_a_tag_that_was_never_written_is_neither() -> None:
    plan = plan_of(FOREIGN, NOTHING_REMEMBERED)
    assert cause(plan) is Cause.UNOWNED
    assert summarise(plan).drifted == 0


def test_a_tag_that_was_given_up_is_not_drifted() -> None:
    state = wrote(OLD).merge(State.of([Deleted(DESTINATION, NOON + timedelta(seconds=1))]))
    assert cause_of(state, DESTINATION, FOREIGN.digest) is Cause.UNOWNED


def test_without_a_state_nothing_is_said_of_it() -> None:
    assert cause(plan_of(FOREIGN, None)) is None


@pytest.mark.parametrize("state", [wrote(OLD), wrote(FOREIGN), NOTHING_REMEMBERED])
def test_a_tag_that_has_the_sources_digest_is_kept_whatever_is_remembered(state: State) -> None:
    assert [type(action) for action in plan_of(NEW, state, rule(OnDrift.FAIL)).actions] == [Keep]


def test_a_tag_that_is_gone_is_brought_again_whatever_drift_means() -> None:
    plan = plan_of(None, wrote(OLD), rule(OnDrift.FAIL))
    assert cause(plan) is None
    assert summarise(plan).add == 1


def test_a_source_that_cannot_be_read_is_the_failure_that_is_told() -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(OnDrift.KEEP), source=Broken("no answer", "network"))
    assert [action.kind for action in plan.actions if isinstance(action, Failure)] == ["network"]


def test_a_drifted_tag_that_is_kept_says_what_is_there_and_is_skipped() -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(OnDrift.KEEP))
    (action,) = plan.actions
    assert isinstance(action, Drifted)
    assert action.reason == f"drifted: the tag has {FOREIGN.digest.short}, imagesync wrote {OLD.digest.short}"
    assert action.source == Reference(HUB_NGINX, SOURCE.tag, NEW.digest)
    assert settled(action) == Outcome(action, Status.SKIPPED, action.reason, action.hint, "drifted")
    assert (summarise(plan).skipped, summarise(plan).drifted, summarise(plan).changes) == (1, 1, 0)
    assert plan_exit_code(plan, detailed=True) == 0


def test_a_drifted_tag_that_must_not_drift_fails() -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(OnDrift.FAIL))
    (action,) = plan.actions
    assert isinstance(action, Failure)
    assert action.reason.startswith("drifted: the tag has ")
    assert (summarise(plan).failed, summarise(plan).drifted) == (1, 1)
    assert plan_exit_code(plan, detailed=False) == 1


@pytest.mark.parametrize("on_drift", [OnDrift.KEEP, OnDrift.FAIL])
def test_of_a_drifted_tag_that_stays_nothing_is_read(on_drift: OnDrift) -> None:
    wants = make_wants([rule(on_drift)], {})
    heads = with_memory(wants, make_inventory({SOURCE: NEW, DESTINATION: FOREIGN}).heads, wrote(OLD))
    assert images_of(wants, heads) == ()


@pytest.mark.parametrize("on_drift", [OnDrift.KEEP, OnDrift.FAIL])
def test_what_merely_is_pending_or_unowned_is_overwritten(on_drift: OnDrift) -> None:
    assert cause(plan_of(OLD, wrote(OLD), rule(on_drift))) is Cause.PENDING
    assert cause(plan_of(FOREIGN, NOTHING_REMEMBERED, rule(on_drift))) is Cause.UNOWNED


@pytest.mark.parametrize("on_drift", list(OnDrift))
def test_an_immutable_tag_that_drifted_is_a_conflict(on_drift: OnDrift) -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(on_drift, is_immutable=True))
    assert [type(action) for action in plan.actions] == [Conflict]


def test_of_two_rules_for_one_tag_the_stricter_says_what_drift_means() -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(), rule(OnDrift.FAIL), rule(OnDrift.KEEP))
    assert [type(action) for action in plan.actions] == [Failure]


@pytest.mark.parametrize("on_drift", list(OnDrift))
def test_a_plan_file_says_why_a_tag_differs(on_drift: OnDrift) -> None:
    plan = plan_of(FOREIGN, wrote(OLD), rule(on_drift))
    text = plan_to_json(plan)
    again = plan_from_json(text, name="plan.json")
    assert again.actions == plan.actions
    assert json.loads(text)["summary"]["drifted"] == 1


def test_a_plan_file_without_a_state_says_nothing_of_causes() -> None:
    plan = plan_of(FOREIGN, None)
    assert "cause" not in plan_to_json(plan)
    assert plan_from_json(plan_to_json(plan), name="plan.json").actions == plan.actions


def test_the_causes_of_a_plan_file_are_those_of_the_state_now() -> None:
    saved = plan_from_json(plan_to_json(plan_of(FOREIGN, wrote(FOREIGN))), name="plan.json")
    assert cause(saved) is Cause.PENDING
    assert cause(with_causes(saved, wrote(OLD))) is Cause.DRIFTED
    assert cause(with_causes(saved, None)) is None
    assert cause(with_causes(plan_of(None, None), wrote(OLD))) is None


@pytest.mark.parametrize("on_drift", [OnDrift.KEEP, OnDrift.FAIL])
def test_a_plan_file_does_not_overwrite_what_the_spec_wants_left(on_drift: OnDrift) -> None:
    """It was made before the rule was there, or edited."""
    spec = make_spec(rule(on_drift))
    saved = with_causes(plan_of(FOREIGN, None), wrote(OLD))
    reviewed = review(saved, (holding_back(spec.rules),)).plan
    assert summarise(reviewed).blocked == 1
    assert all(map(is_drifted, reviewed.actions))


def test_a_plan_file_overwrites_what_is_pending_or_may_be_overwritten() -> None:
    for state, on_drift in ((wrote(FOREIGN), OnDrift.KEEP), (wrote(OLD), OnDrift.OVERWRITE)):
        saved = with_causes(plan_of(FOREIGN, None), state)
        assert summarise(review(saved, (holding_back([rule(on_drift)]),)).plan).update == 1


def outcome(status: Status, found: Content | None, state: State | None = None) -> Outcome:
    (action,) = plan_of(found, state).actions
    return Outcome(action, status)


def entries(done: Outcome, state: State = NOTHING_REMEMBERED) -> list[object]:
    return list(written_by(done, state, NOON))


def test_what_was_copied_is_remembered_as_written() -> None:
    assert entries(outcome(Status.COPIED, OLD)) == [Written(DESTINATION, NEW.digest, NOON)]


@pytest.mark.parametrize("status", [Status.FAILED, Status.STALE, Status.CANCELLED, Status.BLOCKED])
def test_what_was_not_written_is_not_remembered(status: Status) -> None:
    assert entries(outcome(status, OLD)) == []


def test_a_tag_that_stood_there_already_is_not_taken_for_ours() -> None:
    assert entries(outcome(Status.UNCHANGED, NEW)) == []


def test_a_tag_of_ours_that_has_the_sources_digest_by_now_counts_as_written() -> None:
    """The run that wrote it was killed before that was kept: the next source is pending, not drifted."""
    (entry,) = entries(outcome(Status.UNCHANGED, NEW), wrote(OLD, at=NOON - timedelta(days=1)))
    assert entry == Written(DESTINATION, NEW.digest, NOON)
    assert entries(outcome(Status.UNCHANGED, NEW), wrote(NEW)) == []


def test_a_write_comes_after_all_that_is_remembered_of_the_tag_whatever_the_clock_says() -> None:
    ahead = NOON + timedelta(hours=1)
    made = make_written(DESTINATION, NEW.digest, wrote(OLD, at=ahead), NOON)
    assert made.at == ahead + timedelta(seconds=1)
    assert wrote(OLD, at=ahead).merge(State.of([made])).written(DESTINATION) == made


def test_a_source_is_first_seen_once() -> None:
    pinned = Reference(HUB_NGINX, SOURCE.tag, NEW.digest)
    first = FirstSeen(SOURCE, NEW.digest, NOON)
    assert list(sights_of([pinned], NOTHING_REMEMBERED, NOON)) == [first]
    assert list(sights_of([pinned], State.of([first]), NOON + timedelta(days=1))) == []
    assert list(sights_of([Reference(HUB_NGINX, None, Digest(NEW.digest))], NOTHING_REMEMBERED, NOON)) == []


def test_a_copy_of_a_drifted_tag_is_one_even_when_it_is_blocked() -> None:
    (copy,) = plan_of(FOREIGN, wrote(OLD)).copies()
    (blocked,) = review(Plan((copy,)), (lambda _: "no",)).plan.actions
    assert is_drifted(blocked)
    assert not isinstance(blocked, Copy)


def test_a_tag_that_was_deleted_is_given_up_if_it_was_ever_ours() -> None:
    delete = Delete(rule="all/app", place=PLACE, destination=DESTINATION, digest=OLD.digest)
    done = Outcome(delete, Status.DELETED)
    ahead = NOON + timedelta(hours=1)
    (entry,) = entries(done, wrote(OLD, at=ahead))
    assert entry == Deleted(DESTINATION, ahead + timedelta(seconds=1))
    assert entries(done) == []
    assert entries(Outcome(delete, Status.FAILED), wrote(OLD)) == []


def test_what_was_narrowed_remembers_what_it_came_from() -> None:
    (copy,) = plan_of(None, None).copies()
    narrowed = replace(copy, root=OLD.descriptor, left_out=())
    (entry,) = entries(Outcome(narrowed, Status.COPIED))
    assert entry == Written(DESTINATION, OLD.digest, NOON, NEW.digest)
    keep = Keep(rule="r", place=PLACE, source=copy.source, destination=DESTINATION, narrowed=OLD.digest)
    assert entries(Outcome(keep, Status.UNCHANGED), wrote(FOREIGN, at=NOON - timedelta(days=1))) == [entry]
