"""The door of a stage: what it lets nobody past, and what it says to do, as it can be typed."""

from __future__ import annotations

import json
import shlex
import threading
from pathlib import Path

import pytest

from imagesync.promotion.entries import Kind
from imagesync.promotion.journal import Journal
from imagesync.promotion.recording import begin
from imagesync.promotion.seal import NoSeal
from imagesync.reference import Repository
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry
from tests.images import make_image, push_image
from tests.promotion.values import make_record


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"production": "current: live"})
    made.write()
    return made


def test_a_hint_names_the_spec_as_it_was_named(shop: Shop) -> None:
    shop.write(name="a folder/shop's.yaml")
    shop.push("1.4.0")
    name = "a folder/shop's.yaml"
    ran = shop.cli("promote", name, "shop:1.4.0", "--to", "production")
    assert "SPEC" not in ran.text
    command = ran.out.split("`")[1]
    assert shlex.split(command) == ["imagesync", "promote", name, "shop:1.4.0", "--to", "staging"]
    assert shop.cli(*shlex.split(command)[1:]).code == 0, "what a hint says can be typed"


def test_what_ends_a_hold_can_be_typed_as_it_is_said(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
    shop.promote("1.4.0", "staging")
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "audit")
    ran = shop.promote("1.5.0", "staging")
    assert (ran.code, "staging is held at 1.4.0" in ran.out) == (3, True)
    assert shop.cli(*shlex.split(ran.out.split("`")[1])[1:]).code == 0
    assert shop.promote("1.5.0", "staging").code == 0


def test_what_is_missing_at_a_skipped_stage_is_blocked_and_not_waiting(shop: Shop) -> None:
    shop.push("1.4.0")
    ran = shop.promote("1.4.0", "production")
    assert ran.code == 3
    assert "blocked: shop 1.4.0 has not come to staging yet; promote it there first: `imagesync promote" in ran.out
    assert ("waits" in ran.out, "waiting" in ran.out) == (False, False)
    assert "0 to add, 0 to update, 4 blocked, 0 unchanged" in shop.promote("1.4.0", "production", "--dry-run").out


def test_a_report_counts_what_is_missing_at_a_stage_as_blocked(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "production", "--report", "report.json")
    report = json.loads(Path("report.json").read_text())
    assert (report["summary"]["blocked"], report["summary"]["waiting"]) == (4, 0)
    assert {one["status"] for one in report["outcomes"]} == {"blocked"}


def test_a_tag_that_has_gone_since_its_record_is_blocked_and_comes_back_by_what_is_said(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    shop.hosts[1].repository("shop/api").delete_tag("1.4.0")
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, shop.tags(2, "worker")) == (3, {})
    assert "not found, though on record shop 1.4.0 came to staging; promote it there again first" in ran.out
    command = shlex.split(ran.out.split("`")[1])[1:]
    assert shop.cli(*command).code == 0
    assert shop.promote("1.4.0", "production").code == 0


def test_a_saved_plan_cannot_be_edited_into_a_rollback_that_no_door_stops(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "production", "--from", "dev", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    plan["unit"]["move"] = "rollback"
    Path("plan.json").write_text(json.dumps(plan))
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, []), ran.text


def test_a_saved_plan_cannot_be_edited_into_half_a_release(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    plan["actions"] = [one for one in plan["actions"] if one["rule"] == "shop/api"]
    Path("plan.json").write_text(json.dumps(plan))
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, []), ran.text
    assert "leaves out" in ran.err


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("name", ["shop/other", "shop/worker"])
def test_a_saved_plan_calls_every_image_by_its_name(shop: Shop, name: str, is_there: bool) -> None:
    shop.more["staging"] = "gates: [{size: {total: 1B}, mode: warn}]"
    shop.write()
    for image, made in shop.push("1.4.0").items():
        if is_there:
            push_image(shop.hosts[1].repository(f"shop/{image}"), made, "1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    Path("plan.json").write_text(Path("plan.json").read_text().replace('"rule": "shop/api"', f'"rule": "{name}"'))
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, []), ran.text


