"""What the doctor found, as text, JSON and Markdown."""

from __future__ import annotations

import json
import re

import pytest

from imagesync.doctor.check import Check, Diagnosis, Report, Status, Topic
from imagesync.report import doctor_markdown
from imagesync.report.doctor_json import report_to_json
from imagesync.report.doctor_rows import SIGNS, doctor_sentence
from imagesync.report.doctor_text import render_doctor

HOST = "registry.example.org"


def report(*checks: Check) -> Report:
    return Report((Diagnosis(HOST, ("source", "destination"), checks),), requests=3, seconds=1.25)


def pull(path: str, status: Status = Status.OK) -> Check:
    return Check(Topic.PULL, status, "can be read", about=path)


EVERY_STATUS = report(*(Check(Topic.NAME, status, f"it is {status.value}", "do that") for status in Status))


def test_every_status_has_a_sign_of_its_own_and_color_adds_nothing_to_the_words() -> None:
    plain, colored = (render_doctor(EVERY_STATUS, color=color) for color in (False, True))
    assert re.sub(r"\x1b\[[0-9]*m", "", colored) == plain != colored
    assert len(set(SIGNS.values())) == len(Status)
    assert [line for line in plain.splitlines() if "it is" in line] == [
        f"  {SIGNS[status]} name        it is {status.value}" for status in Status
    ]


def test_what_to_do_stands_on_a_line_of_its_own() -> None:
    lines = render_doctor(EVERY_STATUS, color=False).splitlines()
    assert lines[0] == f"{HOST}  source, destination"
    assert lines.count("      → do that") == len(Status)


def test_repositories_of_which_the_same_is_said_share_a_line() -> None:
    found = report(*(pull(path) for path in ("a", "b", "c", "d", "e")), pull("f", Status.FAILED))
    text = render_doctor(found, color=False)
    assert "  ✓ pull        a, b, c and 2 more: can be read\n  ✗ pull        f: can be read\n" in text


def test_the_counts_are_the_last_line() -> None:
    assert doctor_sentence(EVERY_STATUS) == (
        "1 registry: 1 failed, 1 warning, 1 not checked, 1 well. 3 requests in 1.2 s."
    )


def test_no_registry_at_all_is_said() -> None:
    assert render_doctor(Report(()), color=False).startswith("The spec names no registry.\n")


@pytest.mark.parametrize(
    ("status", "code"), [(Status.OK, 0), (Status.WARN, 0), (Status.SKIPPED, 0), (Status.FAILED, 1)]
)
def test_only_a_failure_ends_the_command_with_1(status: Status, code: int) -> None:
    assert report(pull("a"), pull("b", status)).exit_code == code


def test_json_has_every_check_by_itself() -> None:
    found = json.loads(report_to_json(report(pull("a"), pull("b"), Check(Topic.NAME, Status.FAILED, "none", "look"))))
    assert found["summary"] == {
        "registries": 1,
        "ok": 2,
        "warning": 0,
        "failed": 1,
        "skipped": 0,
        "requests": 3,
        "seconds": 1.25,
        "exit_code": 1,
    }
    assert [(check["about"], check["next_step"]) for check in found["registries"][0]["checks"]] == [
        ("a", None),
        ("b", None),
        (None, "look"),
    ]


def test_what_a_server_wrote_stays_on_its_line_and_in_code() -> None:
    hostile = report(Check(Topic.REGISTRY, Status.FAILED, "says \x1b[31m`|\n::error::", "do\nthat"))
    text = render_doctor(hostile, color=False)
    assert r"says \x1b[31m`|\n::error::" in text
    assert r"→ do\nthat" in text
    markdown = doctor_markdown.render_doctor(hostile)
    assert r"`says \x1b[31m'¦\n::error::`" in markdown
