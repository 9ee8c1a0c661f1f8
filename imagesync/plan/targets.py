"""Targets: the repositories that a prune looks at, and every rule that has a say in each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from imagesync.lazy import dataclass
from imagesync.plan.actions import Failure, Skip
from imagesync.plan.inventory import Broken
from imagesync.plan.repositories import Catalogs, Named, expand, of_source
from imagesync.reference import Repository, Tag
from imagesync.selection import TagPattern
from imagesync.spec.model import Prune, Rule, Spec
from imagesync.spec.stages import Promotion


@dataclass(frozen=True, slots=True)
class Target:
    """A repository that is pruned: the rule that asks for it first, every rule that writes there or takes its images
    from there, each or why one that may is not known, and what the writers say of pruning, which counts together."""

    repository: Repository
    rule: Rule
    writers: tuple[Named, ...]
    readers: tuple[Named, ...] = ()
    stage: str = ""
    """The stage of a promotion that it is, or whose journal: what a rollback may come to need there no rule says."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those of which it has to be known what they want."""
        return tuple(user for user in (*self.writers, *self.readers) if isinstance(user, Rule))

    @property
    def unknown(self) -> tuple[Skip | Failure, ...]:
        """Why some that may use it are not known."""
        return tuple(user for user in (*self.writers, *self.readers) if not isinstance(user, Rule))

    @property
    def prunes(self) -> tuple[Prune, ...]:
        return tuple(one.prune for one in self.writers if isinstance(one, Rule) and one.prune is not None)

    def protecting(self, tag: Tag) -> TagPattern | None:
        """The pattern that a tag is held by, of whichever rule."""
        patterns = (pattern for prune in self.prunes for pattern in prune.protect)
        return next((pattern for pattern in patterns if pattern.matches(tag)), None)

    def refused(self, broken: Broken, by: Named | None = None) -> Failure:
        """Why nothing is deleted in this repository; `by` is what it comes of, where that is not the target itself."""
        found = by or self.rule
        return Failure(
            rule=name_of(found),
            place=found.place,
            subject=str(self.repository),
            reason=f"nothing is pruned here: {broken.reason}",
            kind=broken.kind,
            hint=broken.hint,
        )


def name_of(writer: Named) -> str:
    """What messages call a rule, or what stands in the place of one."""
    return writer.name if isinstance(writer, Rule) else writer.rule


def targets_of(chosen: Sequence[Rule], spec: Spec, catalogs: Catalogs) -> tuple[Target, ...]:
    """The repositories that the chosen rules ask to prune, each once; whoever of all rules writes there has a say."""
    asked: dict[Repository, Rule] = {}
    asking = [rule for rule in expand(_asking(chosen), catalogs).rules if isinstance(rule, Rule)]
    for rule in asking:
        asked.update((repository, asked.get(repository, rule)) for repository in rule.destinations)
    stages = stages_of(spec.promotions)
    users = _Users(spec.rules, catalogs, named=[rule.source for rule in asking])
    # Who asks has a say in any case: what `--only` names may be a repository that its glob finds no more.
    return tuple(
        Target(
            repository, rule, (rule, *users.writers(repository)), users.readers(repository), stages.get(repository, "")
        )
        for repository, rule in asked.items()
    )


def stages_of(promotions: Iterable[Promotion]) -> dict[Repository, str]:
    """The repositories that releases come to, and those of their records. What is left at a first stage nobody goes
    back to."""
    found: dict[Repository, str] = {}
    for promotion in promotions:
        for stage in promotion.stages[1:]:
            for repository in (stage.journal, *map(stage.repository_of, promotion.images)):
                found.setdefault(repository, f"stage {stage.name} of promotion {promotion.name}")
    return found


def not_found(chosen: Sequence[Rule], catalogs: Catalogs) -> tuple[Skip | Failure, ...]:
    """The globs among the chosen rules that stand for no repository, or nobody knows for which."""
    return tuple(one for one in expand(_asking(chosen), catalogs).rules if not isinstance(one, Rule))


def _asking(rules: Iterable[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.prune is not None]


def writers_of(targets: Iterable[Target]) -> tuple[Rule, ...]:
    """Every rule of which it has to be known what it wants."""
    return tuple(dict.fromkeys(rule for target in targets for rule in target.rules))


class _Users:
    """Which rules use which repository. What a glob finds elsewhere is none of them; what it did not find may be. A
    source that another rule names is there, whatever a catalog says: a glob that is like it finds it, too."""

    def __init__(self, rules: Iterable[Rule], catalogs: Catalogs, *, named: Iterable[Repository]) -> None:
        self._writing: dict[Repository, list[Named]] = {}
        self._reading: dict[Repository, list[Named]] = {}
        self._unknown: list[tuple[Rule, Named]] = []
        rules = list(rules)
        sources = dict.fromkeys((*named, *(rule.source for rule in rules if rule.glob is None)))
        for rule in rules:
            found = expand([rule], catalogs).rules
            for one in (*found, *_hidden(rule, found, sources)):
                self._add(rule, one)

    def writers(self, repository: Repository) -> tuple[Named, ...]:
        unknown = (one for rule, one in self._unknown if rule.may_write(repository))
        return (*self._writing.get(repository, ()), *unknown)

    def readers(self, repository: Repository) -> tuple[Named, ...]:
        unknown = (one for rule, one in self._unknown if _may_read(rule, repository))
        return (*self._reading.get(repository, ()), *unknown)

    def _add(self, rule: Rule, one: Named) -> None:
        if not isinstance(one, Rule):
            self._unknown.append((rule, one))
            return
        self._reading.setdefault(one.source, []).append(one)
        for repository in one.destinations:
            self._writing.setdefault(repository, []).append(one)


def _hidden(rule: Rule, found: Iterable[Named], sources: Iterable[Repository]) -> Iterator[Rule]:
    """What a glob stands for of these sources, and a catalog did not list. Where it found nothing at all is a doubt
    already, and a lock lists all that it holds."""
    known = {one.source for one in found if isinstance(one, Rule)}
    for source in sources if known and rule.lock is None else ():
        hidden = of_source(rule, source) if rule.glob is not None and source not in known else None
        if hidden is not None:
            yield hidden


def _may_read(rule: Rule, repository: Repository) -> bool:
    """Whether a glob might stand for this repository."""
    return rule.glob is not None and rule.glob.registry == repository.registry and rule.glob.matches(repository.path)
