"""Prunes in every form: what would go, what went, what stays and why."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from imagesync.plan.actions import Blocked, Delete, Plan, Purpose, Spared
from imagesync.plan.file import plan_to_json
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import settled
from imagesync.reference import Reference, Repository, Tag
from imagesync.report import markdown, text
from imagesync.report.json import report_to_json
from imagesync.report.junit import report_to_junit
from imagesync.report.model import Report, plan_exit_code
from tests.report.values import HOSTILE, REGISTRY, make_digest, make_failure, make_place

APP = Repository(REGISTRY, "mirror/app")


def make_delete(tag: str, *, note: str = "", digest: str = "4") -> Delete:
    destination = Reference(APP, Tag(tag))
    return Delete(rule="bases/app", place=make_place(), destination=destination, digest=make_digest(digest), note=note)


def make_spared(tag: str, reason: str = "wanted by bases/app") -> Spared:
    destination = Reference(APP, Tag(tag))
    return Spared(rule="bases/app", place=make_place(), destination=destination, reason=reason, digest=make_digest("5"))


def make_prune(*actions: Delete | Spared | Blocked) -> Plan:
    return Plan(tuple(actions), purpose=Purpose.PRUNE)


def rendered(plan: Plan, *, verbose: bool = False) -> str:
    return text.render_plan(plan, color=False, verbose=verbose)


def test_what_would_go_has_a_line_and_what_stays_is_a_count() -> None:
    plan = make_prune(make_delete("1"), make_delete("2", note="tag 3 has it too"), make_spared("3"))
    assert [line.rstrip() for line in rendered(plan).splitlines()] == [
        "registry.internal:5000/mirror",
        "  - app:1  sha256:444444444444",
        "  - app:2  sha256:444444444444  tag 3 has it too",
        "",
        "Prune: 2 tags to delete, 1 stays. Nothing was deleted: --confirm does it.",
    ]


def test_with_verbose_each_tag_that_stays_says_why() -> None:
    plan = make_prune(make_spared("3"), make_spared("4", "protected by stable-*"))
    shown = rendered(plan, verbose=True)
    assert "= app:3" in shown
    assert "wanted by bases/app" in shown
    assert "protected by stable-*" in shown
    assert shown.endswith("Prune: 0 tags to delete, 2 stay.")


def test_what_is_blocked_says_why_and_is_worth_exit_code_3() -> None:
    plan = make_prune(Blocked(copy=make_delete("1"), reason="1 of 2 tags here would go"), make_spared("2"))
    assert "! app:1  blocked: 1 of 2 tags here would go" in rendered(plan)
    assert "Prune: 0 tags to delete, 1 blocked, 1 stays." in rendered(plan)
    assert plan_exit_code(plan, detailed=False) == 3


def test_the_report_counts_what_went_and_names_its_digest() -> None:
    delete, spared = make_delete("1"), make_spared("2")
    outcomes = (Outcome(delete, Status.DELETED), settled(spared))
    report = Report(make_prune(delete, spared), outcomes, seconds=1.2)
    assert text.render_report(report, color=False, verbose=False).endswith(
        "Done: 1 tag deleted, 1 stays. 1.2 s, 0 requests."
    )
    assert "\n- app:1" in markdown.render_report(report)
    document = json.loads(report_to_json(report))
    assert document["summary"]["changes"] == document["summary"]["deleted"] == 1
    gone, stays = document["outcomes"]
    assert (gone["status"], gone["replaces"], gone["destination_digest"]) == ("deleted", make_digest("4"), None)
    assert (stays["status"], stays["destination_digest"]) == ("unchanged", make_digest("5"))
    cases = ET.fromstring(report_to_junit(report)).iter("testcase")
    assert [(case.get("name"), len(case)) for case in cases] == [(f"{APP}:1", 0), (f"{APP}:2", 0)]


def test_the_json_of_a_prune_says_what_it_is_and_what_it_would_do() -> None:
    blocked = Blocked(copy=make_delete("2"), reason="too many")
    document = json.loads(plan_to_json(make_prune(make_delete("1"), blocked, make_spared("3"))))
    assert document["purpose"] == "prune"
    assert document["summary"]["delete"] == document["summary"]["changes"] == 1
    kinds = [(one["action"], one["destination"]["tag"]) for one in document["actions"]]
    assert kinds == [("delete", "1"), ("blocked", "2"), ("spared", "3")]
    assert document["actions"][0]["replaces"] == make_digest("4")


def test_a_hostile_reason_is_escaped() -> None:
    plan = make_prune(make_delete("1", note=HOSTILE), make_spared("2", HOSTILE))
    plan = Plan((*plan.actions, make_failure(HOSTILE, HOSTILE, HOSTILE)), purpose=Purpose.PRUNE)
    assert rendered(plan, verbose=True).replace("\n", "").isprintable()
    outcomes = tuple(Outcome(make_delete(s.value), s, HOSTILE) for s in Status if s is not Status.COPIED)
    report = Report(plan, outcomes, seconds=0)
    assert text.render_report(report, color=False, verbose=True).replace("\n", "").isprintable()
