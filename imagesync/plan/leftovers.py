"""Leftovers: which repositories a prune looks at, what the whole spec wants there, and what has to be asked. Pure.

Whatever leaves a doubt about what is wanted is a Failure in the place of the repository: then nothing is deleted there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imagesync.errors import AuthenticationError, BudgetError
from imagesync.manifest import Content, Descriptor
from imagesync.plan.actions import Failure, Skip, Waiting
from imagesync.plan.aliases import highest_of
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.inventory import Broken, Head, Present, Unreadable
from imagesync.plan.questions import Asking, ListAllTags, ReadHead
from imagesync.plan.wants import Chosen, Listings, Wanted, needs_list, wants_of
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import TagPattern
from imagesync.spec.model import Prune, Rule
from imagesync.state import State, Written

EMPTY_KIND = "empty"


@dataclass(frozen=True, slots=True)
class Target:
    """A repository that is pruned: the rule that asks for it first, every rule that writes there, and what all of
    those say of pruning, which counts together."""

    repository: Repository
    rule: Rule
    writers: tuple[Rule, ...]

    @property
    def prunes(self) -> tuple[Prune, ...]:
        return tuple(rule.prune for rule in self.writers if rule.prune is not None)

    def protecting(self, tag: Tag) -> TagPattern | None:
        """The pattern that a tag is held by, of whichever rule."""
        patterns = (pattern for prune in self.prunes for pattern in prune.protect)
        return next((pattern for pattern in patterns if pattern.matches(tag)), None)

    def refused(self, broken: Broken, rule: Rule | None = None) -> Failure:
        """Why nothing is deleted in this repository; `rule` is the one that it is of."""
        found = rule or self.rule
        return Failure(
            rule=found.name,
            place=found.place,
            subject=str(self.repository),
            reason=f"nothing is pruned here: {broken.reason}",
            kind=broken.kind,
            hint=broken.hint,
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A target with what is known before it is looked at: the tags that are imagesync's there, and which rule wants
    what."""

    target: Target
    owned: tuple[Written, ...]
    wanted: Mapping[Tag, str]

    def candidates(self, listed: Iterable[Tag]) -> tuple[Tag, ...]:
        """The tags that go, unless they turn out to be another's by now."""
        there = frozenset(listed)
        tags = (written.destination.tag for written in self.owned)
        return tuple(tag for tag in tags if tag is not None and tag in there and self.reason_to_stay(tag) is None)

    def reason_to_stay(self, tag: Tag) -> str | None:
        if tag in self.wanted:
            return f"wanted by {self.wanted[tag]}"
        pattern = self.target.protecting(tag)
        return None if pattern is None else f"protected by {pattern.text}"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a repository: its tags and, where one of them may go, what each points to, and the indexes
    below them."""

    listed: tuple[Tag, ...]
    heads: Mapping[Tag, Descriptor] = field(default_factory=dict)
    contents: Mapping[Digest, Content] = field(default_factory=dict)


def targets_of(chosen: Iterable[Rule], rules: Sequence[Rule]) -> tuple[Target, ...]:
    """The repositories that the chosen rules ask to prune, each once; whoever of all rules writes there has a say."""
    asked: dict[Repository, Rule] = {}
    for rule in chosen:
        for repository in rule.destinations if rule.prune is not None else ():
            asked.setdefault(repository, rule)
    return tuple(
        Target(repository, rule, tuple(one for one in rules if repository in one.destinations))
        for repository, rule in asked.items()
    )


def writers_of(targets: Iterable[Target]) -> tuple[Rule, ...]:
    """Every rule of which it has to be known what it wants."""
    return tuple(dict.fromkeys(rule for target in targets for rule in target.writers))


def case_of(target: Target, choices: tuple[Listings, Chosen], state: State) -> Case | Failure:
    """What is imagesync's in a repository, and what is wanted there; a Failure where that is not known to the last."""
    wanted: dict[Tag, str] = {}
    for rule in target.writers:
        tags = _tags_wanted(rule, *choices)
        if isinstance(tags, Broken):
            return target.refused(tags, rule)
        wanted.update((tag, wanted.get(tag, rule.name)) for tag in tags)
    owned = [written for written in state.owned(target.repository) if not _is_attachment(written.destination.tag)]
    return Case(target, tuple(owned), wanted)


def _tags_wanted(rule: Rule, listings: Listings, chosen: Chosen) -> list[Tag] | Broken:
    """The destination tags that a rule wants, be it once they are old enough, its aliases too, and those under which it
    keeps what they were."""
    if needs_list(rule) and _is_empty(listings[rule.source]):
        hint = "if that is meant, take the image out of the spec, or `prune` off it"
        return Broken(f"{rule.source} lists no tag at all", EMPTY_KIND, hint)
    found: list[Tag] = []
    sources: list[Tag] = []
    for want in wants_of(rule, listings, chosen):
        if isinstance(want, Skip | Failure) or want.destination.tag is None or want.source.tag is None:
            return _unknown(want)
        found.append(want.destination.tag)
        sources.append(want.source.tag)
    found += highest_of(rule, sources)
    kept = [rule.keep_previous.apply(tag) for tag in found] if rule.keep_previous is not None else []
    return found + kept


def _is_empty(listed: tuple[Tag, ...] | Broken) -> bool:
    """Whether a source lists nothing that could be an image."""
    return not isinstance(listed, Broken) and len(attachment_tags(listed)) == len(listed)


def _unknown(found: Wanted) -> Broken:
    if isinstance(found, Failure):
        return Broken(found.reason, found.kind, found.hint)
    assert isinstance(found, Skip | Waiting)  # noqa: S101 - narrows: what is wanted is known
    if isinstance(found, Waiting):
        return Broken(found.reason, BudgetError.kind, found.hint)
    return Broken(found.reason, EMPTY_KIND, "`imagesync tags` shows why each tag is dropped")


def look(case: Case) -> Asking[Found | Broken]:
    """List the tags of the repository; where one of them may go, ask what all of them are: by digest it may be
    another's as well."""
    repository = case.target.repository
    question = ListAllTags(repository)
    listed = (yield (question,))[question]
    if isinstance(listed, Broken) or not case.candidates(listed):
        return listed if isinstance(listed, Broken) else Found(listed)
    try:
        heads = yield from _heads(repository, listed)
        indexes = {head.digest: head.size_bytes for head in heads.values() if head.is_index}
        place = Place(repository, "destination")
        contents = (yield from read_contents(place, indexes, _is_index)) if indexes else {}
    except CannotRead as error:
        return error.broken
    return Found(listed, heads, contents)


def _is_index(entry: Descriptor) -> bool:
    return entry.is_index


def _heads(repository: Repository, tags: Iterable[Tag]) -> Asking[dict[Tag, Descriptor]]:
    """What each tag points to; one that has gone since it was listed is left out. Raises CannotRead."""
    questions = {tag: ReadHead(Reference(repository, tag), "destination") for tag in tags}
    answers = yield tuple(questions.values())
    heads = {tag: _usable(answers[question], question) for tag, question in questions.items()}
    return {tag: head for tag, head in heads.items() if head is not None}


def _usable(head: Head, question: ReadHead) -> Descriptor | None:
    if isinstance(head, Unreadable):
        raise CannotRead(Broken(f"destination {question.reference}: {head.reason}", AuthenticationError.kind))
    if isinstance(head, Broken):
        raise CannotRead(head)
    return head.descriptor if isinstance(head, Present) else None


def _is_attachment(tag: Tag | None) -> bool:
    return tag is not None and bool(attachment_tags([tag]))
