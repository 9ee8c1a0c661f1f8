"""Gates over time: windows in every time zone, freezes, and ages by either clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.gates import FirstSeen, Known, PushedAt, Ruling, Unread
from imagesync.gates.age import Clock, MinAge, parse_time
from imagesync.gates.window import Freeze, Hours, Window
from tests.gates.values import configs_of, days_ago, judged, knowing, make_candidate
from tests.images import make_image

PASSED, WAITING, BLOCKED = Ruling.PASSED, Ruling.WAITING, Ruling.BLOCKED
CANDIDATE = make_candidate()


def window(*hours: str, zone: str = "Europe/Berlin", freezes: tuple[Freeze, ...] = (), override: str = "") -> Window:
    return Window(ZoneInfo(zone), tuple(map(Hours.parse, hours)), freezes, override)


def at(text: str) -> Known:
    return knowing(now=datetime.fromisoformat(text).astimezone(UTC))


@pytest.mark.parametrize(
    ("hours", "now", "ruling", "reason"),
    [
        (["mon-fri 08:00-18:00"], "2026-11-26 08:00+01:00", PASSED, "open"),
        (["mon-fri 08:00-18:00"], "2026-11-26 18:00+01:00", WAITING, "closed; opens Fri 08:00 Europe/Berlin"),
        (["mon-fri 08:00-18:00"], "2026-11-26 07:30+00:00", PASSED, "open"),
        (["mon-fri 08:00-18:00"], "2026-11-28 12:00+01:00", WAITING, "closed; opens Mon 08:00 Europe/Berlin"),
        (["sat,sun 10:00-12:00"], "2026-11-29 10:30+01:00", PASSED, "open"),
        (["daily 22:00-04:00"], "2026-11-27 03:59+01:00", PASSED, "open"),
        (["daily 22:00-04:00"], "2026-11-27 04:00+01:00", WAITING, "closed; opens Fri 22:00 Europe/Berlin"),
        (["fri 22:00-04:00"], "2026-11-28 02:00+01:00", PASSED, "open"),
        (["fri 22:00-04:00"], "2026-11-27 02:00+01:00", WAITING, "closed; opens Fri 22:00 Europe/Berlin"),
        (["sun 22:00-04:00"], "2026-11-30 02:00+01:00", PASSED, "open"),
        (["sat-mon 00:00-24:00"], "2026-11-30 23:59+01:00", PASSED, "open"),
        (["thu 08:00-09:00"], "2026-11-26 09:00+01:00", WAITING, "closed; opens 2026-12-03 08:00 Europe/Berlin"),
        (["mon 08:00-09:00", "fri 10:00-11:00"], "2026-11-26 09:00+01:00", WAITING, "closed; opens Fri 10:00"),
    ],
)
def test_a_window_is_open_within_its_hours(hours: list[str], now: str, ruling: Ruling, reason: str) -> None:
    found = judged(window(*hours), CANDIDATE, at(now))
    assert (found[0], found[1].startswith(reason)) == (ruling, True), found


def test_hours_follow_the_zone_through_the_change_of_its_clocks() -> None:
    """Summer time began on 29 March 2026: 08:00 in Berlin is 07:00 UTC before it, and 06:00 after."""
    hours = window("daily 08:00-09:00")
    assert not hours.is_open(datetime(2026, 3, 28, 6, 30, tzinfo=UTC))
    assert hours.is_open(datetime(2026, 3, 28, 7, 30, tzinfo=UTC))
    assert hours.is_open(datetime(2026, 3, 29, 6, 30, tzinfo=UTC))


FREEZE = (Freeze(date(2026, 12, 20), date(2027, 1, 3), "holidays"),)


@pytest.mark.parametrize(
    ("now", "ruling", "reason"),
    [
        ("2026-12-19 23:59+01:00", PASSED, "open"),
        ("2026-12-20 00:00+01:00", WAITING, "frozen until 2027-01-03 (holidays); opens 2027-01-04 00:00"),
        ("2027-01-03 23:59+01:00", WAITING, "frozen until 2027-01-03 (holidays); opens Mon 00:00"),
        ("2027-01-04 00:00+01:00", PASSED, "open"),
    ],
)
def test_nothing_is_copied_on_frozen_days(now: str, ruling: Ruling, reason: str) -> None:
    found = judged(window(freezes=FREEZE), CANDIDATE, at(now))
    assert (found[0], found[1].startswith(reason)) == (ruling, True), found


def test_a_word_overrides_hours_and_freezes_and_is_told() -> None:
    check = window("mon 08:00-09:00", freezes=FREEZE, override="CVE-1")
    assert judged(check, CANDIDATE, at("2026-12-24 12:00+01:00")) == (PASSED, "closed, and overridden: CVE-1")
    assert judged(check, CANDIDATE, at("2026-11-30 08:30+01:00")) == (PASSED, "open")


def test_a_window_that_opens_no_more_says_so() -> None:
    always = (Freeze(date(2020, 1, 1), date(2100, 1, 1), "retired"),)
    assert "does not open within" in judged(window("daily 08:00-09:00", freezes=always), CANDIDATE)[1]


@pytest.mark.parametrize(
    "text",
    [
        "mon",
        "mon 8-18",
        "mon 08:00-08:00",
        "mon 24:00-25:00",
        "mon 08:60-09:00",
        "moo 08:00-09:00",
        "",
        "mon- 08:00-09:00",
    ],
)
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Hours.parse(text)


@given(minutes=st.integers(0, 2 * 366 * 24 * 60))
def test_a_closed_window_is_open_when_it_says_that_it_opens_and_not_before(minutes: int) -> None:
    check = window("tue,thu 22:30-01:15", "sat 09:00-10:00", freezes=FREEZE)
    moment = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    if not check.is_open(moment):
        opens = min(start for start in check._starts(moment) if start > moment and check.is_open(start))
        before = opens - timedelta(minutes=1)
        assert before < moment or not check.is_open(before)


def seen(when: datetime | None) -> Known:
    return knowing((FirstSeen(CANDIDATE.source), when))


@pytest.mark.parametrize(
    ("known", "ruling", "reason"),
    [
        (seen(days_ago(3)), PASSED, "72 h old"),
        (seen(days_ago(2.99)), WAITING, "71 of 72 h old"),
        (seen(None), WAITING, "0 of 72 h old"),
        (seen(days_ago(-1)), WAITING, "0 of 72 h old"),
        (knowing(), BLOCKED, "of unknown age: FirstSeen was not asked for"),
        (Known(), BLOCKED, "the time is not known: TimeNow was not asked for"),
    ],
)
def test_what_is_too_young_waits(known: Known, ruling: Ruling, reason: str) -> None:
    assert judged(MinAge(timedelta(hours=72)), CANDIDATE, known) == (ruling, reason)


def test_a_hint_says_when_it_will_be_old_enough() -> None:
    finding = MinAge(timedelta(days=3), "d").judge(CANDIDATE, seen(days_ago(1)))
    assert (finding.reason, finding.hint) == ("1 of 3 d old", "old enough at 2026-11-28 12:00 UTC")


@pytest.mark.parametrize(
    ("created", "ruling", "reason"),
    [
        ("2026-11-01T00:00:00Z", PASSED, "612 h old"),
        ("2026-11-26T11:00:00Z", WAITING, "1 of 72 h old"),
        ("2099-01-01T00:00:00Z", WAITING, "0 of 72 h old"),
        ("9999-12-31T23:59:59Z", WAITING, "0 of 72 h old"),
        (None, BLOCKED, "does not say when it was made"),
        ("yesterday", BLOCKED, "does not say when it was made"),
        (20261101, BLOCKED, "does not say when it was made"),
    ],
)
def test_an_image_may_say_itself_how_old_it_is(created: Any, ruling: Ruling, reason: str) -> None:
    image = make_image()
    candidate = make_candidate(image)
    [(need, config)] = configs_of(candidate, image)
    found = judged(
        MinAge(timedelta(hours=72), clock=Clock.CREATED), candidate, knowing((need, {**config, "created": created}))
    )
    assert (found[0], reason in found[1]) == (ruling, True), found


def test_of_an_index_the_youngest_image_counts() -> None:
    check = MinAge(timedelta(hours=72), clock=Clock.CREATED)
    needs = check.needs(CANDIDATE)[1:]
    old, young = ({"created": f"{when:%Y-%m-%dT%H:%M:%SZ}"} for when in (days_ago(9), days_ago(1)))
    assert judged(check, CANDIDATE, knowing(*zip(needs, (old, young), strict=True)))[0] is WAITING
    assert judged(check, CANDIDATE, knowing(*zip(needs, (old, Unread("gone")), strict=True)))[0] is BLOCKED


@given(st.one_of(st.text(), st.integers(), st.none(), st.floats()))
def test_whatever_is_no_time_is_none(value: object) -> None:
    found = parse_time(value)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("pushed", "ruling", "reason"),
    [
        (days_ago(3), PASSED, "3 d old"),
        (days_ago(1), WAITING, "1 of 3 d old"),
        (days_ago(-1), WAITING, "0 of 3 d old"),
        (Unread("its registry does not say"), BLOCKED, "of unknown age: its registry does not say"),
    ],
)
def test_by_the_registrys_clock_what_was_pushed_long_enough_ago_passes(
    pushed: Any, ruling: Ruling, reason: str
) -> None:
    gate = MinAge(timedelta(days=3), "d", Clock.PUSHED)
    assert judged(gate, CANDIDATE, knowing((PushedAt(CANDIDATE.source), pushed))) == (ruling, reason)
    assert PushedAt(CANDIDATE.source) in gate.needs(CANDIDATE)
