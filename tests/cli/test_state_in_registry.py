"""The state in a repository, as commands use it: what it costs on the wire, logins, a stop, and who writes at once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from imagesync.keeping.artifact import TYPE
from imagesync.server.auth import TokenAuth
from tests.cli.command import Mirror, started
from tests.cli.test_state import moved, wait_for, write_spec, write_stuck_spec
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.traces.harness import USERS


@pytest.fixture
def shelf(make_registry: MakeRegistry) -> FakeRegistry:
    """The registry that the state is kept in."""
    return make_registry()


@pytest.fixture
def kept(mirror: Mirror, shelf: FakeRegistry) -> Mirror:
    """A mirror whose spec has its state on the shelf; `app:1` is there and remembered."""
    mirror.fill("1")
    write_spec(mirror, state=f"{shelf.host}/team/state")
    return mirror


def lines(shelf: FakeRegistry) -> list[str]:
    """What was asked of the shelf, with run's names as RUN and blobs as BLOB."""
    found = shelf.log.lines()
    repository = shelf.repository("team/state")
    for tag in repository.list_tags():
        found = [line.replace(tag, "RUN") for line in found]
    return [line.partition("/blobs/sha256:")[0] + "/blobs/BLOB" if "/blobs/sha256:" in line else line for line in found]


def owned(mirror: Mirror) -> set[str]:
    ran = mirror.cli("drift", "sync.yaml", "--format", "json")
    return {tag["subject"] for tag in ran.json()["tags"] if tag["written_digest"]}


def test_the_first_run_asks_for_a_list_and_writes_one_artifact(kept: Mirror, shelf: FakeRegistry) -> None:
    assert kept.cli("apply", "sync.yaml").code == 0
    assert lines(shelf) == [
        "GET /v2/team/state/tags/list 404",
        "HEAD /v2/team/state/blobs/BLOB",
        "POST /v2/team/state/blobs/uploads/ 202",
        "PUT /v2/team/state/blobs/uploads/ID 201",
        "HEAD /v2/team/state/blobs/BLOB",
        "POST /v2/team/state/blobs/uploads/ 202",
        "PUT /v2/team/state/blobs/uploads/ID 201",
        "PUT /v2/team/state/manifests/RUN 201",
    ]
    (tag,) = shelf.repository("team/state").list_tags()
    content = shelf.repository("team/state").fetch_manifest(tag)
    assert content.descriptor.artifact_type == TYPE


def test_a_run_without_changes_asks_for_the_list_and_each_artifact(kept: Mirror, shelf: FakeRegistry) -> None:
    kept.cli("apply", "sync.yaml")
    kept.forget()
    shelf.log.clear()
    assert kept.cli("apply", "sync.yaml").out.startswith("No changes.")
    assert lines(shelf) == ["GET /v2/team/state/tags/list 200", "GET /v2/team/state/manifests/RUN 200"]
    assert kept.requests() == ["HEAD /v2/app/manifests/1 200"] * 2


def test_a_plan_reads_the_state_and_writes_nothing(kept: Mirror, shelf: FakeRegistry) -> None:
    kept.cli("apply", "sync.yaml")
    moved(kept)
    shelf.log.clear()
    (action,) = kept.cli("plan", "sync.yaml", "--format", "json").json()["actions"]
    assert action["cause"] == "pending"
    assert {line.partition(" ")[0] for line in shelf.log.lines()} == {"GET"}


def test_each_run_with_changes_adds_its_own(kept: Mirror, shelf: FakeRegistry) -> None:
    kept.cli("apply", "sync.yaml")
    moved(kept)
    kept.cli("apply", "sync.yaml")
    assert len(shelf.repository("team/state").list_tags()) == 2
    assert kept.cli("drift", "sync.yaml").code == 0


def test_two_runs_that_both_began_before_either_ended_are_both_remembered(kept: Mirror, shelf: FakeRegistry) -> None:
    state = f"{shelf.host}/team/state"
    for name in ("one", "two"):
        kept.fill("1", path=name)
        Path(f"{name}.yaml").write_text(Path(write_spec(kept, f"{name}:1", state=state)).read_text())
    kept.destination.script("PUT", "/manifests/1", delay_seconds=0.3, times=2)
    with started("apply", "one.yaml") as one, started("apply", "two.yaml") as two:
        assert (one.wait(20), two.wait(20)) == (0, 0)
    write_spec(kept, "one:1", "two:1", state=state)
    host = kept.destination.host
    assert owned(kept) == {f"{host}/one:1", f"{host}/two:1"}


