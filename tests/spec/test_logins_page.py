"""docs/logins.md: its specs are valid, its rights are JSON, and it names every form of `auth` that there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imagesync.settings import Auth, Ecr
from imagesync.spec.schema import schema_text
from tests.pages import blocks
from tests.spec.written import load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "logins.md"


@pytest.mark.parametrize("block", [block for block in blocks(PAGE, "yaml") if block.startswith("version:")])
def test_a_spec_of_the_page_is_valid(block: str, tmp_path: Path) -> None:
    assert load(tmp_path, block).rules


def test_the_longest_name_of_the_page_says_whose_login_it_is(tmp_path: Path) -> None:
    settings = load(tmp_path, blocks(PAGE, "yaml")[0]).settings
    role = Ecr(role="arn:aws:iam::111122223333:role/mirror")
    assert settings.for_host("444455556666.dkr.ecr.us-east-1.amazonaws.com").auth == Auth(role, role)
    named = settings.for_host("111122223333.dkr.ecr.eu-central-1.amazonaws.com").auth
    assert named == Auth(Ecr(), Ecr(profile="release"))


@pytest.mark.parametrize("block", blocks(PAGE, "json"))
def test_rights_are_written_as_amazon_reads_them(block: str) -> None:
    policy = json.loads(block)
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}


def test_every_form_of_auth_has_a_line() -> None:
    forms = json.loads(schema_text())["definitions"]["registry"]["properties"]["auth"]["anyOf"]
    words = [word for form in forms for word in form.get("enum", [])]
    keys = [key for form in forms for key in form.get("properties", {})]
    table = "\n".join(re.findall(r"^\| `.*$", PAGE.read_text(encoding="utf-8"), re.M))
    assert [word for word in words if f"`{word}`" not in table] == []
    assert [key for key in keys if not re.search(rf"[{{ ]{key}: ", table)] == []
