"""Choosing: which tags of a source a rule keeps where their names alone do not tell. Pure: questions out, answers in.

Heads come first: they are free, they tell which tags are one image, and what is kept is not asked for again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from imagesync.errors import UnsupportedError
from imagesync.lazy import dataclass, replace
from imagesync.manifest import Descriptor
from imagesync.plan.contents import CannotRead
from imagesync.plan.dates import UNREADABLE_KINDS, date_of
from imagesync.plan.inventory import Broken, Head, NotRead, Present
from imagesync.plan.questions import Asking, MayRead, ReadHead, ReadPushTimes, together
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.selection import Created, Facts, NeedsFacts, Selection, Sight, Standing, TagFilter, Unknown
from imagesync.state import State


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a run, in UTC, and what is remembered then; `state` is None where nothing is."""

    now: datetime
    state: State | None = None

    def sights(self, source: Reference) -> tuple[Sight, ...] | None:
        """The digests that a tag was seen to have."""
        return None if self.state is None else self.state.sights(source)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a source lists, and the filter that chooses from it at this moment."""

    source: Repository
    tags: TagFilter
    listed: tuple[str, ...]
    moment: Moment


def choose(choice: Choice) -> Asking[Selection | Broken]:
    """Make the selection, and make it again with what it says that it needs, until it needs nothing more."""
    facts = Facts(choice.moment.now)
    try:
        while not isinstance(found := choice.tags.select(choice.listed, facts), Selection):
            facts = yield from _learn(choice, found, facts)
    except CannotRead as error:
        return _not_chosen(error.broken)
    return found


def _learn(choice: Choice, needed: NeedsFacts, facts: Facts) -> Asking[Facts]:
    """The facts, and those that are needed besides."""
    created = yield from _dates(choice.source, needed.created)
    standings = yield from _standings(choice, needed.standings)
    pushed = yield from _pushed(choice, needed.pushed)
    held = yield from _held(choice.source, needed.held)
    return replace(
        facts,
        created={**facts.created, **created},
        standings={**facts.standings, **standings},
        pushed={**facts.pushed, **pushed},
        held={**facts.held, **held},
    )


def _standings(choice: Choice, tags: Iterable[Tag]) -> Asking[dict[Tag, Standing | Unknown | None]]:
    heads = yield from _heads(choice.source, tags)
    return {tag: _standing(head, choice.moment.sights(Reference(choice.source, tag))) for tag, head in heads.items()}


def _standing(head: Head, sights: tuple[Sight, ...] | None) -> Standing | Unknown | None:
    if isinstance(head, Broken):
        return Unknown(head.reason)
    return Standing(head.descriptor.digest, sights) if isinstance(head, Present) else None


_NOT_SAID = Unknown("its registry does not say when it was pushed")


def _pushed(choice: Choice, tags: tuple[Tag, ...]) -> Asking[dict[Tag, datetime | Unknown]]:
    """When the registry got what these tags point to. Where it may be able to tell another time and nothing else says
    how old they are, raises CannotRead."""
    if not tags:
        return {}
    question = ReadPushTimes(choice.source, tags)
    answer = (yield (question,))[question]
    if isinstance(answer, Broken):
        if answer.kind != UnsupportedError.kind and not _is_remembered(choice.tags):
            raise CannotRead(answer)
        return dict.fromkeys(tags, _NOT_SAID)
    heads = yield from _heads(choice.source, tags)
    return {tag: _when_pushed(head, answer.get(tag)) for tag, head in heads.items()}


def _is_remembered(tags: TagFilter) -> bool:
    return tags.min_age is not None and tags.min_age.uses_state


def _when_pushed(head: Head, pushed: Sight | None) -> datetime | Unknown:
    if pushed is None:
        return _NOT_SAID
    is_same = isinstance(head, Present) and head.descriptor.digest == pushed.digest
    return pushed.at if is_same else Unknown("its registry says when another digest was pushed there")


def _held(source: Repository, pairs: Iterable[tuple[Tag, Digest]]) -> Asking[dict[Digest, bool | Unknown]]:
    """Whether the source has these digests still. Asked as the head of what is then copied, so that it is once."""
    questions = {digest: ReadHead(Reference(source, tag, digest), "source") for tag, digest in pairs}
    answers = yield tuple(questions.values())
    return {digest: _is_held(answers[question]) for digest, question in questions.items()}


def _is_held(head: Head) -> bool | Unknown:
    return Unknown(head.reason) if isinstance(head, Broken) else isinstance(head, Present)


def _not_chosen(broken: Broken) -> Broken:
    reason = f"it cannot be told which tags are kept, since not all could be read: {broken.reason}"
    if not isinstance(broken, NotRead):
        return replace(broken, reason=reason)
    hint = "let `include` and `versions` leave fewer, or sort by version; `--cache` keeps what was read"
    return replace(broken, reason=reason, hint=hint)


def _dates(source: Repository, tags: Collection[Tag]) -> Asking[dict[Tag, Created]]:
    """When the images of these tags were made; what several tags point to is read once."""
    if not tags:
        return {}
    heads = yield from _heads(source, tags)
    present = {tag: head.descriptor for tag, head in heads.items() if isinstance(head, Present)}
    dates = yield from _dates_of(source, {root.digest: root for root in present.values()})
    unknown = {tag: _without_head(head) for tag, head in heads.items() if not isinstance(head, Present)}
    return {**unknown, **{tag: dates[root.digest] for tag, root in present.items()}}


def _dates_of(source: Repository, roots: Mapping[Digest, Descriptor]) -> Asking[dict[Digest, Created]]:
    question = MayRead(source, tuple(roots.values()))
    answers = yield (question,)
    if isinstance(answers[question], Broken):
        raise CannotRead(answers[question])
    dates = yield from together([date_of(source, digest) for digest in roots])
    return dict(zip(roots, dates, strict=True))


def _heads(source: Repository, tags: Iterable[Tag]) -> Asking[dict[Tag, Head]]:
    questions = {tag: ReadHead(Reference(source, tag), "source") for tag in tags}
    answers = yield tuple(questions.values())
    return {tag: answers[question] for tag, question in questions.items()}


def _without_head(head: Head) -> Unknown:
    """Why a tag has no date. Raises CannotRead where it may have one another time."""
    if not isinstance(head, Broken):
        return Unknown("it is listed, and not there")
    if head.kind in UNREADABLE_KINDS:
        return Unknown(f"it cannot be read: {head.reason}")
    raise CannotRead(head)


def seen_at_sources(
    heads: Mapping[Reference, Head], wants: Iterable[Wanted], sources: Iterable[Repository]
) -> tuple[Reference, ...]:
    """The tags of sources that were asked for, with their digests: those that are too young have to be remembered, too.
    A tag that is a destination alone is none of them, though its repository is a source."""
    tags = [want for want in wants if isinstance(want, Want)]
    written = {want.destination for want in tags} - {want.asked for want in tags}
    repositories = frozenset(sources)
    return tuple(
        Reference(reference.repository, reference.tag, head.descriptor.digest)
        for reference, head in heads.items()
        if isinstance(head, Present) and reference.repository in repositories and reference not in written
        if reference.tag is not None and reference.digest is None
    )
