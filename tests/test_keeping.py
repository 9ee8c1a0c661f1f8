"""The state in a file: what two runs add at once, what is damaged, and what is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from imagesync.errors import IntegrityError, InternalError, StateError, StoreError
from imagesync.keeping import journal
from imagesync.keeping.file import FileKeeper
from imagesync.keeping.journal import Journal
from imagesync.keeping.narrowed import StateMemory
from imagesync.layout import files
from imagesync.reference import Digest
from imagesync.state import NOTHING_REMEMBERED, Entry, Narrowed, State
from imagesync.store import NoMemory
from tests.state.values import APP, ONE, TWO, deleted, seen, tagged, written


def test_before_the_first_run_nothing_is_remembered(tmp_path: Path) -> None:
    assert FileKeeper(tmp_path / "state.json").load() == NOTHING_REMEMBERED


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"format_version": 1, "wri'])
def test_a_damaged_file_is_neither_read_nor_written_over(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(raw)
    keeper = FileKeeper(path)
    with pytest.raises(StateError, match=r"state\.json is damaged or none"):
        keeper.load()
    with pytest.raises(StateError, match=r"state\.json is damaged or none"):
        keeper.add(State.of([written()]))
    assert path.read_bytes() == raw


def test_a_state_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(IntegrityError, match="not a regular file"):
        FileKeeper(tmp_path / "state.json").load()


def test_many_threads_and_processes_on_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    script = (
        "import sys; from pathlib import Path; from imagesync.keeping.file import FileKeeper\n"
        "from imagesync.state import State; from tests.state.values import written\n"
        "[FileKeeper(Path(sys.argv[1])).add(State.of([written(tag=f'p{n}')])) for n in range(10)]"
    )
    other = subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=Path(__file__).parent.parent)
    threads = [
        threading.Thread(
            target=lambda who=who: [  # type: ignore[misc]
                FileKeeper(path).add(State.of([written(tag=f"{who}-{number}")])) for number in range(10)
            ]
        )
        for who in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert other.wait() == 0
    assert len(FileKeeper(path).load().owned(APP)) == 30


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = FileKeeper(tmp_path / "state.json")
    keeper.add(State.of([written(ONE)]))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        keeper.add(State.of([written(TWO, seconds=1)]))
    monkeypatch.undo()
    assert keeper.load().written(tagged(APP)) == written(ONE)
    assert not list(tmp_path.glob(f"{files.PARTIAL_PREFIX}*"))


def test_what_was_known_already_is_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = FileKeeper(tmp_path / "state.json")
    keeper.add(State.of([written(), seen()]))
    before = (tmp_path / "state.json").stat()
    keeper.add(State.of([seen(seconds=5)]))
    assert (tmp_path / "state.json").stat().st_ino == before.st_ino


def test_the_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "state.json").symlink_to("real/state.json")
    FileKeeper(tmp_path / "state.json").add(State.of([written()]))
    assert (tmp_path / "state.json").is_symlink()
    assert FileKeeper(tmp_path / "real" / "state.json").load().owned(APP)


def test_a_folder_that_cannot_be_written_to_is_found_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no directory"):
        FileKeeper(tmp_path / "missing" / "state.json").check_writable()
    FileKeeper(tmp_path / "state.json").check_writable()


def test_a_tag_that_was_given_up_stays_so_when_an_older_run_ends_later(tmp_path: Path) -> None:
    """A prune runs while a run that knows the tag as its own is still under way."""
    early, late = FileKeeper(tmp_path / "state.json"), FileKeeper(tmp_path / "state.json")
    early.add(State.of([written()]))
    known = late.load()
    early.add(State.of([deleted(seconds=9)]))
    late.add(known.merge(State.of([written(tag="2.0")])))
    assert [str(one.destination.tag) for one in early.load().owned(APP)] == ["2.0"]


def test_what_an_index_becomes_is_asked_of_the_state_first_and_noted_once() -> None:
    inner, noted = LearningMemory(), list[Entry]()
    memory = StateMemory(inner, State.of([Narrowed(ONE, "linux/amd64", TWO)]), noted.extend)
    assert memory.narrowed(ONE, "linux/amd64") == TWO
    assert memory.narrowed(TWO, "linux/amd64") is None
    memory.keep_narrowed(ONE, "linux/amd64", TWO)
    memory.keep_narrowed(TWO, "linux/amd64", ONE)
    assert noted == [Narrowed(TWO, "linux/amd64", ONE)]
    assert memory.narrowed(TWO, "linux/amd64") == ONE


class LearningMemory(NoMemory):
    """A cache that remembers what indexes become."""

    def __init__(self) -> None:
        self._known: dict[tuple[Digest, str], Digest] = {}

    def narrowed(self, source: Digest, keep: str) -> Digest | None:
        return self._known.get((source, keep))

    def keep_narrowed(self, source: Digest, keep: str, narrowed: Digest) -> None:
        self._known[source, keep] = narrowed


class TellingKeeper:
    """A keeper that tells when something is added, and may refuse it."""

    def __init__(self) -> None:
        self.error: StoreError | None = None
        self.added: list[State] = []
        self.told = threading.Event()

    def load(self) -> State:
        return NOTHING_REMEMBERED

    def check_writable(self) -> None:
        pass

    def add(self, news: State) -> None:
        if self.error is None:
            self.added.append(news)
        self.told.set()
        if self.error is not None:
            raise self.error


def test_a_journal_keeps_what_is_noted_in_the_end() -> None:
    keeper = TellingKeeper()
    made = Journal(keeper)
    made.note([written(tag="1")])
    made.note([written(tag="2")])
    assert keeper.added == []
    assert made.save() is None
    assert keeper.added == [State.of([written(tag="1"), written(tag="2")])]
    assert made.save() is None
    assert len(keeper.added) == 1


def test_a_journal_keeps_what_is_noted_while_nothing_more_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SAVE_SECONDS", 0.01)
    keeper = TellingKeeper()
    made = Journal(keeper)
    made.note([written(tag="1")])
    assert keeper.told.wait(20)
    made.note([written(tag="2")])
    assert made.save() is None
    assert State.of([]).merge(*keeper.added) == State.of([written(tag="1"), written(tag="2")])


def test_what_could_not_be_kept_is_tried_again_and_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SAVE_SECONDS", 0.01)
    keeper = TellingKeeper()
    keeper.error = StoreError("no answer")
    made = Journal(keeper)
    made.note([written()])
    assert keeper.told.wait(20)
    assert made.save() is keeper.error
    keeper.error = None
    assert made.save() is None
    assert keeper.added == [State.of([written()])]


def test_a_journal_of_nothing_starts_no_thread() -> None:
    before = threading.active_count()
    made = Journal(TellingKeeper())
    made.note([])
    assert threading.active_count() == before
    assert made.save() is None


def test_a_mistake_of_ours_while_keeping_costs_no_entry() -> None:
    class Mistaken(TellingKeeper):
        def add(self, news: State) -> None:
            if not self.told.is_set():
                self.told.set()
                raise ZeroDivisionError
            super().add(news)

    keeper = Mistaken()
    made = Journal(keeper)
    made.note([written()])
    error = made.save()
    assert isinstance(error, InternalError)
    assert made.save() is None
    assert keeper.added == [State.of([written()])]
