"""Retag: what a kept tag is called at the destination."""

from __future__ import annotations

import pytest
from hypothesis import given

from imagesync.errors import InvalidReference
from imagesync.reference import Digest, Tag
from imagesync.selection import Retag, Version
from tests.selection.values import TAGS


@pytest.mark.parametrize(
    ("template", "tag", "expected"),
    [
        ("{tag}", "1.27", "1.27"),
        ("{tag}-mirror", "latest", "latest-mirror"),
        ("{major}.{minor}", "v1.27.3", "1.27"),
        ("{patch}", "1.27.3", "3"),
        ("{major}-{suffix}", "3.13-slim", "3-slim"),
        ("fixed", "1.27", "fixed"),
    ],
)
def test_a_template_names_the_tag_at_the_destination(template: str, tag: str, expected: str) -> None:
    assert Retag(template).apply(Tag(tag)) == expected


@pytest.mark.parametrize(
    ("template", "tag", "said"),
    [
        ("{major}", "latest", "needs a version"),
        ("{patch}", "1.27", "needs a patch number"),
        ("{tag}/x", "1", "not a tag"),
        ("{suffix}", "1.0", "not a tag"),
    ],
)
def test_a_tag_that_the_template_cannot_name_is_refused(template: str, tag: str, said: str) -> None:
    with pytest.raises(InvalidReference, match=said):
        Retag(template).apply(Tag(tag))


def test_a_map_names_every_tag_or_refuses_it() -> None:
    retag = Retag(names=(("1.27", "stable"), ("1.28", "edge")))
    assert retag.apply(Tag("1.27")) == "stable"
    with pytest.raises(InvalidReference) as caught:
        retag.apply(Tag("1.29"))
    assert caught.value.hint == "add `1.29: NEW-TAG`"
    with pytest.raises(InvalidReference, match="not a tag"):
        Retag(names=(("1", "-x"),)).apply(Tag("1"))


@pytest.mark.parametrize(
    ("template", "problems"),
    [
        ("{tag}-{major}", ()),
        ("plain", ()),
        ("{Tag}", ("{Tag} is not known",)),
        ("{date}{x}", ("{date} is not known", "{x} is not known")),
        ("{tag", ("'{tag' has an unpaired brace",)),
        ("tag}", ("'tag}' has an unpaired brace",)),
        ("{}", ("{} is not known",)),
    ],
)
def test_a_template_that_is_wrong_for_every_tag_says_so(template: str, problems: tuple[str, ...]) -> None:
    assert Retag(template).problems() == problems


@given(TAGS)
def test_the_default_changes_no_name(tag: Tag) -> None:
    assert Retag().apply(tag) == tag


def test_a_template_may_name_the_digest_that_the_spec_says() -> None:
    digest = Digest(f"sha256:{'0123456789abcdef' * 4}")
    assert Retag("{tag}-{digest}").apply(Tag("1.0"), digest=digest) == "1.0-0123456789ab"
    with pytest.raises(InvalidReference, match="named without one"):
        Retag("{tag}-{digest}").apply(Tag("1.0"))


def test_a_template_takes_the_version_that_was_found_in_the_tag() -> None:
    version = Version((1, 2, 3), variant="-slim")
    assert Retag("{major}.{minor}-{suffix}").apply(Tag("release-1.2.3-slim"), version) == "1.2-slim"
