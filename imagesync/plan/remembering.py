"""What a run is worth remembering: outcomes and what was seen of sources in, entries of a state out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from imagesync.lazy import replace
from imagesync.plan.actions import Attach, Copy, Delete, Keep
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Digest, Reference
from imagesync.state import Deleted, Entry, FirstSeen, State, Written


def sights_of(sources: Iterable[Reference], state: State, at: datetime) -> Iterator[FirstSeen]:
    """The first sight of each of these tags with their digests that no run has had."""
    for source in sources:
        if source.tag is not None and source.digest is not None and state.first_seen(source, source.digest) is None:
            yield FirstSeen(Reference(source.repository, source.tag), source.digest, at)


def written_by(outcome: Outcome, state: State, at: datetime) -> Iterator[Entry]:
    """The tag that was written, or deleted; or one of ours that turned out to have the source's digest: an earlier run
    may have written it and been killed before that was kept."""
    action = outcome.action
    if isinstance(action, Copy) and outcome.status is Status.COPIED:
        yield replace(make_written(action.destination, action.root.digest, state, at), source=_narrowed_from(action))
    elif isinstance(action, Delete) and outcome.status is Status.DELETED:
        if state.last_fate(action.destination) is not None:
            yield _given_up(action.destination, state, at)
    elif isinstance(action, Copy | Keep | Attach) and outcome.status in (Status.UNCHANGED, Status.ATTACHED):
        digest = action.root.digest if isinstance(action, Copy) else action.narrowed or action.source.digest
        before = state.written(action.destination)
        if digest is not None and before is not None and before.digest != digest:
            yield replace(make_written(action.destination, digest, state, at), source=_narrowed_from(action))


def _narrowed_from(action: Copy | Keep | Attach) -> Digest | None:
    """The source's digest, where the destination has another."""
    is_narrowed = action.is_narrowed if isinstance(action, Copy) else action.narrowed is not None
    return action.source.digest if is_narrowed else None


def make_written(destination: Reference, digest: Digest, state: State, at: datetime) -> Written:
    """The entry of a write, or of an adoption."""
    tag = Reference(destination.repository, destination.tag)
    return Written(tag, digest, _after_all(destination, state, at))


def _given_up(destination: Reference, state: State, at: datetime) -> Deleted:
    tag = Reference(destination.repository, destination.tag)
    return Deleted(tag, _after_all(destination, state, at))


def _after_all(destination: Reference, state: State, at: datetime) -> datetime:
    """The moment, or one after whatever is remembered of that tag: clocks of two machines differ."""
    last = state.last_fate(destination)
    return at if last is None or last.at < at else last.at + timedelta(seconds=1)
