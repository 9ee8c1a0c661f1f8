"""An image that names a subject itself enters the list of that, where the destination's registry makes none."""

from __future__ import annotations

from imagesync.plan.attachments import tag_of
from imagesync.plan.found import Found
from imagesync.plan.inventory import Broken, Pair
from imagesync.plan.questions import HasReferrersApi, ReadHead
from imagesync.plan.referrers import list_entry
from imagesync.reference import Reference
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType
from tests.images import list_of, make_image, make_referrer
from tests.plan.values import HUB_NGINX, LOCAL_NGINX
from tests.plan.world import World

SUBJECT = make_image("subject").root
IMAGE = make_referrer(SUBJECT)
PAIR = Pair(HUB_NGINX, LOCAL_NGINX, ALL_ATTACHMENTS)
LIST = tag_of(SUBJECT.digest, AttachmentType.REFERRERS)


def test_where_there_is_no_list_the_entry_is_to_be_brought() -> None:
    found = World().run(list_entry(PAIR, IMAGE.root))
    assert isinstance(found, Found)
    (attachment,) = found.attachments
    assert attachment.source == Reference(HUB_NGINX, None, IMAGE.digest)
    assert (attachment.destination, attachment.replaces) == (Reference(LOCAL_NGINX, LIST), None)


def test_a_list_that_has_it_needs_nothing_and_one_that_has_others_is_replaced() -> None:
    world = World()
    world.put(LOCAL_NGINX, LIST, IMAGE.root, list_of(IMAGE).root)
    assert world.run(list_entry(PAIR, IMAGE.root)) == Found()
    others = list_of(make_referrer(SUBJECT, "other")).root
    world.put(LOCAL_NGINX, LIST, others)
    found = world.run(list_entry(PAIR, IMAGE.root))
    assert isinstance(found, Found)
    assert [attachment.replaces for attachment in found.attachments] == [others.digest]


def test_a_registry_that_lists_needs_nothing() -> None:
    world = World(apis={LOCAL_NGINX.registry})
    assert world.run(list_entry(PAIR, IMAGE.root)) == Found()


def test_an_image_without_a_subject_and_a_rule_without_referrers_ask_nothing() -> None:
    world = World()
    bare = Pair(HUB_NGINX, LOCAL_NGINX, frozenset({AttachmentType.SIGNATURES}))
    assert world.run(list_entry(PAIR, SUBJECT)) == world.run(list_entry(bare, IMAGE.root)) == Found()
    assert world.asked == []


def test_what_cannot_be_read_says_why_and_names_the_way_without() -> None:
    probe = HasReferrersApi(LOCAL_NGINX.registry, LOCAL_NGINX, SUBJECT.digest, "destination")
    head = ReadHead(Reference(LOCAL_NGINX, LIST), "destination")
    for question in (probe, head):
        found = World(answers={question: Broken("no route", "network")}).run(list_entry(PAIR, IMAGE.root))
        assert isinstance(found, Broken)
        assert found.reason == "attachments: no route"
        assert "`attachments: none`" in (found.hint or "")
