"""Need: one blob that a repository needs from one source, the task that brings it, and the copies that wait for it."""

from __future__ import annotations

from imagesync.errors import ImagesyncError, StoreError
from imagesync.executor.running import Running
from imagesync.executor.spread import Spread
from imagesync.lazy import dataclass, field
from imagesync.manifest import Descriptor
from imagesync.plan.actions import Copy
from imagesync.reference import Digest, Repository
from imagesync.store import Pushed
from imagesync.tasks import Task

Key = tuple[Repository, Digest, Repository]
"""Destination, digest, source: what makes two needs one. Where one source has failed, another may do."""


def key_of(copy: Copy, digest: Digest) -> Key:
    """The key of what a copy needs under this digest, a blob or a manifest."""
    return (copy.destination.repository, digest, copy.source.repository)


@dataclass(eq=False, slots=True)
class Need:
    """`copy` is the first that needs the blob; `spread` brings it to several registries at once, if there is one."""

    copy: Copy
    blob: Descriptor
    spread: Spread | None = None
    users: list[Running] = field(default_factory=list)
    task: Task[Pushed] | None = None
    position: int = 0
    """Of its image in the run."""
    ahead: bytes | StoreError | None = None
    """What came of reading it ahead: its bytes, verified, or why there are none."""
    is_ahead: bool = False
    """It counts among those that are read ahead."""
    expected_bytes: int = 0
    """What the meter expects to be moved for it; an image that is planned later may show that it can be mounted."""
    is_dropped: bool = False
    """Set when its task was not carried out, since all its users had ended: whoever comes later needs another."""

    def error(self) -> ImagesyncError | None:
        """Why nobody needs it any more; None while somebody does."""
        errors = [user.error for user in self.users]
        return errors[0] if errors and None not in errors else None