def test_what_a_saved_plan_has_in_place_is_what_it_would_have_judged(shop: Shop) -> None:
    """Gates are asked of the source's digest, and what is on record is what was found in place: they are one."""
    shop.more["staging"] = "gates: [{size: {total: 1GB}}]"
    shop.write()
    for image, made in shop.push("1.4.0").items():
        push_image(shop.hosts[1].repository(f"shop/{image}"), made, "1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    other = push_image(shop.hosts[1].repository("shop/api"), make_image("other"), "1.4.0")
    plan = json.loads(Path("plan.json").read_text())
    (kept,) = [one for one in plan["actions"] if one["rule"] == "shop/api"]
    kept["narrowed"] = other.digest
    Path("plan.json").write_text(json.dumps(plan))
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.entries(1)) == (4, []), ran.text


def test_a_failure_in_a_saved_plan_is_of_an_image_of_the_release(shop: Shop) -> None:
    shop.more["production"] = "current: live"
    shop.write()
    shop.promote("1.4.0", "production", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    failed = {"action": "failure", "subject": "a/b:1", "reason": "x", "kind": "not-found"}
    plan["actions"] = [{**failed, "rule": "shop/other", "place": one["place"]} for one in plan["actions"]]
    Path("plan.json").write_text(json.dumps(plan))
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, "shop/other" in ran.err) == (4, True), ran.text


def test_what_a_saved_plan_saw_in_place_and_has_moved_since_is_not_put_on_record(shop: Shop) -> None:
    made = shop.push("1.4.0")
    push_image(shop.hosts[1].repository("shop/worker"), made["worker"], "1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    push_image(shop.hosts[1].repository("shop/worker"), make_image("another"), "1.4.0")
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes(), shop.entries(1)) == (3, [], []), ran.text
    assert "the plan saw" in ran.out


def test_a_saved_plan_cannot_put_on_record_what_came_from_elsewhere(shop: Shop) -> None:
    made = shop.push("1.4.0")
    for name, image in made.items():
        push_image(shop.hosts[1].repository(f"shop/{name}"), image, "1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    text = Path("plan.json").read_text()
    Path("plan.json").write_text(text.replace(f"{shop.hosts[0].host}", "elsewhere.example.com"))
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.entries(1)) == (4, []), ran.text


def test_what_another_hand_has_put_into_a_stage_is_judged_before_it_is_put_on_record(shop: Shop) -> None:
    shop.more["staging"] = "gates: [{labels: {config: {team: shop}}}]"
    shop.write()
    for name, image in shop.push("1.4.0").items():
        push_image(shop.hosts[1].repository(f"shop/{name}"), image, "1.4.0")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.entries(1)) == (3, []), ran.text
    assert "blocked: gate labels" in ran.out
    assert shop.promote("1.4.0", "production").code == 3
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    assert (shop.cli("apply", "sync.yaml", "--plan", "plan.json").code, shop.entries(1)) == (3, [])


def test_a_record_of_what_was_in_place_says_what_gates_have_said(shop: Shop) -> None:
    shop.more["staging"] = "gates: [{size: {total: 1GB}}]"
    shop.write()
    for name, image in shop.push("1.4.0").items():
        push_image(shop.hosts[1].repository(f"shop/{name}"), image, "1.4.0")
    assert shop.promote("1.4.0", "staging").code == 0
    (event,) = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"]
    assert [[one["ruling"] for one in image["verdicts"]] for image in event["images"]] == [["passed"], ["passed"]]


def test_what_is_on_record_is_not_judged_once_more(shop: Shop) -> None:
    shop.more["staging"] = "gates: [{command: {run: [./once.sh]}}]"
    shop.write()
    shop.cli.file("#!/bin/sh\necho x >> calls\n", "once.sh")
    Path("once.sh").chmod(0o755)
    shop.push("1.4.0")
    for _ in range(2):
        assert shop.promote("1.4.0", "staging").code == 0
    assert Path("calls").read_text().split() == ["x", "x"]


