"""Reading: which questions an image asks, in which rounds, and when an empty repository is asked about once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from imagesync.manifest import Content, Descriptor
from imagesync.plan.image import Image, Overview, images_of, perhaps_empty
from imagesync.plan.inventory import Absent, Broken, Inventory, Present
from imagesync.plan.questions import HasBlob, IsEmpty, Question, ReadManifest
from imagesync.plan.reading import look_into, probes, seen_already
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Repository
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_index,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
)

AMD, ARM, OLD = make_manifest("base", "amd"), make_manifest("base", "arm"), make_manifest("old")
INDEX = make_index(AMD, ARM)
CONTENTS: dict[str, Content] = {content.digest: content for content in (AMD, ARM, OLD, INDEX)}


def image_of(root: Content, *wants: tuple[str, Repository]) -> tuple[Image, dict[Any, Any]]:
    """The one image of tags that the source has and the destinations do not, and its heads."""
    heads: dict[Any, Any] = {}
    found: list[Want] = []
    for tag, destination in wants:
        heads[make_reference(HUB_NGINX, tag)] = Present(root.descriptor)
        heads[make_reference(destination, tag)] = Absent()
        found += [
            want for want in make_wants([make_rule(tag, destinations=[destination])], {}) if isinstance(want, Want)
        ]
    (image,) = images_of(found, heads)
    return image, heads


def look(
    image: Image, heads: dict[Any, Any], answer: Callable[[Question], object]
) -> tuple[list[Sequence[Question]], Inventory]:
    """All rounds of questions that are not empty, and what was seen in the end."""
    rounds = look_into(image, Overview(heads, perhaps_empty([image], heads)))
    asked: list[Sequence[Question]] = []
    try:
        questions = next(rounds)
        while True:
            asked += [questions] if questions else []
            questions = rounds.send({question: answer(question) for question in questions})
    except StopIteration as end:
        return asked, end.value


def known(question: Question) -> object:
    """Every manifest can be read, and no blob is there."""
    return CONTENTS[question.digest] if isinstance(question, ReadManifest) else False


def test_tags_that_are_equal_on_both_sides_need_no_look() -> None:
    """MAN-16."""
    wants = make_wants([make_rule("latest")], {})
    heads = make_inventory({make_reference(HUB_NGINX, "latest"): AMD, make_reference(LOCAL_NGINX, "latest"): AMD}).heads
    assert images_of(wants, heads) == ()
    assert seen_already(wants, heads).wants == wants


def test_all_tags_of_one_digest_are_one_image() -> None:
    image, _ = image_of(AMD, ("1.27", LOCAL_NGINX), ("latest", LOCAL_NGINX), ("latest", Repository("quay.io", "n")))
    assert len(image.wants) == 3
    assert image.destinations == (LOCAL_NGINX, Repository("quay.io", "n"))


def test_manifests_are_read_by_digest_level_by_level_and_then_each_blob_is_asked_for_once() -> None:
    asked, seen = look(*image_of(INDEX, ("latest", LOCAL_NGINX)), known)
    kinds = [{type(question) for question in questions} for questions in asked]
    assert kinds == [{ReadManifest}, {ReadManifest}, {IsEmpty}, {HasBlob}]
    assert [len(questions) for questions in asked] == [1, 2, 1, 5]
    assert set(seen.contents) == {INDEX.digest, AMD.digest, ARM.digest}
    assert seen.present == {LOCAL_NGINX: frozenset()}


def test_an_empty_repository_is_not_asked_blob_by_blob() -> None:
    asked, seen = look(*image_of(INDEX, ("latest", LOCAL_NGINX)), lambda q: isinstance(q, IsEmpty) or known(q))
    assert [type(questions[0]) for questions in asked] == [ReadManifest, ReadManifest, IsEmpty]
    assert seen.present == {LOCAL_NGINX: frozenset()}


def test_a_few_blobs_are_asked_for_at_once() -> None:
    asked, _ = look(*image_of(AMD, ("latest", LOCAL_NGINX)), known)
    assert [type(questions[0]) for questions in asked] == [ReadManifest, HasBlob]


def test_many_small_images_for_one_repository_make_it_worth_a_look() -> None:
    heads: dict[Any, Any] = {}
    wants: list[Want] = []
    for tag, root in (("a", AMD), ("b", ARM), ("c", OLD)):
        image, more = image_of(root, (tag, LOCAL_NGINX))
        heads |= more
        wants += image.wants
    images = images_of(wants, heads)
    assert perhaps_empty(images, heads) == {LOCAL_NGINX: 3}
    rounds = look_into(images[2], Overview(heads, perhaps_empty(images, heads)))
    (question,) = next(rounds)
    (question,) = rounds.send({question: OLD})
    assert isinstance(question, IsEmpty)


def test_a_repository_that_holds_a_wanted_tag_is_not_empty() -> None:
    image, heads = image_of(INDEX, ("latest", LOCAL_NGINX))
    heads[make_reference(LOCAL_NGINX, "other")] = Present(OLD.descriptor)
    assert perhaps_empty([image], heads) == {}


def test_two_images_ask_one_question_about_one_repository_and_one_blob() -> None:
    blob, again = AMD.successors()[0], Descriptor("x/y", AMD.successors()[0].digest, AMD.successors()[0].size_bytes)
    assert IsEmpty(LOCAL_NGINX, (blob,)) == IsEmpty(LOCAL_NGINX, ())
    assert HasBlob(LOCAL_NGINX, blob.digest, blob) == HasBlob(LOCAL_NGINX, blob.digest, again)


def test_within_one_registry_no_blob_is_asked_for() -> None:
    asked, _ = look(*image_of(AMD, ("latest", Repository("docker.io", "mirror/nginx"))), known)
    assert [type(questions[0]) for questions in asked] == [ReadManifest]


def test_a_manifest_that_cannot_be_read_ends_its_image() -> None:
    boom = Broken("boom", "network")
    asked, seen = look(
        *image_of(INDEX, ("latest", LOCAL_NGINX)),
        lambda question: boom if getattr(question, "digest", None) == ARM.digest else known(question),
    )
    assert len(asked) == 2
    assert seen.broken == {INDEX.digest: boom}


def test_the_probes_are_the_largest_and_the_smallest_blob() -> None:
    blobs = [Descriptor("x/y", AMD.digest, size) for size in (5, 1, 9)]
    assert [blob.size_bytes for blob in probes(blobs)] == [9, 1]
    assert probes(blobs[:1]) == (blobs[0],)
    assert probes([]) == ()
