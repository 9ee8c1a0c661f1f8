"""The state in a file, as commands use it: what apply remembers, and what plan makes of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import imagesync
from imagesync.keeping.file import FileKeeper
from imagesync.reference import Reference, Repository, Tag
from imagesync.state import State
from tests.cli.command import Mirror, started
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.images import MadeImage, make_image, make_index

NAME = "sync.state.json"


@pytest.fixture
def kept(mirror: Mirror) -> Mirror:
    """A mirror whose spec has a state; `app:1` is there and remembered."""
    mirror.fill("1")
    write_spec(mirror)
    assert mirror.cli("apply", "sync.yaml").code == 0
    mirror.forget()
    return mirror


def write_spec(mirror: Mirror, *images: str, state: str = NAME) -> str:
    """The smallest spec with a state; images that say nothing else are copied without attachments."""
    spec = mirror.spec(*(images or ("{name: app:1, attachments: none}",)))
    text = Path(spec).read_text().replace("version: 1\n", f"version: 1\nstate: {state}\n")
    return mirror.cli.file(text)


def state() -> State:
    return FileKeeper(Path(NAME)).load()


def destination(mirror: Mirror, tag: str = "1") -> Reference:
    return Reference(Repository(mirror.destination.host, "app"), Tag(tag))


def source(mirror: Mirror, tag: str = "1") -> Reference:
    return Reference(Repository(mirror.source.host, "app"), Tag(tag))


def moved(mirror: Mirror, seed: str = "newer") -> MadeImage:
    """The source's tag moves on."""
    return mirror.fill("1", image=make_image(seed))


def drifted(mirror: Mirror) -> MadeImage:
    """Another hand changes the destination's tag, and the source moves on."""
    moved(mirror)
    return mirror.stand(make_image("foreign"), "1")


def test_what_apply_has_written_and_first_seen_is_remembered(kept: Mirror) -> None:
    (digest,) = kept.tags().values()
    written = state().written(destination(kept))
    assert written is not None
    assert written.digest == digest
    assert state().first_seen(source(kept), written.digest) is not None


def test_a_second_apply_asks_two_questions_and_leaves_the_file_alone(kept: Mirror) -> None:
    before = Path(NAME).stat()
    ran = kept.cli("apply", "sync.yaml")
    assert ran.out.startswith("No changes.")
    assert kept.requests() == ["HEAD /v2/app/manifests/1 200"] * 2
    after = Path(NAME).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("command", [("plan",), ("apply", "--dry-run"), ("audit",), ("validate",), ("tags",)])
def test_what_writes_nothing_remembers_nothing(mirror: Mirror, command: tuple[str, ...]) -> None:
    mirror.fill("1")
    write_spec(mirror)
    mirror.cli(command[0], "sync.yaml", *command[1:])
    assert not Path(NAME).exists()


def test_a_tag_that_the_source_has_moved_is_pending(kept: Mirror) -> None:
    moved(kept)
    ran = kept.cli("plan", "sync.yaml")
    assert "1 to update" in ran.out
    assert "drifted" not in ran.out
    (action,) = kept.cli("plan", "sync.yaml", "--format", "json").json()["actions"]
    assert action["cause"] == "pending"


def test_a_tag_that_another_hand_has_changed_is_drifted_everywhere(kept: Mirror) -> None:
    foreign, new = drifted(kept), make_image("newer")
    ran = kept.cli("plan", "sync.yaml")
    assert f"~ app:1  {foreign.digest.short} → {new.digest.short}  drifted, " in ran.out
    assert "1 to update, 1 drifted, 0 unchanged" in ran.out
    assert f"{new.digest.short}  drifted, " in kept.cli("plan", "sync.yaml", "--format", "markdown").out
    document = kept.cli("plan", "sync.yaml", "--format", "json").json()
    assert (document["actions"][0]["cause"], document["summary"]["drifted"]) == ("drifted", 1)


def test_drift_is_overwritten_by_default_and_told(kept: Mirror) -> None:
    drifted(kept)
    ran = kept.cli("apply", "sync.yaml", "--report", "report.json")
    assert ran.code == 0
    assert "drifted, " in ran.out
    assert "1 updated, 1 drifted" in ran.out
    assert kept.tags() == {"1": make_image("newer").digest}
    report = json.loads(Path("report.json").read_text())
    assert (report["summary"]["drifted"], report["outcomes"][0]["cause"]) == (1, "drifted")
    assert kept.cli("plan", "sync.yaml").out.startswith("No changes.")


def test_drift_may_be_kept(kept: Mirror) -> None:
    foreign = drifted(kept)
    write_spec(kept, "{name: app:1, on_drift: keep}")
    ran = kept.cli("apply", "sync.yaml", "--report", "report.json")
    assert ran.code == 0
    assert "app:1  skipped\n    drifted: the tag has " in ran.out
    assert "1 skipped, 1 drifted" in ran.out
    assert kept.tags() == {"1": foreign.digest}
    assert kept.writes() == []
    report = json.loads(Path("report.json").read_text())
    assert report["outcomes"][0]["destination_digest"] == foreign.digest
    assert report["outcomes"][0]["kind"] == "drifted"


