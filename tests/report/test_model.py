"""Counts, order and exit codes."""

from __future__ import annotations

import pytest

from imagesync.plan.actions import Action, Plan
from imagesync.plan.outcome import Outcome, Status
from imagesync.report.model import plan_exit_code, troubles_of_plan, troubles_of_report
from tests.report.values import (
    make_blocked,
    make_copy,
    make_failed,
    make_failure,
    make_keep,
    make_plan,
    make_report,
    make_skip,
    sample_plan,
    sample_report,
)

COPIED = Outcome(make_copy(), Status.COPIED)
FAILED = make_failed(make_copy("a/b:1"))
STALE = Outcome(make_copy("a/b:2"), Status.STALE, "moved", exit_code=3)
IMMUTABLE = Outcome(make_copy("a/b:3"), Status.FAILED, "immutable", kind="immutable", exit_code=3)
SPEC = Outcome(make_copy("a/b:4"), Status.FAILED, "wrong", exit_code=4)
CANCELLED = Outcome(make_copy("a/b:5"), Status.CANCELLED, "interrupted", exit_code=130)


@pytest.mark.parametrize(
    ("outcomes", "exit_code"),
    [
        ([], 0),
        ([COPIED, Outcome(make_keep(), Status.UNCHANGED), Outcome(make_skip(), Status.SKIPPED, "x")], 0),
        ([COPIED, STALE], 3),
        ([IMMUTABLE], 3),
        ([STALE, FAILED], 1),
        ([FAILED, SPEC, STALE], 4),
        ([SPEC, FAILED, CANCELLED], 130),
        ([Outcome(make_copy(), Status.FAILED, "no code was given")], 1),
        ([Outcome(make_blocked(), Status.BLOCKED, "no code was given")], 3),
        ([Outcome(make_copy(), Status.FAILED, "a code of no class", exit_code=77)], 1),
    ],
)
def test_the_worst_outcome_decides_the_exit_code(outcomes: list[Outcome], exit_code: int) -> None:
    assert make_report(*outcomes).exit_code == exit_code


@pytest.mark.parametrize(
    ("actions", "plain", "detailed"),
    [
        ([make_keep(), make_skip()], 0, 0),
        ([make_copy()], 0, 2),
        ([make_copy(), make_blocked()], 3, 3),
        ([make_copy(), make_blocked(), make_failure()], 1, 1),
    ],
)
def test_pending_changes_show_in_the_exit_code_only_when_asked_for(
    actions: list[Action], plain: int, detailed: int
) -> None:
    plan = make_plan(*actions)
    assert plan_exit_code(plan, detailed=False) == plain
    assert plan_exit_code(plan, detailed=True) == detailed


def test_counts_are_by_status_and_bytes_are_added_up() -> None:
    report = sample_report()
    assert (report.added, report.updated, report.count(Status.UNCHANGED), report.count(Status.FAILED)) == (1, 0, 2, 2)
    assert (report.bytes_copied, report.bytes_mounted) == (71_200_000, 0)


def test_outcomes_come_in_the_order_of_the_plan() -> None:
    assert [outcome.action for outcome in sample_report().in_order()] == list(sample_plan().actions)


def test_troubles_are_the_worst_first_with_their_place_in_the_spec() -> None:
    planned = troubles_of_plan(sample_plan())
    assert [trouble.status for trouble in planned] == [Status.FAILED, Status.BLOCKED, Status.SKIPPED]
    assert str(planned[0].place) == "sync.yaml:9:9"
    done = troubles_of_report(sample_report())
    assert [trouble.status.value for trouble in done] == ["failed", "failed", "stale", "blocked", "skipped"]
    assert done[0].source.startswith("docker.io/library/nginx:1@sha256:")


def test_an_empty_plan_has_no_trouble() -> None:
    assert troubles_of_plan(Plan(())) == ()
