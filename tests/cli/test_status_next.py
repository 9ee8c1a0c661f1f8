"""status: what it says to type next, and what it does with a journal that cannot be read."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from imagesync.promotion.entries import make_letters
from imagesync.reference import Tag
from tests.cli.command import Cli, Ran
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image
from tests.signature.signers import make_ed25519
from tests.signature.sigstore_world import World

IDENTITY = "{name: dora, identity: d@example.com, issuer: 'https://issuer.example.com', trusted_root: root.json}"
APPLY = "  imagesync apply sync.yaml --only shop"


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    return Shop.with_two_releases(cli, (make_registry(), make_registry(), make_registry()))


def let_come_by_itself(shop: Shop, *stages: str) -> None:
    shop.more = {"staging": "current: staging", "production": "current: live"}
    shop.more |= {stage: f"{shop.more[stage]}\nauto: true" for stage in stages}
    shop.write()


def of_stage(ran: Ran, name: str) -> list[str]:
    """The lines of what is next at a stage."""
    blocks = (block.splitlines() for block in ran.out.split("\n\n"))
    return next((block for block in blocks if block[0].startswith(f"shop/{name}: ")), [])


@pytest.mark.parametrize("option", [(), ("--no-gates",)])
def test_what_comes_by_itself_is_brought_by_apply(shop: Shop, option: tuple[str, ...]) -> None:
    let_come_by_itself(shop, "production")
    ran = shop.cli("status", "sync.yaml", *option)
    assert of_stage(ran, "production")[1:] == [APPLY]
    assert shop.cli(*shlex.split(APPLY)[1:]).code == 0
    assert of_stage(shop.cli("status", "sync.yaml", *option), "production") == []


def test_what_comes_by_itself_from_the_first_stage_is_brought_by_apply_and_json_says_so(shop: Shop) -> None:
    let_come_by_itself(shop, "staging")
    shop.push("1.6.0")
    ran = shop.cli("status", "sync.yaml", "--format", "json")
    staging, production = ran.json()["stages"][1:]
    assert (staging["upcoming"]["command"], staging["next"]) == (APPLY.strip(), APPLY.strip())
    assert production["upcoming"]["command"] == "imagesync promote sync.yaml shop:1.5.0 --to production"


def test_what_a_stage_takes_from_nobody_but_who_asks_is_promoted(shop: Shop) -> None:
    let_come_by_itself(shop, "staging")
    shop.push("1.6.0-rc.1")
    ran = shop.cli("status", "sync.yaml")
    assert of_stage(ran, "staging")[1:] == ["  imagesync promote sync.yaml shop:1.6.0-rc.1 --to staging"]


def test_what_a_stage_went_back_from_is_promoted_though_others_come_by_themselves(shop: Shop) -> None:
    let_come_by_itself(shop, "staging")
    shop.push("1.6.0")
    assert shop.cli("apply", "sync.yaml").code == 0
    back = ("sync.yaml", "shop", "--stage", "staging", "--reason", "trial")
    assert shop.cli("rollback", *back, "--confirm").code == 0
    assert shop.cli("hold", *back, "--release").code == 0
    ran = shop.cli("status", "sync.yaml")
    assert of_stage(ran, "staging")[1:] == ["  imagesync promote sync.yaml shop:1.6.0 --to staging"]


def test_what_has_begun_is_finished_by_promote_also_where_releases_come_by_themselves(shop: Shop) -> None:
    let_come_by_itself(shop, "production")
    shop.hosts[2].script("PUT", r"imagesync-journal/manifests/.*finished", status=403)
    assert shop.cli("apply", "sync.yaml").code == 1
    ran = shop.cli("status", "sync.yaml")
    assert of_stage(ran, "production")[-1] == "  imagesync promote sync.yaml shop:1.5.0 --to production"


@pytest.mark.parametrize(
    ("people", "hint"),
    [
        ("[alice]", "`{typed}` says yes"),
        ("[{name: alice, key: alice.pub}]", "`{typed} --key FILE` says yes"),
        (f"[{IDENTITY}]", "`{typed} --to-sign DIRECTORY` says yes"),
        (
            f"[{{name: alice, key: alice.pub}}, {IDENTITY}]",
            "`{typed} --key FILE` or `{typed} --to-sign DIRECTORY` says yes",
        ),
    ],
)
def test_the_hint_on_an_approval_says_how_it_is_signed_where_it_has_to_be(shop: Shop, people: str, hint: str) -> None:
    Path("alice.pub").write_text(make_ed25519().pem)
    Path("root.json").write_bytes(World().trusted_root())
    shop.more["production"] = f"current: live\ngates: [{{approval: {{count: 1, from: {people}}}}}]"
    shop.write()
    ran = shop.cli("status", "sync.yaml")
    typed = "imagesync approve sync.yaml shop:1.5.0 --to production"
    assert f"    → {hint.format(typed=typed)}" in ran.out.splitlines(), ran.text


def test_a_journal_that_cannot_be_listed_is_told_of_its_stage_and_the_others_are_shown(shop: Shop) -> None:
    shop.hosts[2].script("GET", "/imagesync-journal/", status=403)
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 1
    assert any(line.startswith("shop/staging") and "1.5.0" in line for line in ran.out.splitlines()), ran.text
    lines = of_stage(ran, "production")
    assert lines[0] == "shop/production: its records cannot be read"
    assert lines[1].startswith("  x journal ")
    assert "403" in lines[1]


def test_a_journal_that_cannot_be_read_leaves_what_is_ahead_of_the_next_stage_unknown(shop: Shop) -> None:
    write_no_record(shop, 1, "staging")
    ran = shop.cli("status", "sync.yaml")
    assert ran.code == 1
    headline, reason, hint = of_stage(ran, "staging")
    assert headline == "shop/staging: its records cannot be read"
    assert reason.endswith("it is no record of a promotion")
    assert hint == "    → somebody else has written there; delete that tag, if the record may be lost"
    assert of_stage(ran, "production")[0].startswith("shop/production: nobody knows what is ahead: journal ")
    assert any(line.startswith("shop/production") and "1.4.0" in line for line in ran.out.splitlines()), ran.text


@pytest.mark.parametrize("option", [(), ("--no-gates",)])
def test_an_old_entry_that_is_no_record_leaves_unknown_what_comes_by_itself_and_ends_nothing(
    shop: Shop, option: tuple[str, ...]
) -> None:
    let_come_by_itself(shop, "production")
    write_no_record(shop, 2, "production", f"20200101T000000Z-{make_letters(Tag('1.5.0'), '')}")
    ran = shop.cli("status", "sync.yaml", *option)
    assert of_stage(ran, "production")[0].startswith("shop/production: nobody knows what is ahead: journal "), ran.text
    assert any(line.startswith("shop/production") and "1.4.0" in line for line in ran.out.splitlines()), ran.text


@pytest.mark.parametrize("option", [(), ("--no-gates",)])
def test_json_says_which_records_cannot_be_read_and_why(shop: Shop, option: tuple[str, ...]) -> None:
    write_no_record(shop, 1, "staging")
    ran = shop.cli("status", "sync.yaml", "--format", "json", *option)
    document = json.loads(ran.out)
    stages: list[Any] = document["stages"]
    assert (ran.code, document["summary"]["exit_code"]) == (1, 1)
    assert [stage["unreadable"] is None for stage in stages] == [True, False, True]
    assert stages[1]["unreadable"]["kind"] == "manifest"
    assert stages[1]["unreadable"]["reason"].startswith("journal ")
    assert stages[2]["released"]["version"] == "1.4.0"


def test_markdown_has_a_row_for_records_that_cannot_be_read(shop: Shop) -> None:
    write_no_record(shop, 1, "staging")
    second = shop.cli("status", "sync.yaml", "--format", "markdown").out.strip().split("\n\n")[1]
    assert "| `shop/staging` | `its records cannot be read` |" in second
    assert "| `somebody else has written there; " in second


def write_no_record(shop: Shop, position: int, stage: str, move: str = "20990101T000000Z-0123456789ab") -> None:
    """Let another hand enter an image as what a stage came to; the last of all, if no other move is named."""
    entry = Tag(f"shop.{stage}.{move}.finished")
    push_image(shop.hosts[position].repository("shop/imagesync-journal"), make_image("none"), entry)
