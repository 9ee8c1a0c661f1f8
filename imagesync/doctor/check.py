"""Check: one thing that was looked at, how it stands, and what to do about it. A skipped one says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum

from imagesync.lazy import dataclass
from imagesync.redaction import redacted

LOOK_CLOSER = "run it again with -v, which shows every request"
"""What to do where nothing better is known."""


class Status(Enum):
    """How a check stands."""

    OK = "ok"
    WARN = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Topic(Enum):
    """What is looked at, in the order in which a request meets it."""

    LIST = "list"
    PROXY = "proxy"
    NAME = "name"
    CONNECTION = "connection"
    TLS = "tls"
    REGISTRY = "registry"
    KIND = "kind"
    CLOCK = "clock"
    LOGIN = "login"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Check:
    """`about` is the repository of a right, or what a login is for; empty where it is the registry as a whole."""

    topic: Topic
    status: Status
    detail: str
    next_step: str | None = None
    about: str = ""

    def __post_init__(self) -> None:
        # Both repeat what a server says, which may be what it was sent.
        object.__setattr__(self, "detail", redacted(self.detail))
        object.__setattr__(self, "next_step", redacted(self.next_step) if self.next_step else self.next_step)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All checks of one registry, in the order of their topics."""

    host: str
    roles: tuple[str, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was found at all registries, in the order of the spec."""

    registries: tuple[Diagnosis, ...]
    requests: int = 0
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        return 1 if self.counts()[Status.FAILED] else 0

    def counts(self) -> Counter[Status]:
        return Counter(check.status for check in self.checks())

    def checks(self) -> Iterator[Check]:
        for diagnosis in self.registries:
            yield from diagnosis.checks
