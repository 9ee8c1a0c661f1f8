"""The group LIM as whole runs: how long a registry is left alone, and when that is no use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from imagesync.executor.ahead import MAX_BYTES
from imagesync.plan.outcome import Status
from imagesync.registry.retry import RetryPolicy
from imagesync.settings import PullBudget
from tests.images import make_image
from tests.traces.harness import Sync
from tests.wire.conftest import Broken, Clock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LONGEST = RetryPolicy().longest_seconds
PULL_LIMIT = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'


def date(seconds: float) -> str:
    return format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("said", "between"),
    [
        ("7", (7, 8)),
        (date(9), (9, 10)),
        ("-5", (0, 1)),
        (date(-30), (0, 1)),
        ("1000000000", (LONGEST, LONGEST + 1)),
        ("soon", (0, LONGEST)),
        ("", (0, LONGEST)),
    ],
)
@pytest.mark.parametrize("place", [("HEAD", "/manifests/"), ("GET", "/manifests/"), ("GET", "/blobs/")])
def test_a_wait_that_is_asked_for_is_kept(
    broken: Broken, clock: Clock, place: tuple[str, str], said: str, between: tuple[float, float]
) -> None:
    """LIM-01: seconds, a date by the server's own clock, the past, far too long, and junk.

    A blob waits a moment more, for a whole new attempt; one that is small waits in the scheduler, with no thread.
    That the whole host is left alone (LIM-02) needs a clock that runs: see the tests of the registry.
    """
    image = make_image(layers=1, layer_bytes=2 * MAX_BYTES)
    broken.sync.fill(image, "latest")
    headers = {"Retry-After": said, "Date": date(0)} if said else {}
    method, path = place
    large = max(image.blobs, key=lambda digest: len(image.blobs[digest]))
    rule = broken.source.answers(method, f"/blobs/{large}" if path == "/blobs/" else path, 429, headers=headers)
    began = clock.now
    (outcome,) = broken.sync.apply("latest")
    assert (outcome.status, rule.broken) == (Status.COPIED, 1)
    least, most = between
    assert least <= clock.now - began <= most


@pytest.mark.parametrize("headers", [{"ratelimit-limit": "100;w=21600"}, {}])
def test_a_pull_limit_that_is_used_up_fails_at_once(sync: Sync, clock: Clock, headers: dict[str, str]) -> None:
    """LIM-03: it would last for hours. The other image is copied."""
    for tag in ("a", "b"):
        sync.fill(make_image(tag), tag)
    digest = make_image("a").digest
    rule = sync.source.script("GET", f"/manifests/{digest}", status=429, headers=headers, body=PULL_LIMIT)
    outcomes = {outcome.status: outcome for outcome in sync.apply("a", "b")}
    assert set(outcomes) == {Status.COPIED, Status.FAILED}
    failed = outcomes[Status.FAILED]
    assert failed.kind == "limit"
    assert "pull limit" in failed.reason
    assert ("100 in 6 hours" in failed.reason) is bool(headers)
    assert (rule.seen, clock.waits) == (1, [])


def test_what_the_budget_does_not_cover_is_not_asked_for(sync: Sync) -> None:
    """The other image is copied; the destination is not asked for less."""
    for tag in ("a", "b"):
        sync.fill(make_image(tag), tag)
    host, settings = sync.settings.hosts[0]
    limited = replace(settings, pulls=PullBudget(1, 3600))
    sync.settings = replace(sync.settings, hosts=((host, limited), *sync.settings.hosts[1:]))
    outcomes = {outcome.status: outcome for outcome in sync.apply("a", "b")}
    assert set(outcomes) == {Status.COPIED, Status.WAITING}
    waiting = outcomes[Status.WAITING]
    assert waiting.exit_code == 3
    assert "the budget of 1 pull in an hour is spent" in waiting.reason
    assert len(sync.source.log.entries("GET", "/manifests/")) == 1
