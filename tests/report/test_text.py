"""Plans and reports for a terminal: exact texts, and what may never be missing or let through."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.plan.actions import Action
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import settled
from imagesync.reference import Tag
from imagesync.report.text import render_plan, render_report
from tests.report.values import (
    HOSTILE,
    REGISTRY,
    make_assumed,
    make_attach,
    make_blob,
    make_blocked,
    make_conflict,
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

PLAN = """\
registry.internal:5000/mirror
  + nginx:1.27.3                        sha256:444444444444  3 platforms  71.2 MB to copy, 28.9 MB already there
  ~ nginx:latest  sha256:999999999999 → sha256:444444444444  3 platforms  0 B to copy, 71.2 MB as above, 28.9 MB already there
  ! app:2.0.0     blocked: not in the approved plan

other.internal/ghost
  + app:1                               sha256:cccccccccccc               0 B to copy (not readable, will try)

… docker.io/library/busybox  skipped
    no tag is selected
    bases/busybox, sync.yaml:10:9

x registry.internal:5000/mirror/redis:7.4  failed
    source is gone
    → look for it
    bases/redis, sync.yaml:9:9

Plan: 2 to add, 1 to update, 1 skipped, 1 blocked, 1 failed, 2 unchanged. 71.2 MB to copy."""  # noqa: E501

REPORT = """\
registry.internal:5000/mirror
  + nginx:1.27.3  sha256:444444444444  3 platforms  71.2 MB copied
  ! nginx:latest  stale: the tag pointed to another digest
  ! app:2.0.0     blocked: not in the approved plan

… docker.io/library/busybox  skipped
    no tag is selected
    bases/busybox, sync.yaml:10:9

x other.internal/ghost/app:1  failed
    destination other.internal/ghost/app:1: PUT manifest: 403
    → `imagesync login other.internal`, with an account that may push
    from docker.io/library/nginx:1@sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc, bases/app, sync.yaml:6:9

x registry.internal:5000/mirror/redis:7.4  failed
    source is gone
    → look for it
    bases/redis, sync.yaml:9:9

Not all done: 1 added, 0 updated, 1 skipped, 1 blocked, 1 stale, 2 failed, 2 unchanged. 71.2 MB copied in 4.2 s (17.0 MB/s), 23 requests."""  # noqa: E501

VERBOSE = f"""\
registry.internal:5000/mirror
  ~ nginx:1      sha256:999999999999 → sha256:444444444444  3 platforms  0 B to copy
      from docker.io/library/nginx:1@sha256:{"4" * 64}
      replaces sha256:{"9" * 64}
      bases/nginx, sync.yaml:6:9
  = alpine:3.20                        sha256:aaaaaaaaaaaa
      from docker.io/library/alpine:3.20@sha256:{"a" * 64}
      bases/alpine, sync.yaml:8:9

