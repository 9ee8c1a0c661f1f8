"""The search for attachments: what is asked of both sides, and what comes of the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from imagesync.manifest import Content
from imagesync.plan.actions import Attach, Copy, Failure, Keep, Waiting
from imagesync.plan.attachments import tag_of
from imagesync.plan.diff import diff
from imagesync.plan.image import Overview, images_of
from imagesync.plan.inventory import Broken, Head, Inventory, NotRead, Present
from imagesync.plan.questions import HasReferrersApi, ListAttachmentTags, Question, ReadHead, ReadManifest
from imagesync.plan.reading import look_into, seen_already
from imagesync.plan.wants import make_wants
from imagesync.reference import Reference, Repository, Tag
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType
from tests.images import list_of, make_artifact, make_index, make_referrer, make_signature
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_reference, make_rule
from tests.plan.world import World

SIGNATURES, REFERRERS = AttachmentType.SIGNATURES, AttachmentType.REFERRERS
MADE = make_index(layers=1)
INDEX, CHILDREN = MADE.root, MADE.children
SIGNATURE = make_signature(INDEX.digest, "alice").root
SIGNATURE_TAG, LIST_TAG = tag_of(INDEX.digest, SIGNATURES), tag_of(INDEX.digest, REFERRERS)
SBOM = make_referrer(INDEX)
RULE = replace(make_rule("latest"), attachments=ALL_ATTACHMENTS)
LATEST = Tag("latest")
SOURCE, DESTINATION = make_reference(HUB_NGINX, "latest"), make_reference(LOCAL_NGINX, "latest")


def kept() -> World:
    """The image is on both sides."""
    world = World()
    for repository in (HUB_NGINX, LOCAL_NGINX):
        world.put(repository, LATEST, *CHILDREN, INDEX)
    return world


def look(world: World, rule: Any = RULE, **overview: Any) -> Any:
    """The action that comes of the one tag."""
    wants = make_wants([rule], {})
    heads: dict[Reference, Head] = {
        reference: world.head(ReadHead(reference, "source")) for reference in (SOURCE, DESTINATION)
    }
    images = images_of(wants, heads)
    inventories = [world.run(look_into(image, Overview(heads, **overview))) for image in images]
    inventory: Inventory = inventories[0] if inventories else seen_already(wants, heads).inventory
    (action,) = diff(wants, inventory).actions
    return action


def test_without_a_tag_of_attachments_the_list_and_the_probe_are_all_that_is_asked() -> None:
    """Decisions 2."""
    world = kept()
    assert isinstance(look(world), Keep)
    probe = HasReferrersApi(HUB_NGINX.registry, HUB_NGINX, INDEX.digest, "source")
    assert world.asked == [ListAttachmentTags(HUB_NGINX), probe]


def test_a_list_that_a_filter_has_read_is_not_read_again() -> None:
    world = kept()
    look(world, attachment_tags={HUB_NGINX: frozenset()})
    assert [type(question) for question in world.asked] == [HasReferrersApi]


def test_who_wants_no_referrers_asks_nobody_whether_there_are_any() -> None:
    world = kept()
    look(world, replace(RULE, attachments=frozenset({SIGNATURES})))
    assert world.asked == [ListAttachmentTags(HUB_NGINX)]


def test_without_attachments_nothing_is_asked() -> None:
    world = kept()
    assert isinstance(look(world, make_rule("latest")), Keep)
    assert world.asked == []


def test_within_one_repository_nothing_is_asked() -> None:
    world = kept()
    wants = make_wants([replace(RULE, source=LOCAL_NGINX)], {})
    assert images_of(wants, {DESTINATION: Present(INDEX.descriptor)}) == ()
    assert world.asked == []


def test_a_signature_that_the_destination_lacks_is_attached_and_children_are_read_there() -> None:
    world = kept()
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    world.put(HUB_NGINX, tag_of(CHILDREN[0].digest, SIGNATURES), make_signature(CHILDREN[0].digest, "alice").root)
    action = look(world)
    assert isinstance(action, Attach)
    assert action.note == "2 signatures to add"
    assert [copy.destination.tag for copy in action.attachments] == [
        SIGNATURE_TAG,
        tag_of(CHILDREN[0].digest, SIGNATURES),
    ]
    assert world.reads()[0] == ("destination", INDEX.digest)
    assert ("source", INDEX.digest) not in world.reads()
    assert all(blob in action.attachments[0].missing for blob in SIGNATURE.successors())


def test_what_is_equal_on_both_sides_is_not_read_but_for_lists() -> None:
    world = kept()
    for repository in (HUB_NGINX, LOCAL_NGINX):
        world.put(repository, SIGNATURE_TAG, SIGNATURE)
        world.put(repository, LIST_TAG, SBOM.root, list_of(SBOM).root)
    assert isinstance(look(world), Keep)
    assert world.reads() == [("destination", INDEX.digest), ("destination", list_of(SBOM).digest)]


def test_what_differs_is_read_on_both_sides_and_of_a_list_only_what_is_lacking() -> None:
    world = kept()
    ours, theirs = make_referrer(INDEX, "ours"), make_referrer(INDEX, "theirs")
    world.put(LOCAL_NGINX, LIST_TAG, ours.root, list_of(ours).root)
    world.put(HUB_NGINX, LIST_TAG, ours.root, theirs.root, list_of(ours, theirs).root)
    action = look(world)
    assert isinstance(action, Attach)
    (copy,) = action.attachments
    assert (copy.replaces, action.note) == (list_of(ours).digest, "1 referrer to add")
    assert ("source", theirs.digest) in world.reads()
    assert ("source", ours.digest) not in world.reads()


def test_a_destination_that_has_more_lacks_nothing() -> None:
    world = kept()
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    world.put(LOCAL_NGINX, SIGNATURE_TAG, make_signature(INDEX.digest, "ours", "alice").root)
    assert isinstance(look(world), Keep)


def test_a_new_image_carries_its_attachments() -> None:
    world = kept()
    del world.tags[LOCAL_NGINX, LATEST]
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    action = look(world)
    assert isinstance(action, Copy)
    assert [copy.root.digest for copy in action.attachments] == [SIGNATURE.digest]
    assert action.note == "1 signature to add"


def test_a_registry_lists_and_the_other_does_too() -> None:
    """RFR-01: by digest, without a tag."""
    world = kept()
    world.list(HUB_NGINX, INDEX.digest, SBOM.root)
    world.apis.add(LOCAL_NGINX.registry)
    action = look(world)
    assert isinstance(action, Attach)
    (copy,) = action.attachments
    assert (copy.source.tag, copy.destination) == (None, Reference(LOCAL_NGINX, None, SBOM.digest))
    world.list(LOCAL_NGINX, INDEX.digest, SBOM.root)
    assert isinstance(look(world), Keep)


def test_a_registry_lists_and_the_other_keeps_the_list_under_a_tag() -> None:
    """RFR-04, RFR-06."""
    world = kept()
    world.list(HUB_NGINX, INDEX.digest, SBOM.root)
    ours = list_of(make_referrer(INDEX, "ours"))
    world.put(LOCAL_NGINX, LIST_TAG, ours.root)
    action = look(world)
    assert isinstance(action, Attach)
    (copy,) = action.attachments
    assert (copy.source.tag, copy.destination.tag, copy.replaces) == (None, LIST_TAG, ours.digest)
    world.put(LOCAL_NGINX, LIST_TAG, list_of(SBOM).root)
    assert isinstance(look(world), Keep)


def test_a_registry_that_lists_makes_a_list_under_a_tag_needless() -> None:
    world = kept()
    world.put(HUB_NGINX, LIST_TAG, SBOM.root, list_of(SBOM).root)
    world.apis |= {HUB_NGINX.registry, LOCAL_NGINX.registry}
    assert isinstance(look(world), Keep)


def test_what_names_another_subject_is_no_referrer() -> None:
    """RFR-07."""
    world = kept()
    world.list(HUB_NGINX, INDEX.digest, make_artifact("no subject").root, make_referrer(CHILDREN[0]).root)
    assert isinstance(look(world), Keep)


def test_attachments_of_attachments_are_found_and_a_circle_ends() -> None:
    """RFR-07."""
    world = kept()
    proof = make_referrer(SBOM.root, "proof")
    world.put(HUB_NGINX, LIST_TAG, SBOM.root, list_of(SBOM).root)
    world.put(HUB_NGINX, tag_of(SBOM.digest, REFERRERS), proof.root, list_of(proof).root)
    world.put(HUB_NGINX, tag_of(proof.digest, REFERRERS), SBOM.root, list_of(SBOM).root)
    action = look(world)
    assert isinstance(action, Attach)
    assert len(action.attachments) == 3


@pytest.mark.parametrize("tag", [SIGNATURE_TAG, LIST_TAG])
def test_a_tag_that_holds_something_else_fails_the_image(tag: Any) -> None:
    """RFR-02."""
    world = kept()
    wrong: Content = list_of(SBOM).root if tag is SIGNATURE_TAG else SIGNATURE
    world.put(HUB_NGINX, tag, SBOM.root, wrong)
    action = look(world)
    assert isinstance(action, Failure)
    assert "what it points to is something else" in action.reason
    assert action.hint is not None
    assert action.hint.startswith("delete or rename that tag; `attachments: none` ")


def test_two_that_cannot_be_united_fail_the_image() -> None:
    """RFR-02, at the destination."""
    world = kept()
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    world.put(LOCAL_NGINX, SIGNATURE_TAG, list_of(SBOM).root)
    assert isinstance(look(world), Failure)


@pytest.mark.parametrize(
    "question",
    [
        ListAttachmentTags(HUB_NGINX),
        HasReferrersApi(HUB_NGINX.registry, HUB_NGINX, INDEX.digest, "source"),
        ReadHead(Reference(HUB_NGINX, SIGNATURE_TAG), "source"),
        ReadHead(Reference(LOCAL_NGINX, SIGNATURE_TAG), "destination"),
        ReadManifest(HUB_NGINX, SIGNATURE.digest, "source"),
        ReadManifest(LOCAL_NGINX, INDEX.digest, "destination"),
    ],
)
def test_what_cannot_be_read_fails_the_image_and_names_the_way_without(question: Question) -> None:
    world = kept()
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    world.answers[question] = Broken("boom", "network")
    action = look(world)
    assert isinstance(action, Failure)
    assert action.reason == "attachments: boom"
    assert action.hint == "`attachments: none` copies images without what speaks of them"


def test_what_a_budget_does_not_cover_waits() -> None:
    world = kept()
    world.put(HUB_NGINX, SIGNATURE_TAG, SIGNATURE)
    world.answers[ReadManifest(HUB_NGINX, SIGNATURE.digest)] = NotRead("the budget is spent", "budget", "wait", 0)
    action = look(world)
    assert isinstance(action, Waiting)
    assert (action.hint, action.exit_code) == ("wait", 0)


def test_a_tag_that_is_gone_by_now_is_no_attachment() -> None:
    world = kept()
    look(world, attachment_tags={HUB_NGINX: frozenset({SIGNATURE_TAG})})
    assert isinstance(look(world, attachment_tags={HUB_NGINX: frozenset({SIGNATURE_TAG})}), Keep)


def test_an_image_that_cannot_be_read_fails_where_its_attachments_are_wanted_too() -> None:
    """One destination has it, another has not: what speaks of it is not known for either."""
    world = kept()
    other = Repository("quay.io", "nginx")
    rule = replace(RULE, destinations=(LOCAL_NGINX, other))
    wants = make_wants([rule], {})
    references = (SOURCE, DESTINATION, make_reference(other, "latest"))
    heads: dict[Reference, Head] = {one: world.head(ReadHead(one, "source")) for one in references}
    world.answers[ReadManifest(HUB_NGINX, INDEX.digest)] = Broken("boom", "network")
    (image,) = images_of(wants, heads)
    inventory = world.run(look_into(image, Overview(heads)))
    assert [type(action) for action in diff(wants, inventory).actions] == [Failure, Failure]
