"""The gate `soak`: how long a release has been at the stage before, by its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imagesync.gates import Known, Ruling
from imagesync.gates.soak import Soak
from tests.gates.values import judged, knowing, make_candidate

CAME = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
CANDIDATE = make_candidate()


def soak(since: datetime | None = CAME) -> Soak:
    return Soak(timedelta(days=2), "d", "staging", since)


@pytest.mark.parametrize(
    ("spent", "ruling", "reason"),
    [
        (timedelta(), Ruling.WAITING, "at staging for 0 of 2d"),
        (timedelta(hours=47), Ruling.WAITING, "at staging for 1 of 2d"),
        (timedelta(days=2), Ruling.PASSED, "at staging for 2d, by an unsigned record"),
        (timedelta(hours=-5), Ruling.WAITING, "at staging for 0 of 2d"),
    ],
)
def test_what_came_to_the_stage_before_later_than_that_waits(spent: timedelta, ruling: Ruling, reason: str) -> None:
    found = judged(soak(), CANDIDATE, knowing(now=CAME + spent))
    assert found[:2] == (ruling, reason)


def test_what_no_record_knows_is_blocked_and_so_is_all_while_nobody_knows_the_time() -> None:
    assert judged(soak(None), CANDIDATE, knowing(now=CAME))[0] is Ruling.BLOCKED
    assert judged(soak(), CANDIDATE, Known())[0] is Ruling.BLOCKED
    assert str(soak()) == "soak 2d at staging"
