"""The files around the code: they parse, they agree with each other, and what the README says can be done."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import imagesync
from imagesync.cli.parser import build_parser
from tests.pages import blocks, check_understood, shell_lines

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
GITHUB_PAGE = ROOT / "docs" / "github.md"
SKIPPED_FOLDERS = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".fuzz",
    "__pycache__",
    "build",
    "dist",
}
BINARY_FOLDER = ROOT / "examples" / "quickstart" / "sample"
# Put together here, so that this file does not find itself.
MACHINE_PATHS = re.compile("/" + r"(?:work|root|home/\w+|Users/\w+)/\w|/" + r"tmp/(?:venv|briefs|mypy-)")


def project_files() -> Iterator[Path]:
    """The project's own files, sorted, without what tools leave beside them."""
    for folder, names, files in os.walk(ROOT):
        names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS and not name.endswith(".egg-info"))
        yield from (Path(folder) / name for name in sorted(files) if not name.startswith(".coverage"))


def text_files() -> list[Path]:
    return [
        path for path in project_files() if BINARY_FOLDER not in path.parents and path.suffix not in (".png", ".gz")
    ]


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("path", [path for path in project_files() if path.suffix in (".yml", ".yaml")], ids=str)
def test_a_yaml_file_of_the_project_parses(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_a_workflow_states_its_rights_and_its_time(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_no_script_of_the_action_or_a_workflow_holds_an_expression() -> None:
    """An input inside `run` is code: whoever fills it in runs what he likes. Inputs come by the environment."""
    pages = [ROOT / "action.yml", *(ROOT / ".github" / "workflows").glob("*.yml")]
    documents = [yaml.safe_load(page.read_text(encoding="utf-8")) for page in pages]
    documents += [yaml.safe_load(block) for block in blocks(GITHUB_PAGE, "yaml")]
    jobs = [job for document in documents for job in document.get("jobs", {"": document.get("runs")}).values()]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert len(scripts) >= 4
    assert not [script for script in scripts if "${{" in script]


def test_every_input_of_the_action_reaches_a_step() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"inputs\.([a-z-]+)", text))
    assert used == set(yaml.safe_load(text)["inputs"])


def test_what_a_workflow_passes_to_the_action_is_an_input_of_it() -> None:
    inputs = set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    pages += [block for page in (README, GITHUB_PAGE) for block in blocks(page, "yaml") if "jobs:" in block]
    steps = [step for page in pages for job in yaml.safe_load(page)["jobs"].values() for step in job["steps"]]
    ours = [step for step in steps if step.get("uses", "").startswith(("./", "imagesync/"))]
    assert len(ours) >= 4
    assert not [step for step in ours if set(step.get("with", {})) - inputs]


def test_every_output_that_a_run_sets_is_one_of_the_action() -> None:
    outputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["outputs"]
    assert {name: value["value"] for name, value in outputs.items()} == {
        name: f"${{{{ steps.run.outputs.{name} }}}}" for name in outputs
    }
    text = (ROOT / "imagesync" / "cli" / "publish.py").read_text(encoding="utf-8")
    calls = re.findall(r"    _set_outputs\((.+?)\n\n", text, re.S)
    set_by_runs = {name for call in calls for name in re.findall(r'"([a-z-]+)":', call)}
    assert set_by_runs == set(outputs)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", ".github/pull_request_template.md", ".ci/run"])
def test_every_chore_that_is_named_can_be_made(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.M))
    assert named
    assert named <= make_targets()


def test_the_readme_opens_with_the_two_commands() -> None:
    assert blocks(README, "sh")[0].splitlines() == ["make quickstart", "make test"]


def test_the_check_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", [line for line in shell_lines(README) if line.startswith("imagesync ")])
def test_a_command_line_of_the_readme_is_understood(line: str) -> None:
    check_understood(line)


def test_every_command_of_the_readme_exists() -> None:
    rows = re.findall(r"^\| (`imagesync [^|]+) \|", README.read_text(encoding="utf-8"), re.M)
    named = {word.split()[0] for row in rows for word in re.findall(r"`(?:imagesync )?([a-z][^`]*)`", row)}
    missing = named - set(re.findall(r"[a-z]+", build_parser().format_help()))
    assert len(named) > 10
    assert not missing


@pytest.mark.parametrize("block", [block for block in blocks(README, "yaml") if "jobs:" not in block])
def test_a_spec_of_the_readme_is_valid(block: str, tmp_path: Path) -> None:
    """A part of one is, with the rest of what a spec must have."""
    spec = tmp_path / "sync.yaml"
    rest = [
        line for key, line in (("version:", "version: 1\n"), ("sync:", "sync: []\n")) if f"\n{key}" not in f"\n{block}"
    ]
    spec.write_text(block + "".join(rest), encoding="utf-8")
    done = run_imagesync("validate", str(spec), environment={"GITHUB_ACTOR": "someone"})
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize(
    "name",
    ["sync.yaml.example", ".github/mirror.yaml", "examples/quickstart/sync.yaml", "examples/promotion/sync.yaml"],
)
def test_a_spec_of_the_project_is_valid(name: str) -> None:
    done = run_imagesync("validate", str(ROOT / name))
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=str)
def test_a_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_the_changelog_has_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(imagesync.__version__)}\b", changelog, re.M)


def test_the_license_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_no_file_names_a_path_of_one_machine() -> None:
    found = {path: MACHINE_PATHS.findall(path.read_text(encoding="utf-8")) for path in text_files()}
    assert not {str(path): paths for path, paths in found.items() if paths}


def test_the_sample_of_the_quickstart_is_what_its_script_makes(tmp_path: Path) -> None:
    script = ROOT / "examples" / "quickstart" / "make_sample.py"
    shutil.copy(script, tmp_path)
    subprocess.run([sys.executable, str(tmp_path / script.name)], check=True, capture_output=True, timeout=30)
    assert contents(tmp_path / "sample") == contents(script.parent / "sample")


def test_make_quickstart_mirrors_the_sample_and_then_finds_nothing_to_do() -> None:
    """As the README says it, but in the environment that these tests run in: nothing is installed."""
    environment = Path(sys.prefix)
    done = subprocess.run(
        ["make", "quickstart", f"VENV={environment}", f"BIN={environment}/bin", "-o", f"{environment}/.installed"],
        cwd=ROOT,
        env={**os.environ, "REGISTRY": "must-not-be-used.invalid", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    plan, first, second = (output for command, output in transcript(done.stdout) if command.startswith("imagesync "))
    assert "Plan: 2 to add" in plan
    assert "Done: 2 added" in first
    assert "No changes" in second
    assert '"mirror/hello"' in done.stdout


@pytest.mark.skipif("IMAGESYNC_REQUIRE_REAL" not in os.environ, reason="installs from PyPI; .ci/run does it")
@pytest.mark.timeout(300)
def test_make_quickstart_sets_itself_up_in_a_fresh_checkout(tmp_path: Path) -> None:
    checkout = tmp_path / "imagesync"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*SKIPPED_FOLDERS, "*.egg-info"))
    done = subprocess.run(
        ["make", "quickstart"], cwd=checkout, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"mirror/hello"' in done.stdout


def transcript(text: str) -> list[tuple[str, str]]:
    """The commands that a script showed and waited for, and what each printed."""
    found = re.findall(r"^\$ (.*)\n((?:(?![$#] ).*\n)*)", text, re.M)
    return [(command, output) for command, output in found if not command.endswith("&")]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_imagesync(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "imagesync", *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
