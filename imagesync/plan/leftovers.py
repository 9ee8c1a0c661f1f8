"""Leftovers: what the whole spec wants in a repository that is pruned, and what has to be asked of it. Pure.

Whatever leaves a doubt about what is wanted is a Failure in the place of the repository: then nothing is deleted there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from imagesync.errors import AuthenticationError, BudgetError
from imagesync.lazy import dataclass, field
from imagesync.manifest import Content, Descriptor
from imagesync.plan.actions import Failure, Skip, Waiting
from imagesync.plan.aliases import highest_of
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.inventory import Broken, Head, Present, Unreadable
from imagesync.plan.questions import Asking, ListAllTags, ReadHead
from imagesync.plan.targets import Target
from imagesync.plan.wants import Chosen, Listings, Want, Wanted, needs_list, wants_of, young_of
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.spec.pins import Lock
from imagesync.state import State, Written

EMPTY_KIND = "empty"
STAGE_KIND = "stage"
MISSING_KIND = "missing"
Taken = Want | Waiting
"""What goes from a source to a destination, now or once it is old enough."""


@dataclass(frozen=True, slots=True)
class Case:
    """A target with what is known before it is looked at: the tags that are imagesync's there, and which rule wants
    what."""

    target: Target
    owned: tuple[Written, ...]
    wanted: Mapping[Tag, str]
    pinned: Mapping[Digest, str] = field(default_factory=dict)
    """What is taken from there by its digest, and by which rule."""
    aliases: frozenset[Tag] = frozenset()
    """The wanted tags that follow a version."""
    expected: frozenset[Tag] = frozenset()
    """The wanted tags that have to be there before anything goes: until then what is there may be in use for them."""

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


def case_of(target: Target, choices: tuple[Listings, Chosen], state: State) -> Case | Failure:
    """What is imagesync's in a repository, and what is wanted there; a Failure where that is not known to the last."""
    if target.stage:
        reason = f"it is {target.stage}, and a rollback may need any version that was there"
        return target.refused(Broken(reason, STAGE_KIND, "take `prune` off what is written there"))
    if target.unknown:
        return target.refused(_unknown(target.unknown[0]), target.unknown[0])
    known: list[tuple[Rule, list[Taken]]] = []
    for rule in target.rules:
        wants = _wants(rule, *choices)
        if isinstance(wants, Broken):
            return target.refused(wants, rule)
        known.append((rule, wants))
    owned = [one for one in state.owned(target.repository) if not _is_attachment(one.destination.tag)]
    taken = [want for _, wants in known for want in wants if want.source.repository == target.repository]
    pinned = {want.source.digest: _asker(want) for want in taken if want.source.digest is not None}
    writing = [(rule, wants) for rule, wants in known if target.repository in rule.destinations]
    written = {tag: rule.name for rule, wants in writing for tag in _tags_of(rule, wants)}
    aliases = frozenset(alias for rule, wants in writing for alias in _aliases_of(rule, wants))
    return Case(target, tuple(owned), {**_tags_taken(taken), **written}, pinned, aliases, _expected(writing))


def _expected(writing: Iterable[tuple[Rule, Sequence[Taken]]]) -> frozenset[Tag]:
    """The tags that have to be there, be the spec applied with a lock or without: of those that one of both alone wants
    nobody knows."""
    by_lock: dict[Lock | None, set[Tag]] = {}
    for rule, wants in writing:
        tags = (want.destination.tag for want in wants if isinstance(want, Want))
        by_lock.setdefault(rule.lock, set()).update(tag for tag in tags if tag is not None)
    return frozenset(set.intersection(*by_lock.values())) if by_lock else frozenset()


def _tags_taken(wants: Iterable[Taken]) -> dict[Tag, str]:
    """The tags of a source that are wanted elsewhere, each with its rule."""
    return {want.source.tag: _asker(want) for want in wants if want.source.tag is not None}


def _asker(want: Taken) -> str:
    """The name of its rule."""
    return want.rule if isinstance(want, Waiting) else want.rule.name


def _wants(rule: Rule, listings: Listings, chosen: Chosen) -> list[Taken] | Broken:
    """All that a rule wants, be it once it is old enough, or why that is not known."""
    if needs_list(rule) and _is_empty(listings[rule.source]):
        hint = "if that is meant, take the image out of the spec, or `prune` off it"
        return Broken(f"{rule.source} lists no tag at all", EMPTY_KIND, hint)
    found: list[Taken] = []
    for want in wants_of(rule, listings, chosen):
        if isinstance(want, Skip | Failure) or want.destination.tag is None:
            return _unknown(want)
        found.append(want)
    return [*found, *young_of(rule, listings, chosen)]


def _tags_of(rule: Rule, wants: Sequence[Taken]) -> list[Tag]:
    """The destination tags that a rule wants, its aliases too, and those under which it keeps what they were."""
    tags = [want.destination.tag for want in wants if want.destination.tag is not None]
    tags += _aliases_of(rule, wants)
    kept = [rule.keep_previous.apply(tag) for tag in tags] if rule.keep_previous is not None else []
    return tags + kept


def _aliases_of(rule: Rule, wants: Iterable[Taken]) -> list[Tag]:
    return list(highest_of(rule, [want.source.tag for want in wants if want.source.tag is not None]))


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
    missing = sorted(case.expected - frozenset(listed))
    if missing:
        more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
        return Broken(
            f"{missing[0]} is wanted and not there yet{more}", MISSING_KIND, "`imagesync apply` brings it first"
        )
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
