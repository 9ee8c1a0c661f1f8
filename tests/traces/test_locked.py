"""Wire traces of rules that are held to a lock: two HEADs a tag as ever, no list, and the digest where a tag moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from imagesync.plan.actions import Copy, Keep
from imagesync.plan.following import UpstreamMoved
from imagesync.plan.locking import hold
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Tag
from imagesync.spec.model import Spec
from imagesync.spec.pins import Lock, Pin
from tests.conftest import MakeRegistry
from tests.images import MadeImage, make_image, make_index
from tests.traces.harness import Sync, kinds
from tests.traces.narrowing import keep, narrowed

OLD, NEW = make_index("old"), make_index("new")


class LockedSync(Sync):
    """A Sync whose rules are held to `lock`."""

    lock: dict[str, MadeImage] | None = None

    def spec(self, tags: Sequence[str], to: Sequence[str]) -> Spec:
        spec = super().spec(tags, to)
        if self.lock is None:
            return spec
        source = f"{self.source_host}/app"
        lock = Lock.of(Pin(source, Tag(tag), image.digest) for tag, image in self.lock.items())
        return replace(spec, rules=hold(spec.rules, lock))


@pytest.fixture
def sync(make_registry: MakeRegistry) -> LockedSync:
    return LockedSync(make_registry(), make_registry())


def there(sync: LockedSync, tag: str, path: str = "mirror/app") -> str:
    return sync.destination.repository(path).resolve(Tag(tag)).digest


def test_a_lock_pins_the_source_of_a_narrowed_tag(sync: LockedSync) -> None:
    """Of what it holds on to the same platforms are kept, and the plan says that the tag moved."""
    sync.platforms = keep("linux/amd64")
    sync.fill(OLD, "v1")
    sync.lock = {"v1": OLD}
    assert [outcome.status for outcome in sync.apply("v1")] == [Status.COPIED]
    sync.fill(NEW, "v1")
    (action,) = sync.plan("v1").actions
    assert isinstance(action, Keep)
    assert (action.source.digest, action.found) == (OLD.digest, narrowed(OLD))
    assert action.moved == UpstreamMoved(NEW.digest)
    sync.lock = {"v1": NEW}
    assert [outcome.status for outcome in sync.apply("v1")] == [Status.COPIED]
    assert there(sync, "v1") == narrowed(NEW)


def test_nothing_to_do_costs_two_heads_a_tag_and_no_list(sync: LockedSync) -> None:
    sync.fill(OLD, "v1")
    sync.fill(NEW, "v2")
    sync.lock = {"v1": OLD, "v2": NEW}
    sync.apply("v*")
    assert {outcome.status for outcome in sync.apply("v*")} == {Status.UNCHANGED}
    assert sorted(sync.source.log.lines()) == ["HEAD /v2/app/manifests/v1 200", "HEAD /v2/app/manifests/v2 200"]
    assert kinds(sync.destination) == {"HEAD manifests": 2}


def test_a_tag_that_moved_upstream_is_kept_and_costs_no_more(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.lock = {"1": OLD}
    sync.apply("1")
    sync.fill(NEW, "1")
    (outcome,) = sync.apply("1")
    assert outcome.status is Status.UNCHANGED
    assert moved(outcome) == UpstreamMoved(NEW.digest)
    assert (kinds(sync.source), kinds(sync.destination)) == ({"HEAD manifests": 1}, {"HEAD manifests": 1})


def moved(outcome: Outcome) -> UpstreamMoved | None:
    assert isinstance(outcome.action, Copy | Keep)
    return outcome.action.moved


def test_a_destination_gets_the_locked_digest_where_the_tag_moved(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.fill(NEW, "1")
    sync.lock = {"1": OLD}
    (outcome,) = sync.apply("1")
    assert (outcome.status, moved(outcome), there(sync, "1")) == (Status.COPIED, UpstreamMoved(NEW.digest), OLD.digest)
    assert sync.source.log.lines("HEAD") == [
        "HEAD /v2/app/manifests/1 200",
        f"HEAD /v2/app/manifests/{OLD.digest} 200",
    ]
    assert sync.source.log.lines("GET", "/manifests/1 ") == []


class PinnedSync(Sync):
    """A Sync of one tag, which the spec names together with a digest."""

    def spec(self, tags: Sequence[str], to: Sequence[str]) -> Spec:
        spec = super().spec(tags, to)
        (rule,) = spec.rules
        return replace(spec, rules=(replace(rule, digest=OLD.digest, named_tag=Tag(tags[0])),))


def test_a_digest_of_the_spec_is_copied_and_its_tag_that_moved_is_told(make_registry: MakeRegistry) -> None:
    """REF-05: it costs a request more in the run that copies it, and none while the tag stands."""
    sync = PinnedSync(make_registry(), make_registry())
    sync.fill(OLD, "1")
    (outcome,) = sync.apply("1")
    assert (outcome.status, moved(outcome)) == (Status.COPIED, None)
    assert sync.source.log.lines("HEAD") == ["HEAD /v2/app/manifests/1 200"]
    sync.fill(NEW, "1")
    (outcome,) = sync.apply("1")
    assert (outcome.status, moved(outcome)) == (Status.UNCHANGED, UpstreamMoved(NEW.digest))
    assert kinds(sync.source) == {"HEAD manifests": 1}
    (outcome,) = sync.apply("1", to=["other"])
    assert (outcome.status, moved(outcome)) == (Status.COPIED, UpstreamMoved(NEW.digest))
    assert sync.destination.repository("other").resolve(Tag("1")).digest == OLD.digest


def test_a_destination_that_ran_ahead_is_brought_back_to_the_lock(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.fill(NEW, "1")
    sync.apply("1")
    sync.lock = {"1": OLD}
    (outcome,) = sync.apply("1")
    assert isinstance(outcome.action, Copy)
    assert (outcome.action.replaces, there(sync, "1")) == (NEW.digest, OLD.digest)


def test_a_tag_that_is_gone_upstream_is_kept(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.lock = {"1": OLD}
    sync.apply("1")
    sync.source.script("", "/manifests/1$", status=404)
    (outcome,) = sync.apply("1")
    assert (outcome.status, moved(outcome)) == (Status.UNCHANGED, UpstreamMoved(None))


def test_a_tag_that_is_gone_upstream_is_copied_by_its_digest(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.lock = {"1": OLD}
    sync.source.script("", "/manifests/1$", status=404)
    (outcome,) = sync.apply("1")
    assert (outcome.status, there(sync, "1")) == (Status.COPIED, OLD.digest)


def test_a_locked_digest_that_is_gone_fails_and_says_so(sync: LockedSync) -> None:
    sync.fill(NEW, "1")
    sync.lock = {"1": make_image("lost")}
    (outcome,) = sync.apply("1")
    assert outcome.status is Status.FAILED
    assert "not found" in outcome.reason
    assert "it is what the lock has: `imagesync lock --update all/app`" in (outcome.hint or "")
    assert sync.destination.log.lines("PUT") == []


def test_a_destination_that_has_what_is_gone_at_the_source_is_right_and_another_fails(sync: LockedSync) -> None:
    sync.fill(OLD, "1")
    sync.lock = {"1": OLD}
    sync.apply("1")
    sync.fill(NEW, "1")
    sync.source.script("", f"/manifests/{OLD.digest}", status=404)
    outcomes = sync.apply("1", to=("mirror/app", "mirror/other"))
    assert [outcome.status for outcome in outcomes] == [Status.UNCHANGED, Status.FAILED]
    assert "`imagesync lock --update all/app`" in (outcomes[1].hint or "")