Plan: 0 to add, 1 to update, 1 unchanged. 0 B to copy."""


def plain(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def test_a_plan_says_what_changes_and_counts_the_rest() -> None:
    assert render_plan(sample_plan(), color=False, verbose=False) == PLAN


def test_a_report_says_what_became_of_each() -> None:
    assert render_report(sample_report(), color=False, verbose=False) == REPORT


def test_verbose_shows_what_stays_and_where_each_comes_from() -> None:
    plan = make_plan(make_copy("mirror/nginx:1", replaces="9"), make_keep())
    assert render_plan(plan, color=False, verbose=True) == VERBOSE


def test_a_verbose_report_counts_requests_by_host() -> None:
    text = render_report(sample_report(), color=False, verbose=True)
    assert "docker.io: 4 GET blob, 5 GET manifest; 71.2 MB read, 0 B written; 1 sent again, 0 pauses\n" in text
    assert "registry.internal:5000: 14 PUT manifest; 0 B read, 71.2 MB written\n" in text
    assert "  = alpine:3.20 " in text


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ([make_keep()], "No changes. 1 tag is as the spec wants it."),
        ([make_keep("a/b:1"), make_keep("a/b:2")], "No changes. 2 tags are as the spec wants them."),
        ([make_keep(), make_skip()], "No changes. 1 tag is as the spec wants it, 1 skipped."),
        ([], "No changes. No tag is selected."),
        ([make_assumed()], "No changes. 1 tag is as the spec wants it by the tag list, 1 assumed."),
        ([make_keep(), make_assumed()], "No changes. 1 tag is as the spec wants it, 1 assumed."),
        ([make_copy(), make_assumed()], "Plan: 1 to add, 0 to update, 0 unchanged, 1 assumed. 0 B to copy."),
        ([make_conflict()], "Plan: 0 to add, 0 to update, 1 blocked, 0 unchanged. 0 B to copy."),
        ([make_failure()], "Plan: 0 to add, 0 to update, 1 failed, 0 unchanged. 0 B to copy."),
    ],
)
def test_the_last_line_of_a_plan_counts(actions: list[Action], sentence: str) -> None:
    assert render_plan(make_plan(*actions), color=False, verbose=False).splitlines()[-1] == sentence


@pytest.mark.parametrize(
    ("outcome", "start"),
    [
        (
            Outcome(make_copy(), Status.COPIED),
            "Done: 1 added, 0 updated, 0 unchanged. 0 B copied in 500 ms, 0 requests.",
        ),
        (
            Outcome(make_copy(replaces="9"), Status.COPIED, bytes_mounted=2000),
            "Done: 0 added, 1 updated, 0 unchanged. 0 B copied, 2.0 kB mounted in 500 ms, 0 requests.",
        ),
        (Outcome(make_keep(), Status.UNCHANGED), "No changes. 1 tag is as the spec wants it. 500 ms, 0 requests."),
        (Outcome(make_copy(), Status.CANCELLED, "interrupted"), "Interrupted: 0 added, 0 updated, 1 cancelled, 0 unch"),
        (make_failed(make_copy()), "Not all done: 0 added, 0 updated, 1 failed, 0 unchanged."),
    ],
)
def test_the_last_line_of_a_report_counts(outcome: Outcome, start: str) -> None:
    last = render_report(make_report(outcome), color=False, verbose=False).splitlines()[-1]
    assert last.startswith(start)


def test_what_is_mounted_within_a_registry_is_not_to_be_copied() -> None:
    copy = make_copy(source_registry=REGISTRY, missing=(make_blob("e", 5000),))
    text = render_plan(make_plan(copy), color=False, verbose=False)
    assert "0 B to copy, 5.0 kB mounted\n" in text
    done = render_report(make_report(Outcome(copy, Status.COPIED, bytes_mounted=5000)), color=False, verbose=False)
    assert "0 B copied, 5.0 kB mounted\n" in done


def test_the_sizes_of_the_lines_add_up_to_the_last_line() -> None:
    """A blob that several tags of one registry need moves once: to other repositories it is mounted."""
    blob = make_blob("e", 3000)
    names = ("a/b:1", "a/b:2", "a/c:1")
    plan = make_plan(*(make_copy(name, missing=(blob,)) for name in names))
    text = render_plan(plan, color=False, verbose=False)
    assert re.findall(r"(\S+ k?B) to copy", text) == ["3.0 kB", "0 B", "0 B", "3.0 kB"]


def test_tags_stand_under_what_the_paths_of_a_registry_share() -> None:
    names = ("mirror/hub/library/nginx:1", "mirror/hub/grafana/grafana:2", "mirror/quay/app:3")
    text = render_plan(make_plan(*map(make_copy, names)), color=False, verbose=False)
    lines = text.splitlines()
    assert lines[0] == "registry.internal:5000/mirror"
    assert [line.split()[1] for line in lines[1:4]] == ["hub/library/nginx:1", "hub/grafana/grafana:2", "quay/app:3"]


def test_tags_at_the_top_of_a_registry_stand_under_its_name() -> None:
    text = render_plan(make_plan(make_copy("nginx:1")), color=False, verbose=False)
    assert text.startswith("registry.internal:5000\n  + nginx:1  ")


def test_a_layout_is_a_registry_like_others() -> None:
    text = render_plan(make_plan(make_copy("lib/nginx:1", registry="oci:./mirror")), color=False, verbose=False)
    assert text.startswith("oci:./mirror/lib\n  + nginx:1  ")


def test_a_very_long_name_pushes_its_own_line_only() -> None:
    long = make_copy(f"mirror/{'n' * 60}:1")
    lines = render_plan(make_plan(long, make_copy("mirror/a:1")), color=False, verbose=False).splitlines()
    assert lines[1].startswith(f"  + {'n' * 60}:1  sha256:")
    assert lines[2].startswith("  + a:1  sha256:")


def test_a_tag_that_another_hand_wrote_meanwhile_is_unchanged_with_the_reason() -> None:
    outcome = Outcome(make_copy(), Status.UNCHANGED, "another hand has written the same digest")
    text = render_report(make_report(outcome), color=False, verbose=True)
    assert "= nginx:1.27.3  sha256:444444444444  another hand has written the same digest\n" in text


def test_color_adds_nothing_but_color() -> None:
    assert plain(render_plan(sample_plan(), color=True, verbose=False)) == PLAN
    assert plain(render_report(sample_report(), color=True, verbose=False)) == REPORT
    assert "\x1b[32m+\x1b[0m" in render_plan(sample_plan(), color=True, verbose=False)


@given(st.text(st.characters(), min_size=1), st.booleans())
def test_every_reason_is_shown_and_nothing_in_it_acts_on_the_terminal(reason: str, verbose: bool) -> None:
    bare = render_plan(make_plan(make_failure(reason="?", hint="?")), color=False, verbose=verbose)
    shown = render_plan(make_plan(make_failure(reason=reason, hint=reason)), color=False, verbose=verbose)
    assert len(shown.split("\n")) == len(bare.split("\n"))
    assert shown.replace("\n", "").isprintable()


def test_a_hostile_reason_is_escaped_wherever_it_stands() -> None:
    copy = make_copy(note=HOSTILE)
    plan = make_plan(copy, make_failure(HOSTILE, HOSTILE, HOSTILE), make_skip(HOSTILE), make_blocked(HOSTILE))
    report = make_report(
        make_failed(make_copy("a/b:1"), HOSTILE),
        *(Outcome(make_copy(f"a/b:{s.value}"), s, HOSTILE) for s in Status if s is not Status.FAILED),
    )
    texts = render_plan(plan, color=False, verbose=True), render_report(report, color=False, verbose=True)
    for text in texts:
        assert text.replace("\n", "").isprintable()
        assert r"\x1b[2J" in text
        assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_a_reason_without_end_is_cut() -> None:
    text = render_plan(make_plan(make_failure(reason="a" * 100_000)), color=False, verbose=False)
    assert len(text) < 2000
    assert "a…" in text


def test_every_failure_names_image_reason_hint_and_place() -> None:
    text = render_report(sample_report(), color=False, verbose=False)
    failed = [outcome for outcome in sample_report().outcomes if outcome.status is Status.FAILED]
    for outcome in failed:
        assert outcome.reason in text
        assert outcome.hint is not None
        assert outcome.hint in text
        assert str(outcome.action.place) in text


CONFLICT = """\
registry.internal:5000/mirror
  ! alpine:3.20  blocked: immutable tag has sha256:bbbbbbbbbbbb, the source has sha256:aaaaaaaaaaaa
      → bring it under another tag (`retag`), or delete the tag at the destination
