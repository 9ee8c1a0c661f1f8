"""A source and a destination registry, a plan and an apply between them, and what they were asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from imagesync.cancellation import Cancellation
from imagesync.errors import Place
from imagesync.executor import Executor
from imagesync.gates import Gate
from imagesync.pipeline import Drawing, carry_out, make_plan, plan_and_carry_out
from imagesync.plan.actions import Plan
from imagesync.plan.outcome import Outcome
from imagesync.reference import Repository
from imagesync.registry import Registries, RemoteRepository
from imagesync.selection import EVERY_PLATFORM, Retag, TagFilter
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Settings, Timeouts
from imagesync.spec.model import NO_ATTACHMENTS, NOTHING_IMMUTABLE, Immutable, Rule, Spec
from imagesync.state import State
from imagesync.store import Creator, Memory, NoMemory, PushTimes, RepositoryLister
from imagesync.tasks import Tasks
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, push_image

_ENDPOINTS = ("uploads", "blobs", "manifests", "referrers", "tags")
USERS = {"robot": "secret"}
"""The login that every Sync has for both sides."""


class Stores:
    """store.Stores and tasks.Hosts over registries alone."""

    def __init__(self, settings: Settings, cancellation: Cancellation) -> None:
        self.memory: Memory = NoMemory()
        self.registries = Registries(settings, cancellation, environment={})

    def counts_pulls(self, registry: str) -> bool:
        return self.registries.counts_pulls(registry)

    def reserve_pulls(self, registry: str, count: int) -> None:
        self.registries.reserve_pulls(registry, count)

    def lister(self, registry: str) -> RepositoryLister:
        return self.registries.lister(registry)

    def creates(self, repository: Repository) -> bool:
        return self.registries.creates(repository)

    def creator(self, repository: Repository) -> Creator | None:
        return self.registries.creator(repository)

    def push_times(self, registry: str) -> PushTimes:
        return self.registries.push_times(registry)

    def source(self, repository: Repository) -> RemoteRepository:
        return self.registries.repository(repository)

    destination = source

    def slots(self, host: str) -> int:
        return self.registries.slots(host)

    def pause_seconds(self, host: str) -> float:
        return self.registries.pause_seconds(host)


class Sync:
    """A source and a destination registry, and a plan and an apply between them.

    `source_host` and `destination_host` are who is spoken to in their place: what stands in front of them.
    """

    def __init__(
        self,
        source: FakeRegistry,
        destination: FakeRegistry,
        *,
        source_host: str = "",
        destination_host: str = "",
        timeouts: Timeouts | None = None,
    ) -> None:
        self.source, self.destination = source, destination
        self.source_host, self.destination_host = source_host or source.host, destination_host or destination.host
        login = Password(Secret.literal("robot"), Secret.literal("secret"))
        settings = RegistrySettings(auth=Auth(login, login), timeouts=timeouts)
        self.memory: Memory = NoMemory()
        self.immutable: Immutable = NOTHING_IMMUTABLE
        self.keep_previous: Retag | None = None
        self.attachments = NO_ATTACHMENTS
        self.tag_filter: TagFilter | None = None
        self.state: State | None = None
        self.platforms = EVERY_PLATFORM
        self.gates: tuple[Gate, ...] = ()
        self.settings = Settings(hosts=tuple((host, settings) for host in (self.source_host, self.destination_host)))

    def fill(self, image: MadeImage, tag: str, *, path: str = "app") -> None:
        push_image(self.source.repository(path), image, tag)

    @contextmanager
    def session(self) -> Iterator[tuple[Stores, Tasks, Cancellation]]:
        cancellation = Cancellation()
        stores = Stores(self.settings, cancellation)
        stores.memory = self.memory
        tasks = Tasks(workers=8, hosts=stores, cancellation=cancellation)
        try:
            yield stores, tasks, cancellation
        finally:
            tasks.close()
            stores.registries.close()

    def plan(self, *tags: str, to: Sequence[str] = ("mirror/app",)) -> Plan:
        """What is planned for these tags, or for what `tag_filter` selects."""
        self.clear()
        with self.session() as (stores, tasks, _):
            return make_plan(self.spec(tags, to), stores, tasks, state=self.state)

    def apply(self, *tags: str, to: Sequence[str] = ("mirror/app",), plan: Plan | None = None) -> list[Outcome]:
        """One run: plan, unless one is given, and carry out, over the same connections and tokens."""
        self.clear()
        with self.session() as (stores, tasks, cancellation):
            executor = Executor(stores, tasks, cancellation)
            if plan is not None:
                return list(carry_out(plan, executor))
            return list(plan_and_carry_out(Drawing(self.spec(tags, to), stores, tasks, state=self.state), executor))

    def spec(self, tags: Sequence[str], to: Sequence[str]) -> Spec:
        rule = Rule(
            entry="all",
            image="app",
            place=Place("sync.yaml", 1, 1),
            source=Repository(self.source_host, "app"),
            destinations=tuple(Repository(self.destination_host, path) for path in to),
            tags=self.tag_filter or TagFilter.parse(tags),
            immutable=self.immutable,
            keep_previous=self.keep_previous,
            attachments=self.attachments,
            platforms=self.platforms,
            gates=self.gates,
        )
        return Spec((rule,), self.settings, ())

    def clear(self) -> None:
        self.source.log.clear()
        self.destination.log.clear()


def kinds(registry: FakeRegistry) -> Counter[str]:
    """Requests by method and endpoint: `PUT manifests`."""
    found: Counter[str] = Counter()
    for entry in registry.log.entries():
        parts = entry.path.split("/")
        place = next((part for part in _ENDPOINTS if part in parts), parts[-1])
        found[f"{entry.method} {place}"] += 1
    return found
