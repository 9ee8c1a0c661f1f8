"""How tags stand: every case of what is there, what was written and what is wanted."""

from __future__ import annotations

import pytest

from imagesync.errors import Place
from imagesync.manifest import Content
from imagesync.plan.actions import Failure, Skip
from imagesync.plan.inventory import Broken, Head, Unreadable
from imagesync.plan.standing import Kind, Standing, Standings, standings
from imagesync.plan.wants import make_wants
from imagesync.state import NOTHING_REMEMBERED, State
from tests.plan.test_drift import DESTINATION, FOREIGN, NEW, OLD, SOURCE, rule, wrote
from tests.plan.values import PLACE, make_inventory


def stands(found: Content | Head | None, state: State, *, source: Content | Head | None = NEW) -> Standing:
    (standing,) = standings(make_wants([rule()], {}), make_inventory({SOURCE: source, DESTINATION: found}).heads, state)
    return standing


@pytest.mark.parametrize(
    ("found", "state", "kind", "reason"),
    [
        (NEW, wrote(NEW), Kind.OWNED, f"has {NEW.digest.short}, as the source"),
        (NEW, NOTHING_REMEMBERED, Kind.FOUND, f"has {NEW.digest.short}, as the source"),
        (NEW, wrote(OLD), Kind.FOUND, f"has {NEW.digest.short}, as the source"),
        (
            OLD,
            wrote(OLD),
            Kind.PENDING,
            f"has {OLD.digest.short}, imagesync wrote {OLD.digest.short}, the source has {NEW.digest.short}",
        ),
        (
            FOREIGN,
            wrote(OLD),
            Kind.DRIFTED,
            f"has {FOREIGN.digest.short}, imagesync wrote {OLD.digest.short}, the source has {NEW.digest.short}",
        ),
        (FOREIGN, wrote(NEW), Kind.DRIFTED, f"has {FOREIGN.digest.short}, imagesync wrote {NEW.digest.short}"),
        (
            FOREIGN,
            NOTHING_REMEMBERED,
            Kind.UNOWNED,
            f"has {FOREIGN.digest.short}, imagesync never wrote it, the source has {NEW.digest.short}",
        ),
        (None, wrote(NEW), Kind.GONE, f"is not there, imagesync wrote {NEW.digest.short}"),
        (
            None,
            NOTHING_REMEMBERED,
            Kind.PENDING,
            f"is not there, imagesync never wrote it, the source has {NEW.digest.short}",
        ),
    ],
)
def test_a_tag_stands_as_its_three_digests_say(found: Content | None, state: State, kind: Kind, reason: str) -> None:
    standing = stands(found, state)
    assert (standing.kind, standing.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("found", "source", "reason"),
    [
        (Broken("no answer", "network", "try again"), NEW, "no answer"),
        (Unreadable("refused"), NEW, "refused"),
        (FOREIGN, Broken("source: no answer", "network"), "source: no answer"),
        (FOREIGN, None, f"source {SOURCE}: not found"),
    ],
)
def test_where_a_side_cannot_be_read_nobody_knows(found: Head, source: Head | None, reason: str) -> None:
    standing = stands(found, wrote(OLD), source=source)
    assert (standing.kind, standing.reason) == (Kind.UNREADABLE, reason)


def test_an_image_whose_tags_are_not_known_is_not_readable_and_one_of_which_none_is_wanted_is_left_out() -> None:
    failure = Failure(rule="all/app", place=PLACE, subject="docker.io/app", reason="no list", kind="network", hint="x")
    skip = Skip(rule="all/app", place=PLACE, subject="docker.io/app", reason="nothing selected")
    (standing,) = standings([skip, failure], {}, NOTHING_REMEMBERED)
    assert (standing.kind, standing.subject, standing.hint) == (Kind.UNREADABLE, "docker.io/app", "x")


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ((), 0),
        ((Kind.OWNED, Kind.FOUND, Kind.PENDING, Kind.UNOWNED), 0),
        ((Kind.OWNED, Kind.DRIFTED), 2),
        ((Kind.GONE,), 2),
        ((Kind.DRIFTED, Kind.UNREADABLE), 1),
    ],
)
def test_drift_is_worth_two_and_what_cannot_be_read_one(kinds: tuple[Kind, ...], code: int) -> None:
    tags = tuple(Standing(kind, "all/app", Place("sync.yaml", 1, 1), "x") for kind in kinds)
    assert Standings(tags).exit_code == code
