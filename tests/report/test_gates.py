"""What gates say, in text, Markdown and annotations: no less for who looks there alone, and no secret way to CI."""

from __future__ import annotations

import re
from dataclasses import replace

from imagesync.gates import Ruling, Verdict
from imagesync.plan.actions import Action, Blocked, Waiting, WaitsFor
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import settled
from imagesync.report import markdown, text
from imagesync.report.github import annotations_of_plan, annotations_of_report
from imagesync.report.model import Report
from tests.report.values import make_copy, make_plan, make_waiting

REASON = "no signature by the key release.pub"
NO = Verdict("signed", Ruling.BLOCKED, REASON, "sign it")
SOFT = Verdict("small", Ruling.WARNED, "linux/amd64: 2000 bytes", "the gate allows 1KB")
YES = Verdict("hours", Ruling.PASSED, "open")


def blocked() -> Blocked:
    return Blocked(copy=replace(make_copy("mirror/app:2.0.0"), verdicts=(YES, NO)), reason=str(NO), hint=NO.hint)


def waiting() -> Waiting:
    reason = "gate hours: closed; opens Mon 08:00 Europe/Berlin"
    return replace(make_waiting(exit_code=0), reason=reason, waits_for=WaitsFor.GATE, verdicts=(YES,))


def warned() -> Action:
    return replace(make_copy("mirror/app:3.0.0"), verdicts=(YES, SOFT))


def report_of(*actions: Action) -> Report:
    return Report(make_plan(*actions), tuple(settled(action) for action in actions), 1.0)  # type: ignore[arg-type]


def test_a_line_says_which_gate_blocks_and_what_would_help() -> None:
    said = rf"blocked by gate signed: {re.escape(REASON)}\n +→ sign it\n"
    for shown in (
        text.render_plan(make_plan(blocked()), color=False, verbose=False),
        text.render_report(report_of(blocked()), color=False, verbose=False),
        markdown.render_plan(make_plan(blocked())),
        markdown.render_report(report_of(blocked())),
    ):
        assert re.search(said, shown)


def test_a_line_says_for_what_an_image_waits() -> None:
    plan = text.render_plan(make_plan(waiting()), color=False, verbose=False)
    assert "waits: gate hours: closed; opens Mon 08:00 Europe/Berlin" in plan
    assert "1 waiting" in plan


def test_a_warning_stands_on_the_line_of_its_copy_and_every_verdict_below_it_on_demand() -> None:
    plan = make_plan(warned())
    assert "(warns: gate small: linux/amd64: 2000 bytes)" in text.render_plan(plan, color=False, verbose=False)
    verbose = text.render_plan(plan, color=False, verbose=True)
    assert "passed: gate hours: open" in verbose
    assert "warned: gate small: linux/amd64: 2000 bytes" in verbose


def test_annotations_are_errors_for_blocks_warnings_for_warnings_and_notices_for_what_waits() -> None:
    lines = annotations_of_plan(make_plan(blocked(), warned(), waiting())).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice", "::warning"]
    assert f"gate signed: {REASON}%0Asign it" in lines[0]
    assert "gate small: linux/amd64: 2000 bytes" in lines[2]
    copied = Report(make_plan(warned()), (Outcome(warned(), Status.COPIED),), 1.0)
    assert "passes with a warning" in annotations_of_report(copied)


def test_a_hostile_reason_stays_on_its_line() -> None:
    hostile = replace(blocked(), reason="gate signed: x\n::error::y\x1b[2J")
    for shown in (
        text.render_plan(make_plan(hostile), color=False, verbose=True),
        markdown.render_plan(make_plan(hostile)),
        annotations_of_plan(make_plan(hostile)),
    ):
        assert "\x1b" not in shown
        assert "\n::error::y" not in shown
