"""Mistakes that show only when all rules are seen together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagesync.errors import Place
from imagesync.reference import Digest, Repository
from imagesync.selection import Alias, Retag, TagFilter
from imagesync.spec.conflicts import find_conflicts
from imagesync.spec.model import Rule
from tests.plan.values import make_immutable

HUB = Repository("docker.io", "library/nginx")
QUAY = Repository("quay.io", "nginx")
LOCAL = Repository("localhost:5000", "nginx")
OTHER = Repository("localhost:5000", "other")
DIGEST = Digest(f"sha256:{'a' * 64}")


def make_rule(
    *tags: str,
    source: Repository = HUB,
    destinations: Sequence[Repository] = (LOCAL,),
    retag: Retag | None = None,
    digest: Digest | None = None,
    line: int = 1,
) -> Rule:
    return Rule(
        entry="bases",
        image="nginx",
        place=Place("sync.yaml", line, 1),
        source=source,
        destinations=tuple(destinations),
        tags=TagFilter.parse(tags),
        digest=digest,
        retag=retag or Retag(),
    )


def messages(*rules: Rule) -> list[str]:
    return [f"{problem.place.line}: {problem.message}" for problem in find_conflicts(rules)]


def test_a_tag_written_from_two_sources_names_both_places() -> None:
    (found,) = messages(make_rule("1", line=6), make_rule("1", source=QUAY, line=9))
    assert found.startswith("9: localhost:5000/nginx:1 is written from quay.io/nginx:1 here, ")
    assert found.endswith("and from docker.io/library/nginx:1 at sync.yaml:6:1")


def test_the_same_rule_twice_is_no_conflict() -> None:
    assert messages(make_rule("1", line=6), make_rule("1", line=9)) == []


def test_another_tag_or_another_repository_is_no_conflict() -> None:
    assert messages(make_rule("1"), make_rule("2", source=QUAY)) == []
    assert messages(make_rule("1"), make_rule("1", source=QUAY, destinations=[OTHER])) == []


def test_what_tags_are_called_at_the_destination_is_what_collides() -> None:
    stable = Retag(names=(("2", "1"),))
    assert len(messages(make_rule("1"), make_rule("2", retag=stable))) == 1
    assert messages(make_rule("1"), make_rule("1", source=QUAY, retag=Retag("{tag}-quay"))) == []
    assert len(messages(make_rule("1", "2", retag=Retag("fixed")))) == 1


def test_a_digest_and_a_tag_are_two_sources() -> None:
    assert len(messages(make_rule("1"), make_rule("1", digest=DIGEST))) == 1


def test_one_of_several_destinations_is_enough() -> None:
    assert len(messages(make_rule("1"), make_rule("1", source=QUAY, destinations=[OTHER, LOCAL]))) == 1


def test_a_filter_is_compared_once_it_is_known_what_it_selects() -> None:
    assert messages(make_rule("1.*"), make_rule("1.*", source=QUAY)) == []


def test_a_copy_onto_itself_is_a_mistake() -> None:
    assert messages(make_rule("1", source=LOCAL)) == ["1: localhost:5000/nginx:1 would be copied onto itself"]
    assert messages(make_rule("1.*", source=LOCAL)) == [
        "1: the tags of localhost:5000/nginx would be copied onto themselves"
    ]
    assert messages(make_rule("1", source=LOCAL, retag=Retag("{tag}-old"))) == []
    assert messages(make_rule("1.*", source=LOCAL, retag=Retag("{tag}-old"))) == []


def test_a_tag_that_retag_cannot_name_is_said_before_any_request() -> None:
    assert messages(make_rule("latest", retag=Retag("{major}"))) == [
        "1: retag template '{major}' needs a version, latest is none"
    ]
    assert messages(make_rule("2", retag=Retag(names=(("1", "x"),)))) == ["1: retag has no line for the selected tag 2"]


STABLE = (Alias("stable"),)


def test_an_alias_that_is_written_from_elsewhere_is_a_conflict() -> None:
    rule = replace(make_rule("7.4.2", line=6), aliases=STABLE)
    (found,) = messages(rule, make_rule("stable", source=QUAY, line=9))
    assert found == "6: the alias localhost:5000/nginx:stable is written from quay.io/nginx:stable at sync.yaml:9:1"


def test_an_alias_of_an_exact_tag_that_is_one_of_its_tags_is_a_conflict() -> None:
    rule = replace(make_rule("7.4.2", "7.4"), aliases=(Alias("{major}.{minor}"),))
    assert len(messages(rule)) == 1
    assert messages(replace(make_rule("7.4.*"), aliases=(Alias("{major}.{minor}"),))) == []


def test_one_alias_of_two_sources_is_a_conflict() -> None:
    rules = (replace(make_rule("1.*", line=6), aliases=STABLE), replace(make_rule("2.*", source=QUAY), aliases=STABLE))
    (found,) = messages(*rules)
    assert found.startswith("1: localhost:5000/nginx:stable is an alias of quay.io/nginx here, ")
    assert found.endswith("and of docker.io/library/nginx at sync.yaml:6:1")


def test_what_a_tag_was_may_not_be_kept_as_one_that_is_written() -> None:
    rule = replace(make_rule("1", "1-old", line=6), keep_previous=Retag("{tag}-old"))
    (found,) = messages(rule)
    assert found.startswith("6: what localhost:5000/nginx:1 was would be kept as localhost:5000/nginx:1-old, ")
    assert found.endswith("which is written from docker.io/library/nginx:1-old at sync.yaml:6:1")


def test_what_a_tag_was_may_not_be_kept_as_one_that_never_moves() -> None:
    rule = replace(make_rule("1"), keep_previous=Retag("{tag}-old"), immutable=make_immutable("*-old"))
    assert messages(rule) == ["1: what localhost:5000/nginx:1 was would be kept as 1-old, which is immutable"]
    held = replace(rule, immutable=make_immutable("*"))
    assert messages(held) == []
