"""history: what has come to the stages, read from the registries alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagesync.promotion.artifact import ANNOTATION
from imagesync.reference import Tag
from tests.cli.command import Cli
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.images import make_image, push_image


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    return Shop.with_two_releases(cli, (make_registry(), make_registry(), make_registry()))


def test_the_history_of_a_promotion_tells_who_moved_what_when_and_why(shop: Shop) -> None:
    ran = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json")
    told = [(one["stage"], one["version"], one["ending"], one["ticket"]) for one in ran.json()["events"]]
    assert sorted(told) == [
        ("production", "1.4.0", "finished", "OPS-1.4.0"),
        ("staging", "1.4.0", "finished", "OPS-1.4.0"),
        ("staging", "1.5.0", "finished", "OPS-1.5.0"),
    ]
    event = ran.json()["events"][0]
    assert event["who"]["name"].count("@") == 1
    assert (event["from"], len(event["plan"])) == ({"staging": "dev", "production": "staging"}[event["stage"]], 64)
    assert [image["name"] for image in event["images"]] == ["api", "worker"]


def test_the_history_of_one_stage_has_its_latest_move_first(shop: Shop) -> None:
    ran = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "staging")
    first, second = ran.out.splitlines()
    assert "staging  promotion finished  shop 1.5.0" in first
    assert "shop 1.4.0" in second
    assert "from dev, ticket OPS-1.4.0" in second


def test_only_so_many_are_read_as_are_asked_for(shop: Shop) -> None:
    ran = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "staging", "--last", "1")
    assert len(ran.out.splitlines()) == 1
    assert len(shop.hosts[1].log.entries("GET", "imagesync-journal/manifests")) == 1


def test_a_version_is_looked_for_in_its_own_entries_and_in_the_one_that_came_next(shop: Shop) -> None:
    shop.push("1.6.0")
    shop.promote("1.6.0", "staging")
    for version, reads in (("1.4.0", 2), ("1.6.0", 1)):
        shop.forget()
        shop.promote(version, "production", "--dry-run")
        assert len(shop.hosts[1].log.entries("GET", "imagesync-journal/manifests")) == reads


def test_an_image_tells_why_it_is_where_it_is_without_a_spec(shop: Shop) -> None:
    ran = shop.cli("history", f"{shop.hosts[2].host}/shop/api:live")
    assert ran.code == 0
    assert "production  promotion finished  shop 1.4.0" in ran.out


def test_an_image_that_no_promotion_has_brought_says_so(shop: Shop) -> None:
    ran = shop.cli("history", f"{shop.hosts[0].host}/shop/api:1.4.0")
    assert (ran.code, "no promotion has brought it there" in ran.out) == (0, True)


def test_the_history_is_the_same_after_every_local_file_is_gone(shop: Shop, tmp_path: Path) -> None:
    """Of the promotion, of a stage, of an image, and why a tag is where it is; the spec is in git, and comes back."""
    back = ("--stage", "production", "--reason", "login", "--confirm")
    shop.promote("1.5.0", "production")
    assert shop.cli("rollback", "sync.yaml", "shop", *back).code == 0
    before = histories(shop)
    assert [len(one["events"]) for one in map(json.loads, before)] == [6, 2, 4, 1, 2]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.unlink()
    assert histories(shop, spec=False) == before[3:]
    shop.write()
    assert histories(shop) == before


def histories(shop: Shop, *, spec: bool = True) -> list[str]:
    """What each question is answered with; those that need no spec come last."""
    _, staging, production = (host.host for host in shop.hosts)
    by_spec = [("shop",), ("shop", "--stage", "staging"), ("shop", "--stage", "production")]
    asked = [(*one, "--spec", "sync.yaml") for one in by_spec] if spec else []
    images = [(f"{staging}/shop/worker:1.5.0",), (f"{production}/shop/api:live",)]
    ran = [shop.cli("history", *one, "--format", "json") for one in (*asked, *images)]
    assert [one.code for one in ran] == [0] * len(ran), [one.text for one in ran]
    return [one.out for one in ran]


def test_the_history_outlives_the_tags_that_it_tells_of(shop: Shop) -> None:
    before = shop.cli("history", "shop", "--spec", "sync.yaml").out
    for position in (1, 2):
        for name in shop.images:
            repository = shop.hosts[position].repository(f"shop/{name}")
            for tag in shop.tags(position, name):
                repository.delete_tag(Tag(tag))
    assert shop.cli("history", "shop", "--spec", "sync.yaml").out == before


def test_all_stages_may_have_one_journal_in_a_registry_of_its_own(cli: Cli, make_registry: MakeRegistry) -> None:
    records = make_registry()
    shop = Shop(cli, (make_registry(), make_registry(), make_registry()), more={"staging": "current: live"})
    written = Path(shop.write()).read_text()
    journal = f"    record:\n      journal: {records.host}/records/shop\n    stages:"
    cli.file(written.replace("    stages:", journal))
    for version in ("1.4.0", "1.5.0"):
        shop.push(version)
        assert shop.promote(version, "staging").code == 0
    assert shop.promote("1.4.0", "production").code == 0
    assert cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "x", "--confirm").code == 0
    assert (shop.entries(1), shop.entries(2)) == ([], [])
    tags = records.repository("records/shop").list_tags()
    assert len(tags) == 9, "two for each of four moves, and a hold"
    told = cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"]
    assert sorted((one["stage"], one["version"], one["ending"]) for one in told) == [
        ("production", "1.4.0", "finished"),
        ("staging", "1.4.0", "finished"),
        ("staging", "1.4.0", "finished"),
        ("staging", "1.4.0", "held"),
        ("staging", "1.5.0", "finished"),
    ]
    stages = cli("status", "sync.yaml", "--format", "json").json()["stages"]
    assert [one["released"] and one["released"]["version"] for one in stages] == [None, "1.4.0", "1.4.0"]


def test_the_account_and_the_run_of_ci_stand_in_the_record(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("GITHUB_ACTOR", "octocat"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", "42"),
    ):
        monkeypatch.setenv(name, value)
    shop.promote("1.5.0", "production")
    ran = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "production")
    assert "octocat (https://github.com/acme/shop/actions/runs/42)" in ran.out


def test_what_somebody_else_has_entered_is_no_record_and_the_error_says_what_to_do(shop: Shop) -> None:
    journal = shop.hosts[1].repository("shop/imagesync-journal")
    forged = make_image("forged", annotations={ANNOTATION: "{}"})
    push_image(journal, forged, "shop.staging.20990101T000000Z-0123456789ab.finished")
    ran = shop.cli("history", "shop", "--spec", "sync.yaml")
    assert ran.code == 1
    assert "it is no record of a promotion" in ran.err
    assert "delete that tag" in ran.err


def test_other_tags_in_a_journal_are_passed_over(shop: Shop) -> None:
    push_image(shop.hosts[1].repository("shop/imagesync-journal"), make_image("other"), "latest", "shop.staging.x")
    assert shop.cli("history", "shop", "--spec", "sync.yaml").code == 0


def test_foreign_text_of_a_record_reaches_no_terminal_as_it_is(shop: Shop) -> None:
    shop.promote("1.5.0", "production", "--ticket", "\x1b[31mred")
    ran = shop.cli("history", "shop", "--spec", "sync.yaml")
    assert "\x1b" not in ran.out
    assert "\\x1b[31mred" in ran.out


def test_the_first_stage_has_no_journal_to_read(shop: Shop) -> None:
    shop.hosts[0].script("GET", "/imagesync-journal/", status=401)
    ran = shop.cli("history", "shop", "--spec", "sync.yaml")
    assert (ran.code, len(ran.out.splitlines())) == (0, 3), ran.text


def test_a_stage_needs_a_promotion(shop: Shop) -> None:
    ran = shop.cli("history", "other", "--spec", "sync.yaml", "--stage", "dev")
    assert (ran.code, "there is: shop" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("more", "hint"), [((), "give its spec with --spec"), (("--spec", "sync.yaml"), "there is: shop")]
)
def test_a_name_alone_is_no_image_of_docker_hub(shop: Shop, more: tuple[str, ...], hint: str) -> None:
    ran = shop.cli("history", "shob", *more)
    assert (ran.code, "'shob' names no promotion" in ran.err, hint in ran.err) == (4, True, True), ran.err


def test_the_journal_entry_and_the_referrer_say_the_same(shop: Shop) -> None:
    ran = shop.cli("history", f"{shop.hosts[2].host}/shop/worker:live", "--format", "json")
    (event,) = ran.json()["events"]
    entries = shop.cli("history", "shop", "--spec", "sync.yaml", "--stage", "production", "--format", "json")
    assert entries.json()["events"] == [event]
    assert Tag("live") in event["images"][1]["tags"]
