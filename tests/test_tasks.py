"""Tasks: order, slots, failures and cancellation of the one scheduler."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import Cancelled, InternalError, NetworkError
from imagesync.tasks import MAX_HEAVY, HostActivity, MoreHosts, Postponed, Task, Tasks, Watch
from imagesync.tasks.lock import YieldingLock
from imagesync.tasks.ready import MOST_PASSED_OVER

MakeTasks = Callable[..., Tasks]


@dataclass
class FakeHosts:
    """Every host bears as many, until it is told otherwise."""

    usual: int
    told: dict[str, int] = field(default_factory=dict)

    def slots(self, host: str) -> int:
        return self.told.get(host, self.usual)

    def pause_seconds(self, host: str) -> float:
        return 7.0 if self.slots(host) == 0 else 0.0


@pytest.fixture
def make_tasks() -> Iterator[MakeTasks]:
    made: list[Tasks] = []

    def make(workers: int = 8, hosts: int | FakeHosts = 16, cancellation: Cancellation | None = None) -> Tasks:
        known = hosts if isinstance(hosts, FakeHosts) else FakeHosts(hosts)
        made.append(Tasks(workers=workers, hosts=known, cancellation=cancellation or Cancellation()))
        return made[-1]

    yield make
    for tasks in made:
        tasks.close()


class Crowd:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.inside = 0
        self.most = 0

    def visit(self) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.01)
        with self._lock:
            self.inside -= 1


def test_a_yielding_lock_lets_one_in_at_a_time() -> None:
    lock, inside, most = YieldingLock(), [0], [0]

    def enter() -> None:
        for _ in range(20):
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)  # lets others run within
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (inside, most) == ([0], [1])


def test_results_come_in_the_order_asked_for(make_tasks: MakeTasks) -> None:
    tasks = make_tasks()
    assert tasks.results([tasks.add(lambda n=n: n * n) for n in range(50)]) == [n * n for n in range(50)]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_task_starts_after_everything_it_needs(make_tasks: MakeTasks, workers: int) -> None:
    """`--concurrency 1` must finish any graph: no worker waits for another."""
    tasks, done = make_tasks(workers), []
    first = [tasks.add(lambda n=n: done.append(n)) for n in range(10)]
    second = tasks.add(lambda: done.append("second"), needs=first)
    third = tasks.add(lambda: done.append("third"), needs=[second, *first])
    tasks.results([third])
    assert sorted(done[:10]) == list(range(10))
    assert done[10:] == ["second", "third"]


def test_never_more_tasks_on_a_host_than_its_ceiling(make_tasks: MakeTasks) -> None:
    tasks, crowd = make_tasks(workers=16, hosts=3), Crowd()
    tasks.results([tasks.add(crowd.visit, hosts=["a"]) for _ in range(30)])
    assert crowd.most == 3


def test_a_task_takes_a_slot_on_each_of_its_hosts(make_tasks: MakeTasks) -> None:
    tasks, crowd = make_tasks(workers=16, hosts=2), Crowd()
    pairs = [("a", "b"), ("b", "c"), ("b", "a"), ("c", "b")] * 5
    tasks.results([tasks.add(crowd.visit, hosts=pair) for pair in pairs])
    assert crowd.most == 2


def test_copies_both_ways_between_two_hosts_with_one_slot_each_finish(make_tasks: MakeTasks) -> None:
    tasks, crowd = make_tasks(workers=16, hosts=1), Crowd()
    tasks.results([tasks.add(crowd.visit, hosts=pair) for pair in [("a", "b"), ("b", "a")] * 10])
    assert crowd.most == 1


def test_heavy_tasks_leave_slots_for_small_ones(make_tasks: MakeTasks) -> None:
    tasks, gate, crowd = make_tasks(workers=32, hosts=16), threading.Event(), Crowd()

    def heavy() -> None:
        crowd.visit()
        gate.wait(5)

    blocked = [tasks.add(heavy, hosts=["a"], is_heavy=True) for _ in range(20)]
    assert tasks.results([tasks.add(lambda: "small", hosts=["a"])]) == ["small"]
    gate.set()
    tasks.results(blocked)
    assert crowd.most <= MAX_HEAVY


class Holding:
    """A call that says that it has begun, and goes on when it is let go."""

    def __init__(self) -> None:
        self.has_begun, self._gate = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.has_begun.set()
        self._gate.wait(5)

    def let_go(self) -> None:
        self._gate.set()


@pytest.mark.parametrize("slots", [2, 3, 4])
def test_heavy_tasks_leave_a_slot_also_where_there_are_few(make_tasks: MakeTasks, slots: int) -> None:
    """docker.io has four, fewer than the most heavy tasks."""
    tasks, heavy = make_tasks(workers=32, hosts=slots), Holding()
    blocked = [tasks.add(heavy, hosts=["a"], is_heavy=True) for _ in range(slots)]
    assert tasks.results([tasks.add(lambda: "small", hosts=["a"])]) == ["small"]
    heavy.let_go()
    tasks.results(blocked)


def test_the_only_slot_may_be_taken_by_a_heavy_task(make_tasks: MakeTasks) -> None:
    tasks = make_tasks(hosts=1)
    assert tasks.results([tasks.add(lambda: "heavy", hosts=["a"], is_heavy=True)]) == ["heavy"]


def test_a_heavy_task_that_waits_for_others_like_it_keeps_no_small_ones_back(make_tasks: MakeTasks) -> None:
    tasks, heavy = make_tasks(workers=8, hosts=4), Holding()
    blocked = [tasks.add(heavy, hosts=["a"], is_heavy=True) for _ in range(4)]
    small = [tasks.add(lambda: "small", hosts=["a"], rank=(1,)) for _ in range(MOST_PASSED_OVER * 3)]
    assert set(tasks.results(small)) == {"small"}
    heavy.let_go()
    tasks.results(blocked)


def test_a_task_of_several_hosts_frees_all_of_them_for_others(make_tasks: MakeTasks) -> None:
    tasks, wide, crowd = make_tasks(hosts=1), Holding(), threading.Barrier(3)
    first = tasks.add(wide, hosts=["a", "b", "c"])
    narrow = [tasks.add(lambda: crowd.wait(5), hosts=[host]) for host in ("a", "b", "c")]
    wide.let_go()
    assert sorted(tasks.results([first, *narrow])[1:]) == [0, 1, 2], "all three met, so all three hosts were free"


def test_when_a_host_bears_more_what_waits_is_started(make_tasks: MakeTasks) -> None:
    """Without any task that ends meanwhile."""
    hosts, holding = FakeHosts(1), Holding()
    tasks = make_tasks(hosts=hosts)
    first = tasks.add(holding, hosts=["a"])
    second = tasks.add(lambda: "second", hosts=["a"])
    hosts.told["a"] = 2
    assert tasks.results([second]) == ["second"]
    holding.let_go()
    tasks.results([first])


def test_when_a_host_bears_less_nothing_starts_until_enough_have_ended(make_tasks: MakeTasks) -> None:
    hosts, first, second = FakeHosts(2), Holding(), Holding()
    tasks = make_tasks(hosts=hosts)
    running = [tasks.add(first, hosts=["a"]), tasks.add(second, hosts=["a"])]
    crowd = Crowd()
    waiting = [tasks.add(crowd.visit, hosts=["a"]) for _ in range(3)]
    hosts.told["a"] = 1
    first.let_go()
    tasks.results(running[:1])
    assert tasks.activity()["a"].waiting == 3
    second.let_go()
    tasks.results([*running, *waiting])
    assert crowd.most == 1


def test_a_paused_host_is_left_alone_while_the_others_are_used(make_tasks: MakeTasks) -> None:
    """LIM-02: no task waits on it, not even with a slot of another host in its hand; at the end of the pause they
    start."""
    hosts, ran = FakeHosts(1, {"paused": 0}), []
    tasks = make_tasks(workers=1, hosts=hosts)
    held = [
        tasks.add(lambda: ran.append("paused"), hosts=["paused"]),
        tasks.add(lambda: ran.append("both"), hosts=["paused", "other"]),
    ]
    others = [tasks.add(lambda: ran.append("other"), hosts=["other"], rank=(1,)) for _ in range(MOST_PASSED_OVER * 2)]
    tasks.results(others)
    assert set(ran) == {"other"}
    assert tasks.activity()["paused"] == HostActivity(running=0, heavy=0, waiting=2, slots=0, pause_seconds=7.0)
    del hosts.told["paused"]
    tasks.results(held)
    assert sorted(ran[-2:]) == ["both", "paused"]


@pytest.mark.parametrize("is_paused", [True, False])
def test_a_host_that_is_left_out_is_not_waited_for_and_loses_no_slot(make_tasks: MakeTasks, is_paused: bool) -> None:
    hosts = FakeHosts(1, {"slow.example": 0} if is_paused else {})
    tasks, gate = make_tasks(hosts=hosts), threading.Event()
    if not is_paused:
        tasks.add(partial(gate.wait, 10), hosts=["slow.example"])
        tasks.give_up("slow.example")
    feeding = tasks.add(lambda: gate.wait(0), hosts=["a.example", "slow.example"], optional=["slow.example"])
    assert tasks.results([feeding]) == [False]
    assert tasks.is_left_out("slow.example")
    assert not tasks.is_left_out("a.example")
    assert tasks.activity()["slow.example"].running == (0 if is_paused else 1)
    gate.set()


def test_what_waits_for_a_paused_host_ends_with_the_run(make_tasks: MakeTasks) -> None:
    cancellation = Cancellation()
    tasks = make_tasks(hosts=FakeHosts(1, {"a": 0}), cancellation=cancellation)
    task = tasks.add(lambda: None, hosts=["a"])
    cancellation.cancel()
    with pytest.raises(Cancelled):
        tasks.results([task])


def test_the_activity_of_a_host_is_what_runs_and_what_waits(make_tasks: MakeTasks) -> None:
    tasks, heavy, light = make_tasks(hosts=2), Holding(), Holding()
    running = [tasks.add(heavy, hosts=["a", "b"], is_heavy=True), tasks.add(light, hosts=["a"])]
    waiting = [tasks.add(lambda: None, hosts=["a"]) for _ in range(3)]
    assert tasks.activity() == {
        "a": HostActivity(running=2, heavy=1, waiting=3, slots=2, pause_seconds=0.0),
        "b": HostActivity(running=1, heavy=1, waiting=0, slots=2, pause_seconds=0.0),
    }
    heavy.let_go()
    light.let_go()
    tasks.results([*running, *waiting])
    assert tasks.activity()["a"] == HostActivity(running=0, heavy=0, waiting=0, slots=2, pause_seconds=0.0)


def test_the_lowest_rank_starts_first(make_tasks: MakeTasks) -> None:
    tasks, order = make_tasks(workers=1), []
    gate = threading.Event()
    first = tasks.add(lambda: gate.wait(5))
    rest = [tasks.add(lambda n=n: order.append(n), rank=(n,)) for n in (3, 1, 2)]
    gate.set()
    tasks.results([first, *rest])
    assert order == [1, 2, 3]


def test_what_needs_a_failed_task_fails_with_its_error_and_is_not_run(make_tasks: MakeTasks) -> None:
    tasks, ran = make_tasks(), []
    error = NetworkError("connection refused")

    def fail() -> None:
        raise error

    failed = tasks.add(fail)
    after = tasks.add(lambda: ran.append("after"), needs=[failed])
    last = tasks.add(lambda: ran.append("last"), needs=[after])
    other = tasks.add(lambda: "other")
    finished = {task: task.error for task in tasks.completed([failed, after, last, other])}
    assert finished == {failed: error, after: error, last: error, other: None}
    late = tasks.add(lambda: ran.append("late"), needs=[failed])
    with pytest.raises(NetworkError, match="refused"):
        tasks.results([late])
    assert ran == []


def test_a_watch_tells_of_tasks_that_were_added_while_it_was_read(make_tasks: MakeTasks) -> None:
    tasks, seen = make_tasks(), []
    watch: Watch[int] = tasks.watch()
    watch.add(tasks.add(lambda: 3))
    for task in watch:
        value = task.result()
        seen.append(value)
        if value:
            watch.add(tasks.add(lambda n=value: n - 1))
    assert seen == [3, 2, 1, 0]


def test_a_watch_tells_of_a_task_that_had_finished_before(make_tasks: MakeTasks) -> None:
    tasks = make_tasks()
    done = tasks.add(lambda: "done")
    tasks.results([done])
    watch: Watch[str] = tasks.watch()
    assert list(watch) == []
    watch.add(done)
    assert list(watch) == [done]


def test_a_watch_ends_when_what_was_added_after_the_cancellation_has_ended(make_tasks: MakeTasks) -> None:
    cancellation = Cancellation()
    tasks = make_tasks(cancellation=cancellation)
    watch: Watch[object] = tasks.watch()
    watch.add(tasks.add(lambda: cancellation.wait(30)))
    cancellation.cancel()
    late: list[Task[object]] = []
    for _ in watch:
        if not late:
            late.append(tasks.add(lambda: None))
            watch.add(late[0])
    assert isinstance(late[0].error, Cancelled)


def test_a_chain_of_ten_thousand_fails_without_recursion(make_tasks: MakeTasks) -> None:
    tasks, gate = make_tasks(), threading.Event()

    def fail() -> None:
        gate.wait(5)
        raise NetworkError("gone")

    chain = [tasks.add(fail)]
    for _ in range(10_000):
        chain.append(tasks.add(lambda: None, needs=[chain[-1]]))
    gate.set()
    assert sum(task.error is not None for task in tasks.completed(chain)) == 10_001


def test_after_cancellation_nothing_new_starts(make_tasks: MakeTasks) -> None:
    cancellation = Cancellation()
    tasks, gate, ran = make_tasks(workers=1, cancellation=cancellation), threading.Event(), []
    is_running = threading.Event()
    running = tasks.add(lambda: is_running.set() or gate.wait(5))
    assert is_running.wait(5)
    queued = tasks.add(lambda: ran.append("queued"))
    waiting = tasks.add(lambda: ran.append("waiting"), needs=[running])
    cancellation.cancel("interrupted by SIGINT")
    errors = []
    for task in tasks.completed([queued, waiting, running]):
        errors.append(type(task.error))
        gate.set()
    assert errors.count(Cancelled) == 2
    assert ran == []


def test_a_task_that_hangs_is_left_behind_after_the_grace(
    make_tasks: MakeTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesync.tasks.scheduler.ABANDON_SECONDS", 0.1)
    cancellation = Cancellation(grace_seconds=0.1)
    tasks, gate = make_tasks(cancellation=cancellation), threading.Event()
    hanging = tasks.add(lambda: gate.wait(30))
    cancellation.cancel()
    with pytest.raises(Cancelled):
        tasks.results([hanging])
    gate.set()


def test_the_deadline_cancels(make_tasks: MakeTasks) -> None:
    cancellation = Cancellation(0.05)
    tasks = make_tasks(cancellation=cancellation)
    with pytest.raises(Cancelled, match="deadline"):
        tasks.results([tasks.add(lambda: cancellation.wait(30))])


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("fails", [False, True])
def test_a_postponed_task_runs_again_when_the_other_has_finished(
    make_tasks: MakeTasks, workers: int, fails: bool
) -> None:
    """However the other one ends, and without holding a worker meanwhile."""
    tasks, gate, order = make_tasks(workers), threading.Event(), []

    def lead() -> None:
        gate.wait(5)
        order.append("leader")
        if fails:
            raise NetworkError("reset")

    leader = tasks.add(lead, rank=(1,))

    def follow() -> None:
        if not leader.is_finished:
            raise Postponed(leader)
        order.append("follower")

    followers = [tasks.add(follow, rank=(2,)) for _ in range(3)]
    gate.set()
    assert [task.error for task in tasks.completed(followers)] == [None] * 3
    assert order == ["leader", *["follower"] * 3]


def test_a_postponed_task_ends_with_the_run(make_tasks: MakeTasks) -> None:
    cancellation = Cancellation()
    tasks, gate = make_tasks(cancellation=cancellation), threading.Event()
    leader = tasks.add(lambda: gate.wait(5))

    def follow() -> None:
        raise Postponed(leader)

    follower = tasks.add(follow)
    time.sleep(0.05)
    cancellation.cancel()
    with pytest.raises(Cancelled):
        tasks.results([follower])
    gate.set()
    tasks.results([leader])


def test_closing_waits_for_what_runs_and_drops_what_waits(make_tasks: MakeTasks) -> None:
    tasks, is_running, done = make_tasks(workers=1), threading.Event(), []

    def run() -> None:
        is_running.set()
        time.sleep(0.1)
        done.append("running")

    tasks.add(run)
    waiting = tasks.add(lambda: done.append("waiting"))
    assert is_running.wait(5)
    tasks.close()
    assert done == ["running"]
    assert isinstance(waiting.error, Cancelled)


def test_no_worker_is_left_once_tasks_are_closed(make_tasks: MakeTasks) -> None:
    """One that ended while OpenSSL was taken down at the end of the process has crashed it."""
    tasks = make_tasks()
    workers = set(tasks.results([tasks.add(threading.current_thread, hosts=["a"]) for _ in range(20)]))
    tasks.close()
    assert not any(worker.is_alive() for worker in workers)


def test_a_task_of_several_hosts_gets_its_turn(make_tasks: MakeTasks) -> None:
    """It needs free slots on all of them at once, which short tasks of single hosts would always take first."""
    tasks, order = make_tasks(workers=8, hosts=1), []
    hosts = ["a", "b", "c", "d"]
    gate = threading.Event()
    first = [tasks.add(lambda: gate.wait(5), hosts=[host]) for host in hosts]
    wide = tasks.add(lambda: order.append("wide"), hosts=hosts, rank=(0,))
    narrow = [tasks.add(lambda: order.append("narrow"), hosts=[hosts[n % 4]], rank=(1,)) for n in range(2000)]
    gate.set()
    tasks.results([*first, wide, *narrow])
    assert order.index("wide") < 1000


def test_a_task_that_has_finished_lets_go_of_what_it_called(make_tasks: MakeTasks) -> None:
    """It may be kept for its value as long as the run, and its call holds manifests."""

    class Manifest:
        pass

    tasks, held = make_tasks(workers=1), Manifest()
    known = weakref.ref(held)
    first = tasks.add(partial(str, held))
    second = tasks.add(lambda: None, needs=[first])
    del held
    tasks.results([second])
    assert (known(), first.dependents, first.value is None) == (None, [], False)


@pytest.fixture
def allow_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let no more than so many threads be started, as a machine does that has reached its limit."""
    start = threading.Thread.start

    def allow(count: int) -> None:
        left = [None] * count

        def starting(self: threading.Thread) -> None:
            if not left:
                raise RuntimeError("can't start new thread")
            left.pop()
            start(self)

        monkeypatch.setattr(threading.Thread, "start", starting)

    return allow


