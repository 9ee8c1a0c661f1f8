"""The small commands, the help of all of them, and wrong command lines."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

import imagesync
from imagesync.cli.parser import COMMANDS
from tests.cli.command import Cli, Mirror
from tests.secrets import LONG_PASSWORD


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli: Cli, command: str) -> None:
    ran = cli(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"usage: imagesync {command}")
    assert "--log-format" in ran.out


def test_the_help_lists_every_command_and_every_exit_code(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert not [command for command in COMMANDS if f"\n    {command}" not in ran.out]
    assert "130 and 143 interrupted" in ran.out


def test_no_command_at_all_shows_the_help_and_ends_with_4(cli: Cli) -> None:
    ran = cli()
    assert (ran.code, ran.text.startswith("usage: imagesync")) == (4, True)


@pytest.mark.parametrize("arguments", [("--version",), ("version",)])
def test_the_version(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).out == f"imagesync {imagesync.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan",), "the following arguments are required: SPEC\n    see `imagesync plan --help`"),
        (("plan", "a.yaml", "--onyl", "x"), "unknown: --onyl, did you mean --only?\n    see `imagesync plan --help`"),
        (("plan", "a.yaml", "b.yaml"), "unknown: b.yaml\n    see `imagesync plan --help`"),
        (("pln",), "did you mean plan?"),
        (("plan", "a.yaml", "--format", "xml"), "invalid choice: 'xml'"),
        (("plan", "a.yaml", "--timeout", "soon"), "'soon' is not a time: 90s, 30m, 2h"),
        (("plan", "a.yaml", "--timeout", "0s"), "'0s' is not a time"),
        (("plan", "a.yaml", "--concurrency", "0"), "'0' is not a number from 1 to 1024"),
        (("apply",), "required: SPEC"),
        (("copy", "a:1"), "required: DESTINATION"),
        (("auth",), "required: check"),
        (("completion", "fish"), "invalid choice: 'fish'"),
        (("login", "localhost:5000"), "required: -u/--username"),
        (("login", "a.io", "-u", "a", "-p", LONG_PASSWORD), "unknown: -p\n    see `imagesync login --help`"),
        (("login", "a.io", "-u", "a", f"-p{LONG_PASSWORD}"), "unknown: -p\n    see `imagesync login --help`"),
        (
            ("login", "a.io", "-u", "a", "--password", LONG_PASSWORD),
            "unknown: --password, did you mean --password-stdin",
        ),
        (("login", "a.io", "-u", "a", f"--password={LONG_PASSWORD}"), "unknown: --password, did you mean"),
        (("login", f"ann:{LONG_PASSWORD}@a.io", "-u", "a"), "a host is written without a login\n    write a.io"),
        (("auth", "check", f"ann:{LONG_PASSWORD}@a.io"), "a host is written without a login\n    write a.io"),
    ],
)
def test_a_wrong_command_line_ends_with_4_and_says_what_is_wrong(
    cli: Cli, arguments: tuple[str, ...], said: str
) -> None:
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (4, "")
    assert said in ran.err


def test_init_writes_a_spec_that_validates_and_add_puts_an_image_into_it(cli: Cli) -> None:
    assert cli("init").code == 0
    before = Path("sync.yaml").read_text()
    assert cli("validate", "sync.yaml").code == 0
    added = cli("add", "nginx:1.27.3")
    assert (added.code, added.out) == (0, "")
    assert added.err == "Added nginx:1.27.3 to sync.yaml.\n"
    after = Path("sync.yaml").read_text()
    assert {line for line in before.splitlines() if line.lstrip().startswith("#")} <= set(after.splitlines())
    assert "nginx" in after
    assert cli("validate", "sync.yaml").code == 0


def test_init_overwrites_nothing(cli: Cli) -> None:
    Path("sync.yaml").write_text("mine")
    ran = cli("init")
    assert (ran.code, Path("sync.yaml").read_text()) == (4, "mine")
    assert "sync.yaml is there already" in ran.err


def test_adding_what_is_there_changes_nothing(cli: Cli) -> None:
    cli("init")
    cli("add", "nginx:1.27.3")
    before = Path("sync.yaml").read_text()
    ran = cli("add", "nginx:1.27.3")
    assert (ran.code, ran.err) == (0, "sync.yaml has nginx:1.27.3 already.\n")
    assert Path("sync.yaml").read_text() == before


def test_adding_to_a_spec_that_is_not_there_names_it(cli: Cli) -> None:
    ran = cli("add", "nginx:1", "--spec", "lost.yaml")
    assert (ran.code, "lost.yaml cannot be read" in ran.err) == (4, True)


def test_validate_counts_what_it_read_and_asks_nobody(mirror: Mirror) -> None:
    ran = mirror.cli("validate", mirror.spec("app:1", "app:2"))
    assert (ran.code, ran.out, ran.err) == (0, "sync.yaml: 2 images in 1 file, no mistakes.\n", "")
    assert mirror.requests() == []


def test_validate_reads_standard_input(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(mirror.spec()).open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert mirror.cli("validate", "-").code == 0


def test_validate_online_looks_for_every_tag_and_writes_nothing(mirror: Mirror) -> None:
    mirror.fill("1")
    ran = mirror.cli("validate", mirror.spec("app:1", "app:lost"), "--online")
    assert ran.code == 1
    assert f"source {mirror.source.host}/app:lost: not found" in ran.out
    assert mirror.writes() == []


def test_config_shows_each_value_and_its_place(mirror: Mirror) -> None:
    ran = mirror.cli("config", mirror.spec("app:1"))
    assert ran.code == 0
    assert f"source: {mirror.source.host}/app" in ran.out
    assert "sync.yaml:6:9" in ran.out
    assert "default" in ran.out


def test_config_explains_one_image_and_names_a_near_miss(mirror: Mirror) -> None:
    spec = mirror.spec("app:1", "other:1")
    ran = mirror.cli("config", spec, "--explain", "sync[0]/other")
    assert (ran.code, "app:1" in ran.out, "/other" in ran.out) == (0, False, True)
    assert mirror.cli("config", spec, "--explain", "sync[0]/othr").code == 4


def test_the_schema_accepts_the_initial_spec(cli: Cli) -> None:
    cli("init")
    schema = cli("schema").json()
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(Path("sync.yaml").read_text()))


def test_the_plan_schema_is_a_schema(cli: Cli) -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(cli("schema", "--plan").out))


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_completion_script_knows_the_commands_and_the_shell_reads_it(cli: Cli, shell: str) -> None:
    ran = cli("completion", shell)
    assert ran.code == 0
    assert not [command for command in COMMANDS if command not in ran.out]
    if shell == "bash" and shutil.which("bash"):
        subprocess.run(["bash", "-n"], input=ran.out, text=True, check=True)


@pytest.mark.parametrize(("typed", "meant"), [("pln", "plan"), ("valdate", "validate"), ("aply", "apply")])
def test_a_misspelt_command_gets_the_near_one(cli: Cli, typed: str, meant: str) -> None:
    ran = cli(typed, "sync.yaml")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith(f"imagesync: no command is called '{typed}', did you mean {meant}?")
