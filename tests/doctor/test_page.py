"""docs/doctor.md names every check that there is."""

from __future__ import annotations

import re
from pathlib import Path

from imagesync.doctor.check import Topic

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor.md"


def test_every_check_has_a_line_in_the_order_of_the_output() -> None:
    named = re.findall(r"^\| `([a-z]+)` \|", PAGE.read_text(encoding="utf-8"), re.M)
    assert named == [topic.value for topic in Topic]
