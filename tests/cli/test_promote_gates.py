"""Gates of a stage: what they hold back moves no image of the release, and what they have said stands in its record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from imagesync.promotion.entries import Kind
from imagesync.promotion.journal import Journal
from imagesync.promotion.recording import begin
from imagesync.promotion.seal import NoSeal
from imagesync.reference import Repository
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_index, push_image
from tests.promotion.values import make_record

AMD = "gates: [{require_platforms: linux/amd64}]"
FROZEN = """\
gates:
  - window:
      timezone: UTC
      freeze:
        - from: "2000-01-01"
          to: "2999-12-31"
          reason: end of time"""


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    return Shop(cli, (make_registry(), make_registry(), make_registry()))


def gated(shop: Shop, gates: str, stage: str = "staging") -> Shop:
    shop.more[stage] = gates
    shop.write()
    return shop


def test_one_image_that_a_gate_blocks_holds_all_others_and_the_exit_code_is_3(shop: Shop) -> None:
    gated(shop, AMD).push("1.4.0", api=make_image("api"), worker=make_index("worker", platforms=("linux/arm64",)))
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (3, [])
    assert "gate require_platforms:" in ran.text
    assert "shop moves as one unit, and" in ran.text


def test_what_a_gate_wants_later_waits_and_the_exit_code_is_3_since_it_was_asked_for(shop: Shop) -> None:
    gated(shop, FROZEN).push("1.4.0")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (3, [])
    assert "end of time" in ran.text


def test_what_gates_have_said_stands_in_the_record_of_every_image(shop: Shop) -> None:
    gated(shop, AMD).push("1.4.0", api=make_index("api"), worker=make_index("worker"))
    assert shop.promote("1.4.0", "staging").code == 0
    ran = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json")
    verdicts = [image["verdicts"] for image in ran.json()["events"][0]["images"]]
    assert [[(one["gate"], one["ruling"]) for one in image] for image in verdicts] == [
        [("require_platforms", "passed")],
        [("require_platforms", "passed")],
    ]


SAYING = "gates: [{size: {total: 1GB}}, {labels: {config: {team: shop}}, mode: warn}, {require_platforms: linux/amd64}]"


def told(verdicts: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["gate"], one["ruling"], one["reason"]) for one in verdicts]


def test_plan_report_and_record_have_the_same_verdicts_each_with_its_reason(shop: Shop) -> None:
    gated(shop, f"current: live\n{SAYING}").push("1.4.0")
    plan = shop.promote("1.4.0", "staging", "--dry-run", "--format", "json").json()
    assert shop.promote("1.4.0", "staging", "--report", "report.json").code == 0
    report = json.loads(Path("report.json").read_text())
    record = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"][0]
    for image in record["images"]:
        said = told(image["verdicts"])
        assert [one[:2] for one in said] == [("size", "passed"), ("labels", "warned"), ("require_platforms", "passed")]
        assert all(reason for _, _, reason in said)
        rule = f"shop/{image['name']}"
        planned = [told(one["verdicts"]) for one in plan["actions"] if one["rule"] == rule]
        reported = [told(one["verdicts"]) for one in report["outcomes"] if one["rule"] == rule]
        assert planned == reported == [said, said], "of the version's tag, and of the current one"


def test_what_blocks_stands_in_plan_and_report_beside_what_has_passed(shop: Shop) -> None:
    gated(shop, SAYING.replace(", mode: warn", "")).push("1.4.0")
    plan = shop.promote("1.4.0", "staging", "--dry-run", "--format", "json").json()
    assert shop.promote("1.4.0", "staging", "--report", "report.json").code == 3
    report = json.loads(Path("report.json").read_text())
    for one in (*plan["actions"], *report["outcomes"]):
        said = [("size", "passed"), ("labels", "blocked"), ("require_platforms", "passed")]
        assert [verdict[:2] for verdict in told(one["verdicts"])] == said


def test_gates_are_asked_again_when_a_saved_plan_is_carried_out(shop: Shop) -> None:
    gated(shop, 'gates: [{window: {timezone: UTC, allow: ["daily 00:00-24:00"], override: "${OPEN:-yes}"}}]')
    shop.push("1.4.0")
    assert shop.promote("1.4.0", "staging", "-o", "plan.json").code == 0
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert ran.code == 0, ran.text
    record = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"][0]
    assert [one["gate"] for one in record["images"][0]["verdicts"]] == ["window"]


def test_a_stage_is_judged_by_its_own_gates_alone(shop: Shop) -> None:
    gated(shop, FROZEN, "production").push("1.4.0")
    assert shop.promote("1.4.0", "staging").code == 0
    assert shop.promote("1.4.0", "production").code == 3


def test_a_release_waits_until_it_has_been_at_the_stage_before_for_long_enough(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, "gates: [{soak: 24h}]", "production").push("1.4.0")
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr("imagesync.cli.promoting.now", lambda: start)
    assert shop.promote("1.4.0", "staging").code == 0
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=23)))
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, shop.tags(2, "api")) == (3, {})
    assert "gate soak: at staging for 23 h of 24h, by an unsigned record; 1 h left" in ran.text
    assert "long enough at 2026-03-02 12:00 UTC" in ran.text
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=25)))
    assert shop.promote("1.4.0", "production").code == 0
    record = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "production", "--format", "json")
    (verdict,) = record.json()["events"][0]["images"][0]["verdicts"]
    assert (verdict["gate"], verdict["reason"]) == ("soak", "at staging for 1 d 1 h of 24h, by an unsigned record")


def test_what_a_record_says_again_goes_on_to_soak_and_what_comes_back_begins_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, "gates: [{soak: 24h}]", "production")
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)

    def come(version: str, hours: int) -> None:
        monkeypatch.setattr("imagesync.cli.promoting.now", lambda: start + timedelta(hours=hours))
        assert shop.promote(version, "staging").code == 0

    def left(hours: int) -> str:
        monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=hours)))
        ran = shop.promote("1.4.0", "production")
        assert ran.code == 3, ran.text
        return ran.text.partition("an unsigned record; ")[2].partition(" left")[0]

    shop.push("1.4.0")
    come("1.4.0", 0)
    name = "shop/imagesync-journal"
    journal = Journal(Repository(shop.hosts[1].host, name), shop.hosts[1].repository(name), NoSeal())
    begin(make_record(Kind.STARTED), journal)  # as a run that was killed leaves it
    come("1.4.0", 8)
    assert (shop.entries(1).count("finished"), left(20)) == (2, "4 h")
    shop.push("1.5.0")
    come("1.5.0", 10)
    assert left(20) == "4 h"
    come("1.4.0", 12)
    assert left(20) == "16 h"


def test_from_the_first_stage_a_release_soaks_from_when_a_promotion_first_saw_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, "gates: [{soak: {at_least: 24h, clock: first_seen}}]").push("1.4.0")
    shop.cli.file(f"state: seen.json\n{Path('sync.yaml').read_text()}")
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr("imagesync.keeping.clock.now", lambda: start)
    assert shop.promote("1.4.0", "staging", "--dry-run").code == 3
    assert not Path("seen.json").exists()
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (3, [])
    assert "not seen at dev before; 1 d left" in ran.text
    assert Path("seen.json").read_text().count("2026-03-01T12:00:00Z") == 2
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=23)))
    assert "at dev for 23 h of 24h, by when a run first saw it there; 1 h left" in shop.promote("1.4.0", "staging").text
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=24)))
    assert shop.promote("1.4.0", "staging").code == 0


def test_a_saved_plan_asks_anew_how_long_a_release_has_soaked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gated(shop, "gates: [{soak: 24h}]", "production").push("1.4.0")
    start = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr("imagesync.cli.promoting.now", lambda: start)
    assert shop.promote("1.4.0", "staging").code == 0
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=25)))
    assert shop.promote("1.4.0", "production", "-o", "plan.json").code == 0
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=23)))
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, "1 h left" in ran.text) == (3, True), ran.text
    monkeypatch.setattr("imagesync.survey.surroundings.datetime", clock_at(start + timedelta(hours=25)))
    assert shop.cli("apply", "sync.yaml", "--plan", "plan.json").code == 0


def test_a_gate_that_soaks_is_judged_by_promotions_alone(shop: Shop) -> None:
    shop.more["production"] = "gates: [soaked]"
    text = Path(shop.write()).read_text()
    shop.cli.file(f"gates: {{soaked: {{soak: 1h}}}}\n{text}")
    shop.push("1.4.0")
    ran = shop.cli("gates", "sync.yaml", "soaked", f"{shop.hosts[0].host}/shop/api:1.4.0")
    assert (ran.code, "only a promotion knows" in ran.text, "imagesync promote" in ran.text) == (3, True, True)


def clock_at(moment: datetime) -> type[datetime]:
    """A datetime whose present is this one."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:  # noqa: ARG003 - as datetime's
            return moment

    return Clock


