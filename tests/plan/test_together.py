"""A plan that is one unit: one tag that may not move holds all others, and its content comes before its tags."""

from __future__ import annotations

from dataclasses import replace

from imagesync.plan.actions import Blocked, Copy, Failure, Keep, Plan
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.review import review
from imagesync.plan.together import steps_of
from imagesync.plan.unit import Move, Unit
from imagesync.plan.wants import make_wants
from imagesync.reference import Repository, Tag
from imagesync.selection import Retag
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    PLACE,
    make_index,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
)

UNIT = Unit(promotion="shop", version=Tag("1.4.0"), stage="live", source_stage="dev", current=Tag("current"))
API = make_index(make_manifest("a"), make_manifest("b"))


def make_plan(unit: Unit | None = UNIT) -> Plan:
    """A version and the tag that says that it is current, of one image."""
    rules = [make_rule("1.4.0"), make_rule("1.4.0", retag=Retag(names=(("1.4.0", "current"),)))]
    heads = {
        make_reference(HUB_NGINX, "1.4.0"): API,
        make_reference(LOCAL_NGINX, "1.4.0"): None,
        make_reference(LOCAL_NGINX, "current"): make_manifest("old"),
    }
    children = [make_manifest("a"), make_manifest("b")]
    plan = diff(make_wants(rules, {}), make_inventory(heads, contents=children))
    return replace(plan, unit=unit)


def test_a_change_that_is_refused_blocks_all_others_of_its_unit() -> None:
    plan = review(make_plan(), (lambda change: "no" if str(change.destination).endswith(":current") else None,)).plan
    reasons = [action.reason for action in plan.actions if isinstance(action, Blocked)]
    assert reasons == ["shop moves as one unit, and localhost:5000/nginx:current does not", "no"]


def test_a_failure_blocks_all_others_of_its_unit() -> None:
    plan = make_plan()
    failure = Failure(rule="shop/api", place=PLACE, subject="dev/api:1", reason="not found", kind="not-found")
    actions = review(replace(plan, actions=(*plan.actions, failure))).plan.actions
    assert [type(action) for action in actions] == [Blocked, Blocked, Failure]


def test_what_is_in_place_holds_nothing() -> None:
    plan = make_plan()
    first = plan.copies()[0]
    keep = Keep(rule=first.rule, place=PLACE, source=first.source, destination=first.destination)
    actions = review(replace(plan, actions=(keep, *plan.actions[1:]))).plan.actions
    assert [type(action) for action in actions] == [Keep, Copy]


def test_without_a_unit_every_change_is_judged_alone() -> None:
    plan = review(make_plan(None), (lambda change: "no" if "current" in str(change.destination) else None,)).plan
    assert [type(action) for action in plan.actions] == [Copy, Blocked]


def test_content_comes_once_and_by_digest_then_versions_then_what_is_current() -> None:
    steps = steps_of(make_plan())
    (content,), (version,), (current,) = (step.copies() for step in (steps.content, steps.versions, steps.currents))
    assert (content.destination.tag, content.destination.digest) == (None, API.digest)
    assert (version.destination.tag, current.destination.tag) == ("1.4.0", "current")
    assert set(version.left_out) == {child.digest for child in (make_manifest("a"), make_manifest("b"))}
    assert (version.missing, current.missing, current.replaces) == ((), (), make_manifest("old").digest)
    assert len(content.missing) == 4


def test_within_one_repository_there_is_no_content_to_bring() -> None:
    plan = make_plan()
    here = Repository(LOCAL_NGINX.registry, LOCAL_NGINX.path)
    copies = [replace(copy, source=replace(copy.source, repository=here)) for copy in plan.copies()]
    assert steps_of(replace(plan, actions=tuple(copies))).content.copies() == ()


def test_a_plan_file_says_what_moves_together() -> None:
    unit = replace(UNIT, move=Move.ROLLBACK, ticket="OPS-1", reason="broken")
    read = plan_from_json(plan_to_json(make_plan(unit)), name="plan.json")
    assert (read.unit, read.from_file) == (unit, True)
    assert plan_from_json(plan_to_json(make_plan(None)), name="plan.json").unit is None