def test_where_the_machine_gives_no_more_threads_those_that_there_are_do_it_all(
    make_tasks: MakeTasks, allow_threads: Callable[[int], None]
) -> None:
    tasks = make_tasks(workers=8)
    allow_threads(2)
    made = [tasks.add(partial(time.sleep, 0.001), hosts=["r.example"]) for _ in range(50)]
    assert tasks.results(made) == [None] * 50


def test_without_any_thread_every_task_ends_with_what_to_do_about_it(
    make_tasks: MakeTasks, allow_threads: Callable[[int], None]
) -> None:
    tasks = make_tasks()
    allow_threads(0)
    first = tasks.add(lambda: 1)
    second = tasks.add(lambda: 2, needs=[first])
    ended = list(tasks.completed([first, second, tasks.add(lambda: 3)]))
    assert {task.error.hint for task in ended if task.error} == {
        "raise its limit of processes (`ulimit -u`, or the container's)"
    }
    assert len(ended) == 3


def test_an_exception_that_is_none_of_ours_becomes_an_error_of_ours(make_tasks: MakeTasks) -> None:
    tasks = make_tasks()

    def fail() -> None:
        raise ValueError("unexpected\n")

    with pytest.raises(InternalError, match=r"ValueError: unexpected\\n") as caught:
        tasks.results([tasks.add(fail)])
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_call_that_turns_out_to_use_more_hosts_is_run_again_with_slots_of_these(make_tasks: MakeTasks) -> None:
    seen: list[tuple[str, ...]] = []
    tasks = make_tasks(2)
    ready = tasks.signal()

    def call() -> str:
        seen.append(task.hosts)
        if "b" not in task.hosts:
            raise MoreHosts(["b", "a"])
        return "done"

    task = tasks.add(call, hosts=["a"], needs=[ready])
    tasks.give(ready)
    assert tasks.results([task]) == ["done"]
    assert seen == [("a",), ("a", "b")]
    assert {host: one.running for host, one in tasks.activity().items()} == {"a": 0, "b": 0}
