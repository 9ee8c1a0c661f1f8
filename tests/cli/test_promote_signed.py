"""Signed records: with a key in the spec only what it has signed counts, whoever else may push to the journal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imagesync.manifest import parse_manifest
from imagesync.promotion.entries import Kind
from imagesync.promotion.journal import Journal
from imagesync.promotion.seal import NoSeal
from imagesync.reference import Repository, Tag
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.signature.signers import Signer, make_ecdsa, make_ed25519, make_rsa


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Version 1.4.0 is at staging, by a signed record."""
    made = Shop(cli, (make_registry(), make_registry(), make_registry()))
    sign_with(made, make_ecdsa(), monkeypatch)
    made.push("1.4.0")
    assert made.promote("1.4.0", "staging").code == 0
    return made


def sign_with(shop: Shop, signer: Signer, monkeypatch: pytest.MonkeyPatch, *, public: str = "") -> None:
    monkeypatch.setenv("RECORD_KEY", signer.private_pem)
    Path("records.pub").write_text(public or signer.pem)
    shop.write()
    text = Path("sync.yaml").read_text()
    sign = "    record:\n      sign:\n        key: ${secret:RECORD_KEY}\n        public_key: records.pub\n    stages:"
    Path("sync.yaml").write_text(text.replace("    stages:", sign))


def unsigned(shop: Shop) -> None:
    """The same spec as somebody has it who does not have the key."""
    shop.write()


