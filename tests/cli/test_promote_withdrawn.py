"""A promotion whose first tag has moved at the last moment: nothing of it is written, and it is not left as begun."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.cli.command import Cli, Ran
from tests.cli.promoting import Shop
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry
from tests.images import make_image, push_image

CURRENT = "current: staging"
MOVED = make_image("moved by another hand")


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry) -> Shop:
    """Within one repository, so that nothing has to be brought; staging runs 1.4.0."""
    one = make_registry()
    made = Shop(cli, (one, one, one), images=("api",), more={"staging": CURRENT, "production": "current: live"})
    made.write()
    for version in ("1.4.0", "1.5.0"):
        made.push(version)
    assert made.promote("1.4.0", "staging").code == 0
    return made


def move_once_it_has_started(shop: Shop, tag: str = "staging") -> None:
    """Let another hand move a tag when the run has written that it begins."""
    done = threading.Lock()

    def move(request: Entry) -> None:
        is_late = request.method in ("HEAD", "PUT") and "/api/manifests/" in request.path
        if is_late and shop.entries(0)[-1] == "started" and done.acquire(blocking=False):
            push_image(shop.hosts[0].repository("shop/api"), MOVED, tag)

    shop.hosts[0].call_before_each(move)


def staging_of(shop: Shop) -> Any:
    return shop.cli("status", "sync.yaml", "--format", "json").json()["stages"][1]


def events(shop: Shop) -> list[tuple[str, str]]:
    found = shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json").json()["events"]
    return [(event["version"], event["ending"]) for event in found]


def test_a_tag_that_moved_at_the_last_moment_is_stale_and_the_stage_is_not_incomplete(shop: Shop) -> None:
    move_once_it_has_started(shop)
    ran = shop.promote("1.5.0", "staging")
    assert ran.code == 3, ran.text
    assert "the tag pointed to" in ran.text
    assert shop.tags(0, "api")["staging"] == MOVED.digest
    assert shop.entries(0)[-2:] == ["started", "withdrawn"]
    found = staging_of(shop)
    assert (found["incomplete"], found["released"]["version"]) == (None, "1.4.0")
    assert events(shop) == [("1.5.0", "withdrawn"), ("1.4.0", "finished")]


def test_the_same_command_brings_it_once_the_tag_has_been_looked_at(shop: Shop) -> None:
    move_once_it_has_started(shop)
    shop.promote("1.5.0", "staging")
    assert shop.promote("1.5.0", "staging").code == 0
    assert staging_of(shop)["released"]["version"] == "1.5.0"
    assert events(shop)[0] == ("1.5.0", "finished")


def test_what_a_withdrawn_promotion_cost_is_one_request_more(shop: Shop) -> None:
    move_once_it_has_started(shop)
    shop.forget()
    shop.promote("1.5.0", "staging")
    assert len(shop.writes()) == 2, "that it has started, and that nothing came of it"


def test_where_a_tag_was_written_before_the_stage_is_incomplete(shop: Shop) -> None:
    shop.more["staging"] = f"{CURRENT}\nretag: '{{tag}}-rc'"
    shop.write()
    move_once_it_has_started(shop)
    assert shop.promote("1.5.0", "staging").code == 3
    assert shop.entries(0)[-1] == "started"
    assert staging_of(shop)["incomplete"]["version"] == "1.5.0"


def test_where_nobody_knows_whether_a_tag_was_written_the_stage_is_incomplete(shop: Shop) -> None:
    shop.hosts[0].script("PUT", "/api/manifests/staging", status=403)
    assert shop.promote("1.5.0", "staging").code == 1
    assert shop.entries(0)[-1] == "started"
    assert staging_of(shop)["incomplete"]["version"] == "1.5.0"


def test_what_an_earlier_run_has_left_incomplete_stays_so_where_a_later_one_is_withdrawn(shop: Shop) -> None:
    shop.hosts[0].script("PUT", "/api/manifests/staging", status=403)
    shop.promote("1.5.0", "staging")
    shop.hosts[0].unscript()
    shop.push("1.6.0")
    first = staging_of(shop)["incomplete"]["entry"]
    move_once_a_later_run_has_started(shop)
    assert shop.promote("1.6.0", "staging").code == 3
    assert shop.entries(0)[-2:] == ["started", "withdrawn"]
    assert staging_of(shop)["incomplete"]["entry"] == first


def move_once_a_later_run_has_started(shop: Shop) -> None:
    """As above, where a run that was cut off has left its own beginning."""
    begun, done = shop.entries(0).count("started"), threading.Lock()

    def move(request: Entry) -> None:
        is_late = request.method == "HEAD" and request.path.endswith("/api/manifests/staging")
        if is_late and shop.entries(0).count("started") > begun and done.acquire(blocking=False):
            push_image(shop.hosts[0].repository("shop/api"), MOVED, "staging")

    shop.hosts[0].call_before_each(move)


def test_a_rollback_that_finds_its_tag_moved_stays_incomplete_since_its_hold_stands(shop: Shop) -> None:
    assert shop.promote("1.5.0", "staging").code == 0
    move_once_it_has_started(shop)
    ran = back(shop)
    assert (ran.code, shop.entries(0)[-1]) == (3, "started"), ran.text
    assert staging_of(shop)["incomplete"]["move"] == "rollback"


def back(shop: Shop) -> Ran:
    return shop.cli("rollback", "sync.yaml", "shop", "--stage", "staging", "--reason", "trial", "--confirm")
