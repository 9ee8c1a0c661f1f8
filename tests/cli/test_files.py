"""Files that a command writes: whole or not at all, and nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.cli.files import write_file
from imagesync.errors import UsageError


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    file = folder / "plan.json"
    file.write_text("old")
    file.chmod(0o640)
    write_file(str(file), "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o640)
    assert list(folder.iterdir()) == [file]


def test_nothing_stays_behind_where_the_file_cannot_be_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    (folder / "plan.json").mkdir()
    with pytest.raises(UsageError, match=r"plan.json cannot be written: Is a directory"):
        write_file(str(folder / "plan.json"), "text")
    assert [path.name for path in folder.iterdir()] == ["plan.json"]


def test_nothing_stays_behind_where_the_text_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    with pytest.raises(UnicodeEncodeError):
        write_file(str(folder / "plan.json"), "\ud800")
    assert list(folder.iterdir()) == []