@pytest.mark.parametrize("make", [make_ecdsa, make_ed25519, make_rsa])
def test_a_record_that_was_signed_counts(
    make: object, cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(cli, (make_registry(), make_registry(), make_registry()))
    sign_with(shop, make(), monkeypatch)  # type: ignore[operator]
    shop.push("1.4.0")
    assert shop.promote("1.4.0", "staging").code == 0
    assert shop.promote("1.4.0", "production").code == 0
    monkeypatch.delenv("RECORD_KEY")
    assert shop.cli("status", "sync.yaml").code == 0, "who only reads needs the public half alone"
    image = f"{shop.hosts[2].host}/shop/api:1.4.0"
    assert "shop 1.4.0" in shop.cli("history", image, "--spec", "sync.yaml").out


def test_a_forged_record_without_a_signature_opens_no_door_and_stands_in_no_history(shop: Shop) -> None:
    signed = Path("sync.yaml").read_text()
    shop.push("1.5.0")
    unsigned(shop)
    assert shop.promote("1.5.0", "staging").code == 0
    Path("sync.yaml").write_text(signed)
    ran = shop.promote("1.5.0", "production")
    assert (ran.code, "shop 1.5.0 has not come to staging yet" in ran.text) == (3, True)
    told = shop.cli("history", "shop", "--spec", "sync.yaml").out
    assert ("1.4.0" in told, "1.5.0" in told) == (True, False)
    image = f"{shop.hosts[1].host}/shop/api:1.5.0"
    assert "Nothing is on record" in shop.cli("history", image, "--spec", "sync.yaml").out


def test_a_forged_record_without_a_signature_lets_nothing_soak_for_longer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that the same release came to staging two days before it did."""
    name = "shop/imagesync-journal"
    journal = Journal(Repository(shop.hosts[1].host, name), shop.hosts[1].repository(name), NoSeal())
    (entry,) = [one for one in journal.entries("shop", "staging") if one.kind is Kind.FINISHED]
    record, earlier = journal.read(entry), replace(entry, at=entry.at - timedelta(days=2))
    journal.enter(earlier, replace(record, at=earlier.at, entry=earlier.move))
    shop.more["production"] = "gates: [{soak: 24h}]"
    unsigned(shop)
    assert shop.promote("1.4.0", "production", "--dry-run").code == 0, "where nothing is signed it counts"
    sign_with(shop, make_ecdsa(), monkeypatch, public=Path("records.pub").read_text())
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, "of 24h, by a signed record" in ran.text, shop.tags(2, "api")) == (3, True, {}), ran.text


def test_a_forged_record_of_a_promotion_that_the_spec_does_not_have_stands_in_no_history_of_an_image(
    shop: Shop,
) -> None:
    """Under another name than the one that has a key."""
    signed = Path("sync.yaml").read_text()
    unsigned(shop)
    Path("other.yaml").write_text(Path("sync.yaml").read_text().replace("name: shop", "name: shop-2"))
    assert shop.cli("promote", "other.yaml", "shop-2:1.4.0", "--to", "staging").code == 0
    image = f"{shop.hosts[1].host}/shop/api:1.4.0"
    assert "shop-2 1.4.0" in shop.cli("history", image).out, "without a spec nobody can tell"
    Path("sync.yaml").write_text(signed)
    told = shop.cli("history", image, "--spec", "sync.yaml").out
    assert ("shop 1.4.0" in told, "shop-2" in told) == (True, False)
    dev = f"{shop.hosts[0].host}/shop/api:1.4.0"
    assert shop.cli("history", dev, "--spec", "sync.yaml").code == 0


def test_a_forged_hold_holds_nothing_and_a_forged_start_is_not_incomplete(shop: Shop) -> None:
    signed = Path("sync.yaml").read_text()
    unsigned(shop)
    assert shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "x").code == 0
    shop.hosts[1].script("PUT", r"finished", status=403)
    shop.push("1.5.0")
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--release")
    shop.promote("1.5.0", "staging")
    shop.hosts[1].unscript()
    Path("sync.yaml").write_text(signed)
    ran = shop.cli("status", "sync.yaml", "--format", "json").json()
    staging = ran["stages"][1]
    assert (staging["incomplete"], staging["hold"], staging["released"]["version"]) == (None, None, "1.4.0")


def test_a_forged_withdrawal_hides_nothing_that_is_incomplete(shop: Shop) -> None:
    shop.hosts[1].script("PUT", r"finished", status=403)
    shop.push("1.5.0")
    assert shop.promote("1.5.0", "staging").code == 1
    shop.hosts[1].unscript()
    journal = shop.hosts[1].repository("shop/imagesync-journal")
    begun = journal.list_tags()[-1]
    assert begun.endswith(".started")
    journal.push_manifest(journal.fetch_manifest(begun), Tag(begun.replace("started", "withdrawn")))
    ran = shop.cli("status", "sync.yaml", "--format", "json")
    assert (ran.code, ran.json()["stages"][1]["incomplete"]["version"]) == (1, "1.5.0")


def test_a_signed_record_counts_under_its_own_tag_alone(shop: Shop) -> None:
    journal = shop.hosts[1].repository("shop/imagesync-journal")
    (old,) = [tag for tag in journal.list_tags() if tag.endswith("finished")]
    content = journal.fetch_manifest(old)
    shop.push("1.5.0")
    assert shop.promote("1.5.0", "staging").code == 0
    journal.push_manifest(content, Tag(f"shop.staging.29990101T000000Z-{old[-21:-9]}.finished"))
    ran = shop.cli("status", "sync.yaml", "--format", "json").json()
    assert ran["stages"][1]["released"]["version"] == "1.5.0"


def test_a_signed_record_that_was_changed_does_not_count(shop: Shop) -> None:
    journal = shop.hosts[1].repository("shop/imagesync-journal")
    (tag,) = [tag for tag in journal.list_tags() if tag.endswith("finished")]
    document = json.loads(journal.fetch_manifest(tag).raw)
    key = "vnd.imagesync.promotion.record"
    document["annotations"][key] = document["annotations"][key].replace('"ticket":""', '"ticket":"OPS"')
    journal.push_manifest(parse_manifest(json.dumps(document).encode()), tag)
    assert shop.promote("1.4.0", "production").code == 3


def test_a_key_that_is_not_the_half_of_the_public_one_ends_before_any_tag_is_written(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_with(shop, make_ed25519(), monkeypatch, public=make_ecdsa().pem)
    shop.push("1.5.0")
    ran = shop.promote("1.5.0", "staging")
    assert ran.code != 0
    assert "is not the private half of records.pub" in ran.text
    assert "1.5.0" not in shop.tags(1, "api")


@pytest.mark.parametrize("value", ["", "no key"])
def test_a_key_that_is_missing_or_none_ends_before_any_tag_is_written_and_is_not_shown(
    value: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORD_KEY", value)
    shop.push("1.5.0")
    ran = shop.promote("1.5.0", "staging")
    assert ran.code != 0
    assert "1.5.0" not in shop.tags(1, "api")
    assert "no key" not in ran.text.replace("no private key", "")


def test_a_private_key_stands_in_no_spec_and_no_output(shop: Shop) -> None:
    text = Path("sync.yaml").read_text()
    shown = shop.cli("config", "sync.yaml")
    assert "record.sign: *** from environment variable RECORD_KEY, verified with records.pub" in shown.out
    Path("sync.yaml").write_text(text.replace("${secret:RECORD_KEY}", "abc"))
    assert "a private key stands in the spec" in shop.cli("validate", "sync.yaml").err
    Path("records.pub").write_text("no key")
    Path("sync.yaml").write_text(text)
    assert "records.pub: this is no public key" in shop.cli("validate", "sync.yaml").err


def test_a_key_with_a_password_opens_with_what_the_spec_names_or_as_cosigns_do(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = make_ecdsa()
    sign_with(shop, signer, monkeypatch)
    monkeypatch.setenv("RECORD_KEY", signer.private_pem_with("hunter2"))
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, "this private key has a password, and secret COSIGN_PASSWORD is not set" in ran.text) == (1, True)
    monkeypatch.setenv("COSIGN_PASSWORD", "hunter2")
    assert shop.promote("1.4.0", "staging").code == 0
    monkeypatch.delenv("COSIGN_PASSWORD")
    monkeypatch.setenv("OWN", "hunter2")
    text = Path("sync.yaml").read_text()
    own = "        public_key: records.pub\n        password: ${secret:OWN}\n"
    Path("sync.yaml").write_text(text.replace("        public_key: records.pub\n", own))
    ran = shop.promote("1.4.0", "production")
    assert ran.code == 0, ran.text
    assert "hunter2" not in ran.text + shop.cli("config", "sync.yaml").text


def test_a_password_is_no_part_of_a_spec(shop: Shop) -> None:
    text = Path("sync.yaml").read_text()
    own = "        public_key: records.pub\n        password: hunter2\n"
    Path("sync.yaml").write_text(text.replace("        public_key: records.pub\n", own))
    ran = shop.cli("validate", "sync.yaml")
    assert (ran.code, "the password of a key stands in the spec" in ran.text, "hunter2" in ran.text) == (4, True, False)
