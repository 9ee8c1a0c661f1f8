"""Questions are answered once, whoever asks; what is bulky is let go when all who asked have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.cancellation import Cancellation
from imagesync.gates import ReadFile, TimeNow
from imagesync.survey.asked import Asked
from imagesync.tasks import Tasks
from tests.fakes.memory import MemoryStores


@pytest.fixture
def asked() -> Iterator[Asked]:
    stores = MemoryStores()
    tasks = Tasks(workers=1, hosts=stores, cancellation=Cancellation())
    yield Asked(stores, tasks)
    tasks.close()


def test_a_question_has_one_task_whoever_asks_and_whenever(asked: Asked) -> None:
    first = asked.ask(TimeNow())
    asked.let_go(TimeNow())
    assert asked.ask(TimeNow()) is first
    assert asked.task(TimeNow()) is first


def test_a_report_is_kept_until_all_who_asked_have_it(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "scan.json").write_bytes(b"{}")
    question = ReadFile(str(tmp_path / "scan.json"))
    first = asked.ask(question)
    assert asked.ask(question) is first
    asked.let_go(question)
    assert asked.task(question) is first
    asked.let_go(question)
    assert asked.ask(question) is not first