def test_a_run_that_is_stopped_adds_what_it_has_written(
    kept: Mirror, shelf: FakeRegistry, make_registry: MakeRegistry
) -> None:
    write_stuck_spec(kept, make_registry(), state=f"{shelf.host}/team/state")
    with started("apply", "sync.yaml") as process:
        wait_for(lambda: kept.destination.log.lines("PUT", "/quick/manifests/1"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert owned(kept) == {f"{kept.destination.host}/quick:1"}


def test_a_state_that_cannot_be_read_ends_a_run_before_it_has_asked_anybody_else(
    kept: Mirror, shelf: FakeRegistry
) -> None:
    shelf.script("GET", "/tags/list", status=403, body=b'{"errors": [{"code": "DENIED"}]}')
    ran = kept.cli("apply", "sync.yaml")
    assert ran.code == 1
    assert "imagesync: state " in ran.err
    assert kept.requests() == []


def test_a_repository_that_holds_something_else_ends_a_run_before_it_has_asked_anybody_else(kept: Mirror) -> None:
    kept.fill("1", path="other")
    write_spec(kept, state=f"{kept.source.host}/other")
    kept.forget()
    ran = kept.cli("apply", "sync.yaml")
    assert ran.code == 4
    assert "has tags of something else: 1" in ran.err
    assert kept.requests() == ["GET /v2/other/tags/list 200"]


def test_a_state_that_cannot_be_written_fails_a_run_that_is_reported(kept: Mirror, shelf: FakeRegistry) -> None:
    shelf.script("PUT", "/team/state/manifests/", status=403, body=b'{"errors": [{"code": "DENIED"}]}')
    ran = kept.cli("apply", "sync.yaml")
    assert ran.code == 1
    assert "1 added" in ran.out
    assert "imagesync: state " in ran.err
    assert "imagesync adopt" in ran.err


def test_adopt_writes_to_the_state_alone(kept: Mirror, shelf: FakeRegistry) -> None:
    kept.stand(kept.fill("1"), "1")
    kept.forget()
    assert kept.cli("adopt", "sync.yaml").code == 0
    assert kept.writes() == []
    assert shelf.log.lines("PUT", "/team/state/manifests/")
    assert owned(kept) == {f"{kept.destination.host}/app:1"}


def test_the_requests_of_the_state_are_counted(kept: Mirror, shelf: FakeRegistry) -> None:
    kept.cli("apply", "sync.yaml", "--report", "report.json")
    assert f'"host": "{shelf.host}"' in Path("report.json").read_text()


def test_the_login_of_the_spec_serves_for_the_state(mirror: Mirror, make_registry: MakeRegistry) -> None:
    shelf = make_registry(auth=TokenAuth(USERS))
    mirror.fill("1")
    mirror.spec(registries={shelf.host: "{auth: {username: robot, password: '${secret:STATE_PASSWORD}'}}"})
    text = Path("sync.yaml").read_text().replace("version: 1\n", f"version: 1\nstate: {shelf.host}/team/state\n")
    mirror.cli.file(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_PASSWORD", "secret")
        assert mirror.cli("apply", "sync.yaml").code == 0
        assert len(shelf.repository("team/state").list_tags()) == 1
    ran = mirror.cli("apply", "sync.yaml")
    assert ran.code != 0
    assert "STATE_PASSWORD" in ran.err


def test_a_repository_of_the_state_that_the_spec_fills_is_refused_offline(kept: Mirror) -> None:
    write_spec(kept, state=f"{kept.destination.host}/app")
    ran = kept.cli("apply", "sync.yaml")
    assert ran.code == 4
    assert "a state needs a repository of its own" in ran.err
    assert kept.requests() == []


def test_an_anonymous_plan_goes_on_without_a_state_that_asks_for_a_login(
    mirror: Mirror, make_registry: MakeRegistry
) -> None:
    """The pull request of a fork has no secrets; nothing is written there that the state could be wrong about."""
    shelf = make_registry(auth=TokenAuth(USERS))
    mirror.fill("1")
    write_spec(mirror, state=f"{shelf.host}/team/state")
    ran = mirror.cli("plan", "sync.yaml", "--anonymous")
    assert ran.code == 0
    assert "Plan: 1 to add" in ran.out
    assert "without it nobody knows what has drifted" in ran.err
    assert mirror.cli("plan", "sync.yaml").code == 1


def test_a_glob_does_not_find_the_state(mirror: Mirror) -> None:
    """Each run would bring what the one before has remembered, and remember that."""
    mirror.fill("1", path="team/app")
    name = mirror.spec('{name: "team/*", tags: "*"}')
    text = (
        Path(name)
        .read_text(encoding="utf-8")
        .replace("version: 1\n", f"version: 1\nstate: {mirror.source.host}/team/state\n")
    )
    Path(name).write_text(text, encoding="utf-8")
    for _ in range(2):
        ran = mirror.cli("apply", name)
        assert ran.code == 0, ran.text
        assert "stands for 1 repository" in ran.out
    assert mirror.tags("team/state") == {}
