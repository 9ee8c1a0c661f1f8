"""Tasks: the scheduler. It starts what may start, on workers that take the next task by themselves.

A worker that has nothing to do is handed its next task: it is never woken in vain, and none is forgotten.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, ImagesyncError, InternalError
from imagesync.tasks.lock import YieldingLock
from imagesync.tasks.ready import Ready
from imagesync.tasks.slots import HostActivity, Hosts, Room, Slots
from imagesync.tasks.task import MoreHosts, Postponed, Task
from imagesync.tasks.watch import Watch

T = TypeVar("T")
Inbox = queue.SimpleQueue[Task[Any] | None]
"""Where an idle worker waits for its next task; None lets it go."""
ABANDON_SECONDS = 3.0
"""How long a running task is waited for after cancellation before it is left to its daemon thread."""
SEE_OFF_SECONDS = 0.5
"""How long workers that may hang are given to be gone."""


def _nothing() -> None:
    """What a signal does."""


class Tasks:
    """Runs tasks. `workers` threads at most; `hosts` tells how many tasks each host bears.

    When the cancellation is set, tasks that have not started end with Cancelled. Used from one thread, apart
    from its own workers. Who waits for tasks also looks, ten times a second, for what may start by now: a pause
    has ended, or a host bears more.
    """

    def __init__(self, *, workers: int, hosts: Hosts, cancellation: Cancellation) -> None:
        self._workers = max(1, workers)
        self._cancellation = cancellation
        self._lock = YieldingLock()
        self._ready = Ready()
        self._slots = Slots(hosts)
        self._threads: list[threading.Thread] = []
        self._idle: list[Inbox] = []
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
        optional: Iterable[str] = (),
    ) -> Task[T]:
        """Queue a call that uses these hosts, to start after the tasks it `needs`; lower `rank` starts first.

        If a needed task fails, this one is not run and fails with the same error. It does without the `optional`
        ones of its hosts where they are left out by then.
        """
        task = Task(run, tuple(sorted(set(hosts))), is_heavy, rank, frozenset(optional))
        with self._lock:
            self._unfinished.add(task)
            self._slots.know(task)
            failed = next((need.error for need in needs if need.error is not None), None) if needs else None
            if failed is not None:
                self._finish(task, error=failed)
            elif not self._waits_for(task, needs):
                is_head = self._ready.add(task)
                if is_head:  # what waits behind another cannot start before it
                    self._start_what_may()
        return task

    def signal(self) -> Task[Any]:
        """A task that nobody runs: it is finished by `give`, and others may need it like any other."""
        task: Task[Any] = Task(_nothing)
        with self._lock:
            self._unfinished.add(task)
        return task

    def give(self, signal: Task[T], value: T | None = None) -> None:
        """Finish a signal with a value; what needs it may start. A second time nothing happens."""
        with self._lock:
            self._finish(signal, value=value)
            self._start_what_may()

    def give_up(self, host: str) -> None:
        """Leave this host out of all that can do without it, for the rest of the run."""
        with self._lock:
            self._slots.given_up.add(host)
            self._start_what_may()

    def is_left_out(self, host: str) -> bool:
        """Whether a task that can do without this host should: it is to be left alone now, or was given up."""
        with self._lock:
            return self._slots.is_left_out(host)

    def check(self) -> None:
        """Raise Cancelled if the run was asked to stop: what takes long in a task looks at this meanwhile."""
        self._cancellation.check()

    def watch(self) -> Watch[T]:
        """What tells of tasks as they finish, and may be given more of them meanwhile."""
        return Watch(self._report, self._look_after)

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

    def activity(self) -> Mapping[str, HostActivity]:
        """What goes on at each host right now."""
        with self._lock:
            return self._slots.activity(self._ready.waiting())

    def close(self) -> None:
        """Let the workers go. Tasks that have not started end with Cancelled; those under way come to their end
        first: a blob of an image that failed is one blob less for the next run."""
        with self._lock:
            self._is_closed = True
            for task in [task for task in self._unfinished if task.started_at is None]:
                self._finish(task, error=Cancelled("the run has ended"))
            self._ready.clear()
            while self._idle:
                self._idle.pop().put(None)
        while left := tuple(self._unfinished):
            for _ in self.completed(left):
                pass
        self._see_them_off()

    def _see_them_off(self) -> None:
        """Wait for the workers to be gone: one that ends while the process does may meet a TLS library that is being
        taken down, which is a crash. What hangs after a cancellation is left behind."""
        until = time.monotonic() + SEE_OFF_SECONDS if self._cancellation.is_cancelled else None
        for worker in self._threads:
            worker.join(None if until is None else max(0.0, until - time.monotonic()))

    @staticmethod
    def _waits_for(task: Task[Any], needs: Sequence[Task[Any]]) -> bool:
        """Whether any of these is still to finish: it will tell the task."""
        for need in needs:
            if not need.is_finished:
                need.dependents.append(task)
                task.needs += 1
        return task.needs > 0

    def _report(self, task: Task[T], finished: queue.SimpleQueue[Task[T]]) -> None:
        with self._lock:
            if task.is_finished:
                finished.put(task)
            else:
                task.listeners.append(finished)

    def _look_after(self) -> None:
        """What time alone brings about: a start, or after cancellation the end of what waits or hangs."""
        is_cancelled = self._cancellation.is_cancelled
        with self._lock:
            if is_cancelled:
                self._drop_what_waits()
            else:
                self._start_what_may()

    def _drop_what_waits(self) -> None:
        """End what has not started, and in the end what does not come back."""
        is_time_to_leave = self._is_time_to_leave()
        for task in [task for task in self._unfinished if is_time_to_leave or task.started_at is None]:
            self._finish(task, error=self._cancellation.error())
        self._ready.clear()

    def _is_time_to_leave(self) -> bool:
        """Whether what still runs has had its grace since the cancellation, and the time to notice its end."""
        since = time.monotonic() - self._cancellation.cancelled_at
        return since > self._cancellation.grace_seconds + ABANDON_SECONDS

    def _start_what_may(self, room: Room | None = None) -> None:
        while self._idle or len(self._threads) < self._workers:
            room = room or self._slots.room()
            task = self._take(room)
            if task is None:
                return
            self._hand_over(task)

    def _hand_over(self, task: Task[Any]) -> None:
        if self._idle:
            self._idle.pop().put(task)
            return
        name = f"imagesync-{len(self._threads) + 1}"
        worker = threading.Thread(target=self._work, args=(task,), name=name, daemon=True)
        try:
            worker.start()
            self._threads.append(worker)
        except RuntimeError:
            self._do_without_another_thread(task)

    def _do_without_another_thread(self, task: Task[Any]) -> None:
        """The machine has no more of them: those that there are do it all. Without any nothing can be done."""
        self._workers = max(1, len(self._threads))
        self._slots.give_back(task)
        task.started_at = None
        if self._threads:
            self._ready.add(task)
        else:
            hint = "raise its limit of processes (`ulimit -u`, or the container's)"
            self._finish(task, error=ImagesyncError("the machine gives no thread to work in", hint=hint))

    def _take(self, room: Room) -> Task[Any] | None:
        task = self._ready.take(room)
        if task is not None:
            task.started_at = time.monotonic()
            self._slots.take(task, room)
        return task

    def _work(self, first: Task[Any]) -> None:
        inbox: Inbox = queue.SimpleQueue()
        task: Task[Any] | None = first
        while task is not None:
            task = self._run(task, inbox) or inbox.get()

    def _run(self, task: Task[Any], inbox: Inbox) -> Task[Any] | None:
        """Run one task, and return the next; None where the worker is idle now."""
        value: object = None
        error: BaseException | None = None
        try:
            self._cancellation.check()
            value = task.run()
        except BaseException as raised:  # noqa: BLE001 - a worker hands every error to who asked for the task
            error = raised
        with self._lock:
            self._slots.give_back(task)
            self._settle(task, value, error)
            return self._next(inbox)

    def _settle(self, task: Task[Any], value: object, error: BaseException | None) -> None:
        if isinstance(error, Postponed):
            self._postpone(task, error.until)
        elif isinstance(error, MoreHosts):
            self._put_back(task, error.hosts)
        elif error is None or isinstance(error, ImagesyncError):
            self._finish(task, value=value, error=error)
        else:
            self._finish(task, error=InternalError.of(error))

    def _next(self, inbox: Inbox) -> Task[Any] | None:
        """The worker's own next task, and as many more for others as may start by now."""
        room = self._slots.room()
        task = self._take(room)
        if task is None and self._is_closed:
            inbox.put(None)
        elif task is None:
            self._idle.append(inbox)
        else:
            self._start_what_may(room)
        return task

    def _put_back(self, task: Task[Any], hosts: tuple[str, ...]) -> None:
        task.started_at, task.hosts = None, hosts
        self._slots.know(task)
        self._ready.add(task)

    def _postpone(self, task: Task[Any], until: Task[Any]) -> None:
        task.started_at = None
        if until.is_finished:
            self._ready.add(task)
        else:
            until.followers.append(task)

    def _finish(self, task: Task[Any], *, value: object = None, error: ImagesyncError | None = None) -> None:
        """Record what came of a task, tell who waits, and make ready or fail what needed it. Without recursion:
        chains of dependents can be as long as a spec."""
        finished: list[tuple[Task[Any], object, ImagesyncError | None]] = [(task, value, error)]
        while finished:
            task, value, error = finished.pop()
            if task.is_finished:
                continue
            task.value, task.error = value, error
            task.is_finished = True  # last: who looks without the lock finds the rest
            self._unfinished.discard(task)
            for listener in task.listeners:
                listener.put(task)
            for follower in task.followers:
                if not follower.is_finished:
                    self._ready.add(follower)
            for dependent in task.dependents:
                dependent.needs -= 1
                if error is not None:
                    finished.append((dependent, None, error))
                elif dependent.needs == 0 and not dependent.is_finished:
                    self._ready.add(dependent)
            task.forget_call()
