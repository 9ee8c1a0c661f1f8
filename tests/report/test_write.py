"""`--report FILE`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagesync.errors import UsageError
from imagesync.report.write import check_report_name, write_report
from tests.report.values import sample_report


@pytest.mark.parametrize(("name", "start"), [("r.json", "{\n"), ("R.XML", "<?xml "), ("a.b.md", "**Not all done: ")])
def test_the_ending_says_the_form(tmp_path: Path, name: str, start: str) -> None:
    write_report(sample_report(), str(tmp_path / name))
    assert (tmp_path / name).read_text("utf-8").startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["report", "report.html", ".json", "json", ""])
def test_another_ending_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="has no ending") as caught:
        check_report_name(name)
    assert caught.value.hint == "name it .json, .xml (JUnit) or .md (Markdown)"


def test_an_older_report_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text("x" * 1_000_000)
    write_report(sample_report(), str(file))
    assert json.loads(file.read_text())["format_version"] == 1


def test_a_folder_that_is_not_there_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"report .*missing/r\.json' cannot be written: No such file"):
        write_report(sample_report(), str(tmp_path / "missing" / "r.json"))
    (tmp_path / "r.json").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        write_report(sample_report(), str(tmp_path / "r.json"))
    assert [file.name for file in tmp_path.iterdir()] == ["r.json"]
