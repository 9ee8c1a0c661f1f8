"""Ready: the tasks that could start, and which of them is to be the next."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter
from itertools import count
from typing import Any

from imagesync.tasks.slots import Room
from imagesync.tasks.task import Task

MOST_PASSED_OVER = 100
"""A task that was passed over more often keeps free for itself what it lacks: one of several hosts would starve."""

Kind = tuple[tuple[str, ...], frozenset[str], bool]
"""What a task needs: its hosts, those of them that it can do without, and whether its body is large."""
Entry = tuple[tuple[int, ...], int, Task[Any]]
"""Rank, and who came first: no two are equal, so that the task itself is never compared."""


class Ready:
    """Heaps by what a task needs: of those that need the same, only the first, its head, can be the next."""

    def __init__(self) -> None:
        self._heaps: dict[Kind, list[Entry]] = {}
        self._heads: list[Entry] = []
        """Sorted."""
        self._sequence = count()

    def add(self, task: Task[Any]) -> bool:
        """Whether it comes before all that need the same."""
        heap = self._heaps.setdefault(_kind(task), [])
        before = heap[0] if heap else None
        heapq.heappush(heap, (task.rank, next(self._sequence), task))
        if heap[0] is before:
            return False
        self._put_in_order(before, heap)
        return True

    def take(self, room: Room) -> Task[Any] | None:
        """The task of the lowest rank that there is room for, no longer ready; None where there is none."""
        passed: list[Task[Any]] = []
        starving: list[Task[Any]] = []
        for head in self._heads:
            task = head[2]
            if room.is_for(task) and not any(room.is_claimed(task, other) for other in starving):
                for other in passed:
                    other.passed_over += 1
                return self._removed(head)
            if not room.is_paused(task):
                passed.append(task)
                if task.passed_over > MOST_PASSED_OVER:
                    starving.append(task)
        return None

    def clear(self) -> None:
        """Forget all of them."""
        self._heaps.clear()
        self._heads.clear()

    def waiting(self) -> dict[str, int]:
        """How many wait for each host."""
        found: Counter[str] = Counter()
        for (hosts, _, _), heap in self._heaps.items():
            for host in hosts:
                found[host] += len(heap)
        return found

    def _removed(self, head: Entry) -> Task[Any]:
        task = head[2]
        heap = self._heaps[_kind(task)]
        heapq.heappop(heap)
        self._put_in_order(head, heap)
        return task

    def _put_in_order(self, before: Entry | None, heap: list[Entry]) -> None:
        """Let the head of a heap take the place of the one before."""
        if before is not None:
            del self._heads[bisect_left(self._heads, before)]
        if heap:
            insort(self._heads, heap[0])


def _kind(task: Task[Any]) -> Kind:
    return (task.hosts, task.optional, task.is_heavy)
