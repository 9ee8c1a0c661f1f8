"""Wants: which destination tags a rule asks for."""

from __future__ import annotations

from imagesync.plan.actions import Failure, Skip
from imagesync.plan.inventory import Broken
from imagesync.plan.wants import Want, lists_needed, make_wants, select
from imagesync.reference import Repository, Tag, TagList
from imagesync.selection import Extract, PlatformPattern, Platforms, Retag, TagFilter, VersionRange, Versions
from imagesync.spec.model import OnEmpty
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_manifest, make_rule

LISTED = {HUB_NGINX: tuple(Tag(tag) for tag in ("1.26", "1.27", "latest", "sha256-" + "a" * 64 + ".sig"))}


def destinations(wants: object) -> list[str]:
    assert isinstance(wants, tuple)
    return [str(want.destination) for want in wants if isinstance(want, Want)]


def test_exact_tags_ask_for_no_list() -> None:
    assert lists_needed([make_rule("latest", "1.27")]) == ()


def test_a_glob_asks_for_the_list_once() -> None:
    assert lists_needed([make_rule("1.*"), make_rule("/2.*/")]) == (HUB_NGINX,)


def test_a_digest_asks_for_no_list() -> None:
    assert lists_needed([make_rule("1.27", digest=make_manifest("a").digest)]) == ()


def test_a_glob_wants_each_tag_that_matches_and_no_signature() -> None:
    assert destinations(make_wants([make_rule("1.*", "sha256-*")], LISTED)) == [
        "localhost:5000/nginx:1.26",
        "localhost:5000/nginx:1.27",
    ]


def test_every_destination_gets_every_tag() -> None:
    other = Repository("other.example", "nginx")
    wants = make_wants([make_rule("a", "b", destinations=(LOCAL_NGINX, other))], {})
    assert destinations(wants) == [
        "localhost:5000/nginx:a",
        "other.example/nginx:a",
        "localhost:5000/nginx:b",
        "other.example/nginx:b",
    ]


def test_retag_names_the_destination_tag() -> None:
    assert destinations(make_wants([make_rule("1.27", retag=Retag("{tag}-mirror"))], {})) == [
        "localhost:5000/nginx:1.27-mirror"
    ]


def test_a_retag_that_cannot_be_applied_fails_that_tag_alone() -> None:
    wants = make_wants([make_rule("latest", "1.27", retag=Retag("{major}"))], {})
    assert destinations(wants) == ["localhost:5000/nginx:1"]
    (failure,) = [want for want in wants if isinstance(want, Failure)]
    assert failure.subject == "docker.io/library/nginx:latest"
    assert "needs a version" in failure.reason


def test_two_sources_for_one_destination_tag_both_fail_and_name_each_other() -> None:
    other = make_rule("1.27", source=Repository("quay.io", "nginx"), line=9)
    wants = make_wants([make_rule("1.27", "latest"), other], {})
    assert destinations(wants) == ["localhost:5000/nginx:latest"]
    reasons = [want.reason for want in wants if isinstance(want, Failure)]
    assert len(reasons) == 2
    assert "quay.io/nginx:1.27 (sync.yaml:9:11)" in reasons[0]
    assert "docker.io/library/nginx:1.27 (sync.yaml:6:11)" in reasons[1]


def test_two_tags_retagged_to_one_are_a_conflict() -> None:
    wants = make_wants([make_rule("1.26", "1.27", retag=Retag("{major}"))], {})
    assert [type(want) for want in wants] == [Failure, Failure]


def test_the_same_want_twice_is_one() -> None:
    assert destinations(make_wants([make_rule("1.27"), make_rule("1.27")], {})) == ["localhost:5000/nginx:1.27"]


def test_a_list_that_cannot_be_read_fails_the_rule() -> None:
    (failure,) = make_wants([make_rule("1.*")], {HUB_NGINX: Broken("503", "network", "wait")})
    assert isinstance(failure, Failure)
    assert (failure.reason, failure.kind, failure.hint) == ("tags cannot be listed: 503", "network", "wait")


