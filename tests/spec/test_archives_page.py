"""docs/archives.md: its example is a spec, and its sources are those that there are."""

from __future__ import annotations

import re
from pathlib import Path

from imagesync.reference import LAYOUT_SCHEMES
from tests.spec.written import load

PAGE = (Path(__file__).parent.parent.parent / "docs" / "archives.md").read_text(encoding="utf-8")


def test_the_example_is_a_spec(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    nginx, app, glob = load(tmp_path, example).rules
    assert [str(rule.destinations[0]) for rule in (nginx, app)] == [
        "registry.internal/mirror/nginx",
        "registry.internal/mirror/team/app",
    ]
    assert glob.image == "team/*"


def test_every_kind_of_file_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `([a-z-]+:)", PAGE, re.M)) == set(LAYOUT_SCHEMES)
