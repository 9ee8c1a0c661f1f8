"""Gates as a user meets them: what is held back, why, what would let it pass, and that nothing of it was written."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imagesync.plan.attachments import tag_of
from imagesync.signature.statement import COSIGN_VULNERABILITIES
from imagesync.spec.model import AttachmentType
from imagesync.survey import surroundings
from tests.cli.command import Mirror, Ran
from tests.images import (
    MadeImage,
    beside,
    descriptor_of,
    index_of,
    make_attestations,
    make_image,
    make_index,
    push_image,
)
from tests.signature.artifacts import make_evidence, make_referrer
from tests.signature.signers import Signer, make_ecdsa, make_payload, make_statement
from tests.signature.sigstore_world import IDENTITY, ISSUER, World, as_evidence

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
"""A Thursday."""


class Gated:
    """A mirror whose one entry has gates."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror

    def spec(self, *gates: str, named: str = "", more: str = "", images: str = "app:1") -> str:
        """`gates` are those of the entry, `named` those under `gates`, one line each."""
        listed = "".join(f"      - {gate}\n" for gate in gates)
        text = f"version: 1\n{more}" + (f"gates:\n{named}" if named else "")
        text += f"sync:\n  - source: {self.mirror.source.host}\n    destination: {self.mirror.destination.host}\n"
        text += f"    images: [{images}]\n" + (f"    gates:\n{listed}" if listed else "")
        Path("sync.yaml").write_text(text, encoding="utf-8")
        return "sync.yaml"

    def run(self, command: str, *arguments: str) -> Ran:
        self.mirror.forget()
        return self.mirror.cli(command, "sync.yaml", *arguments)

    def sign(self, image: MadeImage, by: Signer) -> None:
        payload = make_payload(image.digest, f"{self.mirror.source.host}/app:1")
        tag = tag_of(image.digest, AttachmentType.SIGNATURES)
        push_image(self.mirror.source.repository("app"), make_evidence(by.signature(payload)), tag)


