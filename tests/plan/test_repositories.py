"""Repositories: the rules that globs become, with what registries list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.errors import PlanFileError
from imagesync.plan.actions import Copy, Failure, Plan, Skip
from imagesync.plan.conformity import check_yielded
from imagesync.plan.inventory import Broken
from imagesync.plan.making import Found
from imagesync.plan.repositories import Catalogs, Expanded, catalogs_needed, expand
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Repository, RepositoryList
from imagesync.spec.globs import WHOLE, RepositoryGlob, Share
from imagesync.spec.model import OnEmpty, Rule
from tests.plan.values import make_manifest, make_reference, make_rule, make_spec

REGISTRY = "quay.io"
LISTED = RepositoryList.of(["team/a", "team/b", "team/b/c", "team/B", "other/a"])


def make_glob_rule(
    pattern: str = "team/*",
    *tags: str,
    registry: str = REGISTRY,
    base: str = "",
    target: str = "localhost:5000/{path}",
    on_empty: OnEmpty = OnEmpty.FAIL,
    share: Share = WHOLE,
) -> Rule:
    glob = RepositoryGlob(registry, base, pattern, (target,), share=share)
    rule = make_rule(*(tags or ("1",)), source=glob.source, destinations=(), on_empty=on_empty)
    return replace(rule, image=pattern, glob=glob)


def expanded(*rules: Rule, listed: RepositoryList | Broken = LISTED) -> Expanded:
    """The rules when every registry lists the same."""
    below = [(registry, prefix) for registry, prefixes in catalogs_needed(rules).items() for prefix in prefixes]
    catalogs: Catalogs = {
        (registry, prefix): listed
        if isinstance(listed, Broken)
        else RepositoryList.of((*listed, *listed.illegal), prefix)
        for registry, prefix in below
    }
    return expand(rules, catalogs)


def names(found: Expanded) -> list[str]:
    return [one.name for one in found.rules if isinstance(one, Rule)]


def test_each_catalog_is_needed_once_for_each_prefix() -> None:
    rules = [make_glob_rule(text) for text in ("team/*", "team/a*", "other/*", "**")]
    assert catalogs_needed([make_rule(), *rules, make_glob_rule("x/*", registry="ghcr.io")]) == {
        "quay.io": ("team", "other", ""),
        "ghcr.io": ("x",),
    }


def test_rules_stand_where_their_glob_stood() -> None:
    first, last = make_rule("1"), replace(make_rule("2"), image="last")
    found = expanded(first, make_glob_rule(), last)
    assert names(found) == ["bases/nginx", "bases/team/a", "bases/team/b", "bases/last"]
    assert found.found == (Found("quay.io/team/*", 2, 1),)


def test_nothing_is_asked_for_a_spec_without_globs() -> None:
    assert catalogs_needed([make_rule("1")]) == {}


def test_what_cannot_be_listed_fails_that_image_alone() -> None:
    found = expanded(make_rule("1"), make_glob_rule(), listed=Broken("answered 404", "not-found", "name them"))
    rule, failure = found.rules
    assert isinstance(rule, Rule)
    assert isinstance(failure, Failure)
    assert (failure.rule, failure.subject) == ("bases/team/*", "quay.io/team/*")
    assert (failure.reason, failure.hint) == ("repositories cannot be listed: answered 404", "name them")


def test_a_glob_that_finds_nothing_is_an_empty_selection() -> None:
    (failure,) = expanded(make_glob_rule("team/x*")).rules
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.reason) == ("empty", "no repository is like quay.io/team/x*: 3 are listed there")
    (skip,) = expanded(make_glob_rule("team/x*", on_empty=OnEmpty.WARN)).rules
    assert isinstance(skip, Skip)


def test_a_share_holds_some_of_what_is_found_and_is_no_empty_selection() -> None:
    shares = [expanded(make_glob_rule("**", share=Share(part, 3))) for part in (1, 2, 3)]
    assert sorted(name for share in shares for name in names(share)) == sorted(names(expanded(make_glob_rule("**"))))
    assert all(isinstance(one, Rule) for share in shares for one in share.rules)


def test_what_a_glob_has_written_itself_is_not_brought_again() -> None:
    listed = RepositoryList.of(["a", "mirror/a", "mirror/mirror/a"])
    found = expanded(make_glob_rule("**", target="quay.io/mirror/{path}"), listed=listed)
    assert names(found) == ["bases/a"]
    failures = [one for one in found.rules if isinstance(one, Failure)]
    assert [failure.subject for failure in failures] == ["quay.io/mirror/a", "quay.io/mirror/mirror/a"]
    assert {failure.kind for failure in failures} == {"conflict"}


def test_a_repository_that_can_go_nowhere_fails_alone() -> None:
    listed = RepositoryList.of(["team/a", "team/blobs"])
    found = expanded(make_glob_rule(target="oci:air/{path}"), listed=listed)
    assert names(found) == ["bases/team/a"]
    (failure,) = [one for one in found.rules if isinstance(one, Failure)]
    assert failure.subject == "quay.io/team/blobs"
    assert "one of its own names" in failure.reason


def test_what_two_globs_find_is_wanted_once() -> None:
    found = expanded(make_glob_rule("team/*"), make_glob_rule("team/a*"))
    wants = make_wants(found.rules, {})
    assert [str(want.destination) for want in wants if isinstance(want, Want)] == [
        "localhost:5000/team/a:1",
        "localhost:5000/team/b:1",
    ]


def test_what_two_globs_bring_to_one_place_from_two_is_a_conflict() -> None:
    team, other = (make_glob_rule("*", base=base, target="localhost:5000/{name}") for base in ("team", "other"))
    wants = make_wants(expanded(team, other).rules, {})
    assert [str(want.source) for want in wants if isinstance(want, Want)] == ["quay.io/team/b:1"]
    assert [want.kind for want in wants if isinstance(want, Failure)] == ["conflict", "conflict"]


def test_a_found_repository_without_tags_is_an_empty_selection() -> None:
    """Some registries go on listing a repository whose last tag was deleted, and know nothing of it then."""
    source = Repository(REGISTRY, "team/a")
    gone = {source: Broken("name unknown", "not-found")}
    for on_empty, kind in ((OnEmpty.WARN, Skip), (OnEmpty.FAIL, Failure)):
        rule = make_glob_rule("team/*", "1.*", on_empty=on_empty)
        (want,) = make_wants([rule.for_repository("team/a")], gone)
        assert isinstance(want, kind)
    (named,) = make_wants([make_rule("1.*", source=source, on_empty=OnEmpty.WARN)], gone)
    assert isinstance(named, Failure)


def test_a_plan_files_copy_is_one_that_a_glob_of_the_spec_would_find() -> None:
    spec = make_spec(make_glob_rule())

    def copy(source: str, destination: str) -> Plan:
        content = make_manifest("a")
        return Plan(
            (
                Copy(
                    rule="bases/team/a",
                    place=spec.rules[0].place,
                    source=replace(make_reference(Repository(REGISTRY, source), "1"), digest=content.digest),
                    destination=make_reference(Repository("localhost:5000", destination), "1"),
                    root=content.descriptor,
                ),
            )
        )

    check_yielded(copy("team/a", "team/a"), spec)
    for source, destination in (("team/a", "team/b"), ("team/a/b", "team/a/b"), ("other/a", "other/a")):
        with pytest.raises(PlanFileError, match="no rule of the spec yields"):
            check_yielded(copy(source, destination), spec)
