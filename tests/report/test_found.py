"""What globs over repositories found, in the closing sentence and in the JSON of a plan and of a report."""

from __future__ import annotations

import json
from dataclasses import replace

from imagesync.plan.actions import Plan
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.making import Found
from imagesync.report.json import report_to_json
from imagesync.report.sentences import found_sentences, plan_sentence, report_sentence
from tests.report.values import sample_report

SEVERAL, ONE, NONE = Found("quay.io/team/*", 12), Found("ghcr.io/acme/a*", 1, 2), Found("docker.io/x/*", 0)


def test_a_glob_that_found_something_is_told_with_what_is_no_legal_name() -> None:
    assert found_sentences([SEVERAL, ONE, NONE]) == [
        "quay.io/team/* stands for 12 repositories.",
        "ghcr.io/acme/a* stands for 1 repository, 2 listed names left out as illegal.",
    ]


def test_a_plan_and_a_report_end_with_it() -> None:
    plan = Plan((), found=(SEVERAL,))
    assert plan_sentence(plan).endswith("quay.io/team/* stands for 12 repositories.")
    report = sample_report()
    report = replace(report, plan=replace(report.plan, found=(SEVERAL,)))
    assert report_sentence(report).endswith("quay.io/team/* stands for 12 repositories.")
    found = json.loads(report_to_json(report))["found"]
    assert found == [{"glob": "quay.io/team/*", "repositories": 12, "illegal": 0}]


def test_a_plan_file_tells_it_and_can_be_read_back() -> None:
    text = plan_to_json(Plan((), found=(SEVERAL,)))
    assert json.loads(text)["found"] == [{"glob": "quay.io/team/*", "repositories": 12, "illegal": 0}]
    assert plan_from_json(text, name="plan.json").actions == ()
    assert "found" not in json.loads(plan_to_json(Plan(())))
