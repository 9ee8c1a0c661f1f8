"""What is new in a lock, and what a plan and a report say of a tag that left it."""

from __future__ import annotations

from dataclasses import replace

from imagesync.plan.following import UpstreamMoved
from imagesync.plan.locking import Renewal
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Tag
from imagesync.report.lock import render_renewal
from imagesync.report.text import render_plan, render_report
from imagesync.spec.pins import Lock, Pin
from tests.report.values import make_conflict, make_copy, make_digest, make_keep, make_plan, make_report

MOVED = UpstreamMoved(make_digest("7"))


def make_lock(**digests: str) -> Lock:
    return Lock.of(Pin("quay.io/app", Tag(tag), Digest(make_digest(letter))) for tag, letter in digests.items())


def test_a_renewal_has_a_line_for_each_tag_and_counts_them() -> None:
    renewal = Renewal("sync.lock", make_lock(a="1", b="2"), make_lock(b="3", c="4"), is_changed=True)
    assert render_renewal(renewal, is_check=False).splitlines() == [
        "  - quay.io/app:a",
        f"  ~ quay.io/app:b  {make_digest('2').short} → {make_digest('3').short}",
        f"  + quay.io/app:c  {make_digest('4').short}",
        "sync.lock holds 2 tags: 1 added, 1 moved, 1 removed.",
    ]
    assert render_renewal(renewal, is_check=True).endswith("sync.lock would hold 2 tags: 1 added, 1 moved, 1 removed.")


def test_a_lock_that_stays_says_so() -> None:
    renewal = Renewal("sync.lock", make_lock(a="1"), make_lock(a="1"), is_changed=False)
    assert render_renewal(renewal, is_check=True) == "No changes. sync.lock holds 1 tag."


def test_a_tag_that_stays_is_shown_where_its_source_moved() -> None:
    said = f"upstream moved: the source has {make_digest('7').short} now"
    plan = make_plan(replace(make_keep(), moved=MOVED), make_keep("mirror/other:1"))
    text = render_plan(plan, color=False, verbose=False)
    assert f"= alpine:3.20  {make_digest('a').short}  {said}" in text
    assert "other:1" not in text
    assert "No changes. 2 tags are as the spec wants them, 1 upstream moved." in text


def test_a_tag_that_changes_says_behind_its_line_that_its_source_moved() -> None:
    gone = replace(make_copy(), moved=UpstreamMoved(None))
    text = render_plan(make_plan(gone), color=False, verbose=False)
    assert "(upstream moved: the source has that tag no more)" in text
    assert "1 upstream moved, 0 unchanged" in text


def test_an_immutable_tag_that_differs_from_the_lock_says_so() -> None:
    conflict = replace(make_conflict(), moved=MOVED)
    assert f"the lock has {conflict.source.digest.short if conflict.source.digest else ''}" in conflict.reason


def test_a_report_tells_and_counts_what_moved_upstream() -> None:
    outcomes = (
        Outcome(replace(make_keep(), moved=MOVED), Status.UNCHANGED),
        Outcome(replace(make_copy(), moved=MOVED), Status.COPIED),
    )
    text = render_report(make_report(*outcomes), color=False, verbose=False)
    assert text.count("upstream moved: the source has") == 2
    assert "2 upstream moved" in text.splitlines()[-1]
