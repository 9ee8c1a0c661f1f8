"""promote: a release moves along its stages, all its images or none, by digest and on record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagesync.plan.attachments import RECORD_TYPE
from imagesync.promotion.artifact import record_of
from imagesync.promotion.record import Record
from imagesync.promotion.referring import records_on
from imagesync.reference import Digest, Tag
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import list_of, make_image, make_index, make_referrer, push_image


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    made = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"production": "current: production"})
    made.write()
    return made


def test_a_release_goes_to_the_next_stage_with_all_its_images(shop: Shop) -> None:
    made = shop.push("1.4.0", api=make_index("api"))
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 0, ran.text
    assert shop.tags(1, "api") == {"1.4.0": made["api"].digest}
    assert shop.tags(1, "worker") == {"1.4.0": made["worker"].digest}
    assert shop.entries(1) == ["started", "finished"]
    assert "2 added" in ran.out


def test_the_current_tag_of_a_stage_follows(shop: Shop) -> None:
    made = shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    assert shop.promote("1.4.0", "production").code == 0
    assert shop.tags(2, "api") == dict.fromkeys(("1.4.0", "production"), made["api"].digest)


def test_a_second_promotion_of_the_same_writes_nothing(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    shop.forget()
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (0, [])
    assert "\n\nNo changes." in ran.out


def test_a_stage_that_was_skipped_blocks_and_the_message_says_what_would_unblock(shop: Shop) -> None:
    shop.push("1.4.0")
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, shop.writes()) == (3, [])
    assert "shop 1.4.0 has not come to staging yet" in ran.text
    assert ran.out.count("api:production") == ran.out.count("api:1.4.0") == 1
    assert "imagesync promote sync.yaml shop:1.4.0 --to staging" in ran.text
    assert ran.out.count(" api:1.4.0 ") == 1, "an image is told once, whatever tags it is to get"


def test_another_stage_than_the_one_before_is_blocked(shop: Shop) -> None:
    shop.push("1.4.0")
    ran = shop.promote("1.4.0", "production", "--from", "dev")
    assert (ran.code, shop.writes()) == (3, [])
    assert "dev is not the stage before production" in ran.text


def test_what_has_come_to_a_stage_without_a_record_does_not_leave_it(shop: Shop) -> None:
    made = shop.push("1.4.0")
    for name, image in made.items():
        push_image(shop.hosts[1].repository(f"shop/{name}"), image, "1.4.0")
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, shop.writes()) == (3, [])
    assert shop.promote("1.4.0", "staging").code == 0, "what is in place is put on record"
    assert shop.entries(1) == ["started", "finished"]
    assert shop.promote("1.4.0", "production").code == 0


def test_a_tag_that_was_moved_since_its_record_does_not_leave_the_stage(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    push_image(shop.hosts[1].repository("shop/api"), make_image("forged"), "1.4.0")
    ran = shop.promote("1.4.0", "production")
    assert ran.code == 3
    assert "its record says" in ran.text
    assert shop.tags(2, "worker") == {}


def test_one_image_that_is_missing_holds_all_others(shop: Shop) -> None:
    push_image(shop.hosts[0].repository("shop/api"), make_image("api"), "1.4.0")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (1, [])
    assert "shop moves as one unit, and" in ran.text


def test_one_image_whose_tag_may_not_move_holds_all_others(shop: Shop) -> None:
    shop.more["staging"] = 'immutable: ["*.*.*"]'
    shop.write()
    shop.push("1.4.0")
    push_image(shop.hosts[1].repository("shop/worker"), make_image("other"), "1.4.0")
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (3, [])
    assert shop.tags(1, "api") == {}


def test_content_that_cannot_be_brought_leaves_every_tag_as_it_was(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.hosts[0].script("GET", r"worker/blobs", status=404)
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 1
    assert (shop.tags(1, "api"), shop.tags(1, "worker"), shop.entries(1)) == ({}, {}, [])
    assert "shop moves as one unit, and" in ran.text


def test_all_content_comes_before_the_first_record_and_every_tag_between_the_two(shop: Shop) -> None:
    shop.more["staging"] = "current: staging"
    shop.write()
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging")
    puts = [line for line in shop.hosts[1].log.lines("PUT") if "/manifests/" in line]
    steps = [_step(line) for line in puts]
    assert steps == [*["digest"] * 2, "started", *["version"] * 2, *["current"] * 2, *["digest"] * 2, "finished"]


def _step(line: str) -> str:
    target = line.split()[1].rpartition("/manifests/")[2]
    if target.startswith("sha256:"):
        return "digest"
    return {"1.4.0": "version", "staging": "current"}.get(target, target.rpartition(".")[2])


def test_a_dry_run_shows_the_plan_and_writes_nothing(shop: Shop) -> None:
    shop.push("1.4.0")
    ran = shop.promote("1.4.0", "staging", "--dry-run")
    assert (ran.code, shop.writes()) == (0, [])
    assert "2 to add" in ran.out


def test_a_dry_run_writes_the_plan_as_a_report_for_a_pull_request(shop: Shop) -> None:
    """As the workflow in examples/promotion wants it, be it that a release is blocked."""
    shop.push("1.4.0")
    for stage, code, said in (("staging", 0, "2 to add"), ("production", 3, "has not come to staging yet")):
        ran = shop.promote("1.4.0", stage, "--dry-run", "--report", "plan.md")
        assert (ran.code, said in Path("plan.md").read_text()) == (code, True), ran.text
    assert shop.writes() == []


def test_a_saved_plan_moves_what_it_has_pinned_though_the_source_has_moved(shop: Shop) -> None:
    made = shop.push("1.4.0")
    assert shop.promote("1.4.0", "staging", "-o", "plan.json").code == 0
    assert shop.writes() == []
    shop.push("1.4.0", api=make_image("another"))
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert ran.code == 0, ran.text
    assert shop.tags(1, "api") == {"1.4.0": made["api"].digest}
    assert shop.entries(1) == ["started", "finished"]


def test_a_stage_tag_that_moved_since_the_plan_is_stale_and_holds_all_others(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    other = push_image(shop.hosts[1].repository("shop/worker"), make_image("other"), "1.4.0")
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (3, [])
    assert "the tag was not there when the plan was made" in ran.text
    assert (shop.tags(1, "api"), shop.tags(1, "worker")) == ({}, {"1.4.0": other.digest})


def test_a_current_tag_that_moves_while_content_is_brought_stops_the_unit_before_its_first_tag(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.push("1.5.0")
    shop.more["staging"] = "current: staging"
    shop.write()
    shop.promote("1.4.0", "staging")
    head = shop.hosts[1].script("HEAD", r"worker/manifests/staging", status=404, skip=1)
    ran = shop.promote("1.5.0", "staging")
    assert head.seen == 2
    assert ran.code == 3
    assert " 0 B copied" not in ran.out, "its content is there, and was counted"
    assert "1.5.0" not in shop.tags(1, "api")
    assert shop.entries(1) == ["started", "finished"]


def test_what_was_moved_for_two_tags_that_fail_is_counted_once(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.more["staging"] = "current: staging"
    shop.write()
    shop.hosts[1].script("PUT", r"/shop/api/manifests/sha256", status=403)
    ran = shop.promote("1.4.0", "staging", "--format", "json")
    moved = [one["bytes_copied"] for one in ran.json()["outcomes"] if "/api:" in one["destination"]]
    assert (len(moved), len([number for number in moved if number])) == (2, 1), ran.out


def test_a_plan_that_could_not_be_saved_is_not_made(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.forget()
    ran = shop.promote("1.4.0", "staging", "-o", "missing/plan.json")
    assert (ran.code, [host.log.lines() for host in shop.hosts]) == (4, [[], [], []]), ran.text


def test_an_edited_plan_cannot_widen_itself(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    plan = json.loads(Path("plan.json").read_text())
    plan["unit"]["stage"] = "production"
    Path("plan.json").write_text(json.dumps(plan))
    shop.forget()
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.writes()) == (4, [])
    assert "no rule of the spec yields" in ran.text


def test_what_another_hand_has_put_into_a_stage_past_the_one_before_gets_no_record(shop: Shop) -> None:
    made = shop.push("1.4.0")
    for name, image in made.items():
        push_image(shop.hosts[2].repository(f"shop/{name}"), image, "1.4.0", "production")
    ran = shop.promote("1.4.0", "production", "--from", "dev")
    assert (ran.code, shop.writes()) == (3, [])
    assert "dev is not the stage before production" in ran.text


def test_two_releases_of_a_stage_without_a_current_tag_are_on_record_in_their_order(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        assert shop.promote(version, "staging").code == 0
    assert shop.cli("hold", "sync.yaml", "shop", "--stage", "staging", "--reason", "x").code == 0
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, "staging is held at 1.5.0" in ran.text) == (3, True), "in place, and still not to be recorded"
    assert shop.entries(1) == ["started", "finished"] * 2 + ["hold"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop", "--to", "staging"), "'shop' is no release"),
        (("other:1", "--to", "staging"), "the spec has no promotion 'other'"),
        (("shop:1", "--to", "stagin"), "shop has no stage 'stagin'"),
        (("shop:1", "--to", "dev"), "dev is the first stage"),
        (("shop:1", "--to", "staging", "--from", "production"), "production does not come before staging"),
        (("shop:a/b", "--to", "staging"), "'a/b' is not a tag"),
    ],
)
def test_what_is_no_release_or_no_stage_is_refused(arguments: tuple[str, ...], said: str, shop: Shop) -> None:
    ran = shop.cli("promote", "sync.yaml", *arguments)
    assert (ran.code, shop.writes()) == (4, [])
    assert said in ran.err


def test_a_record_speaks_of_its_stage_and_does_not_travel_to_the_next(shop: Shop) -> None:
    made = shop.push("1.4.0")
    push_image(shop.hosts[0].repository("shop/api"), make_referrer(made["api"].root))
    shop.promote("1.4.0", "staging")
    shop.promote("1.4.0", "production")
    for position, stage in ((1, "staging"), (2, "production")):
        found = records_on(shop.hosts[position].repository("shop/api"), made["api"].digest, {})
        assert [(record.stage, record.version) for record in found] == [(stage, "1.4.0")]
        assert len(shop.hosts[position].repository("shop/api").list_referrers(made["api"].digest) or ()) == 2


def test_a_record_in_a_list_that_clients_keep_does_not_travel_either(shop: Shop) -> None:
    made = shop.push("1.4.0")
    referrer = make_referrer(made["api"].root)
    dev = shop.hosts[0].repository("shop/api")
    push_image(dev, list_of(push_image(dev, referrer)), made["api"].digest.as_tag)
    for host in shop.hosts:
        host.list_no_referrers()
    assert shop.promote("1.4.0", "staging").code == 0
    ran = shop.promote("1.4.0", "production")
    assert ran.code == 0, ran.text
    listed = shop.hosts[2].repository("shop/api").fetch_manifest(Tag(made["api"].digest.as_tag))
    kinds = [entry.artifact_type for entry in listed.successors()]
    assert sorted(map(str, kinds)) == sorted([RECORD_TYPE, "application/vnd.example+json"])
    assert [record.stage for record in _records_listed(shop, 2, made["api"].digest)] == ["production"]


def test_no_record_makes_a_second_run_add_anything(shop: Shop) -> None:
    shop.push("1.4.0")
    for host in shop.hosts:
        host.list_no_referrers()
    shop.promote("1.4.0", "staging")
    shop.promote("1.4.0", "production")
    shop.forget()
    ran = shop.promote("1.4.0", "production")
    assert (ran.code, shop.writes()) == (0, []), ran.text


def _records_listed(shop: Shop, position: int, digest: Digest) -> list[Record]:
    repository = shop.hosts[position].repository("shop/api")
    listed = repository.fetch_manifest(Tag(digest.as_tag)).successors()
    found = [repository.fetch_manifest(entry.digest) for entry in listed if entry.artifact_type == RECORD_TYPE]
    return [record_of(content) for content in found]


def test_a_record_that_cannot_be_begun_leaves_every_tag_as_it_was(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.hosts[1].script("PUT", r"imagesync-journal/manifests", status=403)
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 1
    assert "the record of shop 1.4.0 at staging" in ran.text
    assert (shop.tags(1, "api"), shop.tags(1, "worker")) == ({}, {})


def test_a_record_that_cannot_be_finished_is_a_failure_and_the_same_command_finishes_it(shop: Shop) -> None:
    made = shop.push("1.4.0")
    shop.hosts[1].script("PUT", r"imagesync-journal/manifests/.*finished", status=403)
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 1
    assert "run the same command again" in ran.text
    assert shop.tags(1, "api") == {"1.4.0": made["api"].digest}
    assert shop.cli("status", "sync.yaml").code == 1
    shop.hosts[1].unscript()
    assert shop.promote("1.4.0", "staging").code == 0
    assert shop.cli("status", "sync.yaml").code == 0


def test_a_tag_that_cannot_be_written_leaves_the_stage_incomplete(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.hosts[1].script("PUT", r"api/manifests/1\.4\.0", status=403, body=b"denied")
    ran = shop.promote("1.4.0", "staging", "--report", "report.json")
    assert ran.code == 1
    kinds = {one["destination"].rpartition("/")[2]: one["status"] for one in _tags(Path("report.json"))}
    assert kinds["api:1.4.0"] == "failed"
    assert shop.entries(1) == ["started"]
    status = shop.cli("status", "sync.yaml")
    assert (status.code, "incomplete" in status.out) == (1, True)


def test_the_journal_of_a_stage_that_cannot_be_read_ends_the_command_before_anything_is_read_of_images(
    shop: Shop,
) -> None:
    shop.push("1.4.0")
    shop.hosts[1].script("GET", r"imagesync-journal/tags", status=403)
    ran = shop.promote("1.4.0", "staging")
    assert (ran.code, shop.writes()) == (1, [])
    assert f"journal {shop.hosts[1].host}/shop/imagesync-journal" in ran.err


def test_a_saved_plan_that_was_carried_out_meanwhile_is_on_record_again_and_moves_nothing(shop: Shop) -> None:
    shop.push("1.4.0")
    shop.promote("1.4.0", "staging", "-o", "plan.json")
    shop.promote("1.4.0", "staging")
    before = shop.tags(1, "api")
    ran = shop.cli("apply", "sync.yaml", "--plan", "plan.json")
    assert (ran.code, shop.tags(1, "api")) == (0, before), ran.text


def _tags(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(path.read_text())["outcomes"]
    return found


def test_the_name_and_the_version_of_what_moves_stand_above_the_plan_and_the_report(shop: Shop) -> None:
    shop.push("1.4.0")
    title = "shop 1.4.0: dev → staging"
    assert shop.promote("1.4.0", "staging", "--dry-run").out.startswith(f"{title}\n\n")
    markdown = shop.promote("1.4.0", "staging", "--dry-run", "--format", "markdown").out
    assert markdown.startswith(f"**`{title}` Plan: 2 to add")
    plan = shop.promote("1.4.0", "staging", "--dry-run", "--format", "json").json()
    assert (plan["unit"]["promotion"], plan["unit"]["version"]) == ("shop", "1.4.0")
    ran = shop.promote("1.4.0", "staging", "--report", "report.json")
    assert ran.out.startswith(f"{title}\n\n")
    assert json.loads(Path("report.json").read_text())["unit"]["stage"] == "staging"
    assert shop.promote("1.4.0", "staging").out.startswith(f"{title}\n\nNo changes.")


def test_a_rollback_says_which_stage_goes_back_to_what(shop: Shop) -> None:
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        shop.promote(version, "staging")
        shop.promote(version, "production")
    ran = shop.cli("rollback", "sync.yaml", "shop", "--stage", "production", "--reason", "login")
    assert ran.out.startswith("shop 1.4.0: production goes back to it\n\n")
