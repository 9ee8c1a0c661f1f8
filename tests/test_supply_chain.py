"""What imagesync itself is made of and with: every action and package is one that was looked at, and no other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import imagesync

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = [
    ROOT / "action.yml",
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
    *sorted((ROOT / "examples").rglob("*.yml")),
]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
OURS = ("./", "imagesync/imagesync@")


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _needed(lock: str) -> list[Requirement]:
    """What pyproject.toml asks for of all that a lock is for."""
    project = _project()
    extras = project["project"]["optional-dependencies"]
    run = [*project["project"]["dependencies"], *(text for extra in extras.values() for text in extra)]
    groups = project["dependency-groups"]
    return [Requirement(text) for text in {"run": run, "dev": run + groups["dev"], "release": groups["release"]}[lock]]


def _locked(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", text, re.M)
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_commit_and_says_which_version_that_is(path: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.+)$", path.read_text(encoding="utf-8"), re.M)
    others = [name for name in used if not name.startswith(OURS)]
    assert used
    assert [name for name in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", name)] == []


def test_an_action_has_one_commit_wherever_it_is_used() -> None:
    texts = [path.read_text(encoding="utf-8") for path in WORKFLOWS]
    found = {match for text in texts for match in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", text)}
    assert len({name for name, _ in found}) == len(found)


@pytest.mark.parametrize("lock", ["run", "dev", "release"])
def test_a_lock_holds_a_version_of_everything_that_is_asked_for(lock: str) -> None:
    """`make lock` writes them; a dependency that was added without it fails here."""
    locked = _locked(lock)
    wrong = [
        str(needed)
        for needed in _needed(lock)
        if not needed.specifier.contains(locked.get(canonicalize_name(needed.name), "0"), prereleases=True)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_locked_version_has_its_hashes(path: Path) -> None:
    entries = re.split(r"(?m)^(?=[\w])", path.read_text(encoding="utf-8"))[1:]
    assert len(entries) > 10
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_runs_is_the_same_version_in_every_lock() -> None:
    dev, run = _locked("dev"), _locked("run")
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}


def test_the_image_is_built_on_bytes_that_are_named() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    assert bases
    assert all(re.fullmatch(r"[\w.:/-]+@sha256:[0-9a-f]{64}", base) for base in bases)


def test_what_the_image_copies_is_let_through_to_the_builder() -> None:
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.M) for name in line.split()]
    assert copied
    assert [name for name in copied if f"!{name}\n" not in let_through or not (ROOT / name).exists()] == []


class TestCheckRelease:
    """`.github/check-release.sh`, over a copy of the two files that it reads."""

    @staticmethod
    def _run(folder: Path, tag: str, changelog: str) -> subprocess.CompletedProcess[str]:
        (folder / ".github").mkdir()
        script = folder / ".github" / "check-release.sh"
        script.write_bytes((ROOT / ".github" / "check-release.sh").read_bytes())
        (folder / "imagesync").mkdir()
        (folder / "imagesync" / "__init__.py").write_bytes((ROOT / "imagesync" / "__init__.py").read_bytes())
        (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
        return subprocess.run(["bash", script, tag], capture_output=True, text=True, check=False)

    def test_a_tag_of_the_version_with_a_dated_heading_is_a_release(self, tmp_path: Path) -> None:
        done = self._run(
            tmp_path, f"v{imagesync.__version__}", f"# Changelog\n\n## {imagesync.__version__} – 2026-11-26\n"
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_tag_of_another_version_is_none(self, tmp_path: Path) -> None:
        done = self._run(tmp_path, "v99.0.0", "## 99.0.0 – 2026-11-26\n")
        assert done.returncode == 1
        assert f"says version {imagesync.__version__}" in done.stderr

    def test_a_version_that_is_still_unreleased_is_none(self, tmp_path: Path) -> None:
        done = self._run(tmp_path, f"v{imagesync.__version__}", f"## {imagesync.__version__} – unreleased\n")
        assert done.returncode == 1
        assert "CHANGELOG.md" in done.stderr
