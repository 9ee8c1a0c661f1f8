"""The diff: what was wanted and seen in, actions out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.plan.actions import Copy, Failure, Keep, Plan, Waiting
from imagesync.plan.diff import diff
from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.inventory import Absent, Broken, Inventory, NotRead, Present, Unreadable
from imagesync.plan.summary import summarise
from imagesync.plan.wants import make_wants
from imagesync.reference import Reference, Repository
from imagesync.report.model import plan_exit_code
from tests.plan.values import (
    HUB_NGINX,
    LOCAL_NGINX,
    make_index,
    make_inventory,
    make_manifest,
    make_reference,
    make_rule,
)

OLD, NEW = make_manifest("base", "old"), make_manifest("base", "new")
SOURCE, DESTINATION = make_reference(HUB_NGINX, "latest"), make_reference(LOCAL_NGINX, "latest")
WANTS = make_wants([make_rule("latest")], {})


def plan_of(inventory: Inventory) -> Plan:
    return diff(WANTS, inventory)


def test_the_same_digest_on_both_sides_is_kept_and_nothing_is_read() -> None:
    """MAN-16."""
    inventory = make_inventory({SOURCE: NEW, DESTINATION: NEW})
    plan = plan_of(inventory)
    assert [type(action) for action in plan.actions] == [Keep]
    assert summarise(plan).changes == 0
    assert plan.contents == {}


def test_an_absent_tag_is_added() -> None:
    inventory = make_inventory({SOURCE: NEW, DESTINATION: None})
    (copy,) = plan_of(inventory).copies()
    assert copy.replaces is None
    assert copy.source == Reference(HUB_NGINX, SOURCE.tag, NEW.digest)
    assert [blob.digest for blob in copy.missing] == [blob.digest for blob in NEW.successors()]
    assert copy.bytes_to_copy == sum(blob.size_bytes for blob in NEW.successors())


def test_another_digest_is_replaced_and_what_is_there_is_not_moved() -> None:
    held = OLD.successors()[1:2]
    inventory = make_inventory({SOURCE: NEW, DESTINATION: OLD}, present={LOCAL_NGINX: held})
    (copy,) = plan_of(inventory).copies()
    assert copy.replaces == OLD.digest
    assert held[0].digest not in {blob.digest for blob in copy.missing}
    assert copy.present_bytes == held[0].size_bytes
    assert summarise(plan_of(inventory)).update == 1


def test_an_index_is_planned_with_its_platforms_and_all_its_manifests() -> None:
    children = make_manifest("base", "amd"), make_manifest("base", "arm")
    index = make_index(*children)
    plan = plan_of(make_inventory({SOURCE: index, DESTINATION: None}, contents=children))
    (copy,) = plan.copies()
    assert copy.platforms == ("linux/amd64", "linux/arm64")
    assert len(copy.missing) == 5
    assert set(plan.contents) == {index.digest, *(child.digest for child in children)}


def test_within_one_registry_blobs_are_mounted() -> None:
    promoted = Repository("docker.io", "mirror/nginx")
    wants = make_wants([make_rule("latest", destinations=[promoted])], {})
    inventory = make_inventory({SOURCE: NEW, make_reference(promoted, "latest"): None})
    (copy,) = diff(wants, inventory).copies()
    assert (copy.bytes_to_copy, len(copy.missing)) == (0, 3)


def test_within_one_repository_no_blob_is_touched() -> None:
    """E2E-02: a new tag for what is there."""
    wants = make_wants([make_rule("latest", source=LOCAL_NGINX)], {})
    target = make_reference(LOCAL_NGINX, "latest")
    renamed = diff(wants, make_inventory({target: NEW}))
    assert [type(action) for action in renamed.actions] == [Keep]


def test_a_missing_source_tag_fails_that_image() -> None:
    (failure,) = plan_of(make_inventory({SOURCE: None, DESTINATION: OLD})).actions
    assert isinstance(failure, Failure)
    assert failure.reason == "source docker.io/library/nginx:latest: not found"
    assert failure.hint is not None
    assert "imagesync tags --repository docker.io/library/nginx" in failure.hint


def test_a_side_that_cannot_be_read_fails_that_image_with_its_reason() -> None:
    for heads in (
        {SOURCE: Broken("boom", "network"), DESTINATION: OLD},
        {SOURCE: NEW, DESTINATION: Broken("boom", "tls")},
    ):
        (failure,) = plan_of(make_inventory(heads)).actions
        assert isinstance(failure, Failure)
        assert failure.reason == "boom"


def test_a_destination_that_refuses_to_say_is_tried() -> None:
    """Decisions 22: GHCR answers 403 for what does not exist yet."""
    inventory = make_inventory({SOURCE: NEW, DESTINATION: Unreadable("denied")})
    (copy,) = plan_of(inventory).copies()
    assert (copy.replaces, copy.note) == (None, "not readable, will try")


def test_manifests_that_cannot_be_read_fail_that_image() -> None:
    heads = {SOURCE: Present(NEW.descriptor), DESTINATION: Absent()}
    inventory = Inventory(heads=heads, broken={NEW.digest: Broken("schema 1", "unsupported")})
    (failure,) = plan_of(inventory).actions
    assert isinstance(failure, Failure)
    assert failure.reason == "schema 1"


@pytest.mark.parametrize("exit_code", [0, 3])
def test_what_a_budget_does_not_cover_waits(exit_code: int) -> None:
    spent = NotRead("the budget is spent", "budget", "the next is free in 5 min", exit_code)
    heads = {SOURCE: Present(NEW.descriptor), DESTINATION: Absent()}
    plan = plan_of(Inventory(heads=heads, broken={NEW.digest: spent}))
    (waiting,) = plan.actions
    assert isinstance(waiting, Waiting)
    assert (waiting.reason, waiting.hint, waiting.exit_code) == (spent.reason, spent.hint, exit_code)
    assert (summarise(plan).waiting, summarise(plan).changes, summarise(plan).failed) == (1, 0, 0)
    assert plan_exit_code(plan, detailed=False) == exit_code
    assert plan_from_json(plan_to_json(plan), name="plan").actions == plan.actions


def test_a_blob_that_two_tags_need_is_counted_once() -> None:
    wants = make_wants([make_rule("a", "b")], {})
    heads = {
        make_reference(HUB_NGINX, "a"): NEW,
        make_reference(HUB_NGINX, "b"): OLD,
        make_reference(LOCAL_NGINX, "a"): None,
        make_reference(LOCAL_NGINX, "b"): None,
    }
    plan = diff(wants, make_inventory(heads))
    shared = next(blob for blob in NEW.successors() if blob in OLD.successors())
    total = sum(copy.bytes_to_copy for copy in plan.copies())
    assert summarise(plan).bytes_to_copy == total - shared.size_bytes


IMAGES = [make_manifest("layer", str(number)) for number in range(3)]
SIDES = st.one_of(st.none(), st.sampled_from(IMAGES))


@given(st.lists(st.tuples(SIDES, SIDES), max_size=6))
def test_each_want_becomes_one_action_and_only_differences_become_copies(pairs: list[tuple[object, object]]) -> None:
    tags = [f"t{number}" for number in range(len(pairs))]
    wants = make_wants([make_rule(*tags)], {}) if tags else ()
    heads = {}
    for tag, (source, destination) in zip(tags, pairs, strict=True):
        heads[make_reference(HUB_NGINX, tag)] = source
        heads[make_reference(LOCAL_NGINX, tag)] = destination
    plan = diff(wants, make_inventory(heads))  # type: ignore[arg-type]
    assert len(plan.actions) == len(pairs)
    for action, (source, destination) in zip(plan.actions, pairs, strict=True):
        expected = Failure if source is None else Keep if source is destination else Copy
        assert type(action) is expected
    assert summarise(plan).changes == len(plan.copies())
