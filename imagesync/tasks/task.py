"""Task: one call of the graph, and what became of it."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from imagesync.errors import ImagesyncError
from imagesync.lazy import dataclass, field

T = TypeVar("T")


class Postponed(Exception):
    """Raised by a call that finds its work being done by another task: run it again when that one has finished,
    whatever came of it. The worker does not wait meanwhile."""

    def __init__(self, until: Task[Any]) -> None:
        super().__init__()
        self.until = until


class MoreHosts(Exception):
    """Raised by a call that turns out to use other hosts than it has slots of: run it again with slots of these."""

    def __init__(self, hosts: Iterable[str]) -> None:
        super().__init__()
        self.hosts = tuple(sorted(set(hosts)))


def _forgotten() -> Any:
    """What a finished task calls: nothing."""


@dataclass(eq=False, slots=True)
class Task(Generic[T]):
    """One call. When it `is_finished`, either `error` is set or `result()` returns what the call returned."""

    run: Callable[[], T]
    hosts: tuple[str, ...] = ()
    is_heavy: bool = False
    rank: tuple[int, ...] = ()
    optional: frozenset[str] = frozenset()
    """Hosts that it does without while they are to be left alone, or once they were given up: it asks `is_left_out`."""
    needs: int = 0
    value: T | None = None
    error: ImagesyncError | None = None
    is_finished: bool = False
    passed_over: int = 0
    """How often others were started before it because one of its hosts had no free slot."""
    started_at: float | None = None
    """time.monotonic() when a worker took it; None until then."""
    dependents: list[Task[Any]] = field(default_factory=list, repr=False)
    followers: list[Task[Any]] = field(default_factory=list, repr=False)
    """Tasks that were postponed until this one has finished, well or not."""
    listeners: list[queue.SimpleQueue[Task[Any]]] = field(default_factory=list, repr=False)

    def forget_call(self) -> None:
        """Let go of what only a task under way needs: a finished one may be kept for its value as long as the run."""
        self.run = _forgotten
        self.dependents.clear()
        self.followers.clear()
        self.listeners.clear()

    def result(self) -> T:
        """What the call returned; raises what it raised, or what a task that it needed raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]
