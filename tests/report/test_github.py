"""GitHub Actions: annotations, outputs, the step summary, and commands that nobody gave."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagesync.errors import Place, Problem, UsageError
from imagesync.plan.outcome import Outcome, Status
from imagesync.report.defused import defuse
from imagesync.report.github import (
    MAX_SUMMARY_BYTES,
    Annotation,
    annotations_of_audit,
    annotations_of_plan,
    annotations_of_problems,
    annotations_of_report,
    append_summary,
    write_outputs,
)
from tests.report.values import (
    HOSTILE,
    make_conflict,
    make_copy,
    make_failure,
    make_plan,
    make_report,
    make_waiting,
    sample_audit,
    sample_plan,
    sample_report,
)

PIECES = ["::", ":", "#", "##[", "##vso[", "[", " ", "\t", "\n", "\r", "\x0b", "\x85", "\u2003", "\ufeff", "error", "a"]


def is_command(line: str) -> bool:
    """What the runner takes for a command: `::` at the start of a trimmed line, `##[` anywhere."""
    return line.strip().lstrip("\ufeff\u200b\u180e \t").startswith("::") or "##[" in line or "##vso[" in line


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text(st.characters()))
@example("::error::owned")
@example("fine\r  ::set-output name=a::b")
@example("\ufeff \u2003::warning::x")
@example("mid line ###[error]x")
@example("::\x0b::")
def test_no_line_is_a_command_once_defused(text: str) -> None:
    safe = defuse(text)
    assert not any(is_command(line) for line in re.split(r"[\r\n]", safe))
    assert not any(is_command(line) for line in safe.splitlines())
    assert safe.replace(" ", "") == text.replace(" ", "")


def test_plain_text_is_left_alone() -> None:
    text = "copied a::b\n## heading\nhttp://[::1]/\n"
    assert defuse(text) == text


def test_an_annotation_escapes_what_would_end_it() -> None:
    annotation = Annotation("error", Place("a,b:c%.yaml", 3, 7), "50%, x: y", "100%\r\nnext: a,b")
    assert str(annotation) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=3,col=7,title=50%25%2C x%3A y::100%25%0D%0Anext: a,b"
    )


def test_a_place_without_a_line_names_the_file_only() -> None:
    assert str(Annotation("error", Place("sync.yaml"), "t", "m")) == "::error file=sync.yaml,title=t::m"


def test_a_plan_annotates_failures_blocks_and_skips_on_their_lines() -> None:
    assert annotations_of_plan(sample_plan()) == (
        "::error file=sync.yaml,line=9,col=9,title=registry.internal%3A5000/mirror/redis%3A7.4 failed::"
        "source is gone%0Alook for it\n"
        "::error file=sync.yaml,line=6,col=9,title=registry.internal%3A5000/mirror/app%3A2.0.0 blocked::"
        "not in the approved plan\n"
        "::notice file=sync.yaml,line=10,col=9,title=docker.io/library/busybox skipped::no tag is selected\n"
    )


def test_a_report_annotates_what_was_not_done() -> None:
    lines = annotations_of_report(sample_report()).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::error", "::warning", "::notice"]


def test_a_conflict_is_an_error_and_what_waits_is_a_warning_unless_a_later_run_brings_it() -> None:
    plan = make_plan(make_conflict(), make_waiting(exit_code=3), make_waiting(exit_code=0))
    lines = annotations_of_plan(plan).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert "immutable tag has sha256%3A" not in lines[0]
    assert "::immutable tag has sha256:" in lines[0]


def test_a_file_is_named_from_the_root_of_the_checkout() -> None:
    failure = make_failure("a.example/b:1")
    assert "file=deploy/images/sync.yaml,line" in annotations_of_plan(make_plan(failure), "deploy/images")
    above = replace(failure, place=Place("../common.yaml", 3, 5))
    assert "file=deploy/common.yaml,line=3" in annotations_of_plan(make_plan(above), "deploy/images")


def test_an_audit_annotates_each_finding_once_on_the_line_of_its_first_tag() -> None:
    lines = annotations_of_audit(sample_audit()).splitlines()
    assert lines[0] == (
        "::error file=sync.yaml,line=6,col=9,title=registry.internal%3A5000/mirror/app@sha256%3A"
        + "b" * 64
        + " missing "
        "blob::the blob of 5 bytes is not there%0Apush it again"
    )
    assert len(lines) == 3


def test_every_mistake_of_a_spec_is_an_error_on_its_line() -> None:
    problems = [Problem(Place("sync.yaml", 3, 5), "`tag` is not known", "did you mean `tags`?")]
    assert annotations_of_problems(problems) == (
        "::error file=sync.yaml,line=3,col=5,title=Mistake in the spec::`tag` is not known%0Adid you mean `tags`?\n"
    )


def test_at_most_ten_of_a_type_are_given_and_the_last_counts_the_rest() -> None:
    failures = [make_failure(f"a.example/b:{number}") for number in range(25)]
    lines = annotations_of_plan(make_plan(*failures)).splitlines()
    assert len(lines) == 10
    assert lines[8].endswith("source is gone%0Alook for it")
    assert lines[9] == "::error file=sync.yaml,title=More of them::16 more; the log has them all"
    assert len(annotations_of_plan(make_plan(*failures[:10])).splitlines()) == 10


def test_a_hostile_reason_stays_one_annotation() -> None:
    text = annotations_of_report(make_report(Outcome(make_copy(), Status.FAILED, HOSTILE, HOSTILE, HOSTILE)))
    assert text.count("\n") == 1
    assert text.count("\r") == 0
    assert "\x1b" not in text


def parse_outputs(text: str) -> dict[str, str]:
    """As the runner reads the file."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        name, separator, delimiter = line.partition("<<")
        if separator:
            value = []
            while (line := next(lines)) != delimiter:
                value.append(line)
            found[name] = "\n".join(value)
    return found


def test_an_output_cannot_add_another(tmp_path: Path) -> None:
    file = tmp_path / "output"
    values = {"changed": "true", "report": "a\nreport<<EOF\nfailed=9\nEOF\n"}
    write_outputs(str(file), values)
    write_outputs(str(file), {"copied": "3"})
    assert parse_outputs(file.read_text()) == {**values, "copied": "3"}


def test_delimiters_are_never_the_same(tmp_path: Path) -> None:
    file = tmp_path / "output"
    write_outputs(str(file), {"a": "1", "b": "2"})
    delimiters = re.findall(r"<<(.+)", file.read_text())
    assert len(set(delimiters)) == 2


def test_a_summary_is_added_until_the_step_has_no_room(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    append_summary(str(file), "first\n")
    append_summary(str(file), "x" * MAX_SUMMARY_BYTES)
    append_summary(str(file), "second")
    assert file.read_text() == "first\n\nsecond\n\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no such.+cannot be written: No such file"):
        write_outputs(str(tmp_path / "no such" / "file"), {"a": "b"})
