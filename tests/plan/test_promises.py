"""Promises: what tags should point to where a source is narrowed, what is read for it, and what a diff makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from imagesync.manifest import Content, Index
from imagesync.plan.actions import Action, Attach, Conflict, Copy, Failure, Keep, Waiting
from imagesync.plan.attachments import tag_of
from imagesync.plan.conformity import check_yielded
from imagesync.plan.contents import CannotRead, Place
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.findings import Kind
from imagesync.plan.image import Image, Overview, images_of
from imagesync.plan.inventory import Absent, Broken, Head, NotRead, Present
from imagesync.plan.judgement import judge_heads, root_of
from imagesync.plan.narrowing import narrow
from imagesync.plan.promises import find_narrowing, promises_of, with_promises
from imagesync.plan.questions import ReadManifest, ReadPlatform
from imagesync.plan.reading import look_into
from imagesync.plan.wants import Want, make_wants
from imagesync.platform import Platform
from imagesync.reference import Reference, Tag
from imagesync.selection import IndexForm, PlatformPattern, Platforms
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType, Rule
from tests.images import descriptor_of, index_of, make_image, make_index, make_signature
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_immutable, make_reference, make_rule, make_spec
from tests.plan.world import World

WHOLE = make_index("whole", attestations=True)
INDEX, (AMD64, ARM64, OF_AMD64, OF_ARM64) = WHOLE.root, WHOLE.children
AMD_PATTERN = PlatformPattern.parse("linux/amd64")
ONE = Platforms.of([AMD_PATTERN])
SPARSE = Platforms.of([AMD_PATTERN], IndexForm.SPARSE)
FLAT = Platforms.of([AMD_PATTERN], IndexForm.FLATTEN)
REQUIRED = Platforms.of([], required=[PlatformPattern.parse("linux/arm64")])
NARROWED = narrow(INDEX, ONE, {}).written
assert NARROWED is not None
SOURCE, THERE = make_reference(HUB_NGINX, "latest"), make_reference(LOCAL_NGINX, "latest")


def rule(platforms: Platforms = ONE, **fields: object) -> Rule:
    return make_rule(platforms=platforms, **fields)  # type: ignore[arg-type]


def seen(there: Content | None, source: Content = INDEX) -> dict[Reference, Head]:
    return {SOURCE: Present(source.descriptor), THERE: Absent() if there is None else Present(there.descriptor)}


def world(*contents: Content) -> World:
    """The whole image, and what else there is to read."""
    return World({content.digest: content for content in (*WHOLE.contents, *contents)})


def planned(of: Rule, heads: Mapping[Reference, Head], answers: World) -> Action:
    """The action for the rule's one tag, once its image was looked into; through a plan file where that holds it."""
    (want,) = make_wants([of], {})
    images = images_of([want], heads)
    inventory = answers.run(look_into(images[0], Overview(heads)))
    plan = diff([want], inventory)
    saved = plan_from_json(plan_to_json(plan), name="plan.json")
    check_yielded(saved, make_spec(of))
    assert saved.actions == plan.actions
    return plan.actions[0]


@pytest.mark.parametrize(
    ("platforms", "root", "children", "left_out"),
    [
        (ONE, NARROWED, (AMD64, OF_AMD64), ()),
        (SPARSE, INDEX, (AMD64, OF_AMD64), (ARM64.digest, OF_ARM64.digest)),
        (FLAT, AMD64, (AMD64,), ()),
        (REQUIRED, INDEX, (AMD64, ARM64, OF_AMD64, OF_ARM64), ()),
    ],
)
def test_what_is_kept_is_read_and_copied_and_nothing_else(
    platforms: Platforms, root: Content, *, children: tuple[Content, ...], left_out: tuple[object, ...]
) -> None:
    answers = world()
    copy = planned(rule(platforms), seen(None), answers)
    assert isinstance(copy, Copy)
    assert (copy.source.digest, copy.root, copy.left_out) == (INDEX.digest, root.descriptor, left_out)
    assert set(answers.reads()) == {("source", one.digest) for one in (INDEX, *children)}
    blobs = {blob.digest for child in children for blob in child.successors()}
    assert {blob.digest for blob in copy.missing} == blobs