def test_a_rollback_waits_for_no_window(shop: Shop) -> None:
    gated(shop, "current: live")
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        assert shop.promote(version, "staging").code == 0
    gated(shop, f"current: live\n{FROZEN}")
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm")
    assert ran.code == 0, ran.text


def test_a_rollback_to_what_a_scan_fails_by_now_warns_and_goes_on(shop: Shop) -> None:
    scanned = "current: live\ngates: [{vulnerabilities: {report: 'scans/{digest_hex}.json', fail_on: high}}]"
    gated(shop, scanned)
    for version in ("1.4.0", "1.5.0"):
        for image in shop.push(version).values():
            scan(shop, image)
        assert shop.promote(version, "staging").code == 0
    old = shop.tags(1, "api")["1.4.0"]
    scan(shop, make_image("api 1.4.0"), {"VulnerabilityID": "CVE-1", "PkgName": "ssl", "Severity": "CRITICAL"})
    assert shop.promote("1.4.0", "staging").code == 3, "a promotion is still blocked"
    back = ("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x")
    shown = shop.cli(*back)
    assert (shown.code, ": CVE-1 (critical in 'ssl'))" in shown.out) == (0, True), shown.text
    assert shop.cli(*back, "--confirm").code == 0
    assert shop.tags(1, "api")["live"] == old
    record = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"][0]
    assert [one["ruling"] for image in record["images"] for one in image["verdicts"]] == ["warned", "passed"]


