"""What is wrong with gates is said with its place, and no gate is dropped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.signature.signers import make_ecdsa
from tests.spec.written import found, load, make_files, shown

ENTRY = """\
sync:
  - source: docker.io
    destination: localhost:5000
    images: [nginx]
"""


def spec(gates: str = "", *, use: str = "[one]", more: str = "") -> str:
    """A spec whose one gate is called `one`, on the third line."""
    return f"version: 1\n{more}" + (f"gates:\n  one: {gates}\n" if gates else "") + f"{ENTRY}    gates: {use}\n"


def keyless(*people: tuple[str, str, str]) -> str:
    """An approval by people who sign without keys: their names, identities and issuers."""
    each = [
        f"{{name: {name}, identity: '{identity}', issuer: {issuer}, trusted_root: root.json}}"
        for name, identity, issuer in people
    ]
    return f"{{approval: {{count: 1, from: [{', '.join(each)}]}}}}"


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ("{size: {layers: 9}, labels: {config: {a: b}}}", "size and labels in one gate"),
        ("{mode: warn}", "a gate that asks for nothing"),
        ("{all_of: [one]}", "the gate one leads back to itself"),
        ("{all_of: [two]}", "no gate is called 'two'"),
        ("{any_of: [{all_of: [onne]}]}", "no gate is called 'onne'\n    did you mean one?"),
        ('{require_platforms: "${NONE:-}"}', "'' is not a platform"),
        ('{require_platforms: [linux/amd64, "${NONE:-}"]}', "'' is not a platform"),
        ("{require_platforms: linux/amd46}", "'amd46' is not an architecture\n    did you mean amd64?"),
        ("{labels: {config: {a: /(/}}}", "'/(/' is not a regular expression"),
        ("{window: {timezone: Europe/Berlin}}", "a window that is always open"),
        ("{window: {timezone: Europe/Brelin, allow: [daily 08:00-09:00]}}", "'Europe/Brelin' is no time zone"),
        ("{window: {timezone: ../../etc/passwd, allow: [daily 08:00-09:00]}}", "is no time zone"),
        ('{window: {timezone: "${Z:-}", allow: [daily 08:00-09:00]}}', "'' is no time zone"),
        ("{window: {timezone: UTC, allow: [8-18]}}", "'8-18' are no hours"),
        (
            '{window: {timezone: UTC, freeze: [{from: "2026-12-24", to: "2026-12-20", reason: x}]}}',
            "this freeze ends before it begins",
        ),
        ('{window: {timezone: UTC, freeze: [{from: "2026-13-24", to: "2026-12-20", reason: x}]}}', "is no date"),
        ("{vulnerabilities: {report: scan.json, fail_on: high}}", "'scan.json' is one file for all images"),
        ('{vulnerabilities: {report: "{name}", fail_on: high}}', "'{name}' holds '{name}'"),
        ("{vulnerabilities: {fail_on: high}}", "this does not say where reports are\n    either `report`"),
        (
            '{vulnerabilities: {report: "{digest_hex}", attestation: {key: owner.pub}, fail_on: high}}',
            "this does not say where reports are",
        ),
        ("{vulnerabilities: {attestation: {type: x}, fail_on: high}}", "this does not say who is trusted"),
        ("{vulnerabilities: {attestation: {key: bad.pub}, fail_on: high}}", "bad.pub: this is no public key"),
        ("{vulnerabilities: {report: x, fail_on: hgih}}", "did you mean high?"),
        ("{vulnerabilities: {report: x}}", "key 'fail_on' is missing"),
        ("{vulnerabilities: {report: x, fail_on: high, ignore: [{id: CVE-1}]}}", "key 'reason' is missing"),
        ("{signature: {of: index}}", "this does not say who is trusted"),
        ("{signature: {key: owner.pub, issuer: x}}", "this does not say who is trusted"),
        ("{signature: {identity: a, issuer: b}}", "this does not say who is trusted"),
        ("{signature: {key: owner.pub, logged_for: 72h}}", "a signature by `key` is in no log"),
        ("{signature: {key: missing.pub}}", "missing.pub cannot be read: No such file or directory"),
        ("{signature: {key: bad.pub}}", "bad.pub: this is no public key in PEM form"),
        ('{signature: {key: "${NONE:-}"}}', "this comes to nothing"),
        ("{signature: {identity: a, issuer: b, trusted_root: gone.json}}", "gone.json cannot be read"),
        ('{attestation: {type: x, builder: "${NONE:-}", key: owner.pub}}', "this comes to nothing"),
        ("{attestation: {type: x, unsigned: present, key: owner.pub}}", "`key` beside `unsigned`\n    leave it out"),
        ("{attestation: {type: x, unsigned: present, builder: y}}", "`builder` beside `unsigned`"),
        ("{attestation: {type: x, unsigned: valid}}", "found 'valid', where present belongs"),
        ('{attestation: {type: "${NONE:-}", unsigned: present}}', "this comes to nothing"),
        ("{approval: {count: 3, from: [alice, Alice, bob]}}", "3 approvals are wanted, and 3 may give one"),
        ('{approval: {count: 1, from: ["${NONE:-}"]}}', "this comes to nothing"),
        (
            "{approval: {count: 1, from: [{name: alice, key: owner.pub}, bob]}}",
            "bob has no key and no identity, and others have",
        ),
        (
            "{approval: {count: 1, from: [{name: alice, key: owner.pub}, {name: bob, key: owner.pub}]}}",
            "two people have one key",
        ),
        (
            "{approval: {count: 1, from: [{name: alice, key: owner.pub}, {name: Alice, key: bob.pub}]}}",
            "one of these people stands here twice",
        ),
        (keyless(("alice", "*@x.com", "a")), "a glob fits more than one person"),
        (
            keyless(("alice", "me@x.com", "a"), ("bob", "Me@x.com", "b")),
            "two people have one key or identity",
        ),
        ("{approval: {count: 1, from: [{name: alice, identity: me@x.com}]}}", "this does not say who is trusted"),
        ("{approval: {count: 1, from: [{name: alice}]}}", "this does not say who is trusted"),
        ("{approval: {count: 1, from: [{name: alice, key: bad.pub}]}}", "bad.pub: this is no public key in PEM form"),
        ("{approval: {expires: 7d}}", "this does not say who approves"),
        ("{approval: {count: 1}}", "this does not say who approves\n    either `from` and `count`, or `github`"),
        ("{approval: {github: {environment: a}}}", "key 'repository' is missing"),
        ("{approval: {github: {environment: a, repository: b}}}", "found 'b', where OWNER/NAME belongs"),
        (
            "{approval: {count: 1, from: [alice], github: {environment: a, repository: b/c}}}",
            "does not say who approves",
        ),
        ("{approval: {expires: 7d, github: {environment: a, repository: b/c}}}", "does not say who approves"),
        ('{approval: {github: {environment: "${NONE:-}", repository: b/c}}}', "this comes to nothing"),
        (
            "{approval: {github: {environment: a, repository: b/c, issuer: 'http://d'}}}",
            "found 'http://d', where an address with https:// belongs",
        ),
        ("{approval: {count: 1, from: [alice], files: yes.json}}", "'yes.json' is one file for all images"),
        ("{min_age: 3w}", "found '3w', where a time as 30m, 72h or 14d belongs"),
        ("{size: {total: 2 GB}}", "found '2 GB', where a size as 90MB or 64MiB belongs"),
        ("{seize: {total: 2GB}}", "unknown key 'seize'\n    did you mean size?"),
        ("{command: {run: ./check}}", "where a program and its arguments belongs"),
    ],
)
def test_what_is_wrong_with_a_gate_is_said(gates: str, expected: str, tmp_path: Path) -> None:
    keys = {"owner.pub": make_ecdsa().pem, "bob.pub": make_ecdsa().pem, "bad.pub": "no key"}
    make_files(tmp_path, {**keys, "root.json": "{}"})
    text = shown(found(tmp_path, spec(gates)), tmp_path)
    assert expected in text
    assert text.startswith("sync.yaml:3:")


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("[onne]", "no gate is called 'onne'\n    did you mean one?"),
        ("[]", "found an empty list, where a list of gates belongs"),
        ("one", "found 'one', where a list of gates belongs"),
        ("[{size: {layers: 9}, mode: wran}]", "found 'wran', where enforce or warn belongs\n    did you mean warn?"),
    ],
)
def test_what_is_wrong_with_a_list_of_gates_is_said(use: str, expected: str, tmp_path: Path) -> None:
    assert expected in shown(found(tmp_path, spec("{size: {layers: 9}}", use=use)), tmp_path)


def test_a_gate_that_no_image_uses_is_read_all_the_same(tmp_path: Path) -> None:
    text = spec("{window: {timezone: UTC}}").replace("    gates: [one]\n", "")
    assert "a window that is always open" in shown(found(tmp_path, text), tmp_path)


def test_an_age_needs_a_state_or_the_images_word(tmp_path: Path) -> None:
    assert "there is no `state`" in shown(found(tmp_path, spec("{any_of: [{min_age: 3d}]}")), tmp_path)
    assert load(tmp_path, spec("{min_age: 3d}", more="state: s.json\n")).rules[0].gates
    assert load(tmp_path, spec("{min_age: {age: 3d, clock: created}}")).rules[0].gates


@pytest.mark.parametrize("gate", ["{soak: 24h}", "{any_of: [{soak: 24h}, {size: {layers: 9}}]}"])
def test_what_no_stage_comes_before_cannot_soak(gate: str, tmp_path: Path) -> None:
    text = shown(found(tmp_path, spec(gate)), tmp_path)
    assert "no stage comes before this" in text
    assert "`soak` is for `stages` of `promotions`" in text


@pytest.mark.parametrize(
    ("platforms", "of", "is_right"),
    [
        ("linux/amd64", "index", False),
        ("linux/amd64", "platforms", True),
        ("{keep: linux/amd64, index: sparse}", "index", True),
        ("{keep: linux/amd64, index: flatten}", "index", True),
        ("all", "index", True),
    ],
)
def test_an_index_that_is_made_here_cannot_be_signed(platforms: str, of: str, is_right: bool, tmp_path: Path) -> None:
    make_files(tmp_path, {"owner.pub": make_ecdsa().pem})
    text = spec(f"{{any_of: [{{signature: {{key: owner.pub, of: {of}}}}}]}}") + f"    platforms: {platforms}\n"
    if is_right:
        assert load(tmp_path, text).rules[0].gates
    else:
        assert "`platforms` makes a new index, which nobody has signed" in shown(found(tmp_path, text), tmp_path)


INCLUDING = "version: 1\ninclude: [more/*.yaml]\ndefaults: {gates: [{size: {layers: 9}}]}\n"


def test_an_included_file_adds_gates_and_takes_none_away(tmp_path: Path) -> None:
    make_files(tmp_path, {"more/a.yaml": f"{ENTRY}    gates: [{{labels: {{config: {{team: x}}}}}}]\n"})
    assert [gate.name for gate in load(tmp_path, INCLUDING).rules[0].gates] == ["size", "labels"]
    make_files(tmp_path, {"more/a.yaml": f"{ENTRY}    gates: []\n"})
    assert "found an empty list" in shown(found(tmp_path, INCLUDING), tmp_path)


@pytest.mark.parametrize("gate", ["{command: {run: [x]}}", "{any_of: [{command: {run: [x]}}]}"])
def test_an_included_file_has_no_program_run(gate: str, tmp_path: Path) -> None:
    make_files(tmp_path, {"more/a.yaml": f"{ENTRY}    gates: [{gate}]\n"})
    text = shown(found(tmp_path, INCLUDING), tmp_path)
    assert "more/a.yaml:5:" in text
    assert "an included file may not say which programs are run" in text


def test_files_of_a_gate_lie_beside_the_file_that_holds_it(tmp_path: Path) -> None:
    gate = 'gates: [{approval: {count: 1, from: [alice], files: "ok/{digest_hex}"}}]'
    make_files(tmp_path, {"more/a.yaml": f"{ENTRY}    {gate}\n"})
    first = f"version: 1\ninclude: [more/*.yaml]\ndefaults: {{{gate}}}\n"
    checks = [gate.check for gate in load(tmp_path, first).rules[0].gates]
    assert [getattr(check, "files").folder for check in checks] == [f"{tmp_path}/", f"{tmp_path}/more/"]  # noqa: B009


def test_what_a_gate_shows_is_no_place_for_a_secret(tmp_path: Path) -> None:
    text = spec('{labels: {config: {team: "${secret:TEAM}"}}}')
    assert "a secret does not belong here" in shown(found(tmp_path, text), tmp_path)
