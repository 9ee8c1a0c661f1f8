"""Markdown: exact text, and that nothing foreign leaves its fence or its code span."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.plan.outcome import Outcome, Status
from imagesync.report.github import MAX_SUMMARY_BYTES
from imagesync.report.markdown import MAX_BYTES, MAX_COMMENT_BYTES, code_span, fence_around, render_plan, render_report
from tests.report.values import (
    HOSTILE,
    make_blocked,
    make_copy,
    make_failed,
    make_failure,
    make_keep,
    make_plan,
    make_report,
    make_skip,
    sample_plan,
)

PLAN = """\
**Plan: 2 to add, 1 to update, 1 skipped, 1 blocked, 1 failed, 2 unchanged. 71.2 MB to copy.**

| | image | what happened | what to do | in the spec |
|---|---|---|---|---|
| failed | `registry.internal:5000/mirror/redis:7.4` | `source is gone` | `look for it` | `sync.yaml:9:9` |
| blocked | `registry.internal:5000/mirror/app:2.0.0` | `not in the approved plan` |  | `sync.yaml:6:9` |
| skipped | `docker.io/library/busybox` | `no tag is selected` |  | `sync.yaml:10:9` |

```diff
@@ registry.internal:5000/mirror @@
+ nginx:1.27.3                        sha256:444444444444  3 platforms  71.2 MB to copy, 28.9 MB already there
~ nginx:latest  sha256:999999999999 → sha256:444444444444  3 platforms  0 B to copy, 71.2 MB as above, 28.9 MB already there
! app:2.0.0     blocked: not in the approved plan
@@ other.internal/ghost @@
+ app:1                               sha256:cccccccccccc               0 B to copy (not readable, will try)
```
"""  # noqa: E501


def test_a_plan_is_counts_a_table_of_troubles_and_a_diff() -> None:
    assert render_plan(sample_plan()) == PLAN


def test_a_run_without_changes_is_one_line() -> None:
    assert render_plan(make_plan(make_keep())) == "**No changes. 1 tag is as the spec wants it.**\n"


def test_a_long_list_is_folded() -> None:
    text = render_plan(make_plan(*(make_copy(f"mirror/app:{number}") for number in range(60))))
    assert "<details><summary>Tag by tag: 61 lines</summary>\n\n```diff\n" in text
    assert text.rstrip().endswith("```\n\n</details>")


def test_a_huge_report_is_cut_with_a_pointer() -> None:
    reason = "x" * 600
    outcomes = [make_failed(make_copy(f"mirror/app:f{number}"), reason) for number in range(1500)]
    outcomes += [Outcome(make_copy(f"mirror/app:b{number}"), Status.STALE, reason) for number in range(1500)]
    text = render_report(make_report(*outcomes))
    assert len(text.encode()) <= MAX_BYTES < MAX_SUMMARY_BYTES
    assert text.count("`--report FILE.json` and `plan -o FILE` have them all.") == 2
    assert text.count("```") == 2


def test_a_huge_plan_fits_into_a_comment_with_its_counts_and_says_how_much_it_leaves_out() -> None:
    """Most of what went wrong is told, and half of the room is for what would be done."""
    copies = [make_copy(f"mirror/app{number}:1.{number}") for number in range(5000)]
    failures = [make_failure(f"a.example/b:{number}", "é" * 400) for number in range(500)]
    text = render_plan(make_plan(*copies, *failures), max_bytes=MAX_COMMENT_BYTES)
    assert MAX_COMMENT_BYTES - 2000 < len(text.encode()) <= MAX_COMMENT_BYTES < 65_536
    assert text.startswith("**Plan: 5000 to add, 0 to update, 500 failed, 0 unchanged.")
    rows, lines = text.count("\n| failed |"), text.count("\n+ app")
    assert f"{500 - rows} lines more: " in text
    assert f"{5000 - lines} lines more: " in text
    assert text.count("<details>") == text.count("</details>") == 2 - (rows <= 40)


def test_without_failures_all_of_a_comment_is_for_what_would_be_done() -> None:
    text = render_plan(
        make_plan(*map(make_copy, map("mirror/app:{}".format, range(2000)))), max_bytes=MAX_COMMENT_BYTES
    )
    assert MAX_COMMENT_BYTES - 2000 < len(text.encode()) <= MAX_COMMENT_BYTES


@given(st.text(st.characters()) | st.text("`|\\ \n<@#!["))
def test_a_code_span_cannot_be_left(text: str) -> None:
    span = code_span(text)
    assert span == "" or (span[0] == span[-1] == "`" and len(span) > 2)
    assert not set(span[1:-1]) & set("`|\r\n")
    assert span.isprintable()


@given(st.lists(st.text("`~ a<").filter(lambda line: line.isprintable()), max_size=4))
def test_a_fence_cannot_be_closed_from_within(lines: list[str]) -> None:
    opening, *inside, closing = fence_around(lines).split("\n")
    assert inside == lines
    assert opening == f"{closing}diff"
    assert not any(closing in line for line in inside)


def test_hostile_text_becomes_no_html_link_mention_or_line() -> None:
    """As a CommonMark parser sees it: one paragraph, one table, one fence, and code wherever the text is."""
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    plan = make_plan(
        make_copy(note=HOSTILE), make_failure(HOSTILE, HOSTILE, HOSTILE), make_skip(HOSTILE), make_blocked(HOSTILE)
    )
    tokens = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").parse(render_plan(plan))
    children = [child for token in tokens for child in token.children or []]
    assert not [token.type for token in [*tokens, *children] if token.type.startswith(("html", "link", "image"))]
    assert [token.type for token in tokens].count("fence") == 1
    assert [token.type for token in tokens].count("table_open") == 1
    assert not [child.content for child in children if child.type == "text" and "@" in child.content]