def scan(shop: Shop, image: MadeImage, *found: dict[str, str]) -> None:
    """Have a report of an image, as Trivy writes it."""
    results = [{"Class": "os-pkgs", "Vulnerabilities": list(found)}]
    report = {"SchemaVersion": 2, "Metadata": {"RepoDigests": [f"x@{image.digest}"]}, "Results": results}
    shop.cli.file(json.dumps(report), f"scans/{image.digest.encoded}.json")


def test_a_rollback_to_what_the_registry_has_lost_moves_nothing_and_says_so(shop: Shop) -> None:
    gated(shop, "current: live")
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        assert shop.promote(version, "staging").code == 0
    lost = shop.tags(1, "worker")["1.4.0"]
    shop.hosts[1].repository("shop/worker").delete_manifest(lost)
    before = shop.tags(1, "api")
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm")
    assert ran.code == 1, ran.text
    assert f"{lost}: not found" in ran.text
    assert "shop moves as one unit, and" in ran.text
    assert (shop.tags(1, "api"), shop.entries(1)) == (before, ["started", "finished"] * 2)


def test_a_rollback_asks_for_the_signature_again(shop: Shop) -> None:
    gated(shop, "current: live")
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        shop.promote(version, "staging")
    shop.cli.file(
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/\n"
        "m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END PUBLIC KEY-----\n",
        "cosign.pub",
    )
    gated(shop, "current: live\ngates: [{signature: {key: cosign.pub}}]")
    shop.forget()
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm")
    assert (ran.code, shop.writes()) == (3, []), ran.text
    assert "gate signature" in ran.text


def test_a_copy_by_hand_with_the_spec_passes_no_gate_and_moves_no_immutable_tag_of_a_stage(shop: Shop) -> None:
    gated(shop, f"{AMD}\nimmutable: ['1.*']").push("1.4.0", api=make_index("api", platforms=("linux/arm64",)))
    host = shop.hosts[1].host
    ran = shop.cli("copy", "--spec", "sync.yaml", f"{shop.hosts[0].host}/shop/api:1.4.0", f"{host}/shop/api:1.4.0")
    assert (ran.code, shop.writes()) == (3, []), ran.text
    assert "gate require_platforms" in ran.text
    push_image(shop.hosts[1].repository("shop/worker"), make_index("another"), "1.4.0")
    shop.push("1.4.0", worker=make_index("worker"))
    shop.forget()
    worker = f"{shop.hosts[0].host}/shop/worker:1.4.0"
    ran = shop.cli("copy", "--spec", "sync.yaml", worker, f"{host}/shop/worker:1.4.0")
    assert (ran.code, shop.writes()) == (3, []), ran.text
    assert "immutable" in ran.text
