"""`auto: true`: `plan` shows and `apply` moves what is due at a stage, as `promote` would."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.command import Cli, Ran
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image

FROZEN = 'gates: [{window: {timezone: UTC, freeze: [{from: "2000-01-01", to: "2999-12-31", reason: end of time}]}}]'
AMD = "gates: [{require_platforms: linux/amd64}]"


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    made = Shop(cli, (make_registry(), make_registry(), make_registry()))
    return automatic(made)


def automatic(shop: Shop, staging: str = "", production: str = "") -> Shop:
    shop.more = {"staging": f"current: staging\nauto: true\n{staging}", "production": f"current: live\n{production}"}
    shop.write()
    return shop


def apply(shop: Shop, *more: str) -> Ran:
    return shop.cli("apply", "sync.yaml", *more)


def plan(shop: Shop, *more: str) -> Ran:
    return shop.cli("plan", "sync.yaml", *more)


def test_apply_promotes_the_newest_version_with_all_its_images_and_puts_it_on_record(shop: Shop) -> None:
    shop.push("1.4.0")
    made = shop.push("1.10.0")
    ran = apply(shop)
    assert ran.code == 0, ran.text
    assert shop.tags(1, "api") == dict.fromkeys(("1.10.0", "staging"), made["api"].digest)
    assert shop.tags(1, "worker") == dict.fromkeys(("1.10.0", "staging"), made["worker"].digest)
    assert shop.entries(1) == ["started", "finished"]
    assert "Due at shop/staging: 1.10.0" in ran.out
    record = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"][0]
    assert (record["version"], record["from"], record["reason"]) == ("1.10.0", "dev", "auto")


def test_plan_shows_what_is_due_and_writes_nothing(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.forget()
    ran = plan(shop)
    assert (ran.code, shop.writes()) == (0, [])
    assert "+ api:1.4.0" in ran.out
    assert "+ worker:staging" in ran.out
    assert "4 to add" in ran.out
    assert "Due at shop/staging: 1.4.0" in ran.out
    assert plan(shop, "--detailed-exitcode").code == 2
    assert "Due at shop/staging: 1.4.0" in plan(shop, "--format", "markdown").out
    document = plan(shop, "--format", "json").json()
    assert document["due"] == [{"promotion": "shop", "stage": "staging", "version": "1.4.0", "reason": ""}]
    assert [one["unit"] for one in document["actions"]] == [0, 0, 0, 0]
    assert (document["format_version"], document["units"][0]["occasion"]) == (2, "auto")


def test_what_somebody_has_written_into_a_journal_is_code_in_markdown(shop: Shop) -> None:
    shop.push("1.4.0")
    apply(shop)
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "<img src=x>\n::error::@all `x`")
    shop.push("1.5.0")
    (line,) = [one for one in plan(shop, "--format", "markdown").out.splitlines() if "held" in one]
    assert line.startswith("- `Due at shop/staging: nothing, since it is held at 1.4.0 by")
    assert line.endswith(r"(<img src=x>\n::error::@all 'x'), which keeps 1.5.0 out`")


def test_a_dry_run_of_apply_shows_the_same_as_plan(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.forget()
    assert apply(shop, "--dry-run").out == plan(shop).out
    assert shop.writes() == []


def test_a_second_apply_finds_nothing_due(shop: Shop) -> None:
    shop.push("1.4.0")
    apply(shop)
    shop.forget()
    ran = apply(shop)
    assert (ran.code, shop.writes()) == (0, [])
    assert "No changes." in ran.out
    assert "Due at shop/staging: nothing, since it runs 1.4.0 and dev has nothing newer" in ran.out


def test_a_stage_without_auto_is_left_to_promote(shop: Shop) -> None:
    shop.push("1.4.0")
    apply(shop)
    apply(shop)
    assert shop.tags(2, "api") == {}


def test_a_release_goes_one_stage_a_run(shop: Shop) -> None:
    automatic(shop, production="auto: true")
    shop.push("1.4.0")
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api").keys(), shop.tags(2, "api")) == (0, {"1.4.0", "staging"}, {})
    assert "Due at shop/production: nothing, since nothing has come to staging yet" in ran.out
    shop.push("1.5.0")
    assert apply(shop).code == 0
    assert (set(shop.tags(1, "api")), set(shop.tags(2, "api"))) == (
        {"1.4.0", "1.5.0", "staging"},
        {"1.4.0", "live"},
    )
    assert apply(shop).code == 0
    assert set(shop.tags(2, "api")) == {"1.4.0", "1.5.0", "live"}


def test_what_a_sync_entry_brings_to_the_first_stage_goes_on_in_the_next_run(shop: Shop) -> None:
    entry = f"sync:\n  - source: {shop.hosts[0].host}/built\n    destination: {shop.hosts[0].host}/shop\n"
    shop.cli.file(f"{Path('sync.yaml').read_text()}{entry}    images: ['api:1.4.0', 'worker:1.4.0']\n")
    for name in shop.images:
        push_image(shop.hosts[0].repository(f"built/{name}"), make_image(name), "1.4.0")
    assert apply(shop).code == 0
    assert (set(shop.tags(0, "api")), shop.tags(1, "api")) == ({"1.4.0"}, {})
    assert apply(shop).code == 0
    assert set(shop.tags(1, "api")) == {"1.4.0", "staging"}


@pytest.mark.parametrize("tag", ["latest", "1.5.0-rc1", "1.5.0-alpine", "2", "20260301", "sha256-" + "a" * 64])
def test_what_versions_do_not_take_is_not_due(tag: str, shop: Shop) -> None:
    shop.push("2.0.0")
    apply(shop)
    shop.push(tag)
    shop.forget()
    assert (apply(shop).code, shop.writes()) == (0, [])


def test_a_tag_that_floats_over_others_of_one_image_is_no_version_of_all(shop: Shop) -> None:
    shop.push("1.4", api=make_image("api 1.4"), worker=make_image("worker 1.4"))
    push_image(shop.hosts[0].repository("shop/api"), make_image("api 1.4.7"), "1.4.7")
    push_image(shop.hosts[0].repository("shop/worker"), make_image("worker 1.4.6"), "1.4.6")
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api")) == (0, {})
    assert "nothing, since 1.4.7 is not at dev yet: worker lacks it" in ran.out


def test_a_stage_stays_with_the_variant_that_it_runs(shop: Shop) -> None:
    shop.push("1.4.0-alpine")
    assert shop.promote("1.4.0-alpine", "staging").code == 0
    shop.push("1.5.0")
    shop.push("1.5.0-alpine")
    assert apply(shop).code == 0
    assert set(shop.tags(1, "api")) == {"1.4.0-alpine", "1.5.0-alpine", "staging"}


def test_a_stage_that_runs_no_version_is_left_to_promote(shop: Shop) -> None:
    shop.push("nightly")
    assert shop.promote("nightly", "staging").code == 0
    shop.push("1.5.0")
    assert "it runs nightly, which is no version to go on from" in apply(shop).out


def test_stages_in_one_repository_are_told_apart_by_their_names(shop: Shop) -> None:
    shop.hosts = (shop.hosts[0],) * 3
    shop.more = {
        "staging": 'retag: "{tag}-staging"\ncurrent: staging\nauto: true',
        "production": 'retag: "{tag}-live"\ncurrent: live\nauto: true',
    }
    shop.write()
    made = shop.push("1.4.0")
    for _ in range(3):
        assert apply(shop).code == 0
    names = ("1.4.0", "1.4.0-staging", "staging", "1.4.0-live", "live")
    assert shop.tags(0, "api") == dict.fromkeys(names, made["api"].digest)


def test_a_version_is_there_once_all_images_have_it(shop: Shop) -> None:
    shop.push("1.4.0")
    push_image(shop.hosts[0].repository("shop/api"), make_image("api 1.5.0"), "1.5.0")
    ran = apply(shop)
    assert ran.code == 0, ran.text
    assert set(shop.tags(1, "api")) == {"1.4.0", "staging"}
    assert "Due at shop/staging: 1.4.0 (1.5.0 is not at dev yet: worker lacks it)" in ran.out


def test_a_release_file_is_a_version_whose_images_have_tags_of_their_own(shop: Shop) -> None:
    shop.push("1.4.0")
    made = push_image(shop.hosts[0].repository("shop/worker"), make_image("worker"), "1.3.9")
    shop.cli("release", "create", "sync.yaml", "shop:2.0", "--image", "api=1.4.0", "--image", "worker=1.3.9")
    ran = apply(shop)
    assert ran.code == 0, ran.text
    assert shop.tags(1, "worker") == dict.fromkeys(("2.0", "staging"), made.digest)


def test_a_release_file_that_is_damaged_fails_its_stage_alone(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.cli.file('release: shop\nversion: "2.0"\nimages: {api: x}\n', "releases/shop-2.0.yaml")
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api")) == (1, {})
    assert "releases/shop-2.0.yaml:3:15: 'x' is no tag with its digest" in ran.text


def test_a_stage_never_goes_backwards(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.push("1.6.0-rc1")
    assert shop.promote("1.6.0-rc1", "staging").code == 0
    shop.push("1.5.0")
    shop.forget()
    ran = apply(shop)
    assert (ran.code, shop.writes()) == (0, [])
    assert "Due at shop/staging: nothing, since it runs 1.6.0-rc1 and dev has nothing newer" in ran.out
    shop.push("1.6.0")
    apply(shop)
    assert "1.6.0" in shop.tags(1, "api")


def test_what_the_stage_before_runs_and_is_no_plain_version_does_not_go_on(shop: Shop) -> None:
    automatic(shop, production="auto: true")
    shop.push("1.6.0-rc1")
    shop.promote("1.6.0-rc1", "staging")
    ran = apply(shop)
    assert "Due at shop/production: nothing, since staging runs 1.6.0-rc1, which is a pre-release" in ran.out


def test_what_a_stage_went_back_from_does_not_come_again_and_what_is_newer_does(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        assert apply(shop).code == 0
    back = ("sync.yaml", "shop", "--stage", "staging", "--reason", "login is broken", "--confirm")
    assert shop.cli("rollback", *back).code == 0
    assert "it is held at 1.4.0 by" in apply(shop).out
    shop.push("1.5.1")
    ran = apply(shop)
    assert (ran.code, "1.5.1" in shop.tags(1, "api")) == (0, False)
    assert "it is held at 1.4.0 by" in ran.out
    assert "(login is broken), which keeps 1.5.1 out" in ran.out
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--release", "--reason", "over")
    assert apply(shop).code == 0
    assert "1.5.1" in shop.tags(1, "api")


def test_a_hold_that_is_released_does_not_bring_back_what_was_bad(shop: Shop) -> None:
    automatic(shop, production="auto: true")
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        apply(shop)
        apply(shop)
    back = ("sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm")
    assert shop.cli("rollback", *back).code == 0
    shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--release", "--reason", "over")
    shop.forget()
    ran = apply(shop)
    assert (ran.code, shop.writes()) == (0, [])
    assert "Due at shop/staging: nothing, since it went back from 1.5.0, and 1.5.0 is not newer" in ran.out
    assert "Due at shop/production: nothing, since it runs 1.5.0 and staging has nothing newer" in ran.out


def test_what_was_bad_does_not_come_again_after_an_older_version_was_mended(shop: Shop) -> None:
    for version in ("1.4.0", "1.6.0"):
        shop.push(version)
        assert apply(shop).code == 0
    stage = ("sync.yaml", "shop", "--stage", "staging", "--reason", "x")
    assert shop.cli("rollback", *stage, "--confirm").code == 0
    shop.cli("hold", *stage, "--release")
    shop.push("1.4.1")
    assert shop.promote("1.4.1", "staging").code == 0
    ran = apply(shop)
    assert "Due at shop/staging: nothing, since it went back from 1.6.0 to 1.4.0 (x)" in ran.out
    assert shop.tags(1, "api")["staging"] == shop.tags(1, "api")["1.4.1"]
    shop.push("1.6.1")
    assert "Due at shop/staging: 1.6.1" in apply(shop).out


def test_what_waits_at_a_gate_is_left_to_a_later_run_and_the_exit_code_is_0(shop: Shop) -> None:
    automatic(shop, staging=FROZEN).push("1.4.0")
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api"), shop.entries(1)) == (0, {}, [])
    assert "4 waiting" in ran.out
    assert plan(shop).code == 0
    assert shop.promote("1.4.0", "staging").code == 3, "it was asked for"


def test_one_image_that_waits_lets_the_others_wait_with_it(shop: Shop) -> None:
    automatic(shop, staging="gates: [{min_age: {age: 1h, clock: created}}]")
    shop.push(
        "1.4.0",
        api=make_index("api", created="2020-01-01T00:00:00Z"),
        worker=make_index("worker", created="2999-01-01T00:00:00Z"),
    )
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api"), shop.entries(1)) == (0, {}, []), ran.text
    assert "shop moves as one unit, and" in ran.out


def test_what_a_gate_blocks_ends_with_3_and_moves_nothing(shop: Shop) -> None:
    automatic(shop, staging=AMD)
    shop.push("1.4.0", worker=make_index("worker", platforms=("linux/arm64",)), api=make_index("api"))
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api"), shop.entries(1)) == (3, {}, [])
    assert "gate require_platforms:" in ran.text
    assert plan(shop).code == 3


def test_a_version_that_waits_is_not_passed_over_for_one_that_would_pass(shop: Shop) -> None:
    shop.push("1.4.0")
    apply(shop)
    automatic(shop, staging=FROZEN)
    shop.push("1.5.0")
    assert apply(shop).code == 0
    assert "1.5.0" not in shop.tags(1, "api")


def test_a_promotion_that_was_killed_is_finished_by_the_next_apply(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.hosts[1].script("PUT", r"/manifests/staging", status=403, times=1)
    assert apply(shop).code == 1
    assert shop.entries(1) == ["started"]
    ran = apply(shop)
    assert (ran.code, shop.entries(1)[-1]) == (0, "finished"), ran.text


def second(shop: Shop) -> str:
    """Another promotion beside the shop, from and to the same hosts."""
    text = Path("sync.yaml").read_text()
    dev, staging, _ = (host.host for host in shop.hosts)
    more = f"  - name: tools\n    images: [lint]\n    stages:\n      - {{name: dev, repository: {dev}/tools}}\n"
    more += f"      - {{name: staging, repository: {staging}/tools, auto: true}}\n"
    push_image(shop.hosts[0].repository("tools/lint"), make_image("lint"), "3.1.0")
    return shop.cli.file(text + more)


def with_mirror(shop: Shop) -> None:
    """Let the spec have a sync entry too."""
    hosts = f"  - source: {shop.hosts[0].host}/shop\n    destination: {shop.hosts[2].host}\n"
    shop.cli.file(f"{Path('sync.yaml').read_text()}sync:\n{hosts}    images: ['api:1.4.0']\n")


def test_a_promotion_that_cannot_be_read_holds_up_no_other_and_no_sync_entry(shop: Shop) -> None:
    second(shop)
    shop.push("1.4.0")
    shop.hosts[1].script("GET", r"/shop/imagesync-journal/tags", status=403)
    with_mirror(shop)
    ran = apply(shop)
    assert ran.code == 1
    assert "x shop/staging  failed" in ran.out
    assert "3.1.0" in shop.tags(1, "lint", "tools")
    assert shop.tags(1, "api") == {}
    assert (shop.hosts[2].root / "api" / "index.json").exists()


def test_a_promotion_that_is_blocked_or_fails_stops_no_other(shop: Shop) -> None:
    automatic(shop, staging=AMD)
    second(shop)
    shop.push("1.4.0", api=make_index("api", platforms=("linux/arm64",)))
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api")) == (3, {})
    assert "3.1.0" in shop.tags(1, "lint", "tools")


def test_a_journal_that_somebody_has_written_into_fails_its_stage_and_says_which_tag(shop: Shop) -> None:
    shop.push("1.4.0")
    tag = "shop.staging.20260301T120000Z-0123456789ab.finished"
    push_image(shop.hosts[1].repository("shop/imagesync-journal"), make_image("x"), tag)
    ran = apply(shop)
    assert (ran.code, shop.tags(1, "api")) == (1, {})
    assert f"{tag}: it is no record of a promotion" in ran.out


def test_only_names_promotions_too(shop: Shop) -> None:
    second(shop)
    shop.push("1.4.0")
    assert apply(shop, "--only", "tools").code == 0
    assert (shop.tags(1, "api"), "3.1.0" in shop.tags(1, "lint", "tools")) == ({}, True)
    assert apply(shop, "--only", "shop").code == 0
    assert "1.4.0" in shop.tags(1, "api")


def test_only_with_a_promotion_that_nothing_moves_by_itself_is_refused(shop: Shop) -> None:
    shop.more = {}
    shop.write()
    ran = apply(shop, "--only", "shop")
    assert ran.code == 4
    assert "--only 'shop' names a promotion that nothing moves by itself" in ran.err
    assert "names no entry and no image" in apply(shop, "--only", "shap").err
    assert "names no entry and no image" in shop.cli("audit", "sync.yaml", "--only", "shop").err
    assert "names no entry and no image" in apply(shop, "--repair", "--only", "shop").err


def test_each_promotion_is_in_one_shard(shop: Shop) -> None:
    second(shop)
    shop.push("1.4.0")
    shown = [plan(shop, "--shard", f"{part}/2").out for part in (1, 2)]
    assert sum("shop/staging" in text for text in shown) == 1
    assert sum("tools/staging" in text for text in shown) == 1


def test_a_saved_plan_holds_sync_entries_and_any_number_of_releases(shop: Shop) -> None:
    second(shop)
    with_mirror(shop)
    made = shop.push("1.4.0")
    assert plan(shop, "-o", "plan.json").code == 0
    saved = json.loads(Path("plan.json").read_text())
    assert [one["promotion"] for one in saved["units"]] == ["shop", "tools"]
    assert [one.get("unit") for one in saved["actions"]] == [None, 0, 0, 0, 0, 1]
    assert saved["summary"]["changes"] == 6
    shop.push("1.5.0")
    shop.push("1.4.0", api=make_image("another"))
    ran = apply(shop, "--plan", "plan.json")
    assert ran.code == 0, ran.text
    assert shop.tags(1, "api") == dict.fromkeys(("1.4.0", "staging"), made["api"].digest)
    assert "3.1.0" in shop.tags(1, "lint", "tools")
    assert (shop.hosts[2].root / "api" / "index.json").exists()
    assert shop.entries(1) == shop.entries(1, "tools") == ["started", "finished"]


def test_a_saved_plan_can_be_shown_again(shop: Shop) -> None:
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    shop.forget()
    ran = apply(shop, "--plan", "plan.json", "--dry-run")
    assert (ran.code, shop.writes(), "4 to add" in ran.out) == (0, [], True)


def test_a_saved_release_that_is_stale_holds_up_no_other(shop: Shop) -> None:
    second(shop)
    shop.push("1.4.0")
    apply(shop, "--only", "shop")
    shop.push("1.5.0")
    plan(shop, "-o", "plan.json")
    push_image(shop.hosts[1].repository("shop/api"), make_image("by hand"), "staging")
    ran = apply(shop, "--plan", "plan.json")
    assert (ran.code, "1.5.0" in shop.tags(1, "worker")) == (3, False), ran.text
    assert "3.1.0" in shop.tags(1, "lint", "tools")


def test_a_saved_release_does_not_go_back_behind_what_came_since(shop: Shop) -> None:
    shop.more = {"staging": "auto: true"}
    shop.write()
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    shop.push("1.5.0")
    apply(shop)
    ran = apply(shop, "--plan", "plan.json")
    assert (ran.code, set(shop.tags(1, "api"))) == (3, {"1.5.0"})
    assert "staging runs 1.5.0 by now, and no release goes back by itself" in ran.out


def test_a_saved_release_that_the_stage_went_back_from_does_not_come_again(shop: Shop) -> None:
    shop.push("1.4.0")
    apply(shop)
    shop.push("1.5.0")
    plan(shop, "-o", "plan.json")
    assert apply(shop, "--plan", "plan.json").code == 0
    stage = ("sync.yaml", "shop", "--stage", "staging", "--reason", "login")
    assert shop.cli("rollback", *stage, "--confirm").code == 0
    assert shop.cli("hold", *stage, "--release").code == 0
    ran = apply(shop, "--plan", "plan.json")
    assert (ran.code, shop.tags(1, "api")["staging"]) == (3, shop.tags(1, "api")["1.4.0"]), ran.text
    assert "staging went back from 1.5.0 to 1.4.0 (login)" in ran.out
    assert shop.promote("1.5.0", "staging").code == 0, "who asks for it gets it"


def test_an_edited_file_cannot_move_another_release_than_the_spec_yields(shop: Shop) -> None:
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    saved = json.loads(Path("plan.json").read_text())
    saved["units"][0]["stage"] = "production"
    Path("plan.json").write_text(json.dumps(saved))
    shop.forget()
    ran = apply(shop, "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, [])
    assert "no rule of the spec yields" in ran.err


def test_an_action_of_a_unit_that_is_not_there_is_refused(shop: Shop) -> None:
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    saved = json.loads(Path("plan.json").read_text())
    saved["actions"][0]["unit"] = 7
    Path("plan.json").write_text(json.dumps(saved))
    ran = apply(shop, "--plan", "plan.json")
    assert (ran.code, "plan.json is damaged: there is no unit 7" in ran.err) == (4, True)


def test_an_action_that_was_taken_out_of_its_unit_is_refused(shop: Shop) -> None:
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    saved = json.loads(Path("plan.json").read_text())
    del saved["actions"][0]["unit"]
    Path("plan.json").write_text(json.dumps(saved))
    assert apply(shop, "--plan", "plan.json").code == 4


def test_what_an_approved_plan_lacks_is_left_alone_as_a_whole(shop: Shop) -> None:
    shop.push("1.4.0")
    plan(shop, "-o", "plan.json")
    assert apply(shop, "--approved", "plan.json").code == 0
    shop.push("1.5.0")
    ran = apply(shop, "--approved", "plan.json")
    assert (ran.code, "1.5.0" in shop.tags(1, "api")) == (3, False)
    assert "not in the approved plan" in ran.out


def test_what_is_in_place_gets_no_record_that_an_approved_plan_lacks(shop: Shop) -> None:
    plan(shop, "-o", "plan.json")
    for name, image in shop.push("1.4.0").items():
        push_image(shop.hosts[1].repository(f"shop/{name}"), image, "1.4.0", "staging")
    ran = apply(shop, "--approved", "plan.json")
    assert (ran.code, shop.entries(1)) == (3, [])
    assert "not in the approved plan" in ran.out
    plan(shop, "-o", "plan.json")
    assert (apply(shop, "--approved", "plan.json").code, shop.entries(1)) == (0, ["started", "finished"])


def test_an_audit_with_repair_promotes_nothing(shop: Shop) -> None:
    with_mirror(shop)
    shop.push("1.4.0")
    assert apply(shop, "--repair").code == 0
    assert shop.tags(1, "api") == {}


def test_a_fork_without_a_login_sees_what_it_may_read(shop: Shop) -> None:
    shop.push("1.4.0")
    ran = plan(shop, "--anonymous")
    assert (ran.code, "Due at shop/staging: 1.4.0" in ran.out) == (0, True)
    shop.hosts[1].script("GET", "imagesync-journal", status=401)
    ran = plan(shop, "--anonymous")
    assert (ran.code, "nothing, since nobody is logged in here to see it" in ran.out) == (0, True)
    assert plan(shop).code == 1


def test_github_is_told_what_changes(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "out"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    shop.push("1.4.0")
    plan(shop)
    assert "changes" in (tmp_path / "out").read_text()
    assert "4 to add" in (tmp_path / "summary").read_text()


def test_no_program_of_a_stage_is_run_where_the_spec_is_not_trusted(shop: Shop) -> None:
    shop.cli.file("open('ran', 'w')", "check.py")
    automatic(shop, staging=f"gates: [{{any_of: [{{command: {{run: [{sys.executable}, check.py]}}}}]}}]")
    shop.push("1.4.0")
    ran = plan(shop, "--anonymous")
    assert (ran.code, "not run: the spec is not trusted here (--anonymous)" in ran.out) == (3, True)
    assert not Path("ran").exists()
