"""Immutable tags: what the diff makes of them, and that no plan file and no other rule takes it back."""

from __future__ import annotations

import json

import pytest

from imagesync.errors import PlanFileError
from imagesync.plan.actions import Action, Assumed, Conflict, Copy, Failure, Keep, Plan
from imagesync.plan.conformity import check_yielded
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.image import images_of, perhaps_empty
from imagesync.plan.inventory import Broken, Listed, Unreadable
from imagesync.plan.outcome import Status
from imagesync.plan.settled import settled
from imagesync.plan.summary import summarise
from imagesync.plan.wants import lists_trusted, make_wants
from imagesync.reference import Reference, Repository, Tag
from imagesync.report.model import plan_exit_code
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
SOURCE, DESTINATION = make_reference(HUB_NGINX, "1.0"), make_reference(LOCAL_NGINX, "1.0")
IMMUTABLE = make_rule("1.0", immutable=make_immutable("1.*"))
PLAIN = make_rule("1.0", line=7)


def plan_of(*rules: Rule, destination: object = OLD) -> Plan:
    heads = {SOURCE: NEW, DESTINATION: destination}
    return diff(make_wants(rules, {}), make_inventory(heads))  # type: ignore[arg-type]


def only(plan: Plan) -> Action:
    (action,) = plan.actions
    return action


def test_an_immutable_tag_with_another_digest_is_a_conflict_that_says_both() -> None:
    conflict = only(plan_of(IMMUTABLE))
    assert isinstance(conflict, Conflict)
    assert (conflict.found, conflict.source.digest) == (OLD.digest, NEW.digest)
    assert conflict.reason == f"immutable tag has {OLD.digest.short}, the source has {NEW.digest.short}"
    assert "another tag" in conflict.hint
    assert "delete the tag at the destination" in conflict.hint


def test_a_conflict_counts_as_blocked_and_is_worth_exit_code_3() -> None:
    plan = plan_of(IMMUTABLE)
    assert (summarise(plan).blocked, summarise(plan).changes) == (1, 0)
    assert plan_exit_code(plan, detailed=True) == 3
    outcome = settled(only(plan))  # type: ignore[arg-type]
    assert (outcome.status, outcome.kind, outcome.exit_code) == (Status.BLOCKED, "immutable", 3)


def test_nothing_is_read_of_an_image_whose_tags_are_all_in_conflict() -> None:
    wants = make_wants([IMMUTABLE], {})
    heads = make_inventory({SOURCE: NEW, DESTINATION: OLD}).heads
    assert images_of(wants, heads) == ()


def test_an_immutable_tag_with_the_same_digest_is_kept() -> None:
    """MAN-18."""
    assert isinstance(only(plan_of(IMMUTABLE, destination=NEW)), Keep)


@pytest.mark.parametrize("destination", [None, Unreadable("denied")])
def test_an_immutable_tag_that_is_not_there_is_copied_and_says_so(destination: object) -> None:
    copy = only(plan_of(IMMUTABLE, destination=destination))
    assert isinstance(copy, Copy)
    assert copy.is_immutable


def test_a_tag_that_no_pattern_matches_is_replaced() -> None:
    copy = only(plan_of(make_rule("1.0", immutable=make_immutable("2.*"))))
    assert isinstance(copy, Copy)
    assert (copy.is_immutable, copy.replaces) == (False, OLD.digest)


def test_the_destinations_name_of_a_tag_is_what_counts() -> None:
    rule = make_rule("1.0", retag=Retag("{tag}-mirror"), immutable=make_immutable("*-mirror"))
    renamed = make_reference(LOCAL_NGINX, "1.0-mirror")
    plan = diff(make_wants([rule], {}), make_inventory({SOURCE: NEW, renamed: OLD}))
    assert isinstance(only(plan), Conflict)


@pytest.mark.parametrize("rules", [(IMMUTABLE, PLAIN), (PLAIN, IMMUTABLE)])
def test_of_two_rules_for_one_tag_the_one_that_holds_it_immutable_prevails(rules: tuple[Rule, ...]) -> None:
    assert isinstance(only(plan_of(*rules)), Conflict)


def test_a_listed_tag_is_assumed_without_a_look_at_its_source() -> None:
    wants = make_wants([IMMUTABLE], {})
    inventory = make_inventory({DESTINATION: Listed()})
    plan = diff(wants, inventory)
    assert isinstance(only(plan), Assumed)
    assert (summarise(plan).assumed, summarise(plan).unchanged) == (1, 0)
    assert images_of(wants, inventory.heads) == ()
    assert settled(only(plan)).status is Status.ASSUMED  # type: ignore[arg-type]


def test_a_repository_with_a_listed_tag_is_not_taken_for_empty() -> None:
    rule = make_rule("1.0", "1.1", immutable=make_immutable("1.0", trusts_list=True))
    new = make_reference(HUB_NGINX, "1.1"), make_reference(LOCAL_NGINX, "1.1")
    heads = make_inventory({DESTINATION: Listed(), new[0]: NEW, new[1]: None}).heads
    images = images_of(make_wants([rule], {}), heads)
    assert perhaps_empty(images, heads) == {}


def test_only_rules_that_trust_it_ask_for_the_destinations_list() -> None:
    other = Repository("localhost:5000", "other")
    trusting = make_rule("*", destinations=[LOCAL_NGINX, other], immutable=make_immutable("1.*", trusts_list=True))
    listed = {HUB_NGINX: (Tag("1.0"), Tag("2.0"))}
    assert lists_trusted(IMMUTABLE, {}) == lists_trusted(PLAIN, {}) == ()
    assert lists_trusted(trusting, listed) == (LOCAL_NGINX, other)


def test_a_side_that_cannot_be_read_is_a_failure_as_of_any_tag() -> None:
    assert isinstance(only(plan_of(IMMUTABLE, destination=Broken("boom", "network"))), Failure)


@pytest.mark.parametrize("destination", [OLD, NEW, None, Listed()])
def test_a_plan_file_keeps_what_a_plan_says_of_immutable_tags(destination: object) -> None:
    plan = plan_of(IMMUTABLE, destination=destination)
    assert plan_from_json(plan_to_json(plan), name="plan").actions == plan.actions


def test_a_plan_file_whose_copy_forgets_that_its_tag_is_immutable_is_refused() -> None:
    document = json.loads(plan_to_json(plan_of(IMMUTABLE, destination=None)))
    check_yielded(plan_from_json(json.dumps(document), name="plan"), make_spec(IMMUTABLE, PLAIN))
    document["actions"][0]["immutable"] = False
    edited = plan_from_json(json.dumps(document), name="plan")
    with pytest.raises(PlanFileError, match="no rule of the spec yields"):
        check_yielded(edited, make_spec(IMMUTABLE, PLAIN))


def test_a_conflict_names_its_source_by_digest() -> None:
    conflict = only(plan_of(IMMUTABLE))
    assert isinstance(conflict, Conflict)
    assert conflict.source == Reference(HUB_NGINX, SOURCE.tag, NEW.digest)
