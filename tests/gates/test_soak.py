"""The gate `soak`: how long a release has been at the stage before, by its record or by when it was first seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imagesync.gates import FirstSeen, Gate, Known, Ruling, Unread
from imagesync.gates.age import Clock
from imagesync.gates.combined import AnyOf
from imagesync.gates.soak import Entered, Soak, shown_span, soaks, soaks_by_record, soaks_by_sight, with_entered
from tests.gates.values import judged, knowing, make_candidate

CAME = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TWO_DAYS = timedelta(days=2)
CANDIDATE = make_candidate()
SEEN = FirstSeen(CANDIDATE.source)
BY_RECORD = Soak(TWO_DAYS, "2d", entered=Entered("staging", CAME))
BY_SIGHT = Soak(TWO_DAYS, "2d", Clock.FIRST_SEEN, Entered("dev"))


@pytest.mark.parametrize(
    ("spent", "ruling", "reason"),
    [
        (timedelta(), Ruling.WAITING, "at staging for 0 min of 2d, by an unsigned record; 2 d left"),
        (
            timedelta(hours=46, minutes=40),
            Ruling.WAITING,
            "at staging for 1 d 22 h of 2d, by an unsigned record; 1 h 20 min",
        ),
        (timedelta(days=2), Ruling.PASSED, "at staging for 2 d of 2d, by an unsigned record"),
        (timedelta(hours=-5), Ruling.WAITING, "at staging for 0 min of 2d"),
    ],
)
def test_what_came_to_the_stage_before_later_than_that_waits(spent: timedelta, ruling: Ruling, reason: str) -> None:
    found = judged(BY_RECORD, CANDIDATE, knowing(now=CAME + spent))
    assert (found[0], found[1].startswith(reason)) == (ruling, True), found


def test_what_waits_says_when_it_has_waited_for_long_enough() -> None:
    finding = BY_RECORD.judge(CANDIDATE, knowing(now=CAME))
    assert finding.hint == "long enough at 2026-03-03 12:00 UTC"


def test_a_moment_at_the_end_of_all_time_waits() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert judged(Soak(TWO_DAYS, "2d", entered=Entered("staging", never)), CANDIDATE)[0] is Ruling.WAITING


def test_what_was_seen_at_the_first_stage_later_than_that_waits_and_so_does_what_nobody_has_seen() -> None:
    assert judged(BY_SIGHT, CANDIDATE, knowing((SEEN, CAME), now=CAME + TWO_DAYS)) == (
        Ruling.PASSED,
        "at dev for 2 d of 2d, by when a run first saw it there",
    )
    assert judged(BY_SIGHT, CANDIDATE, knowing((SEEN, CAME), now=CAME))[0] is Ruling.WAITING
    assert judged(BY_SIGHT, CANDIDATE, knowing((SEEN, None))) == (Ruling.WAITING, "not seen at dev before; 2 d left")


def test_what_is_not_known_blocks() -> None:
    nowhere = Soak(TWO_DAYS, "2d", entered=Entered("staging"))
    assert judged(nowhere, CANDIDATE, knowing()) == (Ruling.BLOCKED, "no record says since when it is at staging")
    assert judged(BY_RECORD, CANDIDATE, Known())[0] is Ruling.BLOCKED
    assert judged(BY_SIGHT, CANDIDATE, knowing((SEEN, Unread("damaged"))))[0] is Ruling.BLOCKED
    assert judged(Soak(TWO_DAYS, "2d"), CANDIDATE, knowing())[0] is Ruling.BLOCKED


def test_it_is_found_within_a_combination_and_told_there_when_the_release_came() -> None:
    gate = Gate("any", AnyOf((Gate("soak", Soak(TWO_DAYS, "2d")),)))
    assert (soaks(gate), soaks_by_record(gate), soaks_by_sight(gate)) == (True, True, False)
    told = with_entered(gate, Entered("staging", CAME))
    assert told.judge(CANDIDATE, knowing(now=CAME + TWO_DAYS)).ruling is Ruling.PASSED


def test_it_is_printed_as_the_spec_says_it() -> None:
    assert (str(BY_RECORD), str(BY_SIGHT)) == ("soak 2d", "soak 2d, clock first_seen")


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (1439, "23 h 59 min"), (1440, "1 d"), (3005, "2 d 2 h"), (-5, "0 min")],
)
def test_a_span_is_shown_in_its_two_largest_units(minutes: int, shown: str) -> None:
    assert shown_span(timedelta(minutes=minutes)) == shown
