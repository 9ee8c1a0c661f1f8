"""The summary of a plan: its actions counted, and what can be asked of any action. Pure."""

from __future__ import annotations

from imagesync.gates import Verdict
from imagesync.lazy import dataclass
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Cause,
    Conflict,
    Copy,
    Delete,
    Drifted,
    Failure,
    Keep,
    Plan,
    Skip,
    Spared,
    Waiting,
)
from imagesync.plan.following import UpstreamMoved


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of a plan; `changes` is 0 for one that would do nothing."""

    add: int
    update: int
    unchanged: int
    assumed: int
    skipped: int
    blocked: int
    """By a reviewer, by an immutable tag that has another digest, or since it is not at the stage before."""
    waiting: int
    failed: int
    bytes_to_copy: int
    """Each blob once for each destination registry: from there on it is mounted."""
    attach: int = 0
    """Tags that stay, and get attachments."""
    drifted: int = 0
    """Tags that another hand has changed: overwritten, kept, or failed, and counted there too."""
    delete: int = 0
    """Tags that go, what speaks of images among them."""
    spared: int = 0
    upstream_moved: int = 0
    """Source tags that have left what a lock or the spec holds on to; counted besides what becomes of them."""

    create: int = 0
    """Repositories and projects that are made for what is added; counted besides that."""

    @property
    def changes(self) -> int:
        return self.add + self.update + self.attach + self.delete


def verdicts_of(action: Action) -> tuple[Verdict, ...]:
    """What gates have said of it."""
    change = action.copy if isinstance(action, Blocked) else action
    return change.verdicts if isinstance(change, Copy | Waiting | Keep | Attach) else ()


def moved_of(action: Action) -> UpstreamMoved | None:
    """Where the source's tag went that a lock or the spec holds on to; None where it is what is taken."""
    change = action.copy if isinstance(action, Blocked) else action
    return change.moved if isinstance(change, Copy | Attach | Keep | Conflict) else None


def is_drifted(action: Action) -> bool:
    """Whether its tag was changed by another hand, whatever is done about that."""
    if isinstance(action, Blocked):
        return is_drifted(action.copy)
    if isinstance(action, Copy):
        return action.cause is Cause.DRIFTED
    return isinstance(action, Drifted) or (isinstance(action, Failure) and action.kind == Drifted.kind)


def summarise(plan: Plan) -> Summary:
    """Count a plan's actions."""
    copies = plan.copies()
    refused = sum(isinstance(action, Waiting) and action.is_refused for action in plan.actions)
    kinds = [type(action) for action in plan.actions]
    moved = {
        (copy.destination.repository.registry, blob.digest): blob.size_bytes
        for copy in plan.all_copies()
        for blob in copy.missing
        if not copy.is_within_registry
    }
    return Summary(
        add=sum(copy.replaces is None for copy in copies),
        update=sum(copy.replaces is not None for copy in copies),
        unchanged=kinds.count(Keep),
        assumed=kinds.count(Assumed),
        skipped=kinds.count(Skip) + kinds.count(Drifted),
        blocked=kinds.count(Blocked) + kinds.count(Conflict) + refused,
        waiting=kinds.count(Waiting) - refused,
        failed=kinds.count(Failure),
        bytes_to_copy=sum(moved.values()),
        attach=kinds.count(Attach),
        drifted=sum(map(is_drifted, plan.actions)),
        delete=kinds.count(Delete),
        spared=kinds.count(Spared),
        create=len(plan.creations()),
        upstream_moved=sum(moved_of(action) is not None for action in plan.actions),
    )
