"""Watch: tells of tasks as they finish, while more of them are added."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from imagesync.tasks.task import Task

T = TypeVar("T")
POLL_SECONDS = 0.1
"""How often who waits looks after what waits with him."""


class Watch(Generic[T]):
    """Yields each task that was added to it as it finishes, and ends when none is outstanding.

    Who iterates may add more meanwhile. After cancellation, tasks that hang are left behind as Cancelled. Used
    from one thread.
    """

    def __init__(
        self, report: Callable[[Task[T], queue.SimpleQueue[Task[T]]], None], look_after: Callable[[], None]
    ) -> None:
        self._report = report
        self._look_after = look_after
        self._finished: queue.SimpleQueue[Task[T]] = queue.SimpleQueue()
        self._outstanding = 0

    def add(self, task: Task[T]) -> None:
        """Tell of this task too; one that has finished already is told of at once."""
        self._outstanding += 1
        self._report(task, self._finished)

    def __iter__(self) -> Iterator[Task[T]]:
        while self._outstanding:
            task = self._next()
            self._outstanding -= 1
            yield task

    def _next(self) -> Task[T]:
        while True:
            try:
                return self._finished.get(timeout=POLL_SECONDS)
            except queue.Empty:
                self._look_after()
