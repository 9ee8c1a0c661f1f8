"""The table of docs/architecture.md is law: who may import whom, and what `--help` may cost."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "imagesync"
VAGUE_NAMES = {"utils", "util", "common", "base", "helpers", "helper", "misc"}
SLOW_IMPORTS = {
    *("urllib3", "jsonschema", "rich", "asyncio", "yaml", "structlog", "cheroot"),
    *("cryptography", "sigstore", "botocore", "google", "azure", "requests"),
}
ONLY_IN = {
    "httpcore": set[str](),
    "httpx": set[str](),
    "urllib3": {"registry"},
    "cheroot": {"server"},
    "rich": {"report"},
    "cryptography": {"signature", "registry"},
    "sigstore": {"signature"},
    "botocore": {"clouds"},
    "google": {"clouds"},
    "azure": {"clouds"},
    "requests": set[str](),
    "yaml": {"spec", "cli"},
    "structlog": {"log"},
    "asyncio": set[str](),
}
PURE_ROOMS = {
    "errors",
    "reach",
    "reference",
    "platform",
    "manifest",
    "selection",
    "signature",
    "gates",
    "state",
    "plan",
}
EVERYWHERE = {"lazy"}
"""Of ours, what stands for a part of the standard library: any room may import it."""
IMPURE_IMPORTS = {"logging", "os", "random", "secrets", "socket", "ssl", "subprocess", "tempfile", "threading", "time"}


@cache
def modules() -> dict[str, Path]:
    """Dotted name below the package to file: `spec.model`, and `` for the package itself."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@cache
def table() -> dict[str, set[str]]:
    """The rooms of docs/architecture.md, and what each may import."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|$", (ROOT / "docs" / "architecture.md").read_text(), re.M)
    rooms = {room: set(re.findall(r"\w+", allowed)) for room, allowed in rows}
    return {room: set(rooms) - {"cli"} if allowed == {"everything"} else allowed for room, allowed in rooms.items()}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imported(module: str) -> Iterator[str]:
    """Every module that this one imports, wherever in the file it does, for types or not."""
    is_package = modules()[module].name == "__init__.py"
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute_base(node, module, is_package=is_package)
            yield base
            yield from (f"{base}.{name.name}" for name in node.names if f"{base}.{name.name}" in known_modules())


def absolute_base(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    here = ["imagesync", *module.split(".")] if module else ["imagesync"]
    keep = len(here) - node.level + (1 if is_package else 0)
    return ".".join([*here[:keep], *([node.module] if node.module else [])])


@cache
def known_modules() -> frozenset[str]:
    return frozenset(f"imagesync.{module}" if module else "imagesync" for module in modules())


def rooms_imported(module: str) -> set[str]:
    names = {name.removeprefix("imagesync.") for name in imported(module) if name.startswith("imagesync.")}
    return {room_of(name) for name in names}


def libraries_imported(module: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(module)} - {"imagesync"}


INSIDE = [module for module in modules() if room_of(module) not in ("", "__main__")]


def test_the_table_and_the_package_name_the_same_rooms() -> None:
    assert {room_of(module) for module in INSIDE} == set(table())


def test_the_table_allows_no_circle() -> None:
    remaining = dict(table())
    while remaining:
        free = {room for room, allowed in remaining.items() if not allowed & set(remaining)}
        assert free, f"these rooms may import each other in a circle: {sorted(remaining)}"
        remaining = {room: allowed for room, allowed in remaining.items() if room not in free}


@pytest.mark.parametrize("module", INSIDE)
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    allowed = table().get(room_of(module), set()) | {room_of(module)} | EVERYWHERE
    assert rooms_imported(module) <= allowed


def test_nothing_but_the_entry_imports_the_command_line() -> None:
    assert rooms_imported("__main__") <= {"cli"}
    outside = [module for module in modules() if room_of(module) not in ("cli", "__main__")]
    assert not [module for module in outside if {"cli", "__main__"} & rooms_imported(module)]


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_is_imported_by_its_own_rooms_alone(library: str) -> None:
    users = {room_of(module) for module in modules() if library in libraries_imported(module)}
    assert users <= ONLY_IN[library]


@pytest.mark.parametrize("module", [module for module in INSIDE if room_of(module) != "lazy"])
def test_a_module_takes_its_dataclasses_from_lazy(module: str) -> None:
    found = [
        node for node in ast.walk(tree(module)) if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
    ]
    names = {name.name for node in found for name in node.names}
    assert "dataclasses" not in {
        name.name for node in ast.walk(tree(module)) if isinstance(node, ast.Import) for name in node.names
    }
    assert names <= {"asdict"}, "import them from imagesync.lazy: docs/adr/0038"


@pytest.mark.parametrize("module", [module for module in INSIDE if room_of(module) in PURE_ROOMS])
def test_what_decides_imports_nothing_that_acts(module: str) -> None:
    assert not libraries_imported(module) & IMPURE_IMPORTS


@pytest.mark.parametrize("module", modules())
def test_a_module_says_what_lives_in_it(module: str) -> None:
    docstring = ast.get_docstring(tree(module))
    assert docstring, f"{modules()[module]} has no docstring"


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [module for module in modules() if set(module.split(".")) & VAGUE_NAMES]


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_load_no_slow_library(flag: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "imagesync", flag],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env=environment,
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "imagesync" in loaded
    assert not loaded & SLOW_IMPORTS