def test_an_empty_selection_fails_unless_told_to_warn() -> None:
    (failure,) = make_wants([make_rule("9.*")], LISTED)
    (skip,) = make_wants([make_rule("9.*", on_empty=OnEmpty.WARN)], LISTED)
    assert isinstance(failure, Failure)
    assert isinstance(skip, Skip)
    assert "all 4 that it lists are dropped (1 by attachments, 3 by include)" in failure.reason


def test_select_tells_why_each_tag_is_dropped() -> None:
    selection = select(make_rule("1.*"), LISTED)
    assert not isinstance(selection, Broken)
    assert {drop.reason for drop in selection.dropped} == {
        "matches no pattern",
        "holds signatures or referrers of a digest",
    }


def test_two_selected_versions_that_are_retagged_to_one_are_a_conflict() -> None:
    """A retag is one to one: of each minor version there would have to be one tag."""
    listed = {HUB_NGINX: tuple(Tag(tag) for tag in ("1.26.1", "1.26.2", "1.27.0"))}
    versions = TagFilter((Versions(VersionRange.parse("1.x")),))
    wants = make_wants([make_rule(tag_filter=versions, retag=Retag("{major}.{minor}"))], listed)
    assert destinations(wants) == ["localhost:5000/nginx:1.27"]
    reasons = [want.reason for want in wants if isinstance(want, Failure)]
    assert reasons == [
        f"{HUB_NGINX}:1.26.1 would be written there, and so would {HUB_NGINX}:1.26.2 (sync.yaml:6:11)",
        f"{HUB_NGINX}:1.26.2 would be written there, and so would {HUB_NGINX}:1.26.1 (sync.yaml:6:11)",
    ]


def test_a_retag_takes_the_version_that_extract_finds() -> None:
    listed = {HUB_NGINX: (Tag("release-1.27.3"),)}
    versions = TagFilter((Versions(VersionRange.parse("1.x"), extract=Extract.parse("/release-(?P<version>.*)/")),))
    wants = make_wants([make_rule(tag_filter=versions, retag=Retag("{major}.{minor}"))], listed)
    assert destinations(wants) == ["localhost:5000/nginx:1.27"]


def test_a_retag_may_name_the_digest_of_an_image_that_is_named_by_it() -> None:
    digest = make_manifest("a").digest
    wants = make_wants([make_rule("1.27", digest=digest, retag=Retag("{tag}-{digest}"))], {})
    assert destinations(wants) == [f"localhost:5000/nginx:1.27-{digest.encoded[:12]}"]


def test_what_a_source_lists_that_is_no_tag_is_dropped_and_counted() -> None:
    """TAG-05."""
    selection = select(make_rule("*"), {HUB_NGINX: TagList.of(["1.27", "../../x", "\x1b[31m"])})
    assert not isinstance(selection, Broken)
    assert selection.kept == ("1.27",)
    assert [(drop.tag, drop.step) for drop in selection.dropped] == [("\x1b[31m", "legal"), ("../../x", "legal")]


def test_one_tag_with_other_platforms_of_the_same_source_is_a_conflict() -> None:
    """Found when filters have selected: neither is written."""
    narrow = Platforms.of([PlatformPattern.parse("linux/amd64")])
    rules = [make_rule("1.27*", line=5), make_rule("1.2*", line=9, platforms=narrow)]
    failures = [want for want in make_wants(rules, LISTED) if isinstance(want, Failure)]
    assert [failure.subject for failure in failures] == ["localhost:5000/nginx:1.27"] * 2
    assert failures[0].reason == (
        "docker.io/library/nginx:1.27 would be written there, and so would "
        "docker.io/library/nginx:1.27 with linux/amd64 (sync.yaml:9:11)"
    )
    assert len(destinations(make_wants([rules[1], rules[1]], LISTED))) == 2
