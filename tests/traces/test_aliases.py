"""Wire traces of aliases: one HEAD more for each, a look at the destination's versions only where one would move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from imagesync.plan.file import plan_from_json, plan_to_json
from imagesync.plan.outcome import Outcome, Status
from imagesync.reference import Tag
from imagesync.selection import Alias, Retag
from imagesync.spec.model import ALL_ATTACHMENTS, Spec
from tests.conftest import MakeRegistry
from tests.images import make_image, make_index, push_image
from tests.plan.values import make_immutable
from tests.traces.harness import Sync, kinds

ONE, TWO = make_index("one"), make_index("two")


class AliasedSync(Sync):
    aliases: tuple[str, ...] = ("{major}.{minor}", "stable")

    def spec(self, tags: Sequence[str], to: Sequence[str]) -> Spec:
        spec = super().spec(tags, to)
        aliases = tuple(map(Alias, self.aliases))
        return replace(spec, rules=tuple(replace(rule, aliases=aliases) for rule in spec.rules))


@pytest.fixture
def sync(make_registry: MakeRegistry) -> AliasedSync:
    made = AliasedSync(make_registry(), make_registry())
    made.fill(ONE, "1.0.1")
    return made


def tags(sync: Sync, path: str = "mirror/app") -> dict[str, str]:
    repository = sync.destination.repository(path)
    return {str(tag): repository.resolve(tag).digest for tag in repository.list_tags()}


def statuses(outcomes: Sequence[Outcome]) -> dict[str, Status]:
    return {str(one.action.destination.tag): one.status for one in outcomes}  # type: ignore[union-attr]


def test_an_alias_is_written_after_the_tag_of_its_version(sync: AliasedSync) -> None:
    outcomes = sync.apply("1.0.1")
    assert set(statuses(outcomes).values()) == {Status.COPIED}
    puts = [line for line in sync.destination.log.lines("PUT", "/manifests/") if "sha256" not in line]
    assert puts[0] == "PUT /v2/mirror/app/manifests/1.0.1 201"
    assert sorted(puts[1:]) == ["PUT /v2/mirror/app/manifests/1.0 201", "PUT /v2/mirror/app/manifests/stable 201"]
    assert tags(sync) == dict.fromkeys(("1.0", "1.0.1", "stable"), ONE.digest)


def test_an_alias_that_is_right_costs_one_head_at_the_destination(sync: AliasedSync) -> None:
    sync.apply("1.0.1")
    assert set(statuses(sync.apply("1.0.1")).values()) == {Status.UNCHANGED}
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {"HEAD manifests": 3}


def test_an_alias_moves_with_a_new_version_and_reads_nothing_twice(sync: AliasedSync) -> None:
    sync.apply("1.0.*")
    sync.fill(TWO, "1.0.2")
    assert statuses(sync.apply("1.0.*"))["stable"] is Status.COPIED
    assert tags(sync) == {"1.0.1": ONE.digest, **dict.fromkeys(("1.0", "1.0.2", "stable"), TWO.digest)}
    assert kinds(sync.source)["GET manifests"] == 1 + len(TWO.children)
    assert sync.destination.log.lines("GET", "/tags/list") == []


def test_what_an_alias_carries_is_looked_up_where_its_version_is_not_selected_any_more(sync: AliasedSync) -> None:
    sync.apply("1.0.1")
    sync.fill(TWO, "1.0.2")
    outcomes = sync.apply("1.0.2")
    assert set(statuses(outcomes).values()) == {Status.COPIED}
    assert sync.destination.log.lines("GET", "/tags/list") == ["GET /v2/mirror/app/tags/list 200"]
    assert sync.destination.log.lines("HEAD", "manifests/1.0.1") == ["HEAD /v2/mirror/app/manifests/1.0.1 200"]


def test_an_alias_does_not_go_back(sync: AliasedSync) -> None:
    sync.fill(TWO, "1.0.2")
    sync.apply("1.0.2")
    outcomes = sync.apply("1.0.1")
    assert statuses(outcomes) == {"1.0.1": Status.COPIED, "1.0": Status.WAITING, "stable": Status.WAITING}
    assert tags(sync)["stable"] == TWO.digest
    (stable,) = [one for one in outcomes if str(one.action.destination.tag) == "stable"]  # type: ignore[union-attr]
    assert "it carries 1.0.2, and the highest selected version is 1.0.1" in stable.reason


def test_an_alias_of_a_version_that_cannot_be_written_is_not_written_either(sync: AliasedSync) -> None:
    sync.destination.script("PUT", "/manifests/1.0.1$", status=403)
    assert set(statuses(sync.apply("1.0.1")).values()) == {Status.FAILED}
    assert [line for line in sync.destination.log.lines("PUT", "/manifests/") if line.endswith("201")] == [
        line for line in sync.destination.log.lines("PUT", "/manifests/sha256") if line.endswith("201")
    ]


@pytest.mark.parametrize("is_saved", [True, False])
def test_an_alias_of_a_version_that_appeared_meanwhile_is_left_alone(sync: AliasedSync, is_saved: bool) -> None:
    """The version is immutable: it is looked at right before it is written."""
    sync.immutable = make_immutable("1.0.1")
    plan = sync.plan("1.0.1")
    plan = plan_from_json(plan_to_json(plan), name="plan") if is_saved else plan
    push_image(sync.destination.repository("mirror/app"), make_image("of another hand"), "1.0.1")
    outcomes = sync.apply(plan=plan)
    assert set(statuses(outcomes).values()) == {Status.BLOCKED}
    assert set(tags(sync)) == {"1.0.1"}


def test_a_saved_plan_writes_aliases_after_their_versions(sync: AliasedSync) -> None:
    plan = plan_from_json(plan_to_json(sync.plan("1.0.1")), name="plan")
    assert set(statuses(sync.apply(plan=plan)).values()) == {Status.COPIED}
    assert tags(sync)["stable"] == ONE.digest


def test_an_alias_with_a_trusted_list_asks_the_source_for_its_versions_alone(sync: AliasedSync) -> None:
    sync.immutable = make_immutable("1.0.*", trusts_list=True)
    sync.apply("1.0.1")
    assert statuses(sync.apply("1.0.1"))["stable"] is Status.UNCHANGED
    assert kinds(sync.source) == {"HEAD manifests": 1}
    assert kinds(sync.destination) == {"GET tags": 1, "HEAD manifests": 2}


def test_an_alias_moves_on_though_its_versions_are_only_listed(sync: AliasedSync) -> None:
    sync.immutable = make_immutable("1.0.*", trusts_list=True)
    sync.apply("1.0.*")
    sync.fill(TWO, "1.0.2")
    assert statuses(sync.apply("1.0.*"))["stable"] is Status.COPIED
    assert tags(sync)["stable"] == TWO.digest


def test_an_immutable_alias_that_differs_is_a_conflict(sync: AliasedSync) -> None:
    sync.immutable = make_immutable("stable")
    sync.apply("1.0.1")
    sync.fill(TWO, "1.0.2")
    outcomes = sync.apply("1.0.*")
    assert (statuses(outcomes)["stable"], tags(sync)["stable"]) == (Status.BLOCKED, ONE.digest)
    assert statuses(outcomes)["1.0"] is Status.COPIED


def test_attachments_travel_once_for_a_version_and_its_aliases(sync: AliasedSync) -> None:
    sync.attachments = ALL_ATTACHMENTS
    signature = make_image("signature", layers=1)
    sync.fill(signature, f"sha256-{ONE.digest.encoded}.sig")
    assert set(statuses(sync.apply("1.0.1")).values()) == {Status.COPIED}
    written = sync.destination.log.lines("PUT", f"/manifests/sha256-{ONE.digest.encoded}.sig")
    assert len(written) == 1
    assert set(statuses(sync.apply("1.0.1")).values()) == {Status.UNCHANGED}


def test_one_worker_is_enough_for_many_aliases(sync: AliasedSync) -> None:
    sync.aliases = tuple(f"alias-{number}" for number in range(20))
    sync.apply("1.0.1")
    assert len(tags(sync)) == 21


def test_what_an_alias_was_is_kept(sync: AliasedSync) -> None:
    sync.aliases = ("stable",)
    sync.apply("1.0.*")
    sync.fill(TWO, "1.0.2")
    sync.keep_previous = Retag("{tag}-previous")
    sync.apply("1.0.*")
    assert tags(sync)["stable-previous"] == ONE.digest
    assert Tag("1.0.2-previous") not in tags(sync)
