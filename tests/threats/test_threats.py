"""Every threat has a guard that is there, and a test that is there; the page of them says the same."""

from __future__ import annotations

import re

import pytest

from tests.threats.removals import REMOVALS, ROOT, Removal

PAGE = ROOT / "docs" / "threats.md"
IDS = [f"S{number}" for number in range(1, 29)]


def _name(removal: Removal) -> str:
    return f"{removal.id} {removal.threat}"


def test_every_threat_has_a_guard_that_can_be_taken_away() -> None:
    assert list(dict.fromkeys(removal.id for removal in REMOVALS)) == IDS


@pytest.mark.parametrize("removal", REMOVALS, ids=_name)
def test_a_guard_stands_where_it_is_said_to(removal: Removal) -> None:
    """Where this fails a guard has moved: say where it stands now, and run `python -m tests.threats`."""
    assert (ROOT / removal.file).read_text().count(removal.guard) == 1
    assert removal.guard != removal.instead


@pytest.mark.parametrize("removal", REMOVALS, ids=_name)
def test_the_test_of_a_threat_is_there(removal: Removal) -> None:
    file, *names = removal.test.partition("[")[0].split("::")
    text = (ROOT / file).read_text()
    assert names
    for name in names:
        assert re.search(rf"^ *(def|class) {name}\b", text, re.MULTILINE)


def test_the_page_has_every_threat_with_its_guard_and_its_test() -> None:
    rows = re.findall(r"^\| (S[0-9]+) \| (.+) \| `(.+)` \| `(.+)` \|$", PAGE.read_text(), re.MULTILINE)
    assert [tuple(row) for row in rows] == [
        (one.id, one.threat, one.file, one.test.rpartition("::")[2].partition("[")[0]) for one in REMOVALS
    ]
