"""Pulls: how many manifests were read from one host, and whether one more is within its budget.

A pull is a GET of a manifest; a HEAD is free. What the spec allows and what the registry says is left both bind.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from imagesync.errors import BudgetError
from imagesync.lazy import dataclass
from imagesync.registry.pull_rate import PullRate, parse_pull_rate
from imagesync.settings import PullBudget, WhenSpent


class PullLedger(Protocol):
    """Remembers when manifests were read from which host, as long as the windows of budgets are."""

    def spent_since(self, host: str, seconds: float) -> int:
        """How many were read in the last so many seconds."""
        ...

    def add(self, host: str) -> None:
        """One was read just now."""
        ...


class MemoryLedger:
    """A ledger of this run alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: defaultdict[str, list[float]] = defaultdict(list)

    def spent_since(self, host: str, seconds: float) -> int:
        times, since = self._times[host], self._clock() - seconds
        return len(times) - bisect_left(times, since)

    def add(self, host: str) -> None:
        self._times[host].append(self._clock())


@dataclass(frozen=True, slots=True)
class PullCount:
    """`used` in this run. `left` is the smaller of what the budget and the registry leave, and `limit` and
    `window_seconds` are of that one; None where nothing is known."""

    used: int
    left: int | None = None
    limit: int | None = None
    window_seconds: float | None = None


class Pulls:
    """The pulls of one host. For any number of threads."""

    def __init__(
        self, host: str, budget: PullBudget | None, ledger: PullLedger, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._host = host
        self._budget = budget
        self._ledger = ledger
        self._clock = clock
        self._lock = Lock()
        self._used = 0
        self._under_way = 0
        self._reserved = 0
        self._said: PullRate | None = None
        self._said_at = 0.0
        self._begun_since = 0

    def reserve(self, count: int) -> None:
        """Set so many aside for what is read next, for all of it is needed or none. Raises BudgetError."""
        with self._lock:
            for known in (self._of_budget(), self._of_registry()):
                left = None if known is None else max(0, (known.left or 0) - self._reserved)
                if left is not None and count > left:
                    raise self._too_few(count, left)
            self._reserved += count

    @contextmanager
    def one(self) -> Iterator[None]:
        """Within the block a manifest is read; it counts unless there is no answer. Raises BudgetError."""
        with self._lock:
            self._check()
            self._reserved = max(0, self._reserved - 1)
            self._under_way += 1
            self._begun_since += 1
        try:
            yield
        except BaseException:
            self._ended(is_pull=False)
            raise
        self._ended(is_pull=True)

    def heard(self, headers: Mapping[str, str]) -> None:
        """Read what an answer says of the registry's own limit."""
        said = parse_pull_rate(headers)
        if said is not None:
            with self._lock:
                self._said, self._said_at, self._begun_since = said, self._clock(), 0

    def count(self) -> PullCount:
        """How it stands."""
        with self._lock:
            known = [found for found in (self._of_budget(), self._of_registry()) if found is not None]
            return min(known, key=lambda found: found.left or 0) if known else PullCount(self._used)

    def _ended(self, *, is_pull: bool) -> None:
        with self._lock:
            self._under_way -= 1
            if is_pull:
                self._used += 1
                self._ledger.add(self._host)

    def _check(self) -> None:
        of_budget, of_registry = self._of_budget(), self._of_registry()
        if self._budget is not None and of_budget is not None and of_budget.left == 0:
            raise self._error(f"the budget of {self._budget} is spent", self._budget_seconds(self._budget))
        if of_registry is not None and of_registry.left == 0:
            raise self._error("the registry says that no pull is left", self._registry_seconds())

    def _error(self, message: str, seconds: float) -> BudgetError:
        return self._refusal(message, f"nothing was sent; the next is free in {_duration(seconds)}")

    def _too_few(self, count: int, left: int) -> BudgetError:
        limit = f" of the budget of {self._budget}" if self._budget is not None else ""
        return self._refusal(f"that takes up to {_pulls(count)}, and {left}{limit} are left", "nothing was read")

    def _refusal(self, message: str, hint: str) -> BudgetError:
        error = BudgetError(f"{self._host}: {message}", hint=hint)
        error.is_deferred = self._budget is not None and self._budget.when_spent is WhenSpent.DEFER
        return error

    def _of_budget(self) -> PullCount | None:
        if self._budget is None:
            return None
        spent = self._ledger.spent_since(self._host, self._budget.window_seconds) + self._under_way
        left = max(0, self._budget.pulls - spent)
        return PullCount(self._used, left, self._budget.pulls, self._budget.window_seconds)

    def _of_registry(self) -> PullCount | None:
        """What was said last, less what was begun since; nothing once that has run out."""
        if self._said is None or self._registry_seconds() == 0:
            return None
        left = max(0, self._said.remaining - self._begun_since)
        return PullCount(self._used, left, self._said.limit, self._said.window_seconds)

    def _registry_seconds(self) -> float:
        """Until what the registry said has run out, at the latest."""
        if self._said is None:
            return 0.0
        seconds = self._said.window_seconds if self._said.reset_seconds is None else self._said.reset_seconds
        return max(0.0, self._said_at + (seconds or 0) - self._clock())

    def _budget_seconds(self, budget: PullBudget) -> float:
        """Until the oldest pull of the window has left it; its age is the shortest time that holds them all. Those
        that are under way are of this moment."""
        window = int(budget.window_seconds)
        spent = self._ledger.spent_since(self._host, window)
        age = bisect_left(range(window), spent, key=lambda seconds: self._ledger.spent_since(self._host, seconds))
        return float(window - age)


def _pulls(count: int) -> str:
    return f"{count} {'pull' if count == 1 else 'pulls'}"


def _duration(seconds: float) -> str:
    """In the largest unit that says it well: `45 s`, `7 min`, `5.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
