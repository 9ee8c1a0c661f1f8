"""The state of a spec: which keeper has it, and a run that is written down in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from imagesync.cli.output import complain, notify
from imagesync.spec.model import Spec, StateFile

if TYPE_CHECKING:
    from imagesync.errors import ImagesyncError
    from imagesync.keeping import Keeper
    from imagesync.keeping.journal import Journal
    from imagesync.plan.outcome import Outcome
    from imagesync.reference import Reference
    from imagesync.state import State


INTERRUPTED = (130, 143)


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
        from imagesync.keeping.journal import now  # noqa: PLC0415 - as above
        from imagesync.plan.remembering import sights_of  # noqa: PLC0415

        if self._journal is not None and self.state is not None:
            self._journal.note(sights_of(sources, self.state, now()))

    def ended(self, outcome: Outcome) -> None:
        """This became of an action."""
        from imagesync.keeping.journal import now  # noqa: PLC0415 - as above
        from imagesync.plan.remembering import written_by  # noqa: PLC0415

        if self._journal is not None and self.state is not None:
            self._journal.note(written_by(outcome, self.state, now()))

    def save(self) -> None:
        """Keep what is not kept yet."""
        self._unsaved = None if self._journal is None else self._journal.save()

    def settled(self, code: int) -> int:
        """The exit code of a run that would end with this one: it has failed, too, where it could not be kept."""
        from imagesync.report.model import FAILED_EXIT_CODE, worst_of  # noqa: PLC0415 - as above

        if self._unsaved is None:
            return code
        complain(self._unsaved)
        notify("    What this run has written is not remembered: `imagesync adopt` makes up for it.")
        return code if code in INTERRUPTED else worst_of({code, FAILED_EXIT_CODE})


def open_memory(spec: Spec) -> Memory:
    """What is remembered by now. Raises StateError and StoreError, before anything is touched."""
    return Memory(_keeper(spec))


def _keeper(spec: Spec) -> Keeper | None:
    if spec.state is None:
        return None
    from imagesync.keeping.file import FileKeeper  # noqa: PLC0415 - few specs have a state

    assert isinstance(spec.state, StateFile)  # noqa: S101 - narrows
    return FileKeeper(Path(spec.directory) / spec.state.path)
