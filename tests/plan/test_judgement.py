"""Judgement: what a destination's answers mean for what a spec promises, over plain values."""

from __future__ import annotations

from typing import Any

import pytest

from imagesync.plan.findings import Kind
from imagesync.plan.inventory import Absent, Attachment, Broken, Present, Unreadable
from imagesync.plan.judgement import (
    as_if_absent,
    judge_bytes,
    judge_heads,
    judge_lacking,
    judge_manifest,
    judge_size,
    not_known,
    root_of,
    sum_up,
    too_large,
    unsearched,
)
from imagesync.plan.questions import HasBlob, ListReferrers, ReadHead, ReadManifest
from imagesync.plan.wants import Want, make_wants
from imagesync.reference import Reference, Repository
from imagesync.spec.model import AttachmentType, OnEmpty
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_inventory, make_manifest, make_reference, make_rule

OLD, NEW = make_manifest("old"), make_manifest("new")
SOURCE, THERE = make_reference(HUB_NGINX, "1"), make_reference(LOCAL_NGINX, "1")
(WANT,) = (want for want in make_wants([make_rule("1")], {}) if isinstance(want, Want))
BLOB = NEW.successors()[0]
HAS_BLOB, READ = HasBlob(LOCAL_NGINX, BLOB.digest, BLOB), ReadManifest(LOCAL_NGINX, NEW.digest)
GONE, WRONG, CUT = Broken("gone", "not-found"), Broken("hashes to another", "integrity"), Broken("no route", "network")


def heads(source: Any, there: Any) -> Any:
    return make_inventory({SOURCE: source, THERE: there}).heads


@pytest.mark.parametrize(
    ("source", "there", "kind"),
    [
        (NEW, NEW, None),
        (NEW, OLD, Kind.OTHER_DIGEST),
        (NEW, None, Kind.MISSING_TAG),
        (NEW, CUT, Kind.UNREADABLE),
        (NEW, Unreadable("denied"), Kind.UNREADABLE),
        (None, NEW, Kind.UNREADABLE),
        (CUT, NEW, Kind.UNREADABLE),
    ],
)
def test_a_tag_is_right_where_it_has_what_the_source_has(source: Any, there: Any, kind: Kind | None) -> None:
    judged = judge_heads([WANT], heads(source, there))
    assert [finding.kind for finding in judged.values()] == ([kind] if kind else [])


@pytest.mark.parametrize(("answer", "kind"), [(GONE, Kind.MISSING_CHILD), (WRONG, Kind.OTHER_BYTES)])
def test_a_manifest_is_there_whole_or_it_is_a_finding(answer: Broken, kind: Kind) -> None:
    assert judge_manifest(READ, NEW) is None
    found = judge_manifest(READ, answer)
    assert found is not None
    assert (found.kind, found.subject) == (kind, f"{LOCAL_NGINX}@{NEW.digest}")


@pytest.mark.parametrize(
    ("answer", "kind"), [(None, Kind.MISSING_BLOB), (BLOB.size_bytes + 1, Kind.OTHER_SIZE), (CUT, Kind.UNREADABLE)]
)
def test_a_blob_has_its_size_or_it_is_a_finding(answer: Any, kind: Kind) -> None:
    assert judge_size(HAS_BLOB, BLOB.size_bytes) is None
    found = judge_size(HAS_BLOB, answer)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    ("answer", "kind"), [(GONE, Kind.MISSING_BLOB), (WRONG, Kind.OTHER_BYTES), (CUT, Kind.UNREADABLE)]
)
def test_a_blobs_bytes_are_those_of_its_digest_or_it_is_a_finding(answer: Broken, kind: Kind) -> None:
    assert judge_bytes(HAS_BLOB, BLOB) is None
    found = judge_bytes(HAS_BLOB, answer)
    assert found is not None
    assert found.kind is kind


@pytest.mark.parametrize(
    ("count", "reason"), [(1, "1 signature, in {}, that is not there"), (2, "2 signatures, in {}, that are not there")]
)
def test_an_attachment_that_is_at_the_source_alone_is_missing(count: int, reason: str) -> None:
    source = Reference(HUB_NGINX, None, NEW.digest)
    found = judge_lacking(Attachment(AttachmentType.SIGNATURES, source, THERE, None, count))
    assert found.kind is Kind.MISSING_ATTACHMENT
    assert found.reason == f"the source has {reason.format(NEW.digest.short)}"


def test_what_has_something_wrong_below_it_is_incomplete_and_what_is_missing_is_not() -> None:
    missing, wrong = judge_heads([WANT], heads(NEW, None))[WANT], judge_size(HAS_BLOB, None)
    assert wrong is not None
    signature = Reference(LOCAL_NGINX, None, OLD.digest)
    summed = sum_up(WANT, heads(NEW, NEW), [(THERE, missing), (signature, wrong), (signature, wrong)])
    assert summed.findings == (missing, wrong)
    assert summed.incomplete == {signature}
    assert summed.source == Reference(HUB_NGINX, SOURCE.tag, NEW.digest)
    assert root_of(WANT, heads(NEW, NEW)) == READ


def test_what_is_incomplete_is_answered_for_as_if_it_were_not_there() -> None:
    tag, listed = ReadHead(THERE, "destination"), ListReferrers(LOCAL_NGINX, NEW.digest, "destination")
    by_digest = Reference(LOCAL_NGINX, None, OLD.digest)
    assert as_if_absent(tag, Present(NEW.descriptor), {THERE}) == Absent()
    assert as_if_absent(tag, Present(NEW.descriptor), {by_digest}) == Present(NEW.descriptor)
    assert as_if_absent(ReadHead(THERE, "source"), Present(NEW.descriptor), {THERE}) == Present(NEW.descriptor)
    assert as_if_absent(listed, (OLD.descriptor, NEW.descriptor), {by_digest}) == (NEW.descriptor,)
    elsewhere = Reference(Repository("localhost:5000", "other"), None, OLD.digest)
    assert as_if_absent(listed, (OLD.descriptor,), {elsewhere}) == (OLD.descriptor,)
    assert as_if_absent(listed, CUT, {by_digest}) is CUT


def test_what_nobody_can_know_is_unreadable_and_what_may_be_empty_promises_nothing() -> None:
    broken = make_wants([make_rule("1.*")], {HUB_NGINX: CUT})
    empty = make_wants([make_rule("1.*", on_empty=OnEmpty.WARN)], {HUB_NGINX: ()})
    assert [finding.kind for tag in not_known(broken[0]) for finding in tag.findings] == [Kind.UNREADABLE]  # type: ignore[arg-type]
    assert not_known(empty[0]) == ()  # type: ignore[arg-type]
    assert (unsearched(WANT, CUT).kind, unsearched(WANT, CUT).subject) == (Kind.UNREADABLE, str(THERE))
    assert too_large(READ).kind is Kind.UNREADABLE
