"""What a tag was before it is replaced: kept under a tag of its own, unless that is wanted for something else."""

from __future__ import annotations

import json

import pytest

from imagesync.errors import PlanFileError
from imagesync.plan.actions import Action, Copy, Failure
from imagesync.plan.conformity import check_yielded
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.wants import Want, make_wants
from imagesync.selection import Retag
from imagesync.spec.model import Rule
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_immutable,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
    make_spec,
)

OLD, NEW = make_manifest("base", "old"), make_manifest("base", "new")
SOURCE, DESTINATION = make_reference(HUB_NGINX, "1"), make_reference(LOCAL_NGINX, "1")
KEEPING = make_rule("1", keep_previous="{tag}-previous")


def planned(rule: Rule, destination: object) -> Action:
    inventory = make_inventory({SOURCE: NEW, DESTINATION: destination})  # type: ignore[dict-item]
    (action,) = diff(make_wants([rule], {}), inventory).actions
    return action


def test_what_is_replaced_is_kept() -> None:
    copy = planned(KEEPING, OLD)
    assert isinstance(copy, Copy)
    assert (copy.replaces, copy.previous) == (OLD.digest, "1-previous")


@pytest.mark.parametrize(("rule", "destination"), [(KEEPING, None), (make_rule("1"), OLD)])
def test_nothing_is_kept_where_nothing_is_replaced_or_nobody_asks(rule: Rule, destination: object) -> None:
    copy = planned(rule, destination)
    assert isinstance(copy, Copy)
    assert copy.previous is None


def test_it_is_the_destinations_tag_that_is_kept() -> None:
    (want,) = make_wants([make_rule("1", retag=Retag("{tag}-mirror"), keep_previous="{tag}-previous")], {})
    assert isinstance(want, Want)
    assert want.previous == "1-mirror-previous"


def test_a_tag_that_is_wanted_is_not_written_with_what_another_was() -> None:
    rules = [KEEPING, make_rule("1-previous", line=9)]
    failure, want = make_wants(rules, {})
    assert isinstance(want, Want)
    assert isinstance(failure, Failure)
    assert failure.kind == "conflict"
    assert failure.reason == (
        "what it was would be kept as localhost:5000/nginx:1-previous, where "
        "docker.io/library/nginx:1-previous would be written (sync.yaml:9:11)"
    )


def test_an_immutable_tag_is_not_moved_to_keep_something() -> None:
    (failure,) = make_wants([make_rule("1", keep_previous="{tag}-old", immutable=make_immutable("*-old"))], {})
    assert isinstance(failure, Failure)
    assert "would be kept as 1-old, which is immutable" in failure.reason
    (want,) = make_wants([make_rule("1", keep_previous="{tag}-old", immutable=make_immutable("*"))], {})
    assert isinstance(want, Want)
    assert want.previous is None


def test_a_tag_that_grows_too_long_is_a_failure() -> None:
    (failure,) = make_wants([make_rule("x" * 125, keep_previous="{tag}-previous")], {})
    assert isinstance(failure, Failure)


@pytest.mark.parametrize("edited", [None, "latest"])
def test_a_plan_file_keeps_it_and_cannot_change_it(edited: str | None) -> None:
    inventory = make_inventory({SOURCE: NEW, DESTINATION: OLD})
    plan = diff(make_wants([KEEPING], {}), inventory)
    document = json.loads(plan_to_json(plan))
    read = plan_from_json(json.dumps(document), name="plan")
    assert read.actions == plan.actions
    check_yielded(read, make_spec(KEEPING))
    document["actions"][0]["previous"] = edited
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(plan_from_json(json.dumps(document), name="plan"), make_spec(KEEPING))
