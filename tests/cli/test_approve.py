"""approve: who approves of a release writes files that the gate of its stage counts, signed where that has keys."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from imagesync.reference import Digest
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image
from tests.signature.signers import Signer, make_ecdsa, make_ed25519, make_statement
from tests.signature.sigstore_world import ISSUER, World

UNSIGNED = "gates: [{approval: {count: 1, from: [alice, bob], expires: 7d}}]"
SIGNED = "gates: [{approval: {count: 1, from: [{name: alice, key: alice.pub}, {name: bob, key: bob.pub}]}}]"

MAIL = "alice@example.com"


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("GITHUB_ACTOR", "carol")
    return Shop(cli, (make_registry(), make_registry(), make_registry()))


@pytest.fixture
def keys(cli: Cli) -> dict[str, Signer]:
    made = {"alice": make_ecdsa(), "bob": make_ed25519(), "mallory": make_ecdsa()}
    for name, signer in made.items():
        cli.file(signer.pem, f"{name}.pub")
        cli.file(signer.private_pem, f"{name}.pem")
    return made


def gated(shop: Shop, gates: str) -> Shop:
    shop.more["staging"] = gates
    shop.write()
    shop.push("1.4.0")
    return shop


def approve(shop: Shop, *more: str) -> tuple[int, str]:
    ran = shop.cli("approve", "sync.yaml", "shop:1.4.0", "--to", "staging", *more)
    return ran.code, ran.text


def test_what_was_approved_of_comes_to_the_stage_and_waits_before(shop: Shop) -> None:
    gated(shop, UNSIGNED)
    assert shop.promote("1.4.0", "staging").code == 3
    shop.forget()
    code, said = approve(shop, "--by", "alice")
    assert (code, shop.writes()) == (0, []), said
    assert said.count("alice approves of ") == 2
    assert ", until 20" in said
    files = list(Path("approvals").rglob("*.json"))
    assert [file.name for file in files] == ["alice.json", "alice.json"]
    assert set(json.loads(files[0].read_text())) == {"digest", "destination", "by", "at"}
    ran = shop.promote("1.4.0", "staging", "-v")
    assert (ran.code, "1 of 1 approvals (unsigned): alice" in ran.text) == (0, True), ran.text


def test_it_costs_a_head_for_each_image(shop: Shop) -> None:
    gated(shop, UNSIGNED).forget()
    approve(shop, "--by", "alice")
    asked = [line for host in shop.hosts for line in host.log.lines() if "/manifests/" in line]
    assert [line.partition(" ")[0] for line in asked] == ["HEAD", "HEAD"]


def test_who_approves_does_not_promote(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gated(shop, UNSIGNED)
    monkeypatch.setenv("GITHUB_ACTOR", "bob")
    assert approve(shop)[0] == 0
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, "'bob' runs this, and cannot approve it" in ran.text) == (3, True)
    monkeypatch.setenv("GITHUB_ACTOR", "carol")
    assert shop.promote("1.4.0", "staging").code == 0


def test_another_digest_under_the_version_was_not_approved_of(shop: Shop) -> None:
    gated(shop, UNSIGNED)
    approve(shop, "--by", "alice")
    shop.push("1.4.0", api=shop.push("0.1.0")["api"])
    assert shop.promote("1.4.0", "staging").code == 3


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_a_key_says_who_approves_and_what_it_signs_counts(shop: Shop, keys: dict[str, Signer], name: str) -> None:
    gated(shop, SIGNED)
    code, said = approve(shop, "--key", f"{name}.pem")
    assert (code, f"{name} approves of" in said) == (0, True), said
    ran = shop.promote("1.4.0", "staging", "-v")
    assert (ran.code, f"1 of 1 approvals (signed): {name}" in ran.text) == (0, True), ran.text


def test_a_signed_approval_that_was_changed_counts_for_nothing(shop: Shop, keys: dict[str, Signer]) -> None:
    gated(shop, SIGNED)
    approve(shop, "--key", "alice.pem")
    for file in Path("approvals").rglob("*.json"):
        document = json.loads(file.read_text())
        document["signatures"] = keys["mallory"].envelope(b"{}")["signatures"]
        file.write_text(json.dumps(document))
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, "not by 'alice': signed by another key, or changed since" in ran.text) == (3, True), ran.text


def test_an_approval_of_one_stage_is_none_of_another(shop: Shop, keys: dict[str, Signer]) -> None:
    shop.more["production"] = SIGNED
    gated(shop, SIGNED)
    approve(shop, "--key", "alice.pem")
    assert shop.promote("1.4.0", "staging").code == 0
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, "for another destination" in ran.text) == (3, True), ran.text


KEYLESS = f"gates: [{{approval: {{count: 1, from: [{{name: alice, identity: {MAIL}, issuer: '{ISSUER}', "
KEYLESS += "trusted_root: root.json}, {name: bob, key: bob.pub}]}}]"


def sign_keyless(world: World, command: str, identity: str = MAIL) -> None:
    """What `cosign attest-blob` does with the options that are printed."""
    words = shlex.split(command)
    said = {option[2:]: value for option, value in pairwise(words) if option.startswith("--")}
    subject = Digest(f"sha256:{said['hash']}")
    predicate = json.loads(Path(said["predicate"]).read_text())
    bundle = world.bundle(make_statement(said["type"], predicate, digests=(subject,)), identity=identity)
    Path(said["bundle"]).write_text(json.dumps(bundle))


def test_who_signs_keyless_gets_what_to_sign_and_the_commands_that_do(shop: Shop, keys: dict[str, Signer]) -> None:
    world = World()
    Path("root.json").write_bytes(world.trusted_root())
    gated(shop, KEYLESS)
    code, said = approve(shop, "--by", "alice", "--to-sign", "signing")
    commands = [line for line in said.splitlines() if line.startswith("cosign attest-blob ")]
    assert (code, len(commands), said.count("# alice approves of ")) == (0, 2, 2), said
    assert shop.promote("1.4.0", "staging").code == 3
    for command in commands:
        sign_keyless(world, command, "mallory@example.com")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, f"signed by 'mallory@example.com', wanted {MAIL}" in ran.text) == (3, True), ran.text
    for command in commands:
        sign_keyless(world, command)
    ran = shop.promote("1.4.0", "staging", "-v")
    assert (ran.code, "1 of 1 approvals (signed): alice" in ran.text) == (0, True), ran.text


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (("--by", "alice"), f"approvals by alice have to be signed by {MAIL}\n    --to-sign DIRECTORY writes"),
        (("--by", "bob", "--to-sign", "signing"), "approvals by bob have to be signed\n    give your private key"),
        (("--to-sign", "signing"), "'carol' may not approve"),
    ],
)
def test_who_signs_how_is_said(shop: Shop, keys: dict[str, Signer], more: tuple[str, ...], expected: str) -> None:
    Path("root.json").write_bytes(World().trusted_root())
    gated(shop, KEYLESS)
    code, said = approve(shop, *more)
    assert (code, expected in said, Path("signing").exists()) == (4, True, False), said


@pytest.mark.parametrize(
    ("gates", "more", "expected"),
    [
        ("current: live", (), "no gate of shop/staging counts approvals"),
        (UNSIGNED, (), "'carol' may not approve\n    these may: alice, bob"),
        (UNSIGNED, ("--by", "alice", "--key", "alice.pem"), "no gate of this stage asks for a signature"),
        (UNSIGNED, ("--by", "alice", "--to-sign", "signing"), "no gate of this stage asks for a signature"),
        (SIGNED, ("--by", "alice"), "approvals by alice have to be signed\n    give your private key"),
        (SIGNED, ("--key", "mallory.pem"), "mallory.pem is not the private half of the key of any of alice, bob"),
        (SIGNED, ("--key", "bob.pem", "--by", "alice"), "bob.pem is not the private half of the key of alice"),
        (SIGNED, ("--key", "alice.pub"), "alice.pub: this is no private key in PEM form"),
        (
            'gates: [{approval: {count: 1, from: [alice], files: "ok/{digest_hex}/?.json"}}]',
            ("--by", "alice"),
            "names no file that could be written\n    write one `*`",
        ),
    ],
)
def test_what_cannot_be_approved_is_said_with_what_to_do(
    shop: Shop, keys: dict[str, Signer], gates: str, more: tuple[str, ...], expected: str
) -> None:
    gated(shop, gates)
    code, said = approve(shop, *more)
    assert (code, expected in said, list(Path().rglob("*.json"))) == (4, True, []), said
    assert "PRIVATE" not in said


def test_a_key_with_a_password_opens_as_cosigns_do(
    shop: Shop, keys: dict[str, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, SIGNED)
    Path("alice.pem").write_text(keys["alice"].private_pem_with("hunter2"))
    code, said = approve(shop, "--key", "alice.pem")
    assert (code, "alice.pem: this private key has a password, and secret COSIGN_PASSWORD" in said) == (4, True), said
    monkeypatch.setenv("COSIGN_PASSWORD", "hunter2")
    assert approve(shop, "--key", "alice.pem")[0] == 0


@pytest.mark.parametrize("more", [(), ("--key", "alice.pem")])
def test_images_that_are_the_same_are_approved_of_each(
    shop: Shop, keys: dict[str, Signer], more: tuple[str, ...]
) -> None:
    gated(shop, SIGNED if more else UNSIGNED)
    same = make_image("same")
    shop.push("1.4.0", api=same, worker=same)
    code, said = approve(shop, "--by", "alice", *more)
    assert (code, said.count("alice approves of ")) == (0, 2), said
    assert approve(shop, "--by", "alice", *more)[0] == 0
    assert len(list(Path("approvals").rglob("*.json"))) == 2, "an older word is replaced"
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, set(shop.tags(1, "worker"))) == (0, {"1.4.0"}), ran.text


def test_a_folder_that_cannot_be_made_is_named(shop: Shop) -> None:
    gated(shop, UNSIGNED)
    shop.cli.file("", "approvals")
    shop.cli.file("", "releases")
    code, said = approve(shop, "--by", "alice")
    assert (code, "cannot be written: " in said, "approvals" in said) == (4, True, True), said
    ran = shop.cli("release", "create", "sync.yaml", "shop:1.4.0")
    assert (ran.code, "releases" in ran.err, "cannot be written: " in ran.err) == (4, True, True), ran.err
