"""Wire traces of immutable tags: what they cost, what a trusted list saves, and that none is ever written twice."""

from __future__ import annotations

import pytest

from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Status
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image
from tests.plan.values import make_immutable
from tests.traces.harness import Sync, kinds

TAGS = tuple(f"v{number}" for number in range(20))
LISTED = "GET /v2/mirror/app/tags/list 200"


@pytest.fixture
def sync(make_registry: MakeRegistry) -> Sync:
    made = Sync(make_registry(), make_registry())
    made.immutable = make_immutable("v*")
    return made


@pytest.fixture
def trusting(sync: Sync) -> Sync:
    sync.immutable = make_immutable("v*", trusts_list=True)
    return sync


def test_an_immutable_tag_that_is_there_costs_two_requests(sync: Sync) -> None:
    """MAN-18: the same digest."""
    sync.fill(make_index(), "v1")
    sync.apply("v1")
    sync.destination.script("PUT", "/manifests/", status=409, body=b'{"errors":[{"code":"TAG_IMMUTABLE"}]}')
    assert [outcome.status for outcome in sync.apply("v1")] == [Status.UNCHANGED]
    assert sync.source.log.lines() == ["HEAD /v2/app/manifests/v1 200"]
    assert sync.destination.log.lines() == ["HEAD /v2/mirror/app/manifests/v1 200"]


def test_an_immutable_tag_with_another_digest_costs_two_requests_and_keeps_it(sync: Sync) -> None:
    """MAN-18: another digest. The rest is carried out."""
    sync.fill(make_image("old"), "v1")
    sync.apply("v1")
    sync.fill(make_image("new"), "v1")
    sync.fill(make_image("two"), "v2")
    outcomes = {str(outcome.action.destination.tag): outcome for outcome in sync.apply("v1", "v2")}  # type: ignore[union-attr]
    assert (outcomes["v1"].status, outcomes["v1"].exit_code) == (Status.BLOCKED, 3)
    assert outcomes["v2"].status is Status.COPIED
    for side in (sync.source, sync.destination):
        assert len(side.log.lines("HEAD", "manifests/v1")) == 1
        assert side.log.lines("PUT", "manifests/v1") == side.log.lines("GET", "manifests/v1") == []


def test_an_immutable_tag_is_looked_at_right_before_it_is_first_written(sync: Sync) -> None:
    sync.fill(make_image(), "v1")
    sync.apply("v1")
    lines = sync.destination.log.lines("", "manifests")
    assert lines == [
        "HEAD /v2/mirror/app/manifests/v1 404",
        "HEAD /v2/mirror/app/manifests/v1 404",
        "PUT /v2/mirror/app/manifests/v1 201",
    ]


@pytest.mark.parametrize("is_saved", [True, False])
def test_an_immutable_tag_that_appears_meanwhile_is_left_alone(sync: Sync, is_saved: bool) -> None:
    other = make_image("of another hand")
    sync.fill(make_image("ours"), "v1")
    plan = sync.plan("v1")
    push_image(sync.destination.repository("mirror/app"), other, "v1")
    if is_saved:
        plan = plan_from_json(plan_to_json(plan), name="plan")
    (outcome,) = sync.apply(plan=plan)
    assert (outcome.status, outcome.kind, outcome.exit_code) == (Status.BLOCKED, "immutable", 3)
    assert other.digest.short in outcome.reason
    assert "delete the tag at the destination" in (outcome.hint or "")
    assert sync.destination.log.lines("PUT", "manifests") == []
    assert sync.destination.repository("mirror/app").resolve("v1").digest == other.digest  # type: ignore[arg-type]


def test_an_immutable_tag_that_somebody_else_has_written_right_is_done(sync: Sync) -> None:
    image = make_image("ours")
    sync.fill(image, "v1")
    plan = sync.plan("v1")
    push_image(sync.destination.repository("mirror/app"), image, "v1")
    (outcome,) = sync.apply(plan=plan)
    assert outcome.status is Status.UNCHANGED
    assert sync.destination.log.lines("PUT", "manifests") == []


def test_with_a_trusted_list_the_tags_that_are_there_cost_one_request_together(trusting: Sync) -> None:
    image = make_image(layers=1, layer_bytes=10)
    for tag in TAGS:
        trusting.fill(image, tag)
    trusting.apply(*TAGS)
    assert [outcome.status for outcome in trusting.apply(*TAGS)] == [Status.ASSUMED] * 20
    assert trusting.source.log.lines() == []
    assert trusting.destination.log.lines() == [LISTED]


def test_with_a_trusted_list_a_filter_costs_one_list_a_side(trusting: Sync) -> None:
    for tag in TAGS:
        trusting.fill(make_image(layers=1, layer_bytes=10), tag)
    trusting.apply("v*")
    assert [outcome.status for outcome in trusting.apply("v*")] == [Status.ASSUMED] * 20
    assert trusting.source.log.lines() == ["GET /v2/app/tags/list 200"]
    assert trusting.destination.log.lines() == [LISTED]


def test_with_a_trusted_list_the_other_tags_are_asked_for_as_ever(trusting: Sync) -> None:
    image = make_image(layers=1, layer_bytes=10)
    for tag in ("v1", "v2", "latest"):
        trusting.fill(image, tag)
    trusting.apply("v1", "latest")
    outcomes = trusting.apply("v1", "v2", "latest")
    assert sorted(outcome.status.value for outcome in outcomes) == ["assumed", "copied", "unchanged"]
    assert trusting.source.log.lines("", "manifests/v1") == trusting.destination.log.lines("", "manifests/v1") == []
    assert kinds(trusting.source)["HEAD manifests"] == 2
    assert trusting.destination.log.lines("HEAD", "manifests/latest") == ["HEAD /v2/mirror/app/manifests/latest 200"]


@pytest.mark.parametrize("tags", [("latest",), ("l*",)])
def test_a_list_that_decides_no_tag_is_not_read(trusting: Sync, tags: tuple[str, ...]) -> None:
    for tag in ("v1", "latest"):
        trusting.fill(make_image(layers=1, layer_bytes=10), tag)
    trusting.apply("v1", "latest")
    assert [outcome.status for outcome in trusting.apply(*tags)] == [Status.UNCHANGED]
    assert kinds(trusting.destination) == {"HEAD manifests": 1}


@pytest.mark.parametrize("status", [401, 404, 500])
def test_where_a_trusted_list_cannot_be_read_each_tag_is_asked_for(
    trusting: Sync, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imagesync.cancellation.Cancellation.wait", lambda self, _seconds: self.check())
    trusting.fill(make_image(), "v1")
    trusting.apply("v1")
    trusting.destination.script("GET", "/tags/list", status=status)
    assert [outcome.status for outcome in trusting.apply("v1")] == [Status.UNCHANGED]
    assert kinds(trusting.source) == {"HEAD manifests": 1}
    assert kinds(trusting.destination)["HEAD manifests"] == 1
