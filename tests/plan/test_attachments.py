"""Attachments: which tags speak of a digest, and how many a plan adds, in words."""

from __future__ import annotations

import pytest

from imagesync.plan.attachments import attachment_tags, in_words, kind_of, tag_of, tags_of
from imagesync.reference import Digest, Tag
from imagesync.spec.model import ALL_ATTACHMENTS, AttachmentType

DIGEST = Digest("sha256:" + "a" * 64)
LONG = Digest("sha512:" + "b" * 128)


def test_each_type_has_a_tag_of_its_own_for_a_digest() -> None:
    assert list(tags_of([DIGEST], ALL_ATTACHMENTS)) == [
        f"sha256-{'a' * 64}.sig",
        f"sha256-{'a' * 64}.att",
        f"sha256-{'a' * 64}.sbom",
        f"sha256-{'a' * 64}",
    ]
    assert list(tags_of([DIGEST], {AttachmentType.SBOMS})) == [f"sha256-{'a' * 64}.sbom"]


def test_a_long_digest_is_cut_as_the_tag_schema_says() -> None:
    assert tag_of(LONG, AttachmentType.REFERRERS) == f"sha512-{'b' * 64}"


@pytest.mark.parametrize("kind", list(AttachmentType))
def test_a_tag_tells_its_type(kind: AttachmentType) -> None:
    assert kind_of(tag_of(DIGEST, kind)) is kind


def test_other_tags_have_no_type_and_what_has_no_tag_is_a_referrer() -> None:
    assert kind_of(None) is AttachmentType.REFERRERS
    assert kind_of(Tag("latest")) is None
    assert kind_of(Tag(f"sha256-{'a' * 64}.txt")) is None


def test_a_list_without_such_tags_offers_nothing() -> None:
    assert attachment_tags([Tag("latest"), Tag("sha256-short")]) == frozenset()


def test_what_is_added_is_counted_by_type() -> None:
    signature, referrer = (AttachmentType.SIGNATURES, 1), (AttachmentType.REFERRERS, 1)
    assert in_words([signature, referrer, signature]) == "2 signatures, 1 referrer to add"
    assert in_words([(AttachmentType.SBOMS, 1), (AttachmentType.ATTESTATIONS, 3)]) == "3 attestations, 1 SBOM to add"
    assert in_words([]) == ""
