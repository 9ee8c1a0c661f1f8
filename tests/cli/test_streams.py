"""Results on stdout, everything else on stderr; colors, quiet, and the log's two forms."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.command import Mirror, started

ESCAPE = "\x1b["


def test_a_result_goes_to_stdout_and_progress_to_stderr(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec())
    assert "Done: 1 added" in ran.out
    assert ran.err == f"copied {mirror.destination.host}/app:1, 4.2 kB\n"


def test_quiet_silences_stderr_and_leaves_the_result(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("apply", mirror.spec("app:1", "app:lost"), "-q")
    assert ran.err == ""
    assert "Not all done: 1 added" in ran.out


def test_an_error_is_told_though_quiet(mirror: Mirror) -> None:
    assert "no/such.json" in mirror.cli("plan", mirror.spec(), "-q", "-o", "no/such.json").err


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_json_is_all_that_stdout_holds(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    ran = mirror.cli(command, mirror.spec("app:1", "app:lost"), "--format", "json", "-v")
    assert ran.json()["format_version"] == 1


def test_a_pipe_gets_no_color(mirror: Mirror) -> None:
    mirror.fill("1")
    assert ESCAPE not in mirror.cli("apply", mirror.spec()).text


@pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE", "GITLAB_CI"])
def test_color_where_it_is_asked_for(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    mirror.fill("1")
    monkeypatch.setenv(name, "1")
    assert ESCAPE in mirror.cli("plan", mirror.spec()).out


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_no_color_in_what_programs_read(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    mirror.fill("1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ESCAPE not in mirror.cli("plan", mirror.spec(), "--format", form).out


def test_no_color_forbids_it_though_it_is_forced(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.fill("1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in mirror.cli("plan", mirror.spec()).text


def test_color_says_nothing_that_the_words_do_not(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    import re

    mirror.fill("1")
    plain = mirror.cli("plan", mirror.spec("app:1", "app:lost")).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.sub(r"\x1b\[[0-9;]*m", "", mirror.cli("plan", "sync.yaml").out) == plain


def test_every_line_of_the_json_log_parses(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec(), "-v", "--log-format", "json")
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert {event["event"] for event in events} == {"request"}
    assert len(events) == len(mirror.requests())
    assert all(event["timestamp"] and event["level"] == "debug" for event in events)


def test_a_process_writes_to_the_same_streams(mirror: Mirror) -> None:
    mirror.fill("1")
    with started("apply", mirror.spec(), env={**os.environ, "PYTHONIOENCODING": "utf-8"}) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, "Done: 1 added" in out) == (0, True)
    assert err.startswith("copied ")


def test_a_stream_that_cannot_write_an_arrow_is_no_bug(mirror: Mirror) -> None:
    """A C locale and cron: `→` and `…` stand in plans."""
    from tests.images import make_image

    mirror.fill("1")
    mirror.stand(make_image("old"), "1")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    with started("plan", mirror.spec(), env=environment) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "~ app:1" in out
