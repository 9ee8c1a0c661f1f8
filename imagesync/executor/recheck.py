"""A second look at a plan from a file before the first write: what has been done since, what has changed, what is left.

It asks for each copy whether the source still has its root (nothing else can tell that the file was not edited),
what the destination's tag points to now, and which of the missing blobs have arrived meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from imagesync.errors import AuthenticationError, ImagesyncError, NotFoundError
from imagesync.executor.blame import blamed_on
from imagesync.plan.actions import Action, Conflict, Copy, Plan
from imagesync.plan.outcome import Outcome, Status
from imagesync.plan.settled import failed, in_conflict
from imagesync.reference import Digest
from imagesync.store import Stores
from imagesync.tasks import Task, Tasks

STALE_EXIT_CODE = 3
"""As for a blocked copy: the tag was left alone, the rest was carried out."""


def recheck(plan: Plan, stores: Stores, tasks: Tasks) -> tuple[Plan, list[Outcome]]:
    """The plan with what is still to be done, and the outcomes of the copies that are not."""
    looks = {copy: tasks.add(partial(_look, copy, stores), hosts=_hosts(copy)) for copy in plan.copies()}
    for _ in tasks.completed(looks.values()):
        pass
    settled = {copy: outcome for copy, task in looks.items() if (outcome := _outcome(copy, task)) is not None}
    left = [action for action in plan.actions if not isinstance(action, Copy) or action not in settled]
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


def _conflict(copy: Copy, found: Digest) -> Conflict:
    """What the plan would have said, had the immutable tag been there by then."""
    return Conflict(rule=copy.rule, place=copy.place, source=copy.source, destination=copy.destination, found=found)


def _look(copy: Copy, stores: Stores) -> Outcome | None:
    outcome = left_alone(copy, stores)
    if outcome is None:
        with blamed_on("source"):
            stores.source(copy.source.repository).resolve(copy.root.digest)
    return outcome


def _outcome(copy: Copy, task: Task[Outcome | None]) -> Outcome | None:
    try:
        return task.result()
    except ImagesyncError as error:
        return failed(copy, error)


def _without_arrived(actions: Iterable[Action], stores: Stores, tasks: Tasks) -> list[Action]:
    """The copies without the blobs that an earlier, interrupted run has brought."""
    actions = list(actions)
    wanted = {
        (action.destination.repository, blob)
        for action in actions
        if isinstance(action, Copy) and not action.is_within_registry
        for blob in action.missing
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

    def updated(action: Action) -> Action:
        if not isinstance(action, Copy):
            return action
        left = tuple(blob for blob in action.missing if (action.destination.repository, blob.digest) not in arrived)
        brought = sum(blob.size_bytes for blob in action.missing) - sum(blob.size_bytes for blob in left)
        return replace(action, missing=left, present_bytes=action.present_bytes + brought)

    return [updated(action) for action in actions]


def _hosts(copy: Copy) -> tuple[str, ...]:
    return (copy.source.repository.registry, copy.destination.repository.registry)


def _digest_now(copy: Copy, stores: Stores) -> Digest | None:
    """What the destination's tag points to; None where it is not there, or could not be read before either."""
    with blamed_on("destination"):
        try:
            return stores.destination(copy.destination.repository).resolve(copy.destination.target).digest
        except NotFoundError:
            return None
        except AuthenticationError as error:
            if not error.is_refusal or copy.replaces is not None:
                raise
            return None