def test_what_was_judged_before_it_was_cut_off_is_finished_without_asking_again(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.hosts[1].script("PUT", r"imagesync-journal/manifests/.*finished", status=403)
    shop.promote("1.4.0", "staging")
    shop.hosts[1].unscript()
    shop.more["staging"] = "gates: [{window: {timezone: UTC, allow: [\"mon 00:00-00:01\"], override: ''}}]"
    shop.write()
    assert shop.promote("1.4.0", "staging").code == 0
    assert shop.entries(1) == ["started", "started", "finished"]


def test_a_hold_that_is_set_while_content_is_brought_stops_the_unit_before_its_first_tag(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
    shop.promote("1.4.0", "staging")
    store, held = shop.hosts[1].repository("shop/imagesync-journal"), threading.Lock()

    def hold(request: Entry) -> None:
        if "/worker/blobs/" in request.path and held.acquire(blocking=False):
            journal = Journal(Repository(shop.hosts[1].host, "shop/imagesync-journal"), store, NoSeal())
            begin(make_record(Kind.HOLD), journal)

    shop.hosts[0].call_before_each(hold)
    ran = shop.promote("1.5.0", "staging")
    assert (ran.code, "1.5.0" in shop.tags(1, "api")) == (3, False), ran.text
    assert "staging is held at 1.4.0 by octocat" in ran.text
    assert shop.entries(1) == ["started", "finished", "hold"]


def test_an_image_has_one_digest_in_a_saved_plan(shop: Shop) -> None:
    shop.more["staging"] = "current: live"
    shop.write()
    shop.push("1.4.0")
    other = push_image(shop.hosts[0].repository("shop/api"), make_image("other"))
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    shop.push("1.4.0", api=other)
    shop.promote("1.4.0", "staging", "-o", "other.json")
    plan, others = (json.loads(Path(name).read_text()) for name in ("plan.json", "other.json"))
    plan["manifests"] |= others["manifests"]
    plan["actions"][1] = next(one for one in others["actions"] if one["destination"]["tag"] == "live")
    Path("plan.json").write_text(json.dumps(plan))
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, []), ran.text


def test_what_a_stage_has_gone_back_from_does_not_leave_it_until_it_has_come_there_again(shop: Shop) -> None:
    shop.more["staging"] = "current: live"
    shop.write()
    for version in ("1.4.0", "1.5.0", "1.6.0"):
        shop.push(version)
        shop.promote(version, "staging")
    shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "login", "--confirm")
    ran = shop.promote("1.6.0", "production")
    assert (ran.code, shop.tags(2, "api")) == (3, {})
    assert "staging has gone back from shop 1.6.0 to 1.5.0 (login); promote it there again first" in ran.out
    assert shop.promote("1.4.0", "production").code == 0, "others go on"
    assert shop.promote("1.5.0", "production").code == 0, "and so does what it has gone back to"
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--release", "--reason", "mended")
    assert shop.cli(*shlex.split(ran.out.split("`")[1])[1:]).code == 0
    assert shop.promote("1.6.0", "production").code == 0


def test_what_a_gate_holds_back_is_told_as_well_what_the_door_says(shop: Shop) -> None:
    shop.more |= {"staging": "current: live", "production": "gates: [{approval: {count: 1, from: [alice]}}]"}
    shop.write()
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        shop.promote(version, "staging")
    shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "login", "--confirm")
    for gate in ("gate approval: 0 of 1", "gate size:"):
        ran = shop.promote("1.5.0", "production")
        assert (ran.code, gate in ran.out) == (3, True), ran.text
        assert "; staging has gone back from shop 1.5.0 to 1.4.0 (login)" in ran.out
        shop.promote("1.5.0", "production", "-o", "plan.json")
        saved = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
        assert (saved.code, saved.out.count("has gone back")) == (3, ran.out.count("has gone back")), saved.text
        shop.more["production"] = "gates: [{size: {total: 1B}}]"
        shop.write()
