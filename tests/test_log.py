"""The log: what is written at which level, in which form, without secrets, and without an import until it is needed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import pytest

from imagesync.errors import Place
from imagesync.log import Level, Log, redact
from imagesync.settings import Secret


def make_log(level: Level, *, as_json: bool = False) -> tuple[Log, io.StringIO]:
    stream, log = io.StringIO(), Log()
    log.configure(level, as_json=as_json, stream=stream)
    return log, stream


@pytest.mark.parametrize(
    ("level", "written"),
    [
        (Level.DEBUG, ["one", "two", "three"]),
        (Level.INFO, ["two", "three"]),
        (Level.WARNING, ["three"]),
        (Level.ERROR, []),
    ],
)
def test_a_level_hides_what_is_below_it(level: Level, written: list[str]) -> None:
    log, stream = make_log(level, as_json=True)
    log.debug("one")
    log.info("two")
    log.warning("three")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == written


def test_it_can_be_asked_whether_a_level_is_written() -> None:
    log = Log()
    log.configure(Level.INFO)
    assert [level for level in Level if log.writes(level)] == [Level.INFO, Level.WARNING, Level.ERROR]


def test_json_is_one_object_a_line_with_time_level_and_fields() -> None:
    log, stream = make_log(Level.DEBUG, as_json=True)
    log.info("upload done", size_bytes=7)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "upload done", "level": "info", "size_bytes": 7}


def test_a_line_for_people_has_the_time_the_level_the_event_and_its_fields() -> None:
    log, stream = make_log(Level.DEBUG)
    log.warning("upload done", size_bytes=7, what="a b")
    log.debug("request", method="HEAD")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning: upload done size_bytes=7 what='a b'", first)
    assert re.fullmatch(r"\d\d:\d\d:\d\d request method=HEAD", second)


def test_a_line_for_people_stays_one_line() -> None:
    log, stream = make_log(Level.DEBUG)
    log.warning("answered", text="a\n::error::b\x1b[31m")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_log_can_be_told_another_form_after_it_has_written() -> None:
    log, first = make_log(Level.DEBUG)
    log.debug("one")
    second = io.StringIO()
    log.configure(Level.DEBUG, as_json=True, stream=second)
    log.debug("two")
    assert "two" not in first.getvalue()
    assert json.loads(second.getvalue())["event"] == "two"


def test_without_a_stream_it_writes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()
    log.debug("hidden")
    log.warning("shown")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "shown" in captured.err
    assert "hidden" not in captured.err


@pytest.mark.parametrize("name", ["Authorization", "password", "token", "Set-Cookie", "secret", "proxy-authorization"])
def test_a_field_that_holds_a_secret_is_hidden_whatever_its_value(name: str) -> None:
    assert redact(None, "", {name: ["hunter2"], "event": "x"}) == {name: "***", "event": "x"}


def test_what_stands_deep_in_a_field_is_hidden_too() -> None:
    event = {"event": "x", "seen": [{"Authorization": "hunter2", "url": "https://h/?sig=hunter2"}], "at": Place("b", 2)}
    event |= {"error": ValueError("https://u:hunter2@h"), "count": 3, "secret": Secret.literal("hunter2")}
    assert redact(None, "", event) == {
        "event": "x",
        "seen": [{"Authorization": "***", "url": "https://h/?sig=***"}],
        "at": "b:2:0",
        "error": "https://***@h",
        "count": 3,
        "secret": "***",
    }


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_reaches_the_stream(as_json: bool) -> None:
    log, stream = make_log(Level.DEBUG, as_json=as_json)
    log.debug("GET https://u:hunter2@h/?sig=hunter2", url="https://h/?sig=hunter2", password="hunter2")
    assert stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_nothing_is_imported_until_the_first_event_that_is_written() -> None:
    code = """
import sys
from imagesync.log import Level, log
log.debug("hidden")
assert "structlog" not in sys.modules
log.warning("shown")
assert "structlog" in sys.modules
assert "rich" not in sys.modules
import rich  # still there for whoever needs it
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "shown" in done.stderr


def test_rich_that_is_loaded_already_stays_loaded() -> None:
    code = """
import sys
import rich
from imagesync.log import log
log.warning("shown")
assert sys.modules["rich"] is rich
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
