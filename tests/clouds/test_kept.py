"""Minted logins: made once for many threads, renewed before they end, and after a refusal not at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from imagesync.clouds import Minted, MintedLogins
from imagesync.clouds.kept import LEAST_LIFETIME_SECONDS, MISSING_SECONDS, REFUSED_SECONDS, TRANSIENT_SECONDS
from imagesync.errors import AuthenticationError, MissingLoginError, NetworkError, StoreError
from imagesync.settings import Secret

TWELVE_HOURS = 12 * 3600.0


@dataclass(eq=False)
class Mint:
    """A minter whose logins are numbered; `error` is raised in their place."""

    lifetime_seconds: float = TWELVE_HOURS
    error: StoreError | None = None
    made: list[Minted] = field(default_factory=list)
    asked: int = 0

    def mint(self) -> Minted:
        self.asked += 1
        if self.error is not None:
            raise self.error
        minted = Minted("AWS", Secret.literal(f"password-{len(self.made)}"), self.lifetime_seconds, "a test")
        self.made.append(minted)
        return minted


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logins(clock: Clock) -> MintedLogins:
    return MintedLogins(clock)


def test_many_threads_share_one_login(logins: MintedLogins) -> None:
    mint, ready = Mint(), threading.Barrier(16)

    def get(_: int) -> Minted:
        ready.wait(10)
        return logins.get(mint).minted

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(get, range(16))) == {mint.made[0]}
    assert mint.asked == 1


def test_a_login_is_renewed_before_its_lifetime_ends(logins: MintedLogins, clock: Clock) -> None:
    mint = Mint()
    kept = logins.get(mint)
    assert kept.until == clock.now + TWELVE_HOURS * 0.9
    clock.now = kept.until - 1
    assert logins.get(mint) == kept
    clock.now = kept.until
    assert logins.get(mint).minted.password.reveal() == "password-1"


@pytest.mark.parametrize("lifetime_seconds", [0.0, -1e9, 1.0])
def test_a_lifetime_that_cannot_be_is_a_short_one(logins: MintedLogins, clock: Clock, lifetime_seconds: float) -> None:
    kept = logins.get(Mint(lifetime_seconds))
    assert kept.until == clock.now + LEAST_LIFETIME_SECONDS * 0.9


def test_a_rejected_login_is_made_again_but_not_one_that_was_made_just_now(logins: MintedLogins, clock: Clock) -> None:
    mint = Mint()
    first = logins.get(mint).minted
    assert not logins.reject(mint, first)
    assert logins.get(mint).minted == first
    clock.now += REFUSED_SECONDS
    assert logins.reject(mint, first)
    second = logins.get(mint).minted
    assert second != first
    assert logins.reject(mint, first), "whoever still has the old login finds the new one"
    assert logins.get(mint).minted == second
    assert mint.asked == 2


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (AuthenticationError("no such role", hint="make it"), REFUSED_SECONDS),
        (MissingLoginError("no such role"), MISSING_SECONDS),
        (NetworkError("no such role"), TRANSIENT_SECONDS),
    ],
)
def test_an_error_holds_for_a_while(logins: MintedLogins, clock: Clock, error: StoreError, seconds: float) -> None:
    mint = Mint(error=error)
    for _ in range(3):
        with pytest.raises(type(error), match="no such role"):
            logins.get(mint)
    assert mint.asked == 1
    clock.now += seconds
    mint.error = None
    assert logins.get(mint).minted == mint.made[0]


def test_the_repr_of_a_minted_login_does_not_show_it(logins: MintedLogins) -> None:
    """SEC-01."""
    assert "password-" not in repr(logins.get(Mint()))
