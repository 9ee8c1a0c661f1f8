"""Upcoming: the release that would come to a stage next, and what keeps it back by the plan of just that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from imagesync.errors import ImagesyncError
from imagesync.gates import Ruling, Verdict
from imagesync.lazy import dataclass, field
from imagesync.plan.actions import Action, Attach, Copy, Delete, Keep, Plan
from imagesync.plan.inventory import str_without_hint
from imagesync.plan.outcome import Status
from imagesync.plan.settled import settled
from imagesync.plan.summary import verdicts_of
from imagesync.reference import Tag


class Readiness(Enum):
    """Whether a release may come to a stage; the worst last."""

    READY = "ready"
    WAITS = "waits"
    BLOCKED = "blocked"
    FAILED = "failed"


_READINESS = {Status.BLOCKED: Readiness.BLOCKED, Status.WAITING: Readiness.WAITS}
_RULINGS = {
    Ruling.WARNED: Readiness.READY,
    Ruling.WAITING: Readiness.WAITS,
    Ruling.BLOCKED: Readiness.BLOCKED,
}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps these images from the stage; where that is READY, what a gate only warns of."""

    readiness: Readiness
    images: tuple[str, ...]
    """None: all of the release."""
    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A release, what keeps it back, and all that gates have said of its images."""

    version: Tag
    obstacles: tuple[Obstacle, ...] = ()
    verdicts: Mapping[str, tuple[Verdict, ...]] = field(default_factory=dict)

    @property
    def readiness(self) -> Readiness:
        found = {obstacle.readiness for obstacle in self.obstacles}
        return next((one for one in reversed(Readiness) if one in found), Readiness.READY)


def upcoming_of(version: Tag, plan: Plan, commands: Mapping[str, str]) -> Upcoming:
    """By a reviewed plan of this release in which each image stands for itself. `commands` are what is typed to pass a
    gate, by its name, for those that somebody has to speak to."""
    verdicts: dict[str, dict[Verdict, None]] = {}
    for action in plan.actions:
        verdicts.setdefault(_image(action), {}).update(dict.fromkeys(verdicts_of(action)))
    told = {name: tuple(said) for name, said in verdicts.items()}
    obstacles = (one for action in plan.actions for one in _obstacles(action, commands))
    return Upcoming(version, _joined(obstacles), told)


def unread(version: Tag, error: ImagesyncError) -> Upcoming:
    """A release of which nobody knows what keeps it back."""
    return Upcoming(version, (of_error(error),))


def of_error(error: ImagesyncError) -> Obstacle:
    """What could not be read keeps all of a release back."""
    return Obstacle(Readiness.FAILED, (), str_without_hint(error), error.hint)


def _obstacles(action: Action, commands: Mapping[str, str]) -> Iterator[Obstacle]:
    image, verdicts = (_image(action),), verdicts_of(action)
    for verdict in (one for one in verdicts if one.ruling is not Ruling.PASSED):
        yield Obstacle(_RULINGS[verdict.ruling], image, str(verdict), commands.get(verdict.gate, verdict.hint))
    if isinstance(action, Copy | Attach | Keep | Delete):
        return
    outcome = settled(action)
    by_gates = "; ".join(str(one) for one in verdicts if one.ruling.holds_back)
    rest = outcome.reason.removeprefix(by_gates).removeprefix("; ")
    if rest:
        hint = outcome.hint if not by_gates else None
        yield Obstacle(_READINESS.get(outcome.status, Readiness.FAILED), image, rest, hint)


def _joined(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Each once, with all the images that it keeps back; the worst first."""
    images: dict[tuple[Readiness, str, str | None], dict[str, None]] = {}
    for one in obstacles:
        images.setdefault((one.readiness, one.reason, one.hint), {}).update(dict.fromkeys(one.images))
    found = [Obstacle(readiness, tuple(names), reason, hint) for (readiness, reason, hint), names in images.items()]
    return tuple(sorted(found, key=lambda one: list(Readiness).index(one.readiness), reverse=True))


def _image(action: Action) -> str:
    return action.rule.partition("/")[2]
