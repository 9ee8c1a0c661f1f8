"""What is due at stages, in text, Markdown and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from imagesync.plan.actions import Plan
from imagesync.plan.unit import Due
from imagesync.reference import Tag
from imagesync.report import markdown, text
from imagesync.report.json import report_to_json
from imagesync.report.sentences import due_lines
from tests.report.values import sample_report

HERE = Due("shop", "staging", Tag("1.5.0"))
NOTED = Due("shop", "staging", Tag("1.5.0"), "1.6.0 is not at dev yet: worker lacks it")
NOTHING = Due("shop", "live", None, "it is held at 1.4.0 by `x`\n::error::")


def test_each_stage_has_a_line() -> None:
    assert due_lines(Plan((), due=(HERE, NOTED, NOTHING))) == [
        "Due at shop/staging: 1.5.0",
        "Due at shop/staging: 1.5.0 (1.6.0 is not at dev yet: worker lacks it)",
        r"Due at shop/live: nothing, since it is held at 1.4.0 by `x`\n::error::",
    ]


def test_it_stands_above_the_counts_of_a_plan_and_of_a_report() -> None:
    plan = Plan((), due=(HERE,))
    assert text.render_plan(plan, color=False, verbose=False).splitlines() == [
        "Due at shop/staging: 1.5.0",
        "No changes.",
    ]
    report = sample_report()
    report = replace(report, plan=replace(report.plan, due=(HERE,)))
    assert "Due at shop/staging: 1.5.0" in text.render_report(report, color=False, verbose=False)
    assert "- `Due at shop/staging: 1.5.0`" in markdown.render_report(report)
    assert json.loads(report_to_json(report))["due"][0]["version"] == "1.5.0"


def test_in_markdown_it_is_code_and_leaves_room_for_the_rest() -> None:
    shown = markdown.render_plan(Plan((), due=(NOTHING,) * 2000), max_bytes=20_000)
    assert len(shown.encode()) < 20_000
    assert shown.splitlines()[2] == r"- `Due at shop/live: nothing, since it is held at 1.4.0 by 'x'\n::error::`"
    assert "lines more:" in shown
