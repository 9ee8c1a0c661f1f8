"""Dead parts of a spec: what is of no use is told with its place, and what may be of use to anyone is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagesync.errors import Place
from imagesync.plan.dead import find_dead, find_dead_offline
from imagesync.plan.inventory import Broken, NotRead
from imagesync.plan.wants import make_wants
from imagesync.reference import Repository, Tag, TagList
from imagesync.selection import Alias, Exclude, Include, Retag, TagFilter, TagPattern
from imagesync.spec.model import Immutable, OnEmpty, Rule
from tests.plan.values import HUB_NGINX, make_rule

QUAY = Repository("quay.io", "nginx")
LISTED = {HUB_NGINX: TagList.of(["1.26", "1.27", "latest"]), QUAY: TagList.of(["2.0"])}


def pattern(text: str, line: int = 20) -> TagPattern:
    return replace(TagPattern.parse(text), place=Place("sync.yaml", line, 1))


def filtered(include: Sequence[str] = (), exclude: Sequence[str] = ()) -> TagFilter:
    steps = [
        *([Include(tuple(pattern(text, 20 + number) for number, text in enumerate(include)))] if include else []),
        *([Exclude(tuple(pattern(text, 30 + number) for number, text in enumerate(exclude)))] if exclude else []),
    ]
    return TagFilter(tuple(steps))


def immutable(*texts: str) -> Immutable:
    return Immutable(tuple(pattern(text, 40 + number) for number, text in enumerate(texts)))


def dead(*rules: Rule) -> list[str]:
    found = find_dead(rules, make_wants(rules, LISTED), LISTED)
    return [f"{one.place.line}: {one.message}" for one in found]


def dead_offline(*rules: Rule) -> list[str]:
    return [f"{one.place.line}: {one.message}" for one in find_dead_offline(rules)]


def test_a_pattern_that_no_listed_tag_is_like_is_dead() -> None:
    assert dead(make_rule(tag_filter=filtered(["1.*", "9.*"], ["*-rc", "1.26"]))) == [
        "21: 9.* takes nothing: no tag that is listed is like it",
        "30: *-rc leaves out nothing: no tag that is listed is like it",
    ]


def test_an_immutable_pattern_is_compared_with_what_is_written() -> None:
    rule = make_rule("1.27", retag=Retag("v{tag}"), immutable=immutable("1.*", "v1.*", "stable"))
    assert dead(rule) == [
        "40: 1.* is immutable, and no tag that is written is like it",
        "42: stable is immutable, and no tag that is written is like it",
    ]


def test_a_line_of_a_retag_for_a_tag_that_is_not_selected_is_dead() -> None:
    rule = make_rule("1.27", retag=Retag(names=(("1.27", "stable"), ("1.26", "old"))))
    assert dead(rule) == ["6: `retag` of bases has a line for 1.26, which is not selected"]


def test_an_image_that_wants_what_another_wants_is_dead() -> None:
    assert dead(make_rule("1.*"), make_rule("1.27", line=9)) == [
        "9: bases/nginx wants nothing that another image of the spec does not want already"
    ]
    assert dead(make_rule("1.*"), make_rule("1.27", "latest", line=9)) == []


def test_what_is_said_for_several_images_is_dead_only_where_it_is_of_use_to_none() -> None:
    shared = immutable("1.*", "3.*")
    rules = make_rule("1.27", immutable=shared), make_rule("2.0", source=QUAY, immutable=shared, line=9)
    assert dead(*rules) == ["41: 3.* is immutable, and no tag that is written is like it"]


def test_what_cannot_be_known_is_not_dead() -> None:
    rule = make_rule(tag_filter=filtered(["9.*"]), immutable=immutable("9.*"))
    broken = {HUB_NGINX: Broken("503", "network")}
    assert find_dead([rule], make_wants([rule], broken), broken) == ()


def test_what_a_conflict_hides_is_not_dead() -> None:
    rules = make_rule("1.27", immutable=immutable("1.*")), make_rule("1.27", source=QUAY, line=9)
    assert dead(*rules) == []


def test_a_tag_that_is_always_taken_may_be_kept_by_the_filters_too() -> None:
    assert dead(make_rule(tag_filter=TagFilter((Include((pattern("1.*"),)),), (Tag("1.27"),)))) == []


def test_an_image_that_selects_nothing_and_may_is_not_dead_besides() -> None:
    rule = make_rule(tag_filter=filtered(["1.*"], ["1.*"]), on_empty=OnEmpty.WARN)
    assert dead(rule) == []


def test_an_alias_is_written_too() -> None:
    rule = make_rule("1.27", aliases=(Alias("stable"),), immutable=immutable("stable"))
    assert dead_offline(rule) == []


def test_offline_exact_tags_alone_are_judged() -> None:
    open_rule = make_rule(tag_filter=filtered(["9.*"]), immutable=immutable("9.*"), source=QUAY)
    exact = make_rule("1.27", immutable=immutable("1.*", "x"), line=9)
    assert dead_offline(open_rule, exact) == ["41: x is immutable, and no tag that is written is like it"]


def test_offline_what_a_filter_may_have_a_use_for_is_not_dead() -> None:
    shared = immutable("2.*")
    rules = make_rule("1.27", immutable=shared), make_rule("*", source=QUAY, immutable=shared, line=9)
    assert dead_offline(*rules) == []
    assert dead(*rules) == []


def test_what_waits_since_a_budget_is_spent_is_not_known_to_be_dead() -> None:
    rule = make_rule(tag_filter=filtered(["1.*"]), immutable=immutable("1.*"), retag=Retag(names=(("1.27", "x"),)))
    waiting = NotRead("that takes up to 4 pulls", "budget", None, 0)
    wants = make_wants([rule], LISTED, {rule: waiting})
    assert find_dead([rule], wants, LISTED) == ()


def test_an_alias_that_no_selected_tag_carries_is_dead() -> None:
    aliases = (Alias("stable", Place("sync.yaml", 50, 1)), Alias("{major}.{minor}.{patch}", Place("sync.yaml", 51, 1)))
    assert dead(make_rule("latest", aliases=aliases)) == [
        "50: stable is an alias that no selected tag carries: an alias follows versions",
        "51: {major}.{minor}.{patch} is an alias that no selected tag carries: an alias follows versions",
    ]
    assert [one[:2] for one in dead_offline(make_rule("1.27", aliases=aliases))] == ["51"]


def test_an_alias_that_is_said_for_several_images_is_of_use_if_one_carries_it() -> None:
    aliases = (Alias("stable", Place("sync.yaml", 50, 1)),)
    assert dead(make_rule("latest", aliases=aliases), make_rule("1.27", aliases=aliases, line=9)) == []
    assert dead(make_rule(tag_filter=TagFilter((Include((pattern("1.*"),)),)), aliases=aliases)) == []
