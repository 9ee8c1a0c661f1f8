"""Aliases: which version each follows, that none goes back unless it may, and what is a conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.plan.actions import Failure, Waiting
from imagesync.plan.aliases import Following, Known, follow, followings, in_conflict, is_unknown, versions_to_look_up
from imagesync.plan.diff import Wanted
from imagesync.plan.following import Carries
from imagesync.plan.inventory import Absent, Broken, Head, Present
from imagesync.plan.wants import Want, make_wants, wants_of
from imagesync.reference import Reference, Repository, Tag
from imagesync.selection import Alias, Retag
from imagesync.spec.model import Rule
from imagesync.state import State, Written
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_immutable, make_manifest, make_reference, make_rule

QUAY = Repository("quay.io", "nginx")
STABLE = (Alias("stable"),)


def wants_by_destination(*rules: Rule) -> dict[Reference, Want]:
    return {want.destination: want for want in make_wants(rules, {}) if isinstance(want, Want)}


def aliases_of(*rules: Rule) -> dict[str, Following]:
    wants = [want for rule in rules for want in wants_of(rule, {}) if isinstance(want, Want)]
    return {str(one.destination.tag): one for one in followings(wants)}


def head(found: str | Head | None) -> Head:
    """That of an image which is called after this text; None for Absent."""
    if found is None:
        return Absent()
    return Present(make_manifest(found).descriptor) if isinstance(found, str) else found


def known(rule: Rule, there: Mapping[str, str | Head | None], looked_up: Mapping[str, str] | None = None) -> Known:
    """Sources have what their tags are called after; the destination what `there` says."""
    heads: dict[Reference, Head] = {}
    for want in wants_by_destination(rule).values():
        heads[want.source] = head(str(want.source.tag))
        heads[want.destination] = Absent()
    for tag, found in there.items():
        heads[make_reference(LOCAL_NGINX, tag)] = head(found)
    earlier = {make_reference(LOCAL_NGINX, tag): head(name) for tag, name in (looked_up or {}).items()}
    return Known(heads, wants_by_destination(rule), earlier)


def followed(rule: Rule, there: Mapping[str, str | Head | None], looked_up: Mapping[str, str] | None = None) -> Wanted:
    return follow(aliases_of(rule)["stable"], known(rule, {"stable": None, **there}, looked_up))


def carries(want: Wanted) -> Carries | None:
    assert isinstance(want, Want)
    return want.carries


def test_a_new_alias_follows_the_highest_version_and_takes_its_source() -> None:
    want = followed(make_rule("7.4.1", "7.4.2", "latest", aliases=STABLE), {})
    assert carries(want) == Carries(Tag("7.4.2"), None)
    assert isinstance(want, Want)
    assert want.source == make_reference(HUB_NGINX, "7.4.2")
    assert want.destination == make_reference(LOCAL_NGINX, "stable")


def test_an_alias_is_one_for_each_destination() -> None:
    rule = make_rule("7.4.2", aliases=STABLE, destinations=(LOCAL_NGINX, QUAY))
    wants = [want for want in wants_of(rule, {}) if isinstance(want, Want)]
    assert [str(one.destination) for one in followings(wants)] == [
        "localhost:5000/nginx:stable",
        "quay.io/nginx:stable",
    ]


def test_an_alias_moves_forward_and_says_from_where() -> None:
    want = followed(make_rule("7.4.1", "7.4.2", aliases=STABLE), {"stable": "7.4.1", "7.4.1": "7.4.1"})
    assert carries(want) == Carries(Tag("7.4.2"), Tag("7.4.1"))


def test_an_alias_never_moves_back() -> None:
    rule = make_rule("7.4.1", aliases=STABLE)
    waiting = followed(rule, {"stable": "7.4.2"}, {"7.4.2": "7.4.2"})
    assert isinstance(waiting, Waiting)
    assert waiting.reason == "it carries 7.4.2, and the highest selected version is 7.4.1"
    assert (waiting.hint, waiting.exit_code) == ("`allow_backwards: true` lets it move", 0)


def test_an_alias_may_move_back_where_that_is_allowed() -> None:
    rule = make_rule("7.4.1", aliases=STABLE, allow_backwards=True)
    assert carries(followed(rule, {"stable": "7.4.2"})) == Carries(Tag("7.4.1"), None)


def test_an_alias_of_which_nobody_knows_what_it_carries_waits() -> None:
    rule = make_rule("7.4.2", aliases=STABLE)
    one, seen = aliases_of(rule)["stable"], known(rule, {"stable": "other"})
    assert is_unknown(one, seen)
    waiting = follow(one, seen)
    assert isinstance(waiting, Waiting)
    assert "nobody knows whether 7.4.2 is newer" in waiting.reason


def test_an_alias_that_is_right_or_not_there_asks_for_nothing_more() -> None:
    rule = make_rule("7.4.2", aliases=STABLE)
    one = aliases_of(rule)["stable"]
    assert not is_unknown(one, known(rule, {"stable": "7.4.2"}))
    assert not is_unknown(one, known(rule, {"stable": None}))


def test_a_version_that_was_pushed_anew_takes_its_alias_along() -> None:
    """The version's tag and the alias both have what it was before."""
    want = followed(make_rule("7.4.2", aliases=STABLE), {"stable": "other", "7.4.2": "other"})
    assert carries(want) == Carries(Tag("7.4.2"), Tag("7.4.2"))


