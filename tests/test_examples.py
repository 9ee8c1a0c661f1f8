"""The examples of promotions: their specs are valid, and the workflow runs commands that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagesync.cli.parser import build_parser
from imagesync.gates.signed import Attestation, Signature
from imagesync.gates.trusted import TrustedIdentity
from imagesync.reference import Digest, Tag
from imagesync.spec import Spec, load_spec
from imagesync.spec.release import Release, ReleasedImage, release_to_text
from tests.test_project import ROOT

EXAMPLES = ROOT / "examples" / "promotion"
WORKFLOW: dict[str, Any] = yaml.safe_load((EXAMPLES / "promote.yml").read_text(encoding="utf-8"))
JOBS: dict[str, Any] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
OURS = [step for step in STEPS if step.get("uses", "").startswith("imagesync/")]
RELEASE = Release("shop", Tag("1.4.0"), {"api": ReleasedImage(Tag("1.4.0"), Digest("sha256:" + "a" * 64))})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The examples, with the file that `gh attestation trusted-root` would write."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / "examples" / "trusted_root.json").write_text("{}")
    return tmp_path / "examples"


def load(path: Path) -> Spec:
    return load_spec(str(path), environment={})


@pytest.mark.parametrize("name", ["sync.yaml", "keyless.yaml", "auto.yaml"])
def test_a_spec_of_the_examples_is_valid(folder: Path, name: str) -> None:
    assert [one.name for one in load(folder / name).promotions] == ["shop"]


def test_the_stages_that_the_workflow_promotes_to_are_those_of_the_spec(folder: Path) -> None:
    stages = [stage.name for stage in load(folder / "sync.yaml").promotions[0].stages]
    named = [step["with"]["args"].split("--to\n")[1].splitlines()[0] for step in OURS]
    assert named == ["staging", "staging", "production"]
    assert stages == ["dev", "staging", "production"]


def test_keyless_trust_is_in_one_workflow_of_one_repository_by_githubs_word(folder: Path) -> None:
    gates = load(folder / "keyless.yaml").promotions[0].stages[-1].gates
    checks = [gate.check for gate in gates]
    assert [type(check) for check in checks] == [Signature, Attestation]
    for check in checks:
        assert isinstance(check, Signature | Attestation)
        assert isinstance(check.by, TrustedIdentity)
        assert check.by.signer.issuer == "https://token.actions.githubusercontent.com"
        assert check.by.signer.identity.startswith(
            "https://github.com/acme/shop/.github/workflows/release.yml@refs/tags/"
        )


@pytest.mark.parametrize("step", OURS, ids=lambda step: step["name"])
def test_what_the_workflow_runs_is_a_command_with_options_that_there_are(step: dict[str, Any]) -> None:
    given = {"spec": "sync.yaml", **step["with"]}
    report = ["--report", given["report"]] if "report" in given else []
    lines = re.sub(r"\$\{\{.*?\}\}", "shop:1.4.0", given["args"]).splitlines()
    parsed = build_parser().parse_args([given["command"], given["spec"], *report, *lines])
    assert (parsed.command, parsed.release) == ("promote", "shop:1.4.0")
    assert set(given) <= set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"])


@pytest.mark.parametrize("page", [*EXAMPLES.iterdir(), ROOT / "docs" / "github.md"], ids=lambda page: page.name)
def test_a_command_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`imagesync ([a-z]+)", page.read_text(encoding="utf-8"))
    assert not [name for name in named if name not in build_parser().format_help()]


def test_only_the_job_that_comments_may_write_and_it_sees_no_login() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in JOBS.items() if "permissions" in job} == {
        "comment": {"actions": "read", "pull-requests": "write"}
    }
    assert "gh run download" in str(JOBS["comment"]), "which a private repository refuses without `actions: read`"
    assert "secrets." not in str(JOBS["comment"])
    assert all("timeout-minutes" in job for job in JOBS.values())


def test_no_script_holds_an_expression() -> None:
    assert not [step["run"] for step in STEPS if "${{" in step.get("run", "")]


def test_a_pull_request_plans_merging_promotes_and_production_waits_for_its_environment() -> None:
    assert "--dry-run" in str(JOBS["plan"])
    assert "pull_request" in JOBS["plan"]["if"]
    assert "push" in JOBS["staging"]["if"]
    assert (JOBS["production"]["environment"], "staging" in JOBS["production"]["needs"]) == ("production", True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (release_to_text(RELEASE), "name=shop:1.4.0\n"),
        ('release: $(id)\nversion: "1.0\nname=x"\n', "name=:\n"),
    ],
)
def test_the_release_that_was_added_is_found_by_what_its_file_says(text: str, name: str, tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
        return subprocess.run(
            ["git", *settings, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    before = git("rev-parse", "HEAD")
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "shop-1.4.0.yaml").write_text(text)
    git("add", ".")
    git("commit", "--quiet", "--message", "second")
    (script,) = [step["run"] for step in JOBS["release"]["steps"] if "run" in step]
    output = tmp_path / "output"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "BEFORE": before, "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, check=True, env=environment, capture_output=True)
    assert output.read_text() == name
