"""Mending: just the tags of which something was found, and only those that are right are looked into anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.plan.findings import Audit, Finding, Kind
from imagesync.plan.inventory import Absent, Present
from imagesync.plan.judgement import sum_up, taken_for_absent
from imagesync.plan.mending import incomplete_tags, rules_to_mend
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Repository, Tag
from imagesync.selection import Retag
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_immutable,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
)

OLD, NEW = make_manifest("base", "old"), make_manifest("base", "new")
OTHER = Repository("localhost:5000", "other")
RULE = make_rule(
    "1.*",
    destinations=[LOCAL_NGINX, OTHER],
    retag=Retag("{tag}-mirror"),
    immutable=make_immutable("1.*", trusts_list=True),
)
WANTS = [want for want in make_wants([RULE], {HUB_NGINX: (Tag("1.0"), Tag("1.1"))}) if isinstance(want, Want)]


def audit_of(*kinds: Kind | None) -> Audit:
    """The four tags of the rule, each with one finding of this kind, or none."""
    heads = make_inventory({want.source: NEW for want in WANTS}).heads
    found = [[] if kind is None else [Finding(kind, "subject", "reason")] for kind in kinds]
    audited = zip(WANTS, found, strict=True)
    return Audit(tuple(sum_up(want, heads, [(want.destination, one) for one in several]) for want, several in audited))


def test_each_broken_tag_is_a_rule_of_its_own_and_the_others_are_left_out() -> None:
    rules = rules_to_mend(audit_of(None, Kind.MISSING_TAG, None, Kind.MISSING_BLOB))
    wants = [want for want in make_wants(rules, {}) if isinstance(want, Want)]
    assert [want.destination for want in wants] == [WANTS[1].destination, WANTS[3].destination]
    assert [want.source for want in wants] == [WANTS[1].source, WANTS[3].source]


def test_immutable_tags_stay_so_and_no_list_is_trusted() -> None:
    (rule,) = rules_to_mend(audit_of(Kind.MISSING_TAG, None, None, None))
    assert rule.immutable == replace(RULE.immutable, trusts_list=False)


@pytest.mark.parametrize("kind", list(Kind))
def test_only_what_is_below_a_tag_makes_it_incomplete(kind: Kind) -> None:
    is_below = kind in (Kind.MISSING_CHILD, Kind.MISSING_BLOB, Kind.OTHER_SIZE, Kind.OTHER_BYTES)
    expected = {WANTS[0].destination} if is_below else set()
    assert incomplete_tags(audit_of(kind, None, None, None)) == expected


def test_a_tag_that_is_right_and_incomplete_is_taken_for_absent_one_that_moved_is_not() -> None:
    source, there = make_reference(HUB_NGINX, "1"), make_reference(LOCAL_NGINX, "1")
    wants = make_wants([make_rule("1")], {})
    right = make_inventory({source: NEW, there: NEW}).heads
    moved = make_inventory({source: NEW, there: OLD}).heads
    assert taken_for_absent(wants, right, {there}) == {source: right[source], there: Absent()}
    assert taken_for_absent(wants, right, ()) == right
    assert taken_for_absent(wants, moved, {there})[there] == Present(OLD.descriptor)
