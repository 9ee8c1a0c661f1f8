"""Pruning: what is known of a repository in, its deletions out, with a reason for every tag that stays. Pure.

A tag goes only where imagesync wrote it, nothing in the spec wants it, and it is what was written. What speaks of an
image goes after the last tag that has that image; of what stays, it stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from imagesync.lazy import replace
from imagesync.manifest import Content, Index
from imagesync.plan.actions import Action, Delete, Failure, Plan, Spared
from imagesync.plan.attachments import attachment_tags, tag_of
from imagesync.plan.inventory import Broken
from imagesync.plan.leftovers import Case, Found, look
from imagesync.plan.questions import Asking
from imagesync.plan.review import Change, Reviewer
from imagesync.plan.targets import Target
from imagesync.reference import Digest, Reference, Repository, Tag
from imagesync.spec.model import AttachmentType
from imagesync.state import Written


def prune(case: Case | Failure) -> Asking[tuple[Action, ...]]:
    """Look at a repository, and say what becomes of its tags."""
    if isinstance(case, Failure):
        return (case,)
    found = yield from look(case)
    return (case.target.refused(found),) if isinstance(found, Broken) else decide(case, found)


def decide(case: Case, found: Found) -> tuple[Action, ...]:
    """What becomes of each of imagesync's tags that is there, and of what speaks of those that go."""
    listed = frozenset(found.listed)
    owned = [written for written in case.owned if written.destination.tag in listed]
    below = _Below(found)
    case = replace(case, wanted={**_carried(case, below), **case.wanted})
    actions = [_of_tag(written, case, below) for written in owned]
    going = {_tag_of(action): None for action in actions if isinstance(action, Delete)}
    attached = _attachments(case, going, below)
    deletes = [_delete(case.target, tag, found, below) for tag in (*going, *attached)]
    told = [replace(one, after=attached.get(_tag_of(one), ()), note=_note(one, attached, below)) for one in deletes]
    return (*sorted(told, key=_containers_first), *(action for action in actions if isinstance(action, Spared)))


def at_most(plan: Plan, targets: Iterable[Target]) -> Reviewer:
    """Refuse every deletion in a repository where more tags would go than its rules allow."""
    limits = {target.repository: target.prunes for target in targets}
    going = Counter(_repository(action) for action in plan.actions if isinstance(action, Delete) and not action.after)
    spared = Counter(_repository(action) for action in plan.actions if isinstance(action, Spared))

    def check(change: Change) -> str | None:
        repository = change.destination.repository
        would_go, tags = going[repository], going[repository] + spared[repository]
        most = min((prune.most for prune in limits.get(repository, ())), key=lambda one: one.of(tags), default=None)
        if most is None or would_go <= most.of(tags):
            return None
        allowed = f"`max: {most}` allows {most.of(tags)}"
        return f"{would_go} of {tags} tags here would go, {allowed}: raise it if that is meant"

    return check


def _carried(case: Case, below: _Below) -> dict[Tag, str]:
    """The versions that wanted aliases carry so far, though no rule selects them, each with its alias: without one of
    them there nobody knew whether the next version is a newer one, and the alias would wait for ever."""
    selected = {below.roots.get(tag) for tag in case.wanted.keys() - case.aliases}
    wrote = {one.destination.tag: one.digest for one in case.owned}
    carrying = (
        (digest, alias) for alias in sorted(case.aliases) for digest in (wrote.get(alias), below.roots.get(alias))
    )
    carriers = {digest: alias for digest, alias in carrying if digest not in selected}
    return {tag: f"the alias {carriers[root]}" for tag, root in below.roots.items() if root in carriers}


def _of_tag(written: Written, case: Case, below: _Below) -> Delete | Spared:
    """A tag that is there: whether it goes."""
    target, destination, tag = case.target, written.destination, written.destination.tag
    assert tag is not None  # noqa: S101 - narrows: entries of a state have one
    digest = below.roots.get(tag)
    reason = case.reason_to_stay(tag) or _not_ours(written, digest) or _is_pinned(below.of.get(tag, ()), case)
    rule, place = target.rule.name, target.rule.place
    if reason is not None or digest is None:
        return Spared(rule=rule, place=place, destination=destination, reason=reason or "", digest=digest)
    return Delete(rule=rule, place=place, destination=destination, digest=digest)


def _not_ours(written: Written, digest: Digest | None) -> str | None:
    if digest is None:
        return "it is listed, and points to nothing"
    if digest != written.digest:
        return f"changed by another hand: imagesync wrote {written.digest.short}"
    return None