def test_what_it_carries_is_looked_up_among_versions_of_this_alias_that_were_not_asked_for() -> None:
    rule = make_rule("7.4.2", aliases=(Alias("{major}.{minor}"),))
    one = aliases_of(rule)["7.4"]
    seen = known(rule, {"7.4": "other", "7.4.2": "7.4.2"})
    listed = [Tag(tag) for tag in ("7.4.2", "7.4.0", "7.4.1", "7.2.6", "latest", "7.4.9-rc1", "7.4")]
    assert [str(want.destination.tag) for want in versions_to_look_up(one, listed, seen)] == ["7.4.1", "7.4.0"]


def test_another_alias_is_not_taken_for_a_version() -> None:
    """`7.4` has the digest of `7` too, and says nothing of which 7.4 that is."""
    rule = make_rule("7.4.2", aliases=(Alias("{major}.{minor}"), Alias("{major}")))
    seen = known(rule, {"7": "other", "7.4.2": "7.4.2"}, {"7.4": "other"})
    assert isinstance(follow(aliases_of(rule)["7"], seen), Waiting)


def test_what_was_renamed_is_looked_up_under_its_new_name() -> None:
    rule = make_rule("7.4.2", aliases=STABLE, retag=Retag("{tag}-mirror"))
    seen = known(rule, {"stable": "7.4.1", "7.4.2-mirror": None}, {"7.4.1-mirror": "7.4.1"})
    assert carries(follow(aliases_of(rule)["stable"], seen)) == Carries(Tag("7.4.2-mirror"), Tag("7.4.1-mirror"))


def test_the_next_version_carries_the_alias_where_the_highest_cannot_be_brought() -> None:
    rule = make_rule("7.4.1", "7.4.2", aliases=STABLE)
    seen = known(rule, {"stable": None})
    broken = {**seen.heads, make_reference(HUB_NGINX, "7.4.2"): Broken("503", "network")}
    want = follow(aliases_of(rule)["stable"], Known(broken, seen.wanted))
    assert carries(want) == Carries(Tag("7.4.1"), None)


def test_an_immutable_version_that_is_another_there_does_not_carry_it() -> None:
    rule = make_rule("7.4.1", "7.4.2", aliases=STABLE, immutable=make_immutable("7.*"))
    assert carries(followed(rule, {"7.4.2": "other"})) == Carries(Tag("7.4.1"), None)


def test_a_version_whose_tag_is_in_conflict_does_not_carry_it() -> None:
    rule = make_rule("7.4.1", "7.4.2", aliases=STABLE)
    seen = known(rule, {"stable": None})
    wanted = wants_by_destination(rule, make_rule("7.4.2", source=QUAY, line=9))
    assert carries(follow(aliases_of(rule)["stable"], Known(seen.heads, wanted))) == Carries(Tag("7.4.1"), None)


def test_an_alias_waits_where_no_version_can_be_brought() -> None:
    rule = make_rule("7.4.2", aliases=STABLE)
    seen = known(rule, {"stable": None})
    waiting = follow(
        aliases_of(rule)["stable"], Known({**seen.heads, make_reference(HUB_NGINX, "7.4.2"): Absent()}, {})
    )
    assert isinstance(waiting, Waiting)
    assert "no version that could carry it can be brought" in waiting.reason


def test_variants_of_which_none_is_the_highest_fail_the_alias_alone() -> None:
    failure = followed(make_rule("8.0-alpine", "8.0-slim", aliases=STABLE), {})
    assert isinstance(failure, Failure)
    assert "none is the higher version" in failure.reason


def conflicts(*rules: Rule) -> list[str]:
    wants = [want for rule in rules for want in wants_of(rule, {}) if isinstance(want, Want)]
    found = in_conflict(list(followings(wants)), wants_by_destination(*rules))
    return [f"{failure.subject}: {failure.reason}" for failure in found.values()]


