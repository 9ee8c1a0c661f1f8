"""Locking: what a lock has to hold for a spec, and what rules take that are held to it."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import Place
from imagesync.plan.actions import Failure, Keep, Skip
from imagesync.plan.diff import diff
from imagesync.plan.locking import Renewal, hold, lock_of, renewed, sources_alone, uncovered, undecided, unwanted
from imagesync.plan.wants import Want, lists_needed, make_wants
from imagesync.reference import Digest, Repository, Tag
from imagesync.selection import Newest, Order, Ordering, Retag, TagFilter, VersionRange, Versions
from imagesync.spec.model import OnEmpty
from imagesync.spec.pins import Lock, Pin
from tests.plan.values import HUB_NGINX, make_immutable, make_inventory, make_manifest, make_reference, make_rule

QUAY = Repository("quay.io", "nginx")
NEWEST_TWO = TagFilter((Versions(VersionRange.parse("*")), Newest(2)))


def digest(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")


def make_lock(tags: Mapping[str, int], source: Repository = HUB_NGINX) -> Lock:
    return Lock.of(Pin(str(source), Tag(tag), digest(number), Place("sync.lock", 3, 3)) for tag, number in tags.items())


def pins(lock: Lock) -> dict[str, int]:
    return {str(pin).partition("/")[2]: int(pin.digest.encoded, 16) for pin in lock.pins}


def test_a_lock_holds_what_the_tags_point_to_and_asks_no_destination() -> None:
    image = make_manifest("a")
    rules = sources_alone(
        [
            make_rule(
                "1", retag=Retag("{tag}-x"), immutable=make_immutable("*", trusts_list=True), keep_previous="{tag}-p"
            )
        ]
    )
    wants = make_wants(rules, {})
    plan = diff(wants, make_inventory({make_reference(HUB_NGINX, "1"): image}))
    assert lock_of(plan).pins == (Pin(str(HUB_NGINX), Tag("1"), image.digest),)
    assert {(want.source, want.destination) for want in wants if isinstance(want, Want)} == {
        (make_reference(HUB_NGINX, "1"), make_reference(HUB_NGINX, "1"))
    }


def test_a_tag_that_several_rules_take_is_locked_once() -> None:
    image = make_manifest("a")
    plan = diff(
        make_wants(sources_alone([make_rule("1"), make_rule("1", line=9)]), {}),
        make_inventory({make_reference(HUB_NGINX, "1"): image}),
    )
    assert [type(action) for action in plan.actions] == [Keep]


def test_an_image_that_is_named_by_its_digest_is_not_locked() -> None:
    assert sources_alone([make_rule("1", digest=digest(1))]) == ()
    (rule,) = hold([make_rule("1", digest=digest(1))], Lock())
    assert (rule.locked, uncovered([rule], "sync.lock")) == (None, [])


def test_a_tag_that_the_source_lacks_is_a_failure() -> None:
    plan = diff(make_wants(sources_alone([make_rule("1")]), {}), make_inventory({make_reference(HUB_NGINX, "1"): None}))
    assert isinstance(plan.actions[0], Failure)
    assert lock_of(plan) == Lock()


def test_a_held_rule_asks_for_no_list_and_selects_from_the_lock() -> None:
    rules = hold([make_rule(tag_filter=NEWEST_TWO)], make_lock({"1.0": 1, "1.1": 2, "1.2": 3}))
    assert lists_needed(rules) == ()
    assert [(str(want.source.tag), want.source.digest) for want in make_wants(rules, {}) if isinstance(want, Want)] == [
        ("1.1", digest(2)),
        ("1.2", digest(3)),
    ]


def test_a_tag_that_the_lock_lacks_fails_alone_where_it_comes_to_that() -> None:
    wants = make_wants(hold([make_rule("1", "2")], make_lock({"1": 1})), {})
    assert [type(want) for want in wants] == [Want, Failure]
    assert isinstance(wants[1], Failure)
    assert wants[1].reason == "the lock has no docker.io/library/nginx:2"


def test_what_rules_want_and_the_lock_lacks_is_told_with_their_places() -> None:
    rules = [
        make_rule("1", "2", line=6),
        make_rule("3.*", line=7),
        make_rule("1", source=QUAY, line=8),
        make_rule("9.*", line=9, on_empty=OnEmpty.WARN),
    ]
    problems = uncovered(hold(rules, make_lock({"1": 1})), "sync.lock")
    assert [(problem.place.line, problem.message) for problem in problems] == [
        (6, "sync.lock has no docker.io/library/nginx:2 for bases/nginx"),
        (7, "sync.lock has no tag of docker.io/library/nginx for bases/nginx"),
        (8, "sync.lock has no quay.io/nginx:1 for bases/nginx"),
    ]


def test_a_rule_that_may_select_nothing_is_skipped_where_the_lock_has_nothing_of_it() -> None:
    (skip,) = make_wants(hold([make_rule("9.*", on_empty=OnEmpty.WARN)], make_lock({"1": 1})), {})
    assert isinstance(skip, Skip)
    assert "all 1 that the lock has are dropped" in skip.reason


def test_what_the_lock_has_and_no_rule_wants_is_told_with_its_line() -> None:
    lock = Lock.of([*make_lock({"1": 1, "2": 2}).pins, *make_lock({"1": 1}, QUAY).pins])
    warnings = unwanted([make_rule("1")], lock)
    assert [(str(one.place), one.message) for one in warnings] == [
        ("sync.lock:3:3", "no rule wants docker.io/library/nginx:2: `imagesync lock` would drop it"),
        ("sync.lock:3:3", "no rule wants quay.io/nginx:1: `imagesync lock` would drop it"),
    ]


def test_an_update_renews_the_named_and_keeps_the_others() -> None:
    before = Lock.of([*make_lock({"1.0": 1, "1.1": 2}).pins, *make_lock({"1": 1}, QUAY).pins])
    named = [make_rule(tag_filter=NEWEST_TWO)]
    after = renewed(
        before, make_lock({"1.1": 9, "1.2": 3}), rules=[*named, make_rule("1", source=QUAY, line=9)], named=named
    )
    assert pins(after) == {"library/nginx:1.1": 9, "library/nginx:1.2": 3, "nginx:1": 1}


def test_an_update_keeps_a_tag_of_the_same_repository_that_another_rule_takes() -> None:
    before = make_lock({"1.0": 1, "latest": 5, "old": 6})
    named = [make_rule("1.*")]
    after = renewed(before, make_lock({"1.1": 2}), rules=[*named, make_rule("latest", line=9)], named=named)
    assert pins(after) == {"library/nginx:1.1": 2, "library/nginx:latest": 5}


def test_what_is_new_in_a_lock_is_what_came_moved_and_went() -> None:
    renewal = Renewal("sync.lock", make_lock({"1": 1, "2": 2, "3": 3}), make_lock({"2": 2, "3": 9, "4": 4}), True)
    assert [(one.pin.rpartition(":")[2], one.before, one.after) for one in renewal.changes] == [
        ("1", digest(1), None),
        ("3", digest(3), digest(9)),
        ("4", None, digest(4)),
    ]


TAGS = st.dictionaries(st.from_regex(r"[1-3]\.[0-9]", fullmatch=True), st.integers(0, 99), min_size=1)


@given(TAGS)
def test_a_rule_takes_from_its_lock_just_what_it_took_from_the_list(listed: dict[str, int]) -> None:
    """What a selection keeps of a list, it keeps of what it kept."""
    rule = make_rule(tag_filter=NEWEST_TWO)
    kept = NEWEST_TWO.select(listed).kept
    (again,) = hold([rule], make_lock({tag: listed[tag] for tag in kept}))
    assert [want.source.tag for want in make_wants([again], {}) if isinstance(want, Want)] == list(kept)


DATED = TagFilter((Newest(1, Ordering(Order.CREATED)),))


def test_a_rule_that_chooses_by_date_is_not_held_to_a_lock_in_which_another_has_tags_of_its_own() -> None:
    """Which of them that rule has chosen, the lock does not say: it would take them all."""
    lock = make_lock({"1": 1, "2": 2})
    dated, other = make_rule(tag_filter=DATED, line=3), make_rule("1", "2", line=9)
    whole = hold([dated, other], lock)
    (problem,) = undecided(whole[:1], whole, "sync.lock")
    assert problem.place.line == 3
    assert "sync.lock does not say which tags of docker.io/library/nginx" in problem.message
    assert undecided(whole[1:], whole, "sync.lock") == []
    alike = hold([dated, make_rule(tag_filter=DATED, line=9)], lock)
    assert undecided(alike, alike, "sync.lock") == []


def test_a_rule_that_is_held_is_another_than_the_same_rule_that_is_not() -> None:
    """Both may have a say at once, as when something is pruned."""
    rule = make_rule("1")
    assert len({rule, *hold([rule], make_lock({"1": 1})), *hold([rule], make_lock({"1": 2}))}) == 3
    assert hold([rule], make_lock({"1": 1})) == hold([rule], make_lock({"1": 1}))
