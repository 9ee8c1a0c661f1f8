"""The report as JSON."""

from __future__ import annotations

import json
from typing import Any

from imagesync import __version__
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import settled
from imagesync.report.json import report_to_json
from tests.report.values import (
    HOSTILE,
    make_assumed,
    make_attach,
    make_blocked,
    make_conflict,
    make_copy,
    make_digest,
    make_failed,
    make_keep,
    make_report,
    make_skip,
    sample_report,
)


def outcome_of(outcome: Outcome) -> dict[str, Any]:
    (found,) = json.loads(report_to_json(make_report(outcome)))["outcomes"]
    assert isinstance(found, dict)
    return found


def test_a_conflict_and_what_is_assumed_are_told_apart() -> None:
    conflict, assumed = make_conflict(), make_assumed()
    report = make_report(settled(conflict), settled(assumed))
    document = json.loads(report_to_json(report))
    blocked, taken = document["outcomes"]
    assert (blocked["status"], blocked["kind"]) == ("blocked", "immutable")
    assert (blocked["source_digest"], blocked["destination_digest"]) == (make_digest("a"), make_digest("b"))
    assert (taken["status"], taken["source_digest"], taken["destination_digest"]) == ("assumed", None, None)
    assert (document["summary"]["blocked"], document["summary"]["assumed"]) == (1, 1)


def test_the_head_counts_everything() -> None:
    document = json.loads(report_to_json(sample_report()))
    assert list(document) == [
        *("format_version", "imagesync", "unit", "specs", "summary", "outcomes"),
        *("pulls", "warnings", "found", "due", "traffic"),
    ]
    assert (document["format_version"], document["imagesync"]) == (1, __version__)
    assert document["specs"] == [{"path": "sync.yaml", "sha256": "0" * 64}]
    assert document["summary"] == {
        "changes": 1,
        "added": 1,
        "updated": 0,
        "copied": 1,
        "attached": 0,
        "deleted": 0,
        "unchanged": 2,
        "assumed": 0,
        "skipped": 1,
        "blocked": 1,
        "waiting": 0,
        "stale": 1,
        "failed": 2,
        "cancelled": 0,
        "drifted": 0,
        "upstream_moved": 0,
        "bytes_copied": 71_200_000,
        "bytes_mounted": 0,
        "bytes_skipped": 0,
        "requests": 23,
        "seconds": 4.2,
        "exit_code": 1,
    }
    assert document["traffic"][0] == {
        "host": "docker.io",
        "requests": {"GET blob": 4, "GET manifest": 5},
        "bytes_read": 71_200_000,
        "bytes_written": 0,
        "retries": 1,
        "pauses": 0,
    }


def test_a_copied_tag_says_from_which_digest_to_which() -> None:
    outcome = Outcome(
        make_copy(replaces="9"), Status.COPIED, bytes_copied=7, bytes_mounted=5, bytes_skipped=3, seconds=1.23456
    )
    assert outcome_of(outcome) == {
        "status": "copied",
        "rule": "bases/nginx",
        "place": {"file": "sync.yaml", "line": 6, "column": 9},
        "subject": "registry.internal:5000/mirror/nginx:1.27.3",
        "source": f"docker.io/library/nginx:1.27.3@{make_digest('4')}",
        "source_digest": make_digest("4"),
        "destination": "registry.internal:5000/mirror/nginx:1.27.3",
        "destination_digest": make_digest("4"),
        "cause": None,
        "made_here": False,
        "previous": None,
        "alias": None,
        "creates": None,
        "upstream_moved": None,
        "replaces": make_digest("9"),
        "platforms": ["linux/amd64", "linux/arm64", "linux/arm/v7"],
        "verdicts": [],
        "attachments": [],
        "reason": None,
        "hint": None,
        "kind": None,
        "bytes_copied": 7,
        "bytes_mounted": 5,
        "bytes_skipped": 3,
        "seconds": 1.235,
    }


def test_a_kept_tag_has_the_digest_of_its_source() -> None:
    assert outcome_of(Outcome(make_keep(), Status.UNCHANGED))["destination_digest"] == make_digest("a")


def test_what_was_not_written_has_no_destination_digest_but_a_reason() -> None:
    for outcome in (make_failed(make_copy()), Outcome(make_blocked(), Status.BLOCKED, "why")):
        found = outcome_of(outcome)
        assert found["destination_digest"] is None
        assert found["source_digest"] is not None
        assert found["reason"] == outcome.reason


def test_a_skip_has_no_sides() -> None:
    found = outcome_of(Outcome(make_skip(), Status.SKIPPED, "why"))
    assert (found["subject"], found["source"], found["destination"]) == ("docker.io/library/busybox", None, None)


def test_every_outcome_has_the_same_keys() -> None:
    outcomes = json.loads(report_to_json(sample_report()))["outcomes"]
    assert len({tuple(outcome) for outcome in outcomes}) == 1


def test_the_text_is_ascii_and_the_same_each_time() -> None:
    text = report_to_json(make_report(make_failed(make_copy(), HOSTILE)))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert json.loads(text)["outcomes"][0]["reason"] == HOSTILE
    assert text == report_to_json(make_report(make_failed(make_copy(), HOSTILE)))


def test_attachments_stand_with_their_digests() -> None:
    found = outcome_of(Outcome(make_attach(), Status.ATTACHED))
    assert (found["status"], found["destination_digest"]) == ("attached", make_digest("4"))
    tag = f"sha256-{'4' * 64}.sig"
    assert found["attachments"] == [
        {
            "source": f"docker.io/library/nginx:{tag}@{make_digest('5')}",
            "source_digest": make_digest("5"),
            "destination": f"registry.internal:5000/mirror/nginx:{tag}",
            "replaces": make_digest("6"),
        }
    ]
