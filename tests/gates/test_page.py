"""The page about gates and what the program does agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imagesync.spec.schema import schema_text
from imagesync.survey.surroundings import PASSED_ON
from tests.pages import check_understood
from tests.signature.signers import make_ecdsa
from tests.spec.written import load

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "gates.md").read_text("utf-8")
SPEC = re.findall(r"```yaml\n(version.*?)```", PAGE, re.S)[0]
KINDS = set(json.loads(schema_text())["definitions"]["gate"]["properties"]) - {"mode"}


def test_the_page_has_every_kind_of_gate() -> None:
    rows = PAGE.partition("| kind |")[2].partition("\n\n")[0].splitlines()[2:]
    assert {row.split("`")[1] for row in rows} == KINDS


def test_the_pages_example_is_a_spec(tmp_path: Path) -> None:
    api, app = load(tmp_path, SPEC, files={"keys/release.pub": make_ecdsa().pem}).rules
    assert [gate.name for gate in api.gates] == ["signed", "scanned", "hours"]
    assert [gate.name for gate in app.gates] == [
        *("signed", "scanned", "hours", "two", "require_platforms", "size", "any_of")
    ]


def test_the_page_names_what_a_program_gets_of_the_environment() -> None:
    text = " ".join(PAGE.split())
    named = text.partition("Of the environment it gets ")[2].partition(", and nothing else")[0]
    assert set(re.findall(r"`(\w+)`", named)) == set(PASSED_ON)


@pytest.mark.parametrize("line", re.findall(r"^imagesync .*$", PAGE, re.M))
def test_a_command_of_the_page_is_understood(line: str) -> None:
    check_understood(line)