@pytest.fixture
def gated(mirror: Mirror) -> Gated:
    return Gated(mirror)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is NOW, whenever somebody looks."""

    class Clock(datetime):
        @classmethod
        def now(cls, *_: object) -> datetime:  # type: ignore[override]
            return NOW

    monkeypatch.setattr(surroundings, "datetime", Clock)
    return NOW


def test_a_blocked_image_is_shown_with_its_gate_and_is_not_written(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec("require_platforms: linux/arm64")
    ran = gated.run("apply")
    assert ran.code == 3
    assert "! app:1  blocked by gate require_platforms: lacks linux/arm64; it has linux/amd64\n" in ran.out
    assert "      → build it" in ran.out
    assert (gated.mirror.writes(), gated.mirror.tags()) == ([], {})


def test_the_others_go_on(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.mirror.fill("2", image=make_index("both"))
    gated.spec("require_platforms: linux/arm64", images='"app:1", "app:2"')
    ran = gated.run("apply")
    assert (ran.code, list(gated.mirror.tags())) == (3, ["2"])


def test_a_plan_says_the_same_and_ends_with_3(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec("require_platforms: linux/arm64")
    ran = gated.run("plan")
    assert (ran.code, "blocked by gate require_platforms" in ran.out) == (3, True)
    assert "1 blocked" in ran.out


def test_a_warning_gate_holds_nothing_back_and_is_heard(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec("{require_platforms: linux/arm64, mode: warn}")
    ran = gated.run("apply", "--report", "report.json")
    assert (ran.code, list(gated.mirror.tags())) == (0, ["1"])
    assert "(warns: gate require_platforms: lacks linux/arm64; it has linux/amd64)" in ran.out
    (outcome,) = json.loads(Path("report.json").read_text())["outcomes"]
    assert [(one["gate"], one["ruling"]) for one in outcome["verdicts"]] == [("require_platforms", "warned")]


def test_gates_of_defaults_entry_and_image_add_up(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec(
        "{size: {layers: 1}}",
        more="defaults: {gates: [{require_platforms: linux/arm64}]}\n",
        images="{name: app, tags: '1', gates: [{labels: {config: {team: shop}}}]}",
    )
    ran = gated.run("plan")
    assert ran.code == 3
    assert "require_platforms: lacks linux/arm64" in ran.out
    assert "size: linux/amd64: 2 layers" in ran.out
    assert "labels: linux/amd64: no label team" in ran.out


def test_a_window_that_is_closed_makes_images_wait_and_ends_with_0(gated: Gated, noon: datetime) -> None:
    gated.mirror.fill("1")
    gated.spec("hours", named="  hours: {window: {timezone: Europe/Berlin, allow: [mon 08:00-18:00]}}\n")
    ran = gated.run("apply")
    assert "… app:1  waiting: gate hours: closed; opens Mon 08:00 Europe/Berlin" in ran.out
    assert (ran.code, gated.mirror.tags(), gated.mirror.writes()) == (0, {}, [])


def test_a_freeze_can_be_overridden_by_a_word(gated: Gated, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    gated.mirror.fill("1")
    freeze = '[{from: "2026-11-20", to: "2026-11-30", reason: sale}]'
    gated.spec(f"{{window: {{timezone: Europe/Berlin, freeze: {freeze}, override: '${{WHY:-}}'}}}}")
    ran = gated.run("apply")
    assert "waiting: gate window: frozen until 2026-11-30 (sale); opens Tue 00:00 Europe/Berlin" in ran.out
    assert (ran.code, gated.mirror.tags()) == (0, {})
    monkeypatch.setenv("WHY", "security fix")
    ran = gated.run("apply", "-v")
    assert "passed: gate window: closed, and overridden: security fix" in ran.out
    assert (ran.code, list(gated.mirror.tags())) == (0, ["1"])


def test_what_is_too_young_waits_until_a_state_has_known_it_for_long_enough(
    gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated.mirror.fill("1")
    gated.spec("min_age: 2d", more="state: state.json\n")
    ran = gated.run("plan")
    assert "waits: gate min_age: 0 of 2 d old\n      → its clock starts with the first apply that sees it" in ran.out
    assert gated.run("apply").code == 0
    assert gated.mirror.tags() == {}
    state = json.loads(Path("state.json").read_text())
    text = json.dumps(state).replace(datetime.now(UTC).strftime("%Y-%m-%d"), "2020-01-01")
    Path("state.json").write_text(text)
    assert gated.run("apply").code == 0
    assert list(gated.mirror.tags()) == ["1"]


def test_a_signed_image_passes_and_its_signature_travels(gated: Gated) -> None:
    owner = make_ecdsa()
    Path("owner.pub").write_text(owner.pem)
    image = gated.mirror.fill("1")
    gated.sign(image, owner)
    gated.spec("signed", named="  signed: {signature: {key: owner.pub, signed_as: exact}}\n")
    ran = gated.run("apply", "-v", "--concurrency", "1")
    assert (ran.code, "passed: gate signed: signed by the key owner.pub" in ran.out) == (0, True)
    assert len(gated.mirror.tags()) == 2


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ("{key: other.pub}", "no signature by the key other.pub: signed by another key, or changed since"),
        ("{key: owner.pub, of: platforms}", "no signature by the key owner.pub\n      → sign sha256:"),
        ("{key: owner.pub, signed_as: {HOST: elsewhere.example.com}}", "wanted elsewhere.example.com/app:1"),
    ],
)
def test_an_image_that_is_not_signed_as_wanted_is_blocked(gated: Gated, gate: str, reason: str) -> None:
    owner = make_ecdsa()
    Path("owner.pub").write_text(owner.pem)
    Path("other.pub").write_text(make_ecdsa().pem)
    gated.sign(gated.mirror.fill("1"), owner)
    gated.spec(f"signature: {gate.replace('HOST', gated.mirror.source.host)}")
    ran = gated.run("apply")
    assert (ran.code, "blocked by gate signature: no signature" in ran.out, reason in ran.out) == (3, True, True)
    assert (gated.mirror.tags(), gated.mirror.writes()) == ({}, [])


def test_approvals_count_by_digest_and_never_from_who_runs_it(
    gated: Gated, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "Alice")
    digest = gated.mirror.fill("1").digest
    gated.spec("approval: {count: 2, from: [alice, bob, carol], expires: 7d}")

    def approve(name: str, digest: str = digest, at: str = "2026-11-25T10:00:00Z") -> None:
        text = json.dumps({"digest": digest, "by": name, "at": at})
        gated.mirror.cli.file(text, f"approvals/{digest.partition(':')[2]}/{name}.json")

    approve("alice")
    approve("bob")
    ran = gated.run("apply")
    assert ran.code == 0
    assert "waiting: gate approval: 1 of 2 approvals (unsigned): bob; alice.json: 'alice' runs this" in ran.out
    assert "one of alice, bob, carol adds approvals/" in ran.out
    approve("carol", at="2026-11-01T10:00:00Z")
    assert "carol.json: expired, 2026-11-01 10:00 UTC" in gated.run("plan").out
    assert gated.mirror.tags() == {}
    approve("carol")
    ran = gated.run("apply", "-v")
    assert "passed: gate approval: 2 of 2 approvals (unsigned): bob, carol" in ran.out
    assert list(gated.mirror.tags()) == ["1"]


def trivy(image: MadeImage, *found: tuple[str, str], digest: str = "") -> str:
    listed = [{"VulnerabilityID": name, "Severity": severity, "PkgName": "ssl"} for name, severity in found]
    return json.dumps(
        {
            "SchemaVersion": 2,
            "CreatedAt": "2026-11-26T01:02:03.123456789Z",
            "Metadata": {"RepoDigests": [f"app@{digest or image.digest}"]},
            "Results": [{"Class": "os-pkgs", "Vulnerabilities": listed}],
        }
    )


def test_every_platform_has_to_be_scanned(gated: Gated, noon: datetime) -> None:
    made = [make_image(name, platform=f"linux/{name}") for name in ("amd64", "arm64")]
    image = gated.mirror.fill("1")
    first, second = image.children
    gated.spec('vulnerabilities: {report: "scans/{repository}/{digest_hex}.json", fail_on: high, max_age: 2d}')
    ran = gated.run("apply")
    assert "blocked by gate vulnerabilities: linux/amd64: not scanned: there is no report\n      → scan " in ran.out
    assert f"write scans/app/{first.digest.encoded}.json" in ran.out
    for child in (first, second):
        gated.mirror.cli.file(trivy(MadeImage(child)), f"scans/app/{child.digest.encoded}.json")
    gated.mirror.cli.file(trivy(made[0]), f"scans/app/{second.digest.encoded}.json")
    assert f"linux/arm64: the report is of another image: {made[0].digest}" in gated.run("plan").out
    report = trivy(MadeImage(second), ("CVE-1", "HIGH"), ("CVE-2", "LOW"))
    gated.mirror.cli.file(report, f"scans/app/{second.digest.encoded}.json")
    assert "linux/arm64: CVE-1 (high in 'ssl')\n      → scan" in gated.run("plan").out
    assert gated.mirror.tags() == {}
    gated.mirror.cli.file(trivy(MadeImage(second)), f"scans/app/{second.digest.encoded}.json")
    assert gated.run("apply").code == 0
    assert list(gated.mirror.tags()) == ["1"]


def test_a_program_is_told_of_the_image_and_decides(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    digest = gated.mirror.fill("1").digest
    program = (
        "import json, os, sys\n"
        "told = json.load(sys.stdin)\n"
        "print(told['digest'], [one['platform'] for one in told['images']], sorted(os.environ))\n"
        "sys.exit(1)\n"
    )
    gated.mirror.cli.file(program, "check.py")
    gated.spec(f"command: {{run: [{sys.executable}, check.py]}}")
    ran = gated.run("apply")
    assert ran.code == 3
    assert f"says no: {digest} ['linux/amd64', 'linux/arm64']" in ran.out
    assert "TOKEN" not in ran.text
    gated.mirror.cli.file("print('fine')", "check.py")
    assert (gated.run("apply").code, list(gated.mirror.tags())) == (0, ["1"])


def test_no_program_is_run_where_the_spec_is_not_trusted(gated: Gated) -> None:
    gated.mirror.fill("1")
    gated.mirror.cli.file("open('ran', 'w')", "check.py")
    gated.spec(f"any_of: [{{command: {{run: [{sys.executable}, check.py]}}}}]")
    ran = gated.run("plan", "--anonymous")
    assert (ran.code, "not run: the spec is not trusted here (--anonymous)" in ran.out) == (3, True)
    assert not Path("ran").exists()


def test_a_saved_plan_is_judged_anew_and_a_worse_verdict_blocks(gated: Gated, noon: datetime) -> None:
    (child,) = gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",))).children
    name = f"scans/{child.digest.encoded}.json"
    gated.spec('vulnerabilities: {report: "scans/{digest_hex}.json", fail_on: high}')
    gated.mirror.cli.file(trivy(MadeImage(child)), name)
    assert gated.run("plan", "-o", "plan.json").code == 0
    gated.mirror.cli.file(trivy(MadeImage(child), ("CVE-1", "CRITICAL")), name)
    ran = gated.run("apply", "--plan", "plan.json")
    assert (ran.code, "blocked by gate vulnerabilities: linux/amd64: CVE-1" in ran.out) == (3, True)
    assert (gated.mirror.tags(), gated.mirror.writes()) == ({}, [])


def test_a_better_verdict_unblocks_nothing_in_a_saved_plan(gated: Gated, noon: datetime) -> None:
    (child,) = gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",))).children
    gated.spec('vulnerabilities: {report: "scans/{digest_hex}.json", fail_on: high}')
    assert gated.run("plan", "-o", "plan.json").code == 3
    gated.mirror.cli.file(trivy(MadeImage(child)), f"scans/{child.digest.encoded}.json")
    assert gated.run("apply", "--plan", "plan.json").code == 3
    assert gated.mirror.tags() == {}


def test_verdicts_that_were_written_into_a_plan_by_hand_count_for_nothing(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec("require_platforms: linux/arm64")
    gated.run("plan", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    (action,) = plan["actions"]
    action |= {"action": "copy", "verdicts": [{"gate": "require_platforms", "ruling": "passed", "reason": "x"}]}
    Path("plan.json").write_text(json.dumps(plan))
    assert gated.run("apply", "--plan", "plan.json").code == 3
    assert gated.mirror.tags() == {}


def test_one_gate_can_be_asked_about_one_image(gated: Gated) -> None:
    digest = gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",))).digest
    name = f"{gated.mirror.source.host}/app:1"
    gated.spec(named="  arm: {require_platforms: linux/arm64}\n  amd: {require_platforms: linux/amd64}\n")
    ran = gated.run("gates", "arm", name)
    assert ran.code == 3
    assert ran.out.splitlines()[:2] == [
        f"{name}@{digest}",
        "  blocked: gate arm: lacks linux/arm64; it has linux/amd64",
    ]
    ran = gated.run("gates", "amd", name, "--format", "json")
    assert (ran.code, ran.json()["ruling"], ran.json()["digest"]) == (0, "passed", digest)
    assert gated.mirror.writes() == []
    ran = gated.run("gates", "amr", name)
    assert (ran.code, "did you mean a" in ran.err) == (4, True)


def test_a_copy_by_hand_passes_the_gates_of_its_destination(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    gated.spec("require_platforms: linux/arm64")
    source, there = f"{gated.mirror.source.host}/app:1", f"{gated.mirror.destination.host}/app:9"
    ran = gated.mirror.cli("copy", source, there, "--spec", "sync.yaml")
    assert (ran.code, gated.mirror.tags()) == (3, {})


def test_two_entries_for_one_tag_do_not_pass_each_others_gates_by(gated: Gated) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    text = Path(gated.spec("require_platforms: linux/arm64")).read_text()
    entry = f"  - source: {gated.mirror.source.host}\n    destination: {gated.mirror.destination.host}\n"
    Path("sync.yaml").write_text(text + entry + "    images: [app:1]\n")
    assert (gated.run("apply").code, gated.mirror.tags()) == (3, {})


def test_a_copy_by_hand_does_not_wait(gated: Gated, noon: datetime) -> None:
    gated.mirror.fill("1")
    gated.spec("{window: {timezone: UTC, allow: [mon 08:00-18:00]}}")
    source, there = f"{gated.mirror.source.host}/app:1", f"{gated.mirror.destination.host}/app:1"
    ran = gated.mirror.cli("copy", source, there, "--spec", "sync.yaml")
    assert (ran.code, "blocked by gate window: closed; opens Mon 08:00 UTC" in ran.out) == (3, True)
    assert gated.mirror.tags() == {}


def test_validate_online_judges_ages_by_the_state_as_a_plan_does(gated: Gated) -> None:
    gated.mirror.fill("1")
    gated.spec("min_age: 2d", more="state: state.json\n")
    gated.run("apply")
    text = Path("state.json").read_text().replace(datetime.now(UTC).strftime("%Y-%m-%d"), "2020-01-01")
    Path("state.json").write_text(text)
    for command in (("plan",), ("validate", "--online")):
        ran = gated.run(*command)
        assert (ran.code, "1 to add" in ran.out) == (0, True)


def test_a_layout_is_a_source_with_signatures_too(gated: Gated) -> None:
    owner = make_ecdsa()
    Path("owner.pub").write_text(owner.pem)
    image = gated.mirror.fill("1")
    gated.sign(image, owner)
    assert gated.mirror.cli("copy", f"{gated.mirror.source.host}/app:1", "oci:out").code == 0
    text = Path(gated.spec("signature: {key: owner.pub}")).read_text()
    Path("sync.yaml").write_text(text.replace(f"source: {gated.mirror.source.host}", "source: oci:out"))
    ran = gated.run("apply", "-v")
    assert (ran.code, "passed: gate signature: signed by the key owner.pub" in ran.out) == (0, True)


def test_an_alias_is_gated_like_its_version(gated: Gated) -> None:
    gated.mirror.fill("1.0.0", image=make_index("both"))
    gated.mirror.fill("1.1.0", image=make_index("one", platforms=("linux/amd64",)))
    gated.spec("require_platforms: linux/arm64", images="{name: app, tags: {versions: '*'}, aliases: ['{major}']}")
    ran = gated.run("apply")
    assert (ran.code, list(gated.mirror.tags())) == (3, ["1.0.0"])
    assert "! app:1      blocked by gate" in ran.out


def test_the_effective_values_show_the_gates_of_an_image(gated: Gated) -> None:
    Path("owner.pub").write_text(make_ecdsa().pem)
    gated.spec(
        *("signed", "size: {layers: 9}", "{any_of: [signed], mode: warn}"),
        named="  signed: {signature: {key: owner.pub}}\n",
    )
    ran = gated.run("config")
    expected = "gates: signed (signature by the key owner.pub, of index), size (size layers 9), "
    assert expected + "any_of (any of signed, only warns)" in ran.out


@pytest.mark.parametrize("repair", [(), ("--repair",)])
def test_a_repair_passes_no_gate_of_another_entry_by(gated: Gated, repair: tuple[str, ...]) -> None:
    gated.mirror.fill("1", image=make_index(platforms=("linux/amd64",)))
    text = Path(gated.spec()).read_text()
    entry = f"  - source: {gated.mirror.source.host}\n    destination: {gated.mirror.destination.host}\n"
    Path("sync.yaml").write_text(f"{text}{entry}    images: [app:1]\n    gates: [require_platforms: linux/arm64]\n")
    ran = gated.run("apply", *repair)
    assert "blocked by gate require_platforms" in ran.out
    assert (ran.code, gated.mirror.tags()) == (3, {})


def test_a_keyless_signature_passes_by_the_identity_that_is_wanted(gated: Gated) -> None:
    world, image = World(), gated.mirror.fill("1")
    bundle = as_evidence(world.bundle(make_statement(digests=(image.digest,))))
    push_image(gated.mirror.source.repository("app"), make_referrer(image.root, bundle))
    Path("root.json").write_bytes(world.trusted_root())
    gate = f"{{signature: {{issuer: '{ISSUER}', trusted_root: root.json, identity: 'https://github.com/%s/*'}}}}"
    gated.spec(gate.replace("%s", "evil"))
    ran = gated.run("apply")
    assert f"signed by '{IDENTITY}', wanted https://github.com/evil/*" in ran.out
    assert (ran.code, gated.mirror.tags()) == (3, {})
    gated.spec(gate.replace("%s/*'", "acme/*', logged_for: 9999d"))
    ran = gated.run("apply")
    assert re.search(r"waiting: gate signature: signed .+ ago of 9999 d\n +→ old enough at 20", ran.out), ran.out
    assert (ran.code, gated.mirror.tags()) == (0, {})
    gated.spec(gate.replace("%s/*'", "acme/*', logged_for: 1m"))
    assert (gated.run("apply").code, list(gated.mirror.tags())) == (0, ["1"])


def test_what_buildkit_attests_counts_as_present_and_for_nothing_else(gated: Gated) -> None:
    """Nobody has signed it."""
    Path("owner.pub").write_text(make_ecdsa().pem)
    image = make_image()
    made = make_attestations(image.digest, "https://spdx.dev/Document")
    entries = [descriptor_of(image.root, platform={"os": "linux", "architecture": "amd64"})]
    entries.append(descriptor_of(made.root, **beside(image.digest)))
    gated.mirror.fill("1", image=index_of(entries, [image, made]))
    gated.spec("attestation: {type: 'https://spdx.dev/Document', key: owner.pub}")
    assert (gated.run("apply").code, gated.mirror.tags()) == (3, {})
    gated.spec("attestation: {type: 'https://slsa.dev/other', unsigned: present}")
    ran = gated.run("apply")
    assert "linux/amd64: no attestation of https://slsa.dev/other beside it" in ran.out
    assert "--sbom=true" in ran.out
    assert (ran.code, gated.mirror.tags()) == (3, {})
    gated.spec("attestation: {type: 'https://spdx.dev/Document', unsigned: present}")
    ran = gated.run("apply", "-v")
    assert "has attestations of https://spdx.dev/Document, unsigned" in ran.out
    assert (ran.code, list(gated.mirror.tags())) == (0, ["1"])


def test_a_scan_that_its_scanner_has_attested_passes_at_every_platform(gated: Gated, noon: datetime) -> None:
    """Keyless for one platform, and of the index for the other, whose report names it."""
    world, image = World(), gated.mirror.fill("1")
    Path("root.json").write_bytes(world.trusted_root())

    def attest(child: MadeImage, subject: MadeImage) -> None:
        predicate = {
            "scanner": {"result": json.loads(trivy(child))},
            "metadata": {"scanFinishedOn": "2026-11-25T12:00:00Z"},
        }
        statement = make_statement(COSIGN_VULNERABILITIES, predicate, digests=(subject.digest,))
        evidence = as_evidence(world.bundle(statement, identity="scanner@acme.example"))
        push_image(gated.mirror.source.repository("app"), make_referrer(subject.root, evidence))

    by = f"{{identity: scanner@acme.example, issuer: '{ISSUER}', trusted_root: root.json}}"
    gated.spec(f"vulnerabilities: {{attestation: {by}, fail_on: high, max_age: 2d}}")
    first, second = map(MadeImage, image.children)
    attest(first, first)
    ran = gated.run("apply")
    assert f"linux/arm64: not scanned: no attestation of {COSIGN_VULNERABILITIES} by scanner@acme" in ran.out
    assert (ran.code, gated.mirror.tags()) == (3, {})
    attest(second, image)
    ran = gated.run("apply", "-v")
    assert "2 scanned, attested by scanner@acme.example, nothing of high or worse" in ran.out
    assert (ran.code, list(gated.mirror.tags())) == (0, ["1"])