"""


def test_a_conflict_says_both_digests_and_what_to_do_in_plan_and_report() -> None:
    conflict = make_conflict()
    outcome = settled(conflict)
    report = make_report(outcome)
    assert render_plan(make_plan(conflict), color=False, verbose=False).startswith(CONFLICT)
    assert render_report(report, color=False, verbose=False).startswith(CONFLICT)
    assert report.exit_code == 3


def test_what_is_assumed_has_a_line_only_where_all_is_told() -> None:
    assumed = make_assumed()
    report = make_report(settled(assumed))
    for verbose in (False, True):
        shown = render_plan(make_plan(assumed), color=False, verbose=verbose)
        told = render_report(report, color=False, verbose=verbose)
        assert ("= alpine:3.19  assumed: listed and immutable" in shown) is verbose
        assert ("= alpine:3.19  assumed: listed and immutable" in told) is verbose
        assert "1 assumed." in told


def test_what_is_kept_of_a_replaced_tag_is_told_in_plan_and_report() -> None:
    copy = replace(make_copy("mirror/app:1", replaces="9"), previous=Tag("1-previous"))
    assert "  0 B to copy (sha256:999999999999 kept as 1-previous)" in render_plan(
        make_plan(copy), color=False, verbose=False
    )
    report = make_report(Outcome(copy, Status.COPIED))
    assert "  0 B copied (sha256:999999999999 kept as 1-previous)" in render_report(report, color=False, verbose=False)


def test_what_is_attached_to_a_tag_that_stays_is_one_line() -> None:
    text = render_plan(make_plan(make_attach(), make_keep()), color=False, verbose=False)
    assert "  ~ nginx:latest  2 signatures, 1 referrer to add\n" in text
    assert text.endswith("Plan: 0 to add, 0 to update, 1 to attach to, 1 unchanged. 0 B to copy.")


def test_what_comes_with_an_image_stands_behind_its_line() -> None:
    copy = replace(make_copy("mirror/nginx:1"), attachments=make_attach().attachments, note="1 signature to add")
    assert "0 B to copy (1 signature to add)\n" in render_plan(make_plan(copy), color=False, verbose=False)
    done = render_report(make_report(Outcome(copy, Status.COPIED)), color=False, verbose=False)
    assert "0 B copied, with 1 attachment\n" in done


def test_what_was_attached_is_told_and_what_was_refused_too() -> None:
    text = render_report(make_report(Outcome(make_attach(), Status.ATTACHED)), color=False, verbose=False)
    assert "  ~ nginx:latest  2 signatures, 1 referrer added\n" in text
    assert "\nDone: 0 added, 0 updated, 1 attached to, 0 unchanged." in text
    refused = Outcome(make_attach(), Status.ATTACHED, "not added to x: the tag is immutable")
    text = render_report(make_report(refused), color=False, verbose=False)
    assert "2 signatures, 1 referrer to add (not added to x: the tag is immutable)\n" in text