def test_drift_may_fail_a_run_while_the_rest_is_carried_out(kept: Mirror) -> None:
    foreign = drifted(kept)
    kept.fill("2")
    write_spec(kept, "{name: app, tags: ['1', '2'], on_drift: fail}")
    ran = kept.cli("apply", "sync.yaml")
    assert ran.code == 1
    assert "app:1  failed\n    drifted: the tag has " in ran.out
    assert "imagesync adopt --differing" in ran.out
    assert set(kept.tags()) == {"1", "2"}
    assert kept.tags()["1"] == foreign.digest


def test_ci_is_warned_of_drift(kept: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    drifted(kept)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    ran = kept.cli("plan", "sync.yaml")
    assert "::warning file=sync.yaml,line=" in ran.err
    assert "drifted" in ran.err
    assert "another hand has changed it to" in ran.err


def test_a_saved_plan_does_not_overwrite_drift_that_is_to_be_kept(kept: Mirror) -> None:
    """The plan was edited: the spec that it names keeps drifted tags."""
    foreign = drifted(kept)
    write_spec(kept, "{name: app:1, attachments: none}", state="other.json")
    kept.cli("plan", "sync.yaml", "-o", "plan.json")
    spec = write_spec(kept, "{name: app:1, attachments: none, on_drift: keep}")
    kept.cli("plan", spec, "-o", "honest.json")
    edited = json.loads(Path("plan.json").read_text()) | {"specs": json.loads(Path("honest.json").read_text())["specs"]}
    Path("plan.json").write_text(json.dumps(edited))
    ran = kept.cli("apply", spec, "--plan", "plan.json")
    assert ran.code == 3
    assert "changed by another hand, and `on_drift: keep` forbids it" in ran.out
    assert kept.tags() == {"1": foreign.digest}


def test_a_saved_plan_is_carried_out_and_remembered(kept: Mirror) -> None:
    new = moved(kept)
    kept.cli("plan", "sync.yaml", "-o", "plan.json")
    assert kept.cli("apply", "sync.yaml", "--plan", "plan.json").code == 0
    written = state().written(destination(kept))
    assert written is not None
    assert written.digest == new.digest


def test_an_approved_plan_holds_up(kept: Mirror) -> None:
    drifted(kept)
    kept.cli("plan", "sync.yaml", "-o", "plan.json")
    ran = kept.cli("apply", "sync.yaml", "--approved", "plan.json")
    assert ran.code == 0
    assert "1 updated, 1 drifted" in ran.out


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_a_damaged_state_ends_a_command_before_anything_is_asked(mirror: Mirror, command: str) -> None:
    mirror.fill("1")
    write_spec(mirror)
    Path(NAME).write_text("{}")
    ran = mirror.cli(command, "sync.yaml")
    assert ran.code == 4
    assert "sync.state.json is damaged or none" in ran.err
    assert mirror.requests() == []
    assert Path(NAME).read_text() == "{}"


def test_a_state_that_cannot_be_kept_ends_apply_before_anything_is_asked(mirror: Mirror) -> None:
    mirror.fill("1")
    write_spec(mirror, state="missing/state.json")
    ran = mirror.cli("apply", "sync.yaml")
    assert ran.code == 4
    assert "there is no directory" in ran.err
    assert mirror.requests() == []


def test_a_state_that_cannot_be_kept_in_the_end_fails_a_run_that_is_reported(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.fill("1")
    write_spec(mirror)

    def full(_path: Path, _raw: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("imagesync.keeping.file.write_file", full)
    ran = mirror.cli("apply", "sync.yaml")
    assert ran.code == 1
    assert "1 added" in ran.out
    assert "No space left on device" in ran.err
    assert "imagesync adopt" in ran.err


def test_two_runs_that_both_began_before_either_ended_are_both_remembered(mirror: Mirror) -> None:
    mirror.fill("1", path="one")
    mirror.fill("1", path="two")
    for name in ("one", "two"):
        spec = write_spec(mirror, f"{name}:1")
        Path(f"{name}.yaml").write_text(Path(spec).read_text())
    mirror.destination.script("PUT", "/manifests/1", delay_seconds=0.3, times=2)
    with started("apply", "one.yaml") as one, started("apply", "two.yaml") as two:
        assert (one.wait(20), two.wait(20)) == (0, 0)
    owned = [str(entry.destination.repository.path) for entry in state().all_owned()]
    assert owned == ["one", "two"]


def write_stuck_spec(mirror: Mirror, stuck: FakeRegistry, *, state: str = NAME) -> None:
    """A spec of two images, of which the second goes to a registry that asks for more patience than a test has."""
    mirror.fill("1", path="quick")
    mirror.fill("1", path="stuck")
    stuck.script("POST", "/uploads/", status=503, headers={"Retry-After": "120"})
    write_spec(mirror, "quick:1", state=state)
    more = f"  - source: {mirror.source.host}\n    destination: {stuck.host}\n    images:\n      - stuck:1\n"
    Path("sync.yaml").write_text(Path("sync.yaml").read_text() + more)


def test_a_run_that_is_stopped_remembers_what_it_has_written(mirror: Mirror, make_registry: MakeRegistry) -> None:
    write_stuck_spec(mirror, make_registry())
    with started("apply", "sync.yaml") as process:
        wait_for(lambda: mirror.destination.log.lines("PUT", "/quick/manifests/1"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert [entry.destination.repository.path for entry in state().all_owned()] == ["quick"]


def test_a_run_that_is_killed_remembers_what_was_kept_meanwhile(
    mirror: Mirror, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stuck_spec(mirror, make_registry())
    monkeypatch.setenv("PYTHONPATH", str(Path(imagesync.__file__).parent.parent))
    script = "import sys; from imagesync.keeping import journal; journal.SAVE_SECONDS = 0.05\n"
    script += "from imagesync.__main__ import main; sys.exit(main())"
    with subprocess.Popen([sys.executable, "-c", script, "apply", "sync.yaml"]) as process:
        try:
            wait_for(lambda: state().all_owned())
        finally:
            process.kill()
    assert [entry.destination.repository.path for entry in state().all_owned()] == ["quick"]


def wait_for(is_so: Any) -> None:
    for _ in range(500):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def test_copy_is_another_hand(kept: Mirror) -> None:
    """What is copied by hand is not the spec's: it is owned by nobody, and drift where the spec wants the tag."""
    kept.fill("9", image=make_index("by hand"))
    kept.cli("copy", f"{kept.source.host}/app:9", f"{kept.destination.host}/app:1", "--spec", "sync.yaml")
    moved(kept)
    assert "drifted" in kept.cli("plan", "sync.yaml").out


def test_a_tag_of_a_trusted_list_is_asked_for_nowhere_and_remembered_nowhere(mirror: Mirror) -> None:
    mirror.stand(mirror.fill("1"), "1")
    write_spec(mirror, '{name: app, tags: ["1"], immutable: {tags: ["*"], trust: list}}')
    assert mirror.cli("apply", "sync.yaml").code == 0
    assert mirror.requests() == ["GET /v2/app/tags/list 200"]
    assert not state()


NARROWED = "{name: app:1, platforms: [linux/amd64], attachments: none}"


@pytest.fixture
def narrowed(mirror: Mirror) -> Mirror:
    """A mirror of one platform of two, with a state."""
    mirror.fill("1", image=make_index("two platforms"))
    write_spec(mirror, NARROWED)
    assert mirror.cli("apply", "sync.yaml").code == 0
    mirror.forget()
    return mirror


def test_what_an_index_was_narrowed_to_is_remembered_and_costs_no_further_read(narrowed: Mirror) -> None:
    written = state().written(destination(narrowed))
    assert written is not None
    assert written.digest == narrowed.tags()["1"]
    assert written.source == make_index("two platforms").digest
    for command in ("apply", "plan", "drift"):
        narrowed.forget()
        assert narrowed.cli(command, "sync.yaml").code == 0
        assert narrowed.requests() == ["HEAD /v2/app/manifests/1 200"] * 2


def test_a_narrowed_tag_that_another_hand_has_changed_is_drifted(narrowed: Mirror) -> None:
    foreign = narrowed.stand(make_image("foreign"), "1")
    assert narrowed.cli("drift", "sync.yaml").code == 2
    assert "drifted, " in narrowed.cli("plan", "sync.yaml").out
    write_spec(narrowed, NARROWED.replace("}", ", on_drift: keep}"))
    assert "1 skipped, 1 drifted" in narrowed.cli("apply", "sync.yaml").out
    assert narrowed.tags() == {"1": foreign.digest}


def test_a_narrowed_tag_whose_source_has_moved_is_pending(narrowed: Mirror) -> None:
    narrowed.fill("1", image=make_index("newer"))
    (action,) = narrowed.cli("plan", "sync.yaml", "--format", "json").json()["actions"]
    assert action["cause"] == "pending"
    assert narrowed.cli("drift", "sync.yaml").out.endswith("Besides: 1 pending.\n")


def test_a_narrowed_tag_that_stands_there_already_is_adopted_as_such(mirror: Mirror) -> None:
    mirror.fill("1", image=make_index("two platforms"))
    mirror.cli("apply", mirror.spec(NARROWED))
    write_spec(mirror, NARROWED)
    assert "Adopted 1 tag." in mirror.cli("adopt", "sync.yaml").out
    assert mirror.cli("drift", "sync.yaml").code == 0