@pytest.mark.parametrize(("platforms", "root"), [(ONE, NARROWED), (FLAT, AMD64)])
def test_a_tag_that_is_right_is_kept_after_one_read_of_the_source(platforms: Platforms, root: Content) -> None:
    answers = world()
    keep = planned(rule(platforms), seen(root), answers)
    assert isinstance(keep, Keep)
    assert (keep.source.digest, keep.found) == (INDEX.digest, root.digest)
    assert answers.reads() == [("source", INDEX.digest)]


@pytest.mark.parametrize("platforms", [SPARSE, REQUIRED])
def test_a_tag_that_has_the_sources_digest_is_read_at_the_destination(platforms: Platforms) -> None:
    answers = world()
    keep = planned(rule(platforms), seen(INDEX), answers)
    assert isinstance(keep, Keep)
    assert keep.found == INDEX.digest
    assert answers.reads() == [("destination", INDEX.digest)]


def test_nothing_is_asked_where_it_is_known_that_the_tag_is_right() -> None:
    of = rule()
    (want,) = make_wants([of], {})
    assert isinstance(want, Want)
    heads = {**seen(NARROWED), want.promise: Present(NARROWED.descriptor)}
    assert images_of([want], heads) == ()
    answers = world()
    assert answers.run(with_promises(Image(SOURCE, kept=(want,), platforms=ONE), heads)) == (heads, None)
    assert answers.asked == []


def test_an_immutable_tag_is_in_conflict_with_what_the_source_becomes() -> None:
    conflict = planned(rule(immutable=make_immutable("*")), seen(INDEX), world())
    assert isinstance(conflict, Conflict)
    assert (conflict.found, conflict.narrowed) == (INDEX.digest, NARROWED.digest)
    assert "becomes" in conflict.reason
    assert isinstance(planned(rule(immutable=make_immutable("*")), seen(NARROWED), world()), Keep)


@pytest.mark.parametrize("there", [None, NARROWED])
def test_what_cannot_be_narrowed_fails_and_nothing_more_is_read(there: Content | None) -> None:
    answers = world()
    failure = planned(rule(Platforms.of([PlatformPattern.parse("linux/s390x")])), seen(there), answers)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.reason[:7]) == ("platform", "source ")
    assert len(answers.asked) == 1


def test_what_the_budget_does_not_cover_waits() -> None:
    answers = world()
    answers.answers[ReadManifest(HUB_NGINX, INDEX.digest)] = NotRead("spent", "budget", None, 0)
    waiting = planned(rule(), seen(NARROWED), answers)
    assert isinstance(waiting, Waiting)
    assert waiting.exit_code == 0


def test_a_child_that_cannot_be_read_fails_the_image() -> None:
    answers = world()
    answers.answers[ReadManifest(HUB_NGINX, AMD64.digest)] = Broken("gone", "not-found")
    assert isinstance(planned(rule(), seen(None), answers), Failure)


def test_the_config_of_an_image_tells_where_no_index_does() -> None:
    alone = make_image()
    answers = world(alone.root)
    answers.platforms[alone.root.config.digest] = Platform.parse("linux/amd64")  # type: ignore[union-attr]
    assert isinstance(planned(rule(), seen(None, alone.root), answers), Copy)
    assert [type(one) for one in answers.asked].count(ReadPlatform) == 1
    assert answers.reads().count(("source", alone.digest)) == 2  # the same question, which a survey asks once
    assert isinstance(planned(rule(), seen(None, alone.root), world(alone.root)), Failure)


