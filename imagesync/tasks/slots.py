"""Slots: how many tasks use each host, and whether it bears one more. Who knows what a host bears is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

from imagesync.lazy import dataclass, field
from imagesync.tasks.task import Task

MAX_HEAVY = 6
"""Tasks that move a large body, under way on one host at once, below its own slots."""


class Hosts(Protocol):
    """What each host bears at the moment. Asked before each start, under a lock: the answers must come at once."""

    def slots(self, host: str) -> int:
        """Tasks that may be under way at once; 0 while the host is to be left alone."""
        ...

    def pause_seconds(self, host: str) -> float:
        """For how much longer it is to be left alone; 0 where it is not."""
        ...


@dataclass(frozen=True, slots=True)
class HostActivity:
    """What goes on at one host: `running` tasks, `heavy` of them with a large body, `waiting` for a slot.

    `slots` is 0 while the host is left alone, for `pause_seconds` more.
    """

    running: int
    heavy: int
    waiting: int
    slots: int
    pause_seconds: float


@dataclass(frozen=True, slots=True)
class Room:
    """The hosts that bear no more at one moment: no task, none with a large body, and those to be left alone.
    `given_up` are those that no task waits for that can do without."""

    full: set[str] = field(default_factory=set)
    full_for_heavy: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)

    def is_for(self, task: Task[Any]) -> bool:
        """Whether each host that this task would use bears it now."""
        return (self.full_for_heavy if task.is_heavy else self.full).isdisjoint(self.hosts_of(task))

    def is_paused(self, task: Task[Any]) -> bool:
        """Whether one of its hosts is to be left alone: no slot of another host helps it then."""
        return not self.paused.isdisjoint(self.hosts_of(task))

    def is_claimed(self, task: Task[Any], starving: Task[Any]) -> bool:
        """Whether this task would take what a starving one waits for: a slot, or only one for a large body."""
        wanted = self.hosts_of(starving)
        is_rival = not set(self.hosts_of(task)).isdisjoint(wanted)
        return is_rival and (task.is_heavy or not self.full.isdisjoint(wanted))

    def hosts_of(self, task: Task[Any]) -> tuple[str, ...]:
        """The hosts that this task would use if it were started now."""
        if not task.optional:
            return task.hosts
        return tuple(host for host in task.hosts if host not in task.optional or not self.is_left_out(host))

    def is_left_out(self, host: str) -> bool:
        """Whether a task that can do without this host does so now."""
        return host in self.paused or host in self.given_up


class Slots:
    """Counts the slots that are taken, of each host; not for several threads at once."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._taken: defaultdict[str, int] = defaultdict(int)
        self._heavy: defaultdict[str, int] = defaultdict(int)
        self.given_up: set[str] = set()

    def know(self, task: Task[Any]) -> None:
        """Its hosts count from here on."""
        self._add(task, 0)

    def take(self, task: Task[Any], room: Room) -> None:
        """Take its slots; there is less room from here on. What it does without now it is no task of any more."""
        task.hosts = room.hosts_of(task)
        self._add(task, 1)
        self._fill(room, task.hosts)

    def give_back(self, task: Task[Any]) -> None:
        self._add(task, -1)

    def room(self) -> Room:
        """Which hosts bear more right now."""
        room = Room(given_up=self.given_up)
        self._fill(room, self._taken)
        return room

    def is_left_out(self, host: str) -> bool:
        """Whether this host is to be left alone now, or was given up."""
        return host in self.given_up or self._hosts.slots(host) == 0

    def activity(self, waiting: dict[str, int]) -> dict[str, HostActivity]:
        """What goes on at each host that is known."""
        return {
            host: HostActivity(
                running=self._taken[host],
                heavy=self._heavy[host],
                waiting=waiting.get(host, 0),
                slots=self._hosts.slots(host),
                pause_seconds=self._hosts.pause_seconds(host),
            )
            for host in sorted(self._taken)
        }

    def _fill(self, room: Room, hosts: Iterable[str]) -> None:
        """Note what these hosts bear no more. One slot is left for small requests where there are two."""
        for host in hosts:
            slots, taken = self._hosts.slots(host), self._taken[host]
            if taken >= slots:
                room.full.add(host)
            if taken >= slots or self._heavy[host] >= min(MAX_HEAVY, max(1, slots - 1)):
                room.full_for_heavy.add(host)
            if slots == 0:
                room.paused.add(host)

    def _add(self, task: Task[Any], number: int) -> None:
        for host in task.hosts:
            self._taken[host] += number
            if task.is_heavy:
                self._heavy[host] += number
