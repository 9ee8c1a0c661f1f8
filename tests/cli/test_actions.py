"""GitHub Actions: summary, outputs and annotations; and that no server's word becomes a workflow command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.command import Mirror, Ran
from tests.images import make_image

LOOKS_LIKE_A_COMMAND = re.compile(r"^\s*::|##\[", re.M)
HOSTILE = "::error::x\n::set-output name=a::b\r::stop-commands::t\n##[command]x\u2028::warning::y"


@pytest.fixture(autouse=True)
def _in_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        Path(name).touch()
        monkeypatch.setenv(name, name)


def _outputs() -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)<<(?:\S+)\n(.*?)\n\S+$", Path("GITHUB_OUTPUT").read_text(), re.M))


def _annotations(ran: Ran) -> list[str]:
    return [line for line in ran.text.splitlines() if line.startswith("::")]


def test_a_plan_writes_summary_and_outputs(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("plan", mirror.spec(), "-o", "plan.json")
    assert ran.code == 0
    assert "**Plan: 1 to add" in Path("GITHUB_STEP_SUMMARY").read_text()
    assert _outputs() == {"changed": "true", "changes": "1", "plan-file": "plan.json", "report": ""}
    assert _annotations(ran) == []


def test_an_apply_writes_summary_and_outputs(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("apply", mirror.spec("app:1", "app:lost"), "--report", "report.json")
    assert "Not all done: 1 added" in Path("GITHUB_STEP_SUMMARY").read_text()
    assert _outputs() == {"changed": "true", "copied": "1", "deleted": "0", "failed": "1", "report": "report.json"}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_an_image_that_fails_is_an_error_on_its_line_of_the_spec(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    (found,) = _annotations(mirror.cli(command, mirror.spec("app:1", "app:lost")))
    assert found.startswith("::error file=sync.yaml,line=7,col=9,title=")
    assert "app%3Alost failed::source " in found
    assert "not found%0A" in found


def test_a_mistake_in_the_spec_is_an_error_on_its_line(mirror: Mirror) -> None:
    ran = mirror.cli("validate", mirror.cli.file("version: 1\nverson: 1\nsync: []\n"))
    assert ran.code == 4
    assert any(found.startswith("::error file=sync.yaml,line=2,col=1,title=") for found in _annotations(ran))
    assert "sync.yaml:2:1: unknown key 'verson'" in ran.err


def test_a_tag_left_alone_is_a_warning(mirror: Mirror) -> None:
    mirror.fill("1")
    mirror.cli("plan", mirror.spec(), "-o", "plan.json")
    mirror.stand(make_image("by another hand"), "1")
    (found,) = _annotations(mirror.cli("apply", "sync.yaml", "--plan", "plan.json"))
    assert found.startswith("::warning file=sync.yaml,line=6")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_json_on_stdout_stays_json(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    ran = mirror.cli(command, mirror.spec("app:1", "app:lost"), "--format", "json")
    assert ran.json()["format_version"] == 1
    assert len(_annotations(ran)) == 1


def test_a_spec_below_a_folder_is_annotated_where_it_is(mirror: Mirror) -> None:
    mirror.spec("app:lost", name="deep/er/sync.yaml")
    (found,) = _annotations(mirror.cli("plan", "deep/er/sync.yaml"))
    assert found.startswith("::error file=deep/er/sync.yaml,line=6")


def test_a_spec_in_a_folder_of_the_checkout_is_annotated_from_its_root(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The action has a working-directory; GitHub knows files by their path from the root."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd()))
    mirror.spec("app:lost", name="deep/er/sync.yaml")
    mirror.cli.file("verson: 1\n", "deep/er/wrong.yaml")
    monkeypatch.chdir("deep")
    (found,) = _annotations(mirror.cli("plan", "er/sync.yaml"))
    assert found.startswith("::error file=deep/er/sync.yaml,line=6")
    assert _annotations(mirror.cli("validate", "er/wrong.yaml"))[0].startswith("::error file=deep/er/wrong.yaml,line=1")


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_conflict_is_an_error_on_its_line(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    mirror.stand(make_image("by another hand"), "1")
    (found,) = _annotations(mirror.cli(command, mirror.spec("{name: app, tags: ['1'], immutable: ['*']}")))
    assert found.startswith("::error file=sync.yaml,line=6,col=16,title=")
    assert "immutable tag has sha256:" in found


def _commands_besides(ran: Ran) -> list[str]:
    """Lines that the runner would take for commands, without the annotations of imagesync's own."""
    lines = re.split(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", ran.text)
    own = re.compile(r"::(error|warning|notice) file=[^:]*::")
    return [line for line in lines if LOOKS_LIKE_A_COMMAND.search(line) and not own.match(line)]


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_an_error_body_becomes_no_command(mirror: Mirror, command: str, form: str) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": HOSTILE}]}).encode()
    json_type = {"Content-Type": "application/json"}
    mirror.fill("1")
    mirror.source.script("GET", "/tags/list", status=400, headers=json_type, body=body)
    mirror.destination.script("POST", "/uploads", status=400, headers=json_type, body=body)
    ran = mirror.cli(command, mirror.spec("app:1", '{name: app, tags: ["2*"]}'), "--format", form, "-v")
    assert ran.code == 1
    assert "error" in ran.text
    assert _commands_besides(ran) == []


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_tag_list_a_label_or_a_manifest_becomes_no_command(mirror: Mirror, form: str) -> None:
    mirror.fill("1", image=make_image(HOSTILE, annotations={"a": HOSTILE}))
    body = json.dumps({"name": "app", "tags": ["1", HOSTILE]}).encode()
    mirror.source.script("GET", "/tags/list", status=200, headers={"Content-Type": "application/json"}, body=body)
    reference = f"{mirror.source.host}/app"
    spec = mirror.spec('{name: app, tags: ["1*"]}')
    for arguments in (
        ("tags", "--repository", reference, "--format", form),
        ("tags", spec, "--format", form),
        ("inspect", f"{reference}:1", "--format", form),
        ("inspect", f"{reference}:1", "--raw"),
        ("plan", spec, "--format", form),
    ):
        assert _commands_besides(mirror.cli(*arguments)) == [], arguments
