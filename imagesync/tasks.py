"""Tasks: a graph of calls on a bounded pool of threads, with slots for each host.

A task is queued when all it needs is done and started when every host it uses has a free slot, so no worker
ever waits for another worker, and one thread is enough for any graph. Limits live here and nowhere below.
What a task does is none of this room's business.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, ImagesyncError, InternalError

T = TypeVar("T")
MAX_HEAVY = 6
"""Tasks that move a large body, under way on one host at once, below its own ceiling."""
ABANDON_SECONDS = 3.0
"""How long a running task is waited for after cancellation before it is left to its daemon thread."""
MOST_PASSED_OVER = 100
"""A task of several hosts that was passed over more often keeps their slots free for itself."""
_POLL_SECONDS = 0.1


class Postponed(Exception):
    """Raised by a call that finds its work being done by another task: run it again when that one has finished,
    whatever came of it. The worker does not wait meanwhile."""

    def __init__(self, until: Task[Any]) -> None:
        super().__init__()
        self.until = until


@dataclass(eq=False)
class Task(Generic[T]):
    """One call. When it `is_finished`, either `error` is set or `result()` returns what the call returned."""

    run: Callable[[], T]
    hosts: tuple[str, ...] = ()
    is_heavy: bool = False
    rank: tuple[int, ...] = ()
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

    def result(self) -> T:
        """What the call returned; raises what it raised, or what a task that it needed raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class Watch(Generic[T]):
    """Yields each task that was added to it as it finishes, and ends when none is outstanding.

    Who iterates may add more meanwhile. After cancellation, tasks that hang are left behind as Cancelled. Used
    from one thread.
    """

    def __init__(
        self, report: Callable[[Task[T], queue.SimpleQueue[Task[T]]], None], drop_what_waits: Callable[[], None]
    ) -> None:
        self._report = report
        self._drop_what_waits = drop_what_waits
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
                return self._finished.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                self._drop_what_waits()


def _nothing() -> None:
    """What a signal does."""