def test_a_config_that_cannot_be_read_fails_the_image() -> None:
    alone = make_image()
    config = alone.root.config  # type: ignore[union-attr]
    answers = world(alone.root)
    answers.answers[ReadPlatform(HUB_NGINX, config.digest, config, "source")] = Broken("cut", "network")
    failure = planned(rule(), seen(None, alone.root), answers)
    assert isinstance(failure, Failure)
    assert failure.reason == "cut"


def test_an_index_in_an_index_that_is_silent_cannot_be_narrowed() -> None:
    outer = index_of([descriptor_of(INDEX)], [WHOLE])
    answers = world(outer.root)
    with pytest.raises(CannotRead) as caught:
        answers.run(find_narrowing(Place(HUB_NGINX, "source", Tag("1")), outer.digest, ONE))
    assert caught.value.broken.kind == "platform"
    assert f"{INDEX.digest.short} is an index in an index" in caught.value.broken.reason


def test_a_tag_that_an_audit_found_incomplete_is_copied_though_it_is_right() -> None:
    (want,) = make_wants([rule()], {})
    heads = seen(NARROWED)
    (found,) = images_of([want], heads)
    inventory = world().run(look_into(found, Overview(heads, incomplete={THERE})))
    (action,) = diff([want], inventory).actions
    assert isinstance(action, Copy)
    assert action.replaces is None


def test_an_audit_knows_what_every_tag_should_be() -> None:
    wants = make_wants([rule(SPARSE)], {})
    heads = world().run(promises_of(wants, seen(INDEX)))
    assert judge_heads(wants, heads) == {}
    (want,) = wants
    assert isinstance(want, Want)
    assert root_of(want, heads).left_out == {ARM64.digest, OF_ARM64.digest}


@pytest.mark.parametrize(
    ("platforms", "kind"),
    [(ONE, Kind.OTHER_DIGEST), (Platforms.of([PlatformPattern.parse("linux/s390x")]), Kind.OTHER_PLATFORMS)],
)
def test_an_audit_tells_what_is_wrong_with_a_narrowed_tag(platforms: Platforms, kind: Kind) -> None:
    wants = make_wants([rule(platforms)], {})
    (finding,) = judge_heads(wants, world().run(promises_of(wants, seen(INDEX)))).values()
    assert finding.kind is kind


def test_an_audit_without_the_sources_index_does_not_know() -> None:
    wants = make_wants([rule()], {})
    answers = world()
    answers.answers[ReadManifest(HUB_NGINX, INDEX.digest)] = Broken("cut", "network")
    (finding,) = judge_heads(wants, answers.run(promises_of(wants, seen(NARROWED)))).values()
    assert (finding.kind, finding.reason) == (Kind.UNREADABLE, "cut")
    (finding,) = judge_heads(wants, seen(NARROWED)).values()
    assert finding.reason == "what is kept of the source is not known"


@pytest.mark.parametrize("there", [None, NARROWED])
def test_signatures_of_what_is_kept_are_looked_for_and_none_of_the_index(there: Index | None) -> None:
    of = replace(rule(), attachments=ALL_ATTACHMENTS)
    answers = world(NARROWED)
    for digest in (INDEX.digest, AMD64.digest, ARM64.digest):
        signature = make_signature(digest, "alice").root
        answers.put(HUB_NGINX, tag_of(digest, AttachmentType.SIGNATURES), signature)
    action = planned(of, seen(there), answers)
    assert isinstance(action, Copy if there is None else Attach)
    assert [str(one.destination.tag) for one in action.attachments] == [tag_of(AMD64.digest, AttachmentType.SIGNATURES)]
    known = {**seen(NARROWED), make_wants([of], {})[0].promise: Present(NARROWED.descriptor)}  # type: ignore[union-attr]
    remembered = planned(of, known, answers)
    assert isinstance(remembered, Attach)
    assert [one.source for one in remembered.attachments] == [one.source for one in action.attachments]
