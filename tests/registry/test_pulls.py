"""Pulls: what counts as one, what a budget and a registry leave, and a manifest that is not asked for."""

from __future__ import annotations

import pytest

from imagesync.errors import BudgetError, NetworkError, StoreError
from imagesync.reference import Tag, make_repository
from imagesync.registry import PullCount
from imagesync.registry.pulls import MemoryLedger, Pulls
from imagesync.settings import PullBudget, RegistrySettings, WhenSpent
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import make_image, push_image
from tests.registry.remote import PLAIN, open_registries
from tests.registry.wire import WireServer

WINDOW = 6 * 3600.0
LATEST = Tag("latest")
HUB = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "3;w=21600"}
SPENT = {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_pulls(clock: Clock, pulls: int = 2, when_spent: WhenSpent = WhenSpent.STOP) -> Pulls:
    return Pulls("docker.io", PullBudget(pulls, WINDOW, when_spent), MemoryLedger(clock), clock)


def pull(pulls: Pulls, times: int = 1) -> None:
    for _ in range(times):
        with pulls.one():
            pass


def test_one_pull_more_than_the_budget_is_not_made(clock: Clock) -> None:
    pulls = make_pulls(clock)
    pull(pulls, 2)
    assert pulls.count() == PullCount(used=2, left=0, limit=2, window_seconds=WINDOW)
    with pytest.raises(BudgetError) as raised, pulls.one():
        pytest.fail("it was sent")
    assert str(raised.value) == (
        "docker.io: the budget of 2 pulls in 6 hours is spent (nothing was sent; the next is free in 6.0 h)"
    )
    assert (raised.value.kind, raised.value.exit_code, raised.value.is_transient) == ("budget", 3, False)
    assert pulls.count().used == 2


def test_a_budget_that_is_spent_by_what_is_under_way_says_when_the_next_is_free_too(clock: Clock) -> None:
    pulls = make_pulls(clock)
    with pulls.one(), pulls.one(), pytest.raises(BudgetError) as raised, pulls.one():
        pytest.fail("it was sent")
    assert raised.value.hint == "nothing was sent; the next is free in 6.0 h"


def test_a_budget_is_free_again_when_its_oldest_pull_has_left_the_window(clock: Clock) -> None:
    pulls = make_pulls(clock)
    pull(pulls)
    clock.now += 3600
    pull(pulls)
    clock.now += WINDOW - 2 * 3600
    with pytest.raises(BudgetError, match=r"free in 60 min"), pulls.one():
        pass
    clock.now += 3601
    pull(pulls)
    assert pulls.count() == PullCount(used=3, left=0, limit=2, window_seconds=WINDOW)


def test_pulls_under_way_count(clock: Clock) -> None:
    """Threads that ask at once cannot overdraw it together."""
    pulls = make_pulls(clock)
    with pulls.one(), pulls.one(), pytest.raises(BudgetError), pulls.one():
        pass
    assert pulls.count().used == 2


def test_a_pull_that_found_nobody_does_not_count(clock: Clock) -> None:
    pulls = make_pulls(clock)
    for _ in range(5):
        with pytest.raises(NetworkError), pulls.one():
            raise NetworkError("refused")
    assert pulls.count() == PullCount(used=0, left=2, limit=2, window_seconds=WINDOW)


@pytest.mark.parametrize("when_spent", WhenSpent)
def test_the_error_says_whether_the_spec_wants_to_wait(clock: Clock, when_spent: WhenSpent) -> None:
    pulls = make_pulls(clock, 1, when_spent)
    pull(pulls)
    with pytest.raises(BudgetError) as raised, pulls.one():
        pass
    assert raised.value.is_deferred is (when_spent is WhenSpent.DEFER)


def test_a_ledger_of_earlier_runs_is_heeded(clock: Clock) -> None:
    ledger = MemoryLedger(clock)
    ledger.add("docker.io")
    ledger.add("quay.io")
    pulls = Pulls("docker.io", PullBudget(2, WINDOW), ledger, clock)
    assert pulls.count() == PullCount(used=0, left=1, limit=2, window_seconds=WINDOW)


def test_the_smaller_of_budget_and_registry_binds(clock: Clock) -> None:
    pulls = make_pulls(clock, 50)
    pulls.heard(HUB)
    assert pulls.count() == PullCount(used=0, left=3, limit=100, window_seconds=21600)
    pull(pulls)
    assert pulls.count().left == 2, "less what was begun since it was said"
    pulls.heard({"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "90;w=21600"})
    assert pulls.count() == PullCount(used=1, left=49, limit=50, window_seconds=WINDOW)


def test_where_the_registry_has_none_left_nothing_is_sent_until_its_window_has_passed(clock: Clock) -> None:
    pulls = Pulls("docker.io", None, MemoryLedger(clock), clock)
    pull(pulls)
    assert pulls.count() == PullCount(used=1)
    pulls.heard(SPENT)
    with pytest.raises(BudgetError, match=r"the registry says that no pull is left.*6\.0 h"), pulls.one():
        pass
    clock.now += 21600
    pull(pulls)


def test_a_window_that_begins_anew_sooner_is_waited_for_no_longer(clock: Clock) -> None:
    pulls = Pulls("docker.io", None, MemoryLedger(clock), clock)
    pulls.heard({**SPENT, "ratelimit-reset": "90"})
    with pytest.raises(BudgetError, match="free in 90 s"), pulls.one():
        pass
    clock.now += 90
    pull(pulls)


def test_junk_after_a_number_does_not_undo_it(clock: Clock) -> None:
    pulls = Pulls("docker.io", None, MemoryLedger(clock), clock)
    pulls.heard(SPENT)
    pulls.heard({"ratelimit-remaining": "lots"})
    assert pulls.count().left == 0


@pytest.fixture
def hub(registry: FakeRegistry) -> FakeRegistry:
    push_image(registry.repository("a/b"), make_image(), "latest")
    return registry


def test_heads_are_free_and_gets_are_counted(hub: FakeRegistry) -> None:
    settings = RegistrySettings(tls=PLAIN.tls, pulls=PullBudget(2, WINDOW))
    with open_registries((hub.host, settings)) as registries:
        repository = registries.repository(make_repository(hub.host, "a/b"))
        for _ in range(5):
            repository.resolve(LATEST)
        repository.fetch_manifest(LATEST)
        repository.fetch_manifest(LATEST)
        with pytest.raises(BudgetError) as raised:
            repository.fetch_manifest(LATEST)
        assert registries.pulls() == {hub.host: PullCount(2, 0, 2, WINDOW)}
    assert (raised.value.operation, raised.value.reference) == ("GET manifest", f"{hub.host}/a/b:latest")
    assert len(hub.log.entries("GET", "/manifests/")) == 2


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_what_the_registry_says_is_left_is_known_to_who_plans(hub: FakeRegistry, method: str) -> None:
    """LIM-04: with three left, a plan that needs ten can warn before it reads any."""
    hub.script(method, "/manifests/", headers=HUB)
    with open_registries() as registries:
        repository = registries.repository(make_repository(hub.host, "a/b"))
        (repository.resolve if method == "HEAD" else repository.fetch_manifest)(LATEST)
        assert registries.pulls() == {hub.host: PullCount(int(method == "GET"), 3, 100, 21600)}


def test_a_head_that_says_that_none_is_left_saves_the_get(hub: FakeRegistry) -> None:
    hub.script("HEAD", "/manifests/", headers=SPENT)
    with open_registries() as registries:
        repository = registries.repository(make_repository(hub.host, "a/b"))
        repository.resolve(LATEST)
        with pytest.raises(BudgetError, match="no pull is left"):
            repository.fetch_manifest(LATEST)
    assert hub.log.entries("GET", "/manifests/") == []


def test_a_registry_that_says_nothing_has_no_limit(hub: FakeRegistry) -> None:
    with open_registries() as registries:
        registries.repository(make_repository(hub.host, "a/b")).fetch_manifest(LATEST)
        assert registries.pulls() == {hub.host: PullCount(used=1)}


def test_what_a_mirror_answers_is_not_charged_to_its_origin(make_registry: MakeRegistry) -> None:
    origin, mirror, image = make_registry(), make_registry(), make_image()
    for found in (origin, mirror):
        push_image(found.repository("a/b"), image, "latest")
    budget = PullBudget(1, WINDOW)
    settings = RegistrySettings(tls=PLAIN.tls, pulls=budget)
    with open_registries(
        (origin.host, RegistrySettings(tls=PLAIN.tls, pulls=budget, mirrors=(mirror.host,))), (mirror.host, settings)
    ) as registries:
        repository = registries.repository(make_repository(origin.host, "a/b"))
        for _ in range(2):
            repository.fetch_manifest(image.digest)
        assert {host: count.used for host, count in registries.pulls().items()} == {origin.host: 1, mirror.host: 1}
        with pytest.raises(StoreError, match="budget of 1 pull in 6 hours"):
            repository.fetch_manifest(image.digest)


def test_a_registry_that_is_not_there_costs_no_pull() -> None:
    with WireServer() as server:
        host = server.host
    settings = RegistrySettings(tls=PLAIN.tls, pulls=PullBudget(1, WINDOW))
    with open_registries((host, settings)) as registries, pytest.raises(NetworkError, match="refused"):
        registries.repository(make_repository(host, "a/b")).fetch_manifest(LATEST)


def test_what_is_needed_together_is_set_aside_or_refused_with_the_numbers(clock: Clock) -> None:
    pulls = make_pulls(clock, 5, WhenSpent.DEFER)
    pulls.reserve(3)
    with pytest.raises(BudgetError) as raised:
        pulls.reserve(3)
    assert str(raised.value) == (
        "docker.io: that takes up to 3 pulls, and 2 of the budget of 5 pulls in 6 hours are left (nothing was read)"
    )
    assert raised.value.is_deferred
    assert pulls.count().used == 0


def test_what_was_set_aside_is_not_counted_twice_once_it_is_read(clock: Clock) -> None:
    pulls = make_pulls(clock, 5)
    pulls.reserve(3)
    pull(pulls, 3)
    pulls.reserve(2)
    with pytest.raises(BudgetError, match="up to 1 pull, and 0 of"):
        pulls.reserve(1)


def test_without_a_limit_anything_can_be_set_aside(clock: Clock) -> None:
    Pulls("quay.io", None, MemoryLedger(clock), clock).reserve(10_000)


def test_what_a_registry_says_is_left_can_be_too_little(clock: Clock) -> None:
    pulls = Pulls("docker.io", None, MemoryLedger(clock), clock)
    pulls.heard(HUB)
    with pytest.raises(BudgetError, match="up to 4 pulls, and 3 are left"):
        pulls.reserve(4)
