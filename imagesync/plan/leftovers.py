"""Leftovers: what the whole spec wants in a repository that is pruned, and what has to be asked of it. Pure.

Whatever leaves a doubt about what is wanted is a Failure in the place of the repository: then nothing is deleted there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imagesync.errors import AuthenticationError
from imagesync.manifest import Content, Descriptor
from imagesync.plan.actions import Failure, Skip
from imagesync.plan.attachments import attachment_tags
from imagesync.plan.contents import CannotRead, Place, read_contents
from imagesync.plan.inventory import Broken, Head, Present, Unreadable
from imagesync.plan.questions import Asking, ListAllTags, ReadHead
from imagesync.plan.repositories import Named
from imagesync.plan.targets import Target
from imagesync.plan.wants import Listings, Want, make_wants, needs_list
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import Rule
from imagesync.state import State, Written

EMPTY_KIND = "empty"


@dataclass(frozen=True, slots=True)
class Case:
    """A target with what is known before it is looked at: the tags that are imagesync's there, and which rule wants
    what."""

    target: Target
    owned: tuple[Written, ...]
    wanted: Mapping[Tag, str]
    pinned: Mapping[Digest, str] = field(default_factory=dict)
    """What is taken from there by its digest, and by which rule."""

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


def case_of(target: Target, listings: Listings, state: State) -> Case | Failure:
    """What is imagesync's in a repository, and what is wanted there; a Failure where that is not known to the last."""
    wants = [(user, _wants(user, listings)) for user in (*target.writers, *target.readers)]
    for user, found in wants:
        if isinstance(found, Broken):
            return target.refused(found, user)
    known = [want for _, found in wants if not isinstance(found, Broken) for want in found]
    taken = [want for want in known if want.source.repository == target.repository]
    owned = [written for written in state.owned(target.repository) if not _is_attachment(written.destination.tag)]
    return Case(
        target,
        tuple(owned),
        {**_tags_taken(taken), **_tags_written(known, target.repository)},
        {want.source.digest: want.rule.name for want in taken if want.source.digest is not None},
    )


def _wants(user: Named, listings: Listings) -> list[Want] | Broken:
    """All that a rule wants, or why that is not known."""
    if not isinstance(user, Rule):
        return _unknown(user)
    if needs_list(user) and _is_empty(listings[user.source]):
        hint = "if that is meant, take the image out of the spec, or `prune` off it"
        return Broken(f"{user.source} lists no tag at all", EMPTY_KIND, hint)
    found: list[Want] = []
    for want in make_wants([user], listings):
        if not isinstance(want, Want):
            return _unknown(want)
        found.append(want)
    return found


def _tags_written(wants: Iterable[Want], repository: Repository) -> dict[Tag, str]:
    """The tags that are wanted at a destination, and those that keep what they were, each with its rule."""
    found: dict[Tag, str] = {}
    for want in wants:
        tag, template = want.destination.tag, want.rule.keep_previous
        if want.destination.repository == repository and tag is not None:
            found[tag] = want.rule.name
            found.update({template.apply(tag): want.rule.name} if template is not None else {})
    return found


def _tags_taken(wants: Iterable[Want]) -> dict[Tag, str]:
    """The tags of a source that are wanted elsewhere."""
    return {want.source.tag: want.rule.name for want in wants if want.source.tag is not None}


def _is_empty(listed: tuple[Tag, ...] | Broken) -> bool:
    """Whether a source lists nothing that could be an image."""
    return not isinstance(listed, Broken) and len(attachment_tags(listed)) == len(listed)


def _unknown(found: Skip | Failure) -> Broken:
    if isinstance(found, Failure):
        return Broken(found.reason, found.kind, found.hint)
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
