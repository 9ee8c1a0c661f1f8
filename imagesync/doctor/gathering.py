"""Gathering: asks every registry at once, and keeps what came of it. The thin part: it judges nothing.

For each registry a handshake and a `GET /v2/`; for each repository one request and, where tokens are wanted, one token
(docs/adr/0036). Each is tried once, and a registry that is not reached is asked no further.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from imagesync.doctor.answering import is_registry
from imagesync.doctor.asking import Asking
from imagesync.doctor.facts import Facts, Ping, Row, Tried
from imagesync.doctor.reaching import is_reached
from imagesync.doctor.subjects import Subject, Want
from imagesync.errors import Cancelled, StoreError
from imagesync.lazy import dataclass, replace
from imagesync.registry import Registries
from imagesync.registry.answers import parse_refusal
from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.challenge import choose_challenge, parse_challenges
from imagesync.registry.retry import RetryPolicy
from imagesync.settings import Settings, Timeouts, Tls
from imagesync.tasks import Task, Tasks

STEP_SECONDS = 5.0
"""The most that looking a name up, a connection and a handshake may take, each."""
SHORT_WAITS = Timeouts(connect_seconds=STEP_SECONDS, read_seconds=10.0)
"""What a person bears: a dead registry must not hold the others."""
EAGER = RetryPolicy(tries=1, server_error_tries=1, longest_seconds=1.0)
"""One try, and no waiting for who asks for patience: that is told."""
_ANSWERS = frozenset(range(200, 300)) | frozenset(range(400, 600))
_UNAUTHORIZED = 401
_HTTP = "http"


@dataclass(frozen=True, slots=True)
class Gathering:
    """Who asks, and with what; `asking` is how a right is tried."""

    registries: Registries
    settings: Settings
    asking: Asking

    def gather(self, subjects: Sequence[Subject], tasks: Tasks) -> tuple[Facts, ...]:
        """Everything about these registries, in their order. What a deadline cut off is left out."""
        reached = [tasks.add(partial(self._reach, subject)) for subject in subjects]
        tries = [self._tries(task, subject, tasks) for task, subject in zip(reached, subjects, strict=True)]
        every: list[Task[Any]] = [*reached, *(one for group in tries for one in group)]
        for _ in tasks.completed(every):
            continue
        return tuple(
            self._collected(subject, way, group) for subject, way, group in zip(subjects, reached, tries, strict=True)
        )

    def _tries(self, way: Task[Facts], subject: Subject, tasks: Tasks) -> list[Task[Tried]]:
        return [tasks.add(partial(self._try, way, want), hosts=[subject.host], needs=[way]) for want in subject.wants]

    def _collected(self, subject: Subject, way: Task[Facts], tries: Sequence[Task[Tried]]) -> Facts:
        if isinstance(way.error, Cancelled):
            return Facts(subject, self._tls(subject.host))
        return replace(way.result(), tries=tuple(map(_of_want, subject.wants, tries)))

    def _try(self, way: Task[Facts], want: Want) -> Tried:
        facts = way.result()
        if not (is_reached(facts) and is_registry(facts.ping)):
            return Tried(want)
        return self.asking.tried(want)

    def _reach(self, subject: Subject) -> Facts:
        host = subject.host
        facts = Facts(subject, self._tls(host), self.registries.sound(host, step_seconds=STEP_SECONDS))
        if not is_reached(facts):
            return facts
        facts = replace(facts, ping=self._ping(host))
        if is_registry(facts.ping):
            return replace(facts, row=self._row(host))
        return replace(facts, speaks_tls=self._speaks_tls(facts))

    def _ping(self, host: str) -> Ping:
        call = Call(
            method="GET",
            target="/v2/",
            operation="ping",
            reference=host,
            scopes=(),
            authorization=NO_LOGIN,
            accepted=_ANSWERS,
        )
        asked_at = time.time()
        try:
            answer = self.registries.client(host).send(call)
        except StoreError as error:
            return Ping(asked_at, time.time(), error=error)
        self._learn(host, answer)
        content_type = answer.headers.get("Content-Type", "")
        refusal = parse_refusal(answer.status, content_type, answer.body)
        said = ": ".join(part for part in (refusal.code, refusal.text) if part)
        return Ping(asked_at, time.time(), answer.status, answer.headers, said)

    def _learn(self, host: str, answer: Answer) -> None:
        """Let the first request with a login know how: it need not be refused for that."""
        challenge = choose_challenge(parse_challenges(answer.headers.values_of("WWW-Authenticate")))
        if answer.status == _UNAUTHORIZED and challenge is not None:
            with suppress(StoreError):
                self.registries.client(host).authorizer.learn(challenge)

    def _row(self, host: str) -> Row:
        client = self.registries.client(host)
        return Row(client.kind, client.recognised())

    def _speaks_tls(self, facts: Facts) -> bool:
        """Asked only where plain HTTP got no registry's answer."""
        is_plain = facts.sounding is not None and facts.sounding.origin.scheme == _HTTP
        return is_plain and self.registries.speaks_tls(facts.subject.host)

    def _tls(self, host: str) -> Tls:
        return self.settings.for_host(host).tls or Tls()


def _of_want(want: Want, task: Task[Tried]) -> Tried:
    return Tried(want, error=task.error) if isinstance(task.error, Cancelled) else task.result()
