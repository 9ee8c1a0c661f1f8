"""What is said of a registry's first answer, and of its clock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.behaviour import Kind
from imagesync.doctor.answering import skew_seconds
from imagesync.doctor.check import Status
from imagesync.doctor.facts import Row
from imagesync.errors import NetworkError
from imagesync.registry.headers import Headers
from tests.doctor.values import NOW, PING, checks, facts

TODAY = "Fri, 15 Jan 2027 08:00:00 GMT"


def _clock(date: str) -> tuple[Status, str]:
    found = checks(facts(ping=replace(PING, headers=Headers([*PING.headers.items(), ("Date", date)]))))["clock"]
    return found.status, found.detail


@pytest.mark.parametrize(
    ("date", "status", "detail"),
    [
        (TODAY, Status.OK, "the same as here"),
        ("Fri, 15 Jan 2027 08:01:00 GMT", Status.OK, "60 s from here"),
        ("Fri, 15 Jan 2027 08:01:01 GMT", Status.WARN, "its clock is 1.0 min ahead of this machine's"),
        ("Fri, 15 Jan 2027 06:00:00 GMT", Status.WARN, "its clock is 2.0 h behind this machine's"),
        ("Thu, 15 Jan 1970 08:00:00 GMT", Status.WARN, "its clock is 20819.0 days behind this machine's"),
        ("yesterday", Status.SKIPPED, "it does not say what time it has"),
        ("", Status.SKIPPED, "it does not say what time it has"),
    ],
)
def test_a_clock_that_is_more_than_a_minute_off_is_a_warning(date: str, status: Status, detail: str) -> None:
    assert _clock(date) == (status, detail)


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_date_that_fits_between_question_and_answer_is_no_skew(before: int, after: int) -> None:
    assert skew_seconds(NOW, NOW - before, NOW + after) == 0


def test_a_slow_answer_is_no_skew() -> None:
    assert skew_seconds(NOW, NOW - 90, NOW + 1) == 0


@pytest.mark.parametrize(
    ("row", "status", "said"),
    [
        (Row(Kind.HARBOR, Kind.HARBOR), Status.OK, "harbor"),
        (Row(Kind.GENERIC, Kind.GENERIC), Status.OK, "nothing says which"),
        (Row(Kind.GENERIC, Kind.HARBOR), Status.WARN, "its token server is that of harbor"),
    ],
)
def test_the_kind_that_holds_is_told_and_the_one_that_shows(row: Row, status: Status, said: str) -> None:
    kind = checks(facts(row=row))["kind"]
    assert (kind.status, said in kind.detail) == (status, True)


def test_no_answer_at_all_is_told_with_how_to_see_it() -> None:
    found = checks(facts(ping=replace(PING, error=NetworkError("timed out"))))
    assert (found["registry"].detail, "clock" in found) == ("timed out", False)
    assert "curl -v https://registry.example.org/v2/" in str(found["registry"].next_step)


def test_a_token_server_is_named_with_its_service() -> None:
    bearer = Headers([("WWW-Authenticate", 'Bearer realm="https://auth.example.org/token",service="reg"')])
    detail = checks(facts(ping=replace(PING, headers=bearer)))["registry"].detail
    assert detail == "asks for a login: Bearer, tokens from https://auth.example.org for reg"


def test_a_token_server_in_plain_http_is_refused() -> None:
    bearer = Headers([("WWW-Authenticate", 'Bearer realm="http://auth.example.org/token"')])
    found = checks(facts(ping=replace(PING, headers=bearer)))["registry"]
    assert (found.status, "is plain http" in found.detail) == (Status.FAILED, True)


@pytest.mark.parametrize(("status", "step"), [(429, "wait"), (503, "see its log"), (403, "login page")])
def test_a_status_that_no_registry_gives_here_has_its_next_step(status: int, step: str) -> None:
    found = checks(facts(ping=replace(PING, status=status, said="so it says")))["registry"]
    assert found.detail == f"answers GET /v2/ with {status}: so it says"
    assert step in str(found.next_step)