def _is_pinned(digests: Iterable[Digest], case: Case) -> str | None:
    """Whether it is taken from there by its digest, or an image that its index lists: without a tag above it that goes
    with the registry's garbage."""
    rule = next((case.pinned[digest] for digest in digests if digest in case.pinned), None)
    return f"wanted by its digest by {rule}" if rule is not None else None


class _Below:
    """Which digests each tag of a repository leads to: its own, and those of all that its index lists. And back: which
    tags have a digest, and which list it."""

    def __init__(self, found: Found) -> None:
        self.roots = {tag: head.digest for tag, head in found.heads.items()}
        self.of = {tag: _reach(digest, found.contents) for tag, digest in self.roots.items()}
        self.attachments = {tag: self.of[tag] for tag in sorted(attachment_tags(self.of))}
        self.images = {tag: digests for tag, digests in self.of.items() if tag not in self.attachments}
        self.having: dict[Digest, list[Tag]] = defaultdict(list)
        self.listing: dict[Digest, list[Tag]] = defaultdict(list)
        for tag, digests in sorted(self.of.items()):
            for digest in digests:
                where = self.having if self.roots[tag] == digest else self.listing
                where[digest].append(tag)


def _reach(root: Digest, contents: Mapping[Digest, Content]) -> frozenset[Digest]:
    seen: set[Digest] = set()
    left = [root]
    while left:
        digest = left.pop()
        if digest not in seen:
            seen.add(digest)
            index = contents.get(digest)
            left += [entry.digest for entry in index.manifests] if isinstance(index, Index) else []
    return frozenset(seen)


def _attachments(case: Case, going: Collection[Tag], below: _Below) -> dict[Tag, tuple[Tag, ...]]:
    """The tags that speak of what goes and of nothing that stays, each with the tags that have to be gone first."""
    kept = [digests for tag, digests in below.images.items() if tag not in going]
    held = [digests for tag, digests in below.attachments.items() if case.reason_to_stay(tag) is not None]
    living = _living([*kept, *held], below)
    left = [tag for tag in below.attachments if case.reason_to_stay(tag) is None]
    holders: dict[str, set[Tag]] = defaultdict(set)
    for tag in going:
        for digest in below.of[tag] - living:
            holders[_prefix(digest)].add(tag)
    after: dict[Tag, tuple[Tag, ...]] = {}
    while found := [tag for tag in left if tag not in after and holders.get(_subject(tag))]:
        for tag in found:
            after[tag] = tuple(sorted(holders[_subject(tag)]))
            for digest in below.of[tag] - living:
                holders[_prefix(digest)].update(after[tag])
    return after


def _living(roots: Iterable[frozenset[Digest]], below: _Below) -> frozenset[Digest]:
    """Every digest that stays: of these, and of all that speaks of them, and of that in turn."""
    living: set[Digest] = set().union(*roots)
    subjects = {_prefix(digest) for digest in living}
    left = dict(below.attachments)
    while found := [tag for tag in left if _subject(tag) in subjects]:
        new = set().union(*(left.pop(tag) for tag in found))
        living |= new
        subjects |= {_prefix(digest) for digest in new}
    return frozenset(living)


def _prefix(digest: Digest) -> str:
    """What the names of tags begin with that speak of a digest."""
    return tag_of(digest, AttachmentType.REFERRERS)


def _subject(tag: Tag) -> str:
    return tag.partition(".")[0]


def _delete(target: Target, tag: Tag, found: Found, below: _Below) -> Delete:
    digest = found.heads[tag].digest
    return Delete(
        rule=target.rule.name,
        place=target.rule.place,
        destination=Reference(target.repository, tag),
        digest=digest,
        listed_by=tuple(below.listing.get(digest, ())),
    )


def _note(delete: Delete, attached: Mapping[Tag, tuple[Tag, ...]], below: _Below) -> str:
    """What is to be known before it is confirmed."""
    tag = _tag_of(delete)
    if tag in attached:
        return f"speaks of tag {', '.join(attached[tag])}"
    others = [one for one in below.having[delete.digest] if one != tag]
    shared = (*others, *delete.listed_by)
    return f"tag {shared[0]} has it too" if shared else ""


def _containers_first(delete: Delete) -> tuple[bool, int, Tag]:
    """Images before what speaks of them, an index before what it lists, else by name."""
    return (bool(delete.after), len(delete.listed_by), _tag_of(delete))


def _tag_of(delete: Delete) -> Tag:
    assert delete.destination.tag is not None  # noqa: S101 - narrows: what is deleted is a tag
    return delete.destination.tag


def _repository(action: Delete | Spared) -> Repository:
    return action.destination.repository
