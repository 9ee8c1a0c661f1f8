"""A plan that is one unit: one tag that may not move holds all others, and its content comes before its tags."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from imagesync.errors import PlanFileError
from imagesync.plan.actions import Action, Blocked, Copy, Failure, Keep, Plan, SpecPin, Waiting, WaitsFor
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.parts import as_one, own_part
from imagesync.plan.review import review
from imagesync.plan.together import steps_of
from imagesync.plan.unit import Move, Occasion, Unit
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


WAITING = Waiting(
    rule="shop/api",
    place=PLACE,
    source=make_reference(HUB_NGINX, "1.4.0"),
    destination=make_reference(LOCAL_NGINX, "worker"),
    reason="gate hours: closed",
    exit_code=0,
    waits_for=WaitsFor.GATE,
)


def with_waiting(occasion: Occasion, *more: Action) -> Plan:
    plan = make_plan(replace(UNIT, occasion=occasion))
    return review(replace(plan, actions=(*plan.actions, WAITING, *more))).plan


def test_what_waits_lets_all_others_of_a_unit_wait_that_comes_by_itself() -> None:
    actions = with_waiting(Occasion.AUTO).actions
    assert [(type(one), one.exit_code) for one in actions if isinstance(one, Waiting)] == [(Waiting, 0)] * 3
    assert isinstance(actions[0], Waiting)
    assert actions[0].reason == "shop moves as one unit, and localhost:5000/nginx:worker does not"


def test_what_waits_is_noticed_in_a_unit_that_was_asked_for() -> None:
    actions = with_waiting(Occasion.ASKED).actions
    assert [type(action) for action in actions] == [Blocked, Blocked, Waiting]
    assert actions[2] == replace(WAITING, exit_code=3)


def test_what_is_blocked_tells_more_than_what_waits() -> None:
    blocked = Blocked(copy=make_plan().copies()[1], reason="no")
    (first, *_) = with_waiting(Occasion.AUTO, blocked).actions
    assert isinstance(first, Blocked)
    assert first.reason == "shop moves as one unit, and localhost:5000/nginx:current does not"


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


def test_a_plan_with_units_beside_its_own_actions_is_a_file_of_format_2_that_can_be_read_back() -> None:
    own, other = make_plan(None), replace(UNIT, promotion="tools", occasion=Occasion.AUTO)
    moved = replace(make_plan(UNIT), actions=make_plan(UNIT).actions[:1], specs=(SpecPin("releases/a.yaml", "0" * 64),))
    whole = replace(own, actions=own.actions[1:], units=(moved, Plan((), unit=other)))
    text = plan_to_json(whole)
    read = plan_from_json(text, name="plan.json")
    assert (json.loads(text)["format_version"], json.loads(text)["summary"]["changes"]) == (2, 2)
    assert [part.unit for part in (read, *read.units)] == [None, UNIT, other]
    assert [part.actions for part in (read, *read.units)] == [own.actions[1:], moved.actions, ()]
    assert (read.units[0].specs, read.units[0].from_file) == (moved.specs, True)


def test_two_units_cannot_write_one_tag() -> None:
    whole = Plan((), units=(make_plan(UNIT), make_plan(replace(UNIT, promotion="tools"))))
    with pytest.raises(PlanFileError, match="there are two copies to"):
        plan_from_json(plan_to_json(whole), name="plan.json")


def test_what_is_shown_of_a_plan_with_units_is_all_of_it() -> None:
    whole = replace(make_plan(None), units=(make_plan(UNIT),))
    assert as_one(whole).actions == (*make_plan(None).actions, *make_plan(UNIT).actions)
    assert (as_one(whole).units, as_one(make_plan(UNIT)).unit) == ((), UNIT)
    assert (own_part(make_plan(UNIT)).actions, own_part(whole).units) == ((), ())
