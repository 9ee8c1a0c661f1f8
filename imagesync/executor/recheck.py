"""A second look at a plan from a file before the first write: what has been done since, what has changed, what is left.

It asks for each copy whether the source still has what it is made of (nothing else can tell that the file was not
edited), what the destination's tag points to now, and which of the missing blobs have arrived meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from imagesync.errors import AuthenticationError, ImagesyncError, NotFoundError
from imagesync.executor.blame import blamed_on
from imagesync.lazy import replace
from imagesync.plan.actions import Action, Attach, Conflict, Copy, Plan
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import failed, in_conflict
from imagesync.reference import Digest, Reference
from imagesync.store import Stores
from imagesync.tasks import Task, Tasks

STALE_EXIT_CODE = 3
"""As for a blocked copy: the tag was left alone, the rest was carried out."""


def recheck(plan: Plan, stores: Stores, tasks: Tasks) -> tuple[Plan, list[Outcome]]:
    """The plan with what is still to be done, and the outcomes of the copies that are not."""
    changes = [action for action in plan.actions if isinstance(action, Copy | Attach)]
    looks = {change: tasks.add(partial(_look, change, stores), hosts=_hosts(change)) for change in changes}
    for _ in tasks.completed(looks.values()):
        pass
    settled = {change: outcome for change, task in looks.items() if (outcome := _outcome(change, task)) is not None}
    settled |= _left_with_versions([change for change in changes if change not in settled], settled.values())
    left = [action for action in plan.actions if not isinstance(action, Copy | Attach) or action not in settled]
    return replace(plan, actions=tuple(_without_arrived(left, stores, tasks))), list(settled.values())


def left_alone(copy: Copy, stores: Stores) -> Outcome | None:
    """Read the destination's tag: None where it is as the plan saw it, else why nothing is written to it. A registry
    has no compare-and-set, this comes as close as it gets."""
    now = _digest_now(copy, stores)
    if now == copy.root.digest:
        return Outcome(copy, Status.UNCHANGED, "the tag has this digest already")
    if now is not None and copy.is_immutable:
        return in_conflict(copy, _conflict(copy, now))
    if now == copy.replaces:
        return None
    seen = f"pointed to {copy.replaces.short}" if copy.replaces else "was not there"
    found = f"points to {now.short} now" if now else "is gone now"
    reason = f"the tag {seen} when the plan was made, and {found}"
    return Outcome(copy, Status.STALE, reason, "plan again", exit_code=STALE_EXIT_CODE)


def is_at_stake(copy: Copy) -> bool:
    """Whether a tag is worth a look right before it is written: something would be lost, or must not be."""
    return copy.replaces is not None or copy.is_immutable


def look_at_tags(copies: Sequence[Copy], stores: Stores, tasks: Tasks) -> list[Outcome]:
    """Read the tags of these copies once more; the outcomes of those to which nothing is to be written."""
    looks = {copy: tasks.add(partial(left_alone, copy, stores), hosts=_hosts(copy)) for copy in copies}
    for _ in tasks.completed(looks.values()):
        pass
    return [outcome for copy, task in looks.items() if (outcome := _outcome(copy, task)) is not None]


def left_with_version(alias: Copy, version: Outcome) -> Outcome | None:
    """Why an alias is left alone: so was the tag of its version. None where that has the digest of the plan."""
    if version.status in (Status.COPIED, Status.UNCHANGED):
        return None
    return replace(version, action=alias, reason=f"the tag of its version was left alone: {version.reason}")


def _left_with_versions(changes: Iterable[Copy | Attach], outcomes: Iterable[Outcome]) -> dict[Copy | Attach, Outcome]:
    """The aliases among these whose versions have come to nothing already."""
    found = {one.action.destination: one for one in outcomes if isinstance(one.action, Copy)}
    aliases = [(change, change.carries) for change in changes if isinstance(change, Copy)]
    versions = [
        (alias, found.get(Reference(alias.destination.repository, carries.version)))
        for alias, carries in aliases
        if carries is not None
    ]
    left = {alias: left_with_version(alias, version) for alias, version in versions if version is not None}
    return {alias: outcome for alias, outcome in left.items() if outcome is not None}


def _conflict(copy: Copy, found: Digest) -> Conflict:
    """What the plan would have said, had the immutable tag been there by then."""
    return Conflict(
        rule=copy.rule,
        place=copy.place,
        source=copy.source,
        destination=copy.destination,
        found=found,
        narrowed=copy.root.digest if copy.is_narrowed else None,
    )


def _look(change: Copy | Attach, stores: Stores) -> Outcome | None:
    outcome = left_alone(change, stores) if isinstance(change, Copy) else _moved_away(change, stores)
    if outcome is None:
        copies = (change, *change.attachments) if isinstance(change, Copy) else change.attachments
        with blamed_on("source"):
            for copy in copies:
                stores.source(copy.source.repository).resolve(copy.source.digest or copy.root.digest)
    return outcome


def _moved_away(attach: Attach, stores: Stores) -> Outcome | None:
    """Why nothing is attached to a tag: it has another digest by now, of which the plan knows nothing."""
    now = _digest_now(attach, stores)
    if now == attach.found:
        return None
    reason = "the destination's tag is no longer what it was when the plan was made"
    return Outcome(attach, Status.STALE, reason, "plan again", exit_code=STALE_EXIT_CODE)


def _outcome(change: Copy | Attach, task: Task[Outcome | None]) -> Outcome | None:
    try:
        return task.result()
    except ImagesyncError as error:
        return failed(change, error)


def _without_arrived(actions: Iterable[Action], stores: Stores, tasks: Tasks) -> list[Action]:
    """The copies without the blobs that an earlier, interrupted run has brought."""
    actions = list(actions)
    wanted = {
        (copy.destination.repository, blob)
        for copy in Plan(tuple(actions)).all_copies()
        if not copy.is_within_registry
        for blob in copy.missing
    }
    asked = {
        (repository, blob.digest): tasks.add(
            partial(stores.destination(repository).has_blob, blob), hosts=[repository.registry]
        )
        for repository, blob in wanted
    }
    for _ in tasks.completed(asked.values()):
        pass
    arrived = {key for key, task in asked.items() if task.value is True}

    def updated(copy: Copy) -> Copy:
        left = tuple(blob for blob in copy.missing if (copy.destination.repository, blob.digest) not in arrived)
        brought = sum(blob.size_bytes for blob in copy.missing) - sum(blob.size_bytes for blob in left)
        attachments = tuple(map(updated, copy.attachments))
        return replace(copy, missing=left, present_bytes=copy.present_bytes + brought, attachments=attachments)

    def updated_action(action: Action) -> Action:
        if isinstance(action, Attach):
            return replace(action, attachments=tuple(map(updated, action.attachments)))
        return updated(action) if isinstance(action, Copy) else action

    return list(map(updated_action, actions))


def _hosts(copy: Copy | Attach) -> tuple[str, ...]:
    return (copy.source.repository.registry, copy.destination.repository.registry)


def _digest_now(copy: Copy | Attach, stores: Stores) -> Digest | None:
    """What the destination's tag points to; None where it is not there, or could not be read before either."""
    with blamed_on("destination"):
        try:
            return stores.destination(copy.destination.repository).resolve(copy.destination.target).digest
        except NotFoundError:
            return None
        except AuthenticationError as error:
            if not error.is_refusal or isinstance(copy, Attach) or copy.replaces is not None:
                raise
            return None