def test_an_alias_that_is_a_selected_tag_is_a_conflict_and_the_tag_stays() -> None:
    rule = make_rule("7.4.2", "stable", aliases=STABLE)
    (said,) = conflicts(rule)
    assert said.startswith("localhost:5000/nginx:stable: it is an alias, and docker.io/library/nginx:stable would be")
    assert make_reference(LOCAL_NGINX, "stable") in wants_by_destination(rule)


def test_an_alias_that_is_what_a_tag_is_retagged_to_is_a_conflict() -> None:
    other = make_rule("1", source=QUAY, retag=Retag(names=(("1", "stable"),)), line=9)
    assert len(conflicts(make_rule("7.4.2", aliases=STABLE), other)) == 1


def test_one_alias_of_two_sources_is_a_conflict_for_both() -> None:
    rules = make_rule("7.4.2", aliases=STABLE), make_rule("7.4.1", source=QUAY, aliases=STABLE, line=9)
    assert len(conflicts(*rules)) == 2


def test_the_same_alias_of_two_rules_alike_is_none() -> None:
    assert conflicts(make_rule("7.4.2", aliases=STABLE), make_rule("7.4.2", aliases=STABLE, line=9)) == []


def test_what_an_alias_was_may_not_be_kept_as_a_tag_that_is_wanted() -> None:
    rule = make_rule("7.4.2", "stable-old", aliases=STABLE, keep_previous="{tag}-old")
    assert "what it was would be kept as stable-old" in conflicts(rule)[0]


@pytest.mark.parametrize(
    ("template", "said"), [("{tag}-old", "which is immutable"), ("{tag}" + "-" * 123, "is not a tag")]
)
def test_what_an_alias_was_may_not_be_kept_where_it_could_not_be(template: str, said: str) -> None:
    immutable = make_immutable("stable-old")
    rule = make_rule("7.4.2", aliases=STABLE, keep_previous=template, immutable=immutable)
    assert said in conflicts(rule)[0]


PATCHES = st.sets(st.integers(0, 9), min_size=1)


@given(PATCHES, st.integers(0, 9), st.booleans())
def test_whatever_is_selected_an_alias_is_never_lower_afterwards(
    selected: set[int], before: int, is_told: bool
) -> None:
    rule = make_rule(*(f"1.0.{patch}" for patch in sorted(selected)), aliases=STABLE)
    there = {f"1.0.{patch}": f"1.0.{patch}" for patch in selected}
    looked_up = {f"1.0.{before}": f"1.0.{before}"} if is_told else {}
    want = followed(rule, {**there, "stable": f"1.0.{before}"}, looked_up)
    is_known = is_told or before in selected
    if isinstance(want, Want):
        assert max(selected) >= before if is_known else False
        assert want.source.tag == f"1.0.{max(selected)}"
    else:
        assert max(selected) < before or not is_known


NOW = datetime(2025, 1, 1, tzinfo=UTC)


def remembering(written: Mapping[str, str]) -> State:
    """What was last written to tags of the destination."""
    return State.of(
        Written(make_reference(LOCAL_NGINX, tag), make_manifest(name).digest, NOW) for tag, name in written.items()
    )


def test_what_an_alias_carries_is_what_was_last_written_there() -> None:
    """No destination is asked: the version was written too, and is not selected any more."""
    rule = make_rule("7.4.2", aliases=STABLE)
    seen = replace(known(rule, {"stable": "7.4.1"}), state=remembering({"stable": "7.4.1", "7.4.1": "7.4.1"}))
    one = aliases_of(rule)["stable"]
    assert not is_unknown(one, seen)
    assert carries(follow(one, seen)) == Carries(Tag("7.4.2"), Tag("7.4.1"))


def test_what_another_hand_has_put_there_does_not_make_an_alias_wait() -> None:
    rule = make_rule("7.4.2", aliases=STABLE)
    seen = replace(known(rule, {"stable": "other"}), state=remembering({"stable": "7.4.1", "7.4.1": "7.4.1"}))
    assert carries(follow(aliases_of(rule)["stable"], seen)) == Carries(Tag("7.4.2"), Tag("7.4.1"))


def test_what_is_remembered_keeps_an_alias_from_going_back_too() -> None:
    rule = make_rule("7.4.2", aliases=STABLE)
    seen = replace(known(rule, {"stable": "other"}), state=remembering({"stable": "7.4.3", "7.4.3": "7.4.3"}))
    waiting = follow(aliases_of(rule)["stable"], seen)
    assert isinstance(waiting, Waiting)
    assert waiting.reason == "it carries 7.4.3, and the highest selected version is 7.4.2"
