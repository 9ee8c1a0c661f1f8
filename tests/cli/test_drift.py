"""drift and adopt: what they list, what they ask, what they are worth, and what is owned afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Mirror
from tests.cli.test_state import NAME, destination, drifted, kept, moved, state, write_spec
from tests.images import make_image

__all__ = ["kept"]

TWO_HEADS = ["HEAD /v2/app/manifests/1 200"] * 2


def delete_at_destination(mirror: Mirror, tag: str = "1") -> None:
    (mirror.destination.root / "app").rename(mirror.destination.root / f"was-{tag}")


def test_without_drift_nothing_is_listed_and_two_questions_are_asked(kept: Mirror) -> None:
    ran = kept.cli("drift", "sync.yaml")
    assert (ran.code, ran.out) == (0, "No drift. No other hand has changed any of 1 tag.\n")
    assert kept.requests() == TWO_HEADS


def test_what_another_hand_has_changed_is_listed_and_worth_two(kept: Mirror) -> None:
    foreign = drifted(kept)
    kept.forget()
    ran = kept.cli("drift", "sync.yaml")
    assert ran.code == 2
    assert f"app:1  drifted: has {foreign.digest.short}, imagesync wrote " in ran.out
    assert ran.out.endswith("Drift: 1 drifted, of 1 tag.\n")
    assert kept.requests() == TWO_HEADS
    assert kept.cli("drift", "sync.yaml", "--format", "json").json()["summary"]["drifted"] == 1
    assert "| drifted | `" in kept.cli("drift", "sync.yaml", "--format", "markdown").out


def test_a_tag_that_was_written_and_is_gone_is_drift(kept: Mirror) -> None:
    delete_at_destination(kept)
    ran = kept.cli("drift", "sync.yaml")
    assert ran.code == 2
    assert "app:1  gone: is not there, imagesync wrote " in ran.out


def test_what_is_merely_pending_is_listed_on_demand_and_worth_nothing(kept: Mirror) -> None:
    moved(kept)
    ran = kept.cli("drift", "sync.yaml")
    assert ran.code == 0
    assert ran.out == "No drift. No other hand has changed any of 1 tag. Besides: 1 pending.\n"
    more = kept.cli("drift", "sync.yaml", "--all")
    assert more.code == 0
    assert "app:1  pending: has " in more.out


def test_a_side_that_cannot_be_read_is_worth_one(kept: Mirror) -> None:
    kept.destination.script("HEAD", "/manifests/1", status=404)
    kept.source.script("HEAD", "/manifests/1", status=404)
    kept.source.script("GET", "/manifests/1", status=404)
    ran = kept.cli("drift", "sync.yaml")
    assert ran.code == 1
    assert "not readable: source " in ran.out


def test_drift_believes_no_list(kept: Mirror) -> None:
    """A tag of a trusted list is asked for: that another hand has moved it is what drift is for."""
    drifted(kept)
    write_spec(kept, '{name: app, tags: ["1"], immutable: {tags: ["*"], trust: list}}')
    assert kept.cli("drift", "sync.yaml").code == 2


@pytest.mark.parametrize("command", ["drift", "adopt"])
def test_without_a_state_nobody_knows(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    ran = mirror.cli(command, mirror.spec())
    assert ran.code == 4
    assert f"`{command}` needs to know what was written, and the spec has no `state`" in ran.err
    assert mirror.requests() == []


def test_adopt_owns_what_stands_there_with_the_sources_digest_and_pushes_nothing(mirror: Mirror) -> None:
    image = mirror.stand(mirror.fill("1"), "1")
    mirror.fill("2")
    mirror.stand(make_image("foreign"), "2")
    mirror.fill("3")
    spec = write_spec(mirror, '{name: app, tags: ["1", "2", "3"]}')
    mirror.forget()
    ran = mirror.cli("adopt", spec)
    assert ran.code == 0
    assert f"= {destination(mirror)}  found: has {image.digest.short}, as the source" in ran.out
    assert f"{destination(mirror, '2')}  unowned: has " in ran.out
    assert ran.out.endswith("Adopted 1 tag. Left: 1 differing, 1 not there.\n")
    assert mirror.writes() == []
    assert [entry.destination for entry in state().all_owned()] == [destination(mirror)]


def test_adopt_takes_what_differs_when_it_is_told_to(mirror: Mirror) -> None:
    mirror.fill("1")
    foreign = mirror.stand(make_image("foreign"), "1")
    spec = write_spec(mirror)
    ran = mirror.cli("adopt", spec, "--differing")
    assert ran.code == 0
    assert ran.out.endswith("Adopted 1 tag. 1 of them differs: the next apply brings what the source has.\n")
    (owned,) = state().all_owned()
    assert owned.digest == foreign.digest
    (action,) = mirror.cli("plan", spec, "--format", "json").json()["actions"]
    assert action["cause"] == "pending"


def test_adopt_takes_drift_for_what_was_written(kept: Mirror) -> None:
    drifted(kept)
    assert kept.cli("adopt", "sync.yaml").out.endswith("Adopted 0 tags. Left: 1 differing.\n")
    assert kept.cli("drift", "sync.yaml").code == 2
    assert kept.cli("adopt", "sync.yaml", "--differing").code == 0
    assert kept.cli("drift", "sync.yaml").code == 0


def test_a_dry_run_adopts_nothing(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    ran = mirror.cli("adopt", write_spec(mirror), "--dry-run")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Would adopt 1 tag.")
    assert not Path(NAME).exists()


def test_a_second_adoption_finds_everything_its_own(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    spec = write_spec(mirror)
    mirror.cli("adopt", spec)
    ran = mirror.cli("adopt", spec, "--format", "json")
    assert ran.json()["summary"] | {"adopted": 0, "owned": 1, "found": 0} == ran.json()["summary"]


def test_an_adoption_that_cannot_be_kept_says_so(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    ran = mirror.cli("adopt", write_spec(mirror, state="missing/state.json"))
    assert ran.code == 4
    assert "there is no directory" in ran.err


def test_with_a_lock_what_the_lock_has_is_what_should_be_there(kept: Mirror) -> None:
    assert kept.cli("lock", "sync.yaml").code == 0
    moved(kept)
    assert "1 pending" in kept.cli("drift", "sync.yaml").out
    ran = kept.cli("drift", "sync.yaml", "--locked")
    assert (ran.code, ran.out) == (0, "No drift. No other hand has changed any of 1 tag.\n")
    assert kept.cli("adopt", "sync.yaml", "--locked").code == 0


def test_an_alias_that_another_hand_has_changed_is_drift_and_apply_puts_it_right(mirror: Mirror) -> None:
    mirror.fill("7.4.2")
    write_spec(mirror, "{name: app, tags: {versions: '*'}, aliases: [stable], attachments: none}")
    mirror.cli("apply", "sync.yaml")
    mirror.stand(make_image("foreign"), "stable")
    ran = mirror.cli("drift", "sync.yaml")
    assert (ran.code, "app:stable  drifted" in ran.out) == (2, True)
    assert mirror.cli("apply", "sync.yaml").code == 0
    assert mirror.tags()["stable"] == mirror.tags()["7.4.2"]
    assert mirror.cli("drift", "sync.yaml").code == 0


def test_an_audit_says_of_an_alias_that_another_hand_has_changed_what_apply_would_do(mirror: Mirror) -> None:
    mirror.fill("7.4.2")
    write_spec(mirror, "{name: app, tags: {versions: '*'}, aliases: [stable], attachments: none}")
    mirror.cli("apply", "sync.yaml")
    mirror.stand(make_image("foreign"), "stable")
    ran = mirror.cli("audit", "sync.yaml")
    assert ran.code == 2
    assert "`imagesync plan` shows what it would do about it" in ran.out
    assert "allow_backwards" not in ran.out
    assert mirror.cli("apply", "sync.yaml", "--repair").code == 0
    assert mirror.cli("audit", "sync.yaml").code == 0


@pytest.mark.parametrize("strict", ["on_drift: keep", "immutable: [stable]"])
@pytest.mark.parametrize("is_strict_first", [True, False])
def test_of_two_rules_for_one_alias_the_stricter_says_whether_it_moves(
    mirror: Mirror, strict: str, is_strict_first: bool
) -> None:
    mirror.fill("7.4.2")
    image = "{name: app, tags: {versions: '*'}, aliases: [stable], attachments: none"
    rules = (f"{image}, {strict}}}", f"{image}}}")
    write_spec(mirror, *(rules if is_strict_first else reversed(rules)))
    assert mirror.cli("apply", "sync.yaml").code == 0
    foreign = mirror.stand(make_image("foreign"), "stable")
    assert mirror.cli("apply", "sync.yaml").out.count("app:stable") == 1
    assert mirror.tags()["stable"] == foreign.digest


def test_an_alias_that_waits_and_another_hand_has_changed_is_drift(mirror: Mirror) -> None:
    """It carries a version that is selected no more, and does not go back."""
    mirror.fill("7.4.2")
    mirror.fill("7.5.0")
    image = "{name: app, tags: {versions: '<=7.5'}, aliases: [stable], attachments: none}"
    write_spec(mirror, image)
    mirror.cli("apply", "sync.yaml")
    write_spec(mirror, image.replace("<=7.5", "<7.5"))
    assert mirror.cli("drift", "sync.yaml").code == 0
    foreign = mirror.stand(make_image("foreign"), "stable")
    ran = mirror.cli("drift", "sync.yaml")
    assert ran.code == 2
    assert f"app:stable  drifted: has {foreign.digest.short}, imagesync wrote " in ran.out


class TestPartsOfASpec:
    """Two entries may want one tag: what the other says of it counts, though `--only` does not name that."""

    def spec(self, mirror: Mirror, *images: str) -> str:
        """An entry for each image."""
        text = f"version: 1\nstate: {NAME}\nsync:\n"
        for number, image in enumerate(images):
            text += f"  - name: entry{number}\n    source: {mirror.source.host}\n"
            text += f"    destination: {mirror.destination.host}\n    images:\n      - {image}\n"
        return mirror.cli.file(text)

    @pytest.fixture(autouse=True)
    def _full(self, mirror: Mirror) -> None:
        mirror.fill("1.0")
        mirror.fill("2.0")

    @pytest.mark.parametrize("strict", ["on_drift: keep", "immutable: ['1.0', stable]"])
    @pytest.mark.parametrize("name", ["app", "a*"])
    @pytest.mark.parametrize("moved", ["1.0", "stable"])
    def test_a_tag_stays_that_the_whole_spec_would_leave(
        self, mirror: Mirror, strict: str, name: str, moved: str
    ) -> None:
        image = "tags: ['1.0', '2.0'], attachments: none, aliases: [stable]"
        spec = self.spec(mirror, f"{{name: '{name}', {image}, {strict}}}", f"{{name: app, {image}}}")
        assert mirror.cli("apply", spec).code == 0
        foreign = mirror.stand(make_image("foreign"), moved)
        for only in ((), ("--only", "entry1")):
            ran = mirror.cli("apply", spec, *only)
            assert ran.out.count(f"app:{moved}  ") == 1, ran.text
            assert mirror.tags()[moved] == foreign.digest

    def test_a_gate_of_the_other_holds_the_tag_back(self, mirror: Mirror) -> None:
        gated = "{name: app:1.0, attachments: none, gates: [{size: {total: 1B}}]}"
        spec = self.spec(mirror, gated, "{name: app:1.0, attachments: none}")
        for only in ((), ("--only", "entry1")):
            assert mirror.cli("apply", spec, *only).code == 3
        assert mirror.tags() == {}

    def test_nothing_is_done_for_an_entry_that_is_not_named(self, mirror: Mirror) -> None:
        spec = self.spec(mirror, "{name: app, tags: ['2.0'], attachments: none}", "app:1.0")
        assert mirror.cli("apply", spec, "--only", "entry1").code == 0
        assert [*mirror.tags()] == ["1.0"]
        assert not any("2.0" in line for line in mirror.requests())

    def test_a_tag_that_is_too_young_for_the_other_waits(self, mirror: Mirror) -> None:
        spec = self.spec(mirror, "{name: app, tags: {include: ['1.0'], min_age: 72h}}", "app:1.0")
        ran = mirror.cli("apply", spec, "--only", "entry1")
        assert "waiting: 0 of 72 h old" in ran.out
        assert mirror.tags() == {}

    def test_what_two_entries_take_from_different_tags_is_a_conflict(self, mirror: Mirror) -> None:
        one = "{name: app, tags: {include: ['1.*']}, retag: same}"
        spec = self.spec(mirror, one, one.replace("1.*", "2.*"))
        for only in ((), ("--only", "entry1")):
            ran = mirror.cli("apply", spec, *only)
            assert ran.code == 1, ran.text
            assert "would be written there" in ran.out
        assert mirror.tags() == {}
