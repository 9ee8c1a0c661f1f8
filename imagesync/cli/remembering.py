"""The state of a spec: which keeper has it, and a run that is written down in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from imagesync.cancellation import Cancellation
from imagesync.cli.output import complain, notify
from imagesync.errors import Cancelled, ImagesyncError
from imagesync.spec.model import StateFile

if TYPE_CHECKING:
    from imagesync.cli.session import Session
    from imagesync.keeping import Keeper
    from imagesync.keeping.journal import Journal
    from imagesync.keeping.store import StateStore
    from imagesync.plan.outcome import Outcome
    from imagesync.plan.standing import Standing
    from imagesync.reference import Reference, Repository, Tag
    from imagesync.state import Entry, State
    from imagesync.tasks import Tasks

T = TypeVar("T")
INTERRUPTED = (130, 143)
LAST_SECONDS = 20.0
"""How long a run that was stopped may take to say what it has done."""


class Memory:
    """What is remembered of a spec's images, and a journal of what the present run does.

    `state` is None without `state` in the spec: then nothing is known of any tag, and nothing is kept.
    """

    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper
        self._journal: Journal | None = None
        self._unsaved: ImagesyncError | None = None
        self.state: State | None = None if keeper is None else keeper.load()

    def begin(self) -> None:
        """From now on the run is written down. Raises StateError where it is plain that it cannot be."""
        from imagesync.keeping.journal import Journal  # noqa: PLC0415 - few specs have a state

        if self._keeper is not None:
            self._keeper.check_writable()
            self._journal = Journal(self._keeper)

    def saw(self, sources: Iterable[Reference]) -> None:
        """These tags were seen with these digests."""
        from imagesync.keeping.clock import now  # noqa: PLC0415 - as above
        from imagesync.plan.remembering import sights_of  # noqa: PLC0415

        if self._journal is not None and self.state is not None:
            self._journal.note(sights_of(sources, self.state, now()))

    def found(self, entries: Iterable[Entry]) -> None:
        """This was found out while planning; a run that is not written down forgets it."""
        if self._journal is not None:
            self._journal.note(entries)

    def ended(self, outcome: Outcome) -> None:
        """This became of an action."""
        from imagesync.keeping.clock import now  # noqa: PLC0415 - as above
        from imagesync.plan.remembering import written_by  # noqa: PLC0415

        if self._journal is not None and self.state is not None:
            self._journal.note(written_by(outcome, self.state, now()))

    @property
    def known(self) -> State:
        """What is remembered, be it nothing."""
        from imagesync.state import NOTHING_REMEMBERED  # noqa: PLC0415 - few specs have a state

        return self.state or NOTHING_REMEMBERED

    def adopted(self, tags: Iterable[Standing]) -> None:
        """These tags are imagesync's own, as they are; kept at once."""
        from imagesync.keeping.clock import now  # noqa: PLC0415 - as above
        from imagesync.plan.remembering import make_written  # noqa: PLC0415

        at = now()
        if self._journal is not None:
            self._journal.note(
                make_written(tag.destination, tag.found, self.known, at)
                for tag in tags
                if tag.destination is not None and tag.found is not None
            )
        self.save()

    def save(self) -> None:
        """Keep what is not kept yet; once more where that was stopped itself."""
        if self._journal is not None:
            self._unsaved = self._journal.save()
            if isinstance(self._unsaved, Cancelled):
                self._unsaved = self._journal.save()

    def settled(self, code: int) -> int:
        """The exit code of a run that would end with this one: it has failed, too, where it could not be kept."""
        from imagesync.report.model import FAILED_EXIT_CODE, worst_of  # noqa: PLC0415 - as above

        if self._unsaved is None:
            return code
        complain(self._unsaved)
        notify("    What this run has written is not remembered: `imagesync adopt` makes up for it.")
        return code if code in INTERRUPTED else worst_of({code, FAILED_EXIT_CODE})


def open_memory(session: Session) -> Memory:
    """What is remembered by now. Raises StateError and StoreError, before anything is touched."""
    memory = Memory(_keeper(session))
    if memory.state is not None:
        from imagesync.keeping.narrowed import StateMemory  # noqa: PLC0415 - few specs have a state

        session.stores.memory = StateMemory(session.stores.memory, memory.state, memory.found)
    return memory


def state_for_ages(session: Session) -> State | None:
    """What is remembered, where a rule or a gate asks how old tags are: some commands need no more of it. Raises as
    above."""
    from imagesync.spec.gates import counts_from_first_seen  # noqa: PLC0415 - as above

    rules = session.spec.rules
    ages = (rule.tags.min_age for rule in rules)
    by_tags = any(age is not None and age.uses_state for age in ages)
    if not by_tags and not any(counts_from_first_seen(gate) for rule in rules for gate in rule.gates):
        return None
    keeper = _keeper(session)
    return None if keeper is None else keeper.load()


def state_for_promises(session: Session) -> State | None:
    """The same, also where a rule asks which version an alias carries."""
    if not any(rule.aliases for rule in session.spec.rules):
        return state_for_ages(session)
    keeper = _keeper(session)
    return None if keeper is None else keeper.load()


def _keeper(session: Session) -> Keeper | None:
    place = session.spec.state
    if place is None:
        return None
    if isinstance(place, StateFile):
        from imagesync.keeping.file import FileKeeper  # noqa: PLC0415 - few specs have a state

        return FileKeeper(Path(session.spec.directory) / place.path)
    from imagesync.keeping.repository import RepositoryKeeper  # noqa: PLC0415 - as above

    return RepositoryKeeper(place, partial(_store, session, place), each=_AtOnce(session.tasks, place.registry))


class _AtOnce:
    """Reads several artifacts at once, as many as the registry is asked for anything else."""

    def __init__(self, tasks: Tasks, registry: str) -> None:
        self._tasks = tasks
        self._registry = registry

    def __call__(self, run: Callable[[Tag], T], tags: Sequence[Tag], /) -> list[T]:
        return self._tasks.results([self._tasks.add(partial(run, tag), hosts=[self._registry]) for tag in tags])


@contextmanager
def _store(session: Session, repository: Repository) -> Iterator[StateStore]:
    """The repository of the state, as any other of the run; with connections of its own where the run was stopped,
    since what it has done until then is to be remembered."""
    if not session.cancellation.is_cancelled:
        yield session.stores.registries.repository(repository)
        return
    from imagesync.registry import Registries  # noqa: PLC0415 - few runs are stopped

    registries = Registries(session.spec.settings, Cancellation(LAST_SECONDS), environment=os.environ)
    try:
        yield registries.repository(repository)
    finally:
        registries.close()
