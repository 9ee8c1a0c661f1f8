"""Who is looked at: every registry that a run of the spec would speak to, and what it would do there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from imagesync.lazy import dataclass
from imagesync.reference import Digest, Repository, Tag, make_repository
from imagesync.settings import Settings
from imagesync.spec.model import Rule, Spec

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion

USUAL_TAG = Tag("latest")
"""What is asked for where a spec names no tag: whether it is there does not matter."""


class Right(Enum):
    """What a run needs a login for. `ENTER` is no more than to be let in, where no repository is known."""

    ENTER = "enter"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Want:
    """One right that is needed in one repository, and in which role that is: `source`, `destination`."""

    right: Right
    repository: Repository
    role: str
    target: Tag | Digest = USUAL_TAG
    """What of a source is asked for."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One registry, and all that is wanted of it, each once."""

    host: str
    wants: tuple[Want, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(want.role for want in self.wants))


def subjects_of(spec: Spec, rules: Sequence[Rule], promotions: Iterable[Promotion] = ()) -> tuple[Subject, ...]:
    """Every registry that these rules and promotions, and the state, are about; and the mirrors of the sources."""
    wants = [
        *(want for rule in rules for want in _of_rule(rule)),
        *(want for promotion in promotions for want in _of_promotion(promotion)),
        *([Want(Right.PUSH, spec.state, "state")] if isinstance(spec.state, Repository) else []),
    ]
    remote = [want for want in wants if not want.repository.is_layout]
    return grouped([*remote, *(mirrored for want in remote for mirrored in _mirrored(want, spec.settings))])


def grouped(wants: Iterable[Want]) -> tuple[Subject, ...]:
    """The wants by registry, in the order in which they come first."""
    by_host: dict[str, dict[tuple[Right, Repository], Want]] = {}
    for want in wants:
        by_host.setdefault(want.repository.registry, {}).setdefault((want.right, want.repository), want)
    return tuple(Subject(host, tuple(found.values())) for host, found in by_host.items())


def _of_rule(rule: Rule) -> Iterator[Want]:
    target: Tag | Digest = rule.digest or next(iter(rule.tags.exact_tags), USUAL_TAG)
    yield Want(Right.PULL, rule.source, "source", target)
    for repository in rule.destinations:
        yield Want(Right.PUSH, repository, "destination")
        if rule.prune is not None:
            yield Want(Right.DELETE, repository, "destination")


def _of_promotion(promotion: Promotion) -> Iterator[Want]:
    """Images come into the first stage without us: it is read there, and written at all others."""
    for stage in promotion.stages:
        yield Want(Right.PUSH, stage.journal, "journal")
        right = Right.PUSH if promotion.before(stage) else Right.PULL
        for image in promotion.images:
            yield Want(right, stage.repository_of(image), f"stage {stage.name}")


def _mirrored(want: Want, settings: Settings) -> Iterator[Want]:
    """The same of a source at each mirror of its registry."""
    if want.right is Right.PULL:
        for host in settings.for_host(want.repository.registry).mirrors or ():
            repository = make_repository(host, want.repository.path)
            yield Want(Right.PULL, repository, f"mirror of {want.repository.registry}", want.target)


def of_host(subjects: Iterable[Subject], host: str) -> Subject:
    """The one of this host; where nothing is wanted there, it is enough to be let in."""
    known = next((subject for subject in subjects if subject.host == host), None)
    return known or Subject(host, (Want(Right.ENTER, Repository(host, ""), ""),))
