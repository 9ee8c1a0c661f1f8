"""docs/platforms.md: its table of cases is what the program does, and its example is a spec."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagesync.errors import PlatformError
from imagesync.manifest import Content
from imagesync.plan.narrowing import narrow
from imagesync.selection import PlatformPattern, Platforms
from tests.plan.test_narrowing import attestation, entry, index
from tests.spec.test_rules import only
from tests.spec.written import load, with_images

PAGE = (Path(__file__).parent.parent.parent / "docs" / "platforms.md").read_text(encoding="utf-8")
CASES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## Cases")[2].splitlines()
    if line.startswith("| `")
]
PART = re.compile(r"((?:attestation of )?)`([^`]+)`")


def entries(cell: str) -> list[str]:
    """What a cell lists: platforms, and attestations of platforms."""
    return [before + name for before, name in PART.findall(cell)]


def index_of(parts: list[str]) -> Content:
    made = [
        attestation(part, part.removeprefix("attestation of ")) if part.startswith("a") else entry(part, part)
        for part in parts
    ]
    return index(*made)


def platforms_of(text: str, folder: Path) -> Platforms:
    lines = text if text.startswith("{") else f"{{{text}}}"
    return only(load(folder, with_images(f"- {{name: nginx, {lines[1:-1]}}}"))).platforms


def outcome(parts: list[str], platforms: Platforms) -> str:
    """What becomes of the image, in the words of the page."""
    source = index_of(parts)
    names = dict(zip((one.digest for one in source.manifests), parts, strict=True))  # type: ignore[union-attr]

    def listed(digests: list[str]) -> str:
        return ", ".join(f"attestation of `{name[15:]}`" if name[0] == "a" else f"`{name}`" for name in digests)

    try:
        found = narrow(source, platforms, {})
    except PlatformError as error:
        return f"nothing: {error.message}"
    if found.written is not None:
        return f"a new index of {listed([names[one.digest] for one in found.written.manifests])}"
    if found.root.digest != source.digest:
        return f"the image of {listed([names[found.root.digest]])}"
    left_out = [name for digest, name in names.items() if digest in found.left_out]
    return f"the same index, without {listed(left_out)}" if left_out else "the same index"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[1]}")
def test_a_case_is_what_the_program_does(case: list[str], tmp_path: Path) -> None:
    """PLT-01, PLT-02, PLT-03, ATT-01."""
    has, says, becomes = case
    assert outcome(entries(has), platforms_of(says.strip("`"), tmp_path)) == becomes


def test_the_page_has_cases() -> None:
    assert len(CASES) > 15


def test_the_pages_patterns_are_patterns() -> None:
    rows = PAGE.partition("| pattern |")[2].partition("\n\n")[0].splitlines()[2:]
    for row in rows:
        assert PlatformPattern.parse(row.split("`")[1])


def test_the_pages_example_is_a_spec(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    nginx, alpine, busybox = load(tmp_path, block).rules
    assert str(nginx.platforms) == "linux/amd64, linux/arm64"
    assert str(alpine.platforms) == "all platforms"
    assert busybox.platforms.key == "1 flatten linux/arm/v7 of linux/amd64"