class Tasks:
    """Runs tasks. `workers` threads at most; `ceiling` gives the slots of a host by its name.

    When the cancellation is set, tasks that have not started end with Cancelled. Used from one thread, apart
    from its own workers.
    """

    def __init__(self, *, workers: int, ceiling: Callable[[str], int], cancellation: Cancellation) -> None:
        self._workers = max(1, workers)
        self._ceiling = ceiling
        self._cancellation = cancellation
        self._changed = threading.Condition()
        self._ready: dict[tuple[tuple[str, ...], bool], list[tuple[tuple[int, ...], int, Task[Any]]]] = defaultdict(
            list
        )
        self._sequence = count()
        self._slots: Counter[str] = Counter()
        self._heavy_slots: Counter[str] = Counter()
        self._threads = 0
        self._idle = 0
        self._unfinished: set[Task[Any]] = set()
        self._is_closed = False

    def add(
        self,
        run: Callable[[], T],
        *,
        hosts: Iterable[str] = (),
        is_heavy: bool = False,
        needs: Sequence[Task[Any]] = (),
        rank: tuple[int, ...] = (),
    ) -> Task[T]:
        """Queue a call that uses these hosts, to start after the tasks it `needs`; lower `rank` starts first.

        If a needed task fails, this one is not run and fails with the same error.
        """
        task = Task(run, tuple(sorted(set(hosts))), is_heavy, rank)
        with self._changed:
            self._unfinished.add(task)
            failed = next((need.error for need in needs if need.is_finished and need.error is not None), None)
            waiting = [need for need in needs if not need.is_finished]
            if failed is not None:
                self._finish(task, error=failed)
            elif waiting:
                task.needs = len(waiting)
                for need in waiting:
                    need.dependents.append(task)
            else:
                self._queue(task)
        return task

    def signal(self) -> Task[Any]:
        """A task that nobody runs: it is finished by `give`, and others may need it like any other."""
        task: Task[Any] = Task(_nothing)
        with self._changed:
            self._unfinished.add(task)
        return task

    def give(self, signal: Task[T], value: T | None = None) -> None:
        """Finish a signal with a value; what needs it may start. A second time nothing happens."""
        with self._changed:
            self._finish(signal, value=value)

    def watch(self) -> Watch[T]:
        """What tells of tasks as they finish, and may be given more of them meanwhile."""
        return Watch(self._report, self._drop_what_waits)

    def completed(self, tasks: Iterable[Task[T]]) -> Iterator[Task[T]]:
        """Yield these tasks as they finish. After cancellation, those that hang are left behind as Cancelled."""
        watch: Watch[T] = self.watch()
        for task in tasks:
            watch.add(task)
        return iter(watch)

    def results(self, tasks: Sequence[Task[T]]) -> list[T]:
        """Wait for all of these and return their results in order; raises the first error by that order."""
        for _ in self.completed(tasks):
            pass
        return [task.result() for task in tasks]

    def close(self) -> None:
        """Let the workers go. Tasks that have not started end with Cancelled; those under way come to their end
        first: a blob of an image that failed is one blob less for the next run."""
        with self._changed:
            self._is_closed = True
            for task in [task for task in self._unfinished if task.started_at is None]:
                self._finish(task, error=Cancelled("the run has ended"))
            self._idle = 0
            self._changed.notify_all()
            while not self._changed.wait_for(lambda: not self._unfinished, timeout=_POLL_SECONDS):
                if self._cancellation.is_cancelled and self._is_time_to_leave():
                    return

    def _report(self, task: Task[T], finished: queue.SimpleQueue[Task[T]]) -> None:
        with self._changed:
            if task.is_finished:
                finished.put(task)
            else:
                task.listeners.append(finished)

    def _drop_what_waits(self) -> None:
        """After cancellation: end what has not started, and in the end what does not come back."""
        if not self._cancellation.is_cancelled:
            return
        is_time_to_leave = self._is_time_to_leave()
        with self._changed:
            for task in [task for task in self._unfinished if is_time_to_leave or task.started_at is None]:
                self._finish(task, error=self._cancellation.error())

    def _is_time_to_leave(self) -> bool:
        """Whether what still runs has had its grace since the cancellation, and the time to notice its end."""
        since = time.monotonic() - self._cancellation.cancelled_at
        return since > self._cancellation.grace_seconds + ABANDON_SECONDS

    def _queue(self, task: Task[Any]) -> None:
        heapq.heappush(self._ready[task.hosts, task.is_heavy], (task.rank, next(self._sequence), task))
        if not self._wake() and self._threads < self._workers:
            self._threads += 1
            threading.Thread(target=self._work, name=f"imagesync-{self._threads}", daemon=True).start()

    def _wake(self) -> bool:
        """Wake one idle worker. It is counted as busy from here on: several wake-ups in a row wake several."""
        if not self._idle:
            return False
        self._idle -= 1
        self._changed.notify()
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                task = self._take()
                while task is None:
                    if self._is_closed:
                        self._threads -= 1
                        return
                    self._idle += 1
                    self._changed.wait()
                    task = self._take()
            self._run(task)

    def _run(self, task: Task[Any]) -> None:
        value: object = None
        error: BaseException | None = None
        try:
            self._cancellation.check()
            value = task.run()
        except BaseException as raised:  # noqa: BLE001 - a worker hands every error to who asked for the task
            error = raised
        with self._changed:
            self._give_back(task)
            if isinstance(error, Postponed):
                self._postpone(task, error.until)
            elif error is None or isinstance(error, ImagesyncError):
                self._finish(task, value=value, error=error)
            else:
                self._finish(task, error=InternalError.of(error))
            if self._is_closed:
                self._changed.notify_all()

    def _postpone(self, task: Task[Any], until: Task[Any]) -> None:
        task.started_at = None
        if until.is_finished:
            self._queue(task)
        else:
            until.followers.append(task)

    def _take(self) -> Task[Any] | None:
        """The best-ranked task that is ready and whose hosts have free slots; its slots are taken."""
        heaps = [heap for heap in self._ready.values() if self._has_head(heap)]
        heaps.sort(key=lambda heap: heap[0][:2])
        kept_free: set[str] = set()
        for heap in heaps:
            task = heap[0][2]
            if kept_free.isdisjoint(task.hosts) and self._has_slots(task.hosts, task.is_heavy):
                heapq.heappop(heap)
                return self._started(task)
            task.passed_over += 1
            if task.passed_over > MOST_PASSED_OVER:
                kept_free.update(task.hosts)
        return None

    @staticmethod
    def _has_head(heap: list[tuple[tuple[int, ...], int, Task[Any]]]) -> bool:
        """Whether a task is left in it, what was ended meanwhile thrown away."""
        while heap and heap[0][2].is_finished:
            heapq.heappop(heap)
        return bool(heap)

    def _started(self, task: Task[Any]) -> Task[Any]:
        task.started_at = time.monotonic()
        self._slots.update(task.hosts)
        if task.is_heavy:
            self._heavy_slots.update(task.hosts)
        return task

    def _has_slots(self, hosts: tuple[str, ...], is_heavy: bool) -> bool:
        for host in hosts:
            ceiling = max(1, self._ceiling(host))
            if self._slots[host] >= ceiling or (is_heavy and self._heavy_slots[host] >= min(MAX_HEAVY, ceiling)):
                return False
        return True

    def _give_back(self, task: Task[Any]) -> None:
        self._slots.subtract(task.hosts)
        if task.is_heavy:
            self._heavy_slots.subtract(task.hosts)
        self._wake()

    def _finish(self, task: Task[Any], *, value: object = None, error: ImagesyncError | None = None) -> None:
        """Record what came of a task, tell who waits, and queue or fail what needed it. Without recursion: chains
        of dependents can be as long as a spec."""
        finished: list[tuple[Task[Any], object, ImagesyncError | None]] = [(task, value, error)]
        while finished:
            task, value, error = finished.pop()
            if task.is_finished:
                continue
            task.is_finished, task.value, task.error = True, value, error
            self._unfinished.discard(task)
            for listener in task.listeners:
                listener.put(task)
            for follower in task.followers:
                if not follower.is_finished:
                    self._queue(follower)
            for dependent in task.dependents:
                dependent.needs -= 1
                if error is not None:
                    finished.append((dependent, None, error))
                elif dependent.needs == 0 and not dependent.is_finished:
                    self._queue(dependent)
