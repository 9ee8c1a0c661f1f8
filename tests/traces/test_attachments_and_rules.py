"""Attachments of tags of which a rule says more: immutable, trusted, selected from a list, kept when replaced."""

from __future__ import annotations

import pytest

from imagesync.plan.actions import Attach
from imagesync.plan.attachments import tag_of
from imagesync.plan.conformity import check_yielded
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Status
from imagesync.selection import Retag
from tests.images import make_image, push_image
from tests.plan.values import make_immutable
from tests.traces.attaching import IMAGE, SIGNATURES, sign, statuses, there
from tests.traces.harness import Sync, kinds

SIGNED = tag_of(IMAGE.digest, SIGNATURES)


def puts(classic: Sync) -> list[str]:
    """The tags and digests that were written, in that order."""
    return [entry.path.rpartition("/")[2] for entry in classic.destination.log.entries("PUT", "/manifests/")]


def test_a_trusted_tag_is_trusted_whole(classic: Sync) -> None:
    """Of a tag that the destination lists nothing else is asked: not what it is, and not what speaks of it."""
    classic.immutable = make_immutable("v*", trusts_list=True)
    classic.fill(IMAGE, "v1")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    push_image(classic.destination.repository("mirror/app"), IMAGE, "v1")
    assert statuses(classic.apply("v1")) == [Status.ASSUMED]
    assert kinds(classic.source) == {}
    assert kinds(classic.destination) == {"GET tags": 1}


def test_nothing_that_speaks_of_an_image_is_looked_for_where_its_tag_is_in_conflict(classic: Sync) -> None:
    classic.immutable = make_immutable("v*")
    classic.fill(IMAGE, "v1")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    push_image(classic.destination.repository("mirror/app"), make_image("of another hand"), "v1")
    assert statuses(classic.apply("v1")) == [Status.BLOCKED]
    assert kinds(classic.source) == kinds(classic.destination) == {"HEAD manifests": 1}


@pytest.mark.parametrize("is_saved", [True, False])
def test_a_signature_comes_to_an_immutable_tag_that_stays(classic: Sync, is_saved: bool) -> None:
    classic.immutable = make_immutable("v*")
    classic.fill(IMAGE, "v1")
    classic.apply("v1")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    plan = classic.plan("v1")
    if is_saved:
        plan = plan_from_json(plan_to_json(plan), name="plan")
        check_yielded(plan, classic.spec(["v1"], ["mirror/app"]))
    assert [type(action) for action in plan.actions] == [Attach]
    assert statuses(classic.apply(plan=plan)) == [Status.ATTACHED]
    assert [entry.path.rpartition("/")[2] for entry in classic.destination.log.entries("PUT", "/manifests/")] == [
        SIGNED
    ]


def test_a_list_that_tags_were_selected_from_is_not_read_again(classic: Sync) -> None:
    classic.fill(IMAGE, "v1")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    assert statuses(classic.apply("v*")) == [Status.COPIED]
    assert kinds(classic.source)["GET tags"] == 1
    assert SIGNED in classic.destination.repository("mirror/app").list_tags()


@pytest.mark.parametrize("is_saved", [True, False])
def test_what_a_tag_was_is_kept_before_it_moves_and_signatures_of_both_stay(classic: Sync, is_saved: bool) -> None:
    classic.keep_previous = Retag("{tag}-previous")
    source, new = classic.source.repository("app"), make_image("new", layers=1)
    classic.fill(IMAGE, "latest")
    old_signature = sign(source, IMAGE.digest, "alice")
    classic.apply("latest")
    classic.fill(new, "latest")
    new_signature = sign(source, new.digest, "bob")
    plan = classic.plan("latest")
    if is_saved:
        plan = plan_from_json(plan_to_json(plan), name="plan")
        check_yielded(plan, classic.spec(["latest"], ["mirror/app"]))
    assert statuses(classic.apply(plan=plan)) == [Status.COPIED]
    assert puts(classic) == [new.digest, tag_of(new.digest, SIGNATURES), "latest-previous", "latest"]
    assert there(classic, "latest-previous").root.digest == IMAGE.digest
    assert there(classic, SIGNED).root.digest == old_signature.digest
    assert there(classic, tag_of(new.digest, SIGNATURES)).root.digest == new_signature.digest


def test_two_destinations_of_which_one_is_trusted_look_for_attachments_at_the_other(classic: Sync) -> None:
    classic.immutable = make_immutable("v*", trusts_list=True)
    classic.fill(IMAGE, "v1")
    sign(classic.source.repository("app"), IMAGE.digest, "alice")
    push_image(classic.destination.repository("mirror/app"), IMAGE, "v1")
    assert set(statuses(classic.apply("v1", to=("mirror/app", "mirror/two")))) == {Status.ASSUMED, Status.COPIED}
    assert classic.destination.repository("mirror/app").list_tags() == ("v1",)
    assert SIGNED in classic.destination.repository("mirror/two").list_tags()
