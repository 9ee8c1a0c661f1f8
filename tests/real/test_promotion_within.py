"""Promotion within one real docker-registry: what it costs, and what is on record after its garbage collection.

It lists no referrers, so each record is a tag more that clients keep.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.images import make_index, push_image
from tests.real.conftest import Real
from tests.real.registries import RealRegistry, Request, plain_registry
from tests.real.sync import Sync
from tests.registry.remote import open_repository

STAGES = ("dev", "staging", "production")


@dataclass(frozen=True)
class Within:
    """One registry, and imagesync as a process."""

    registry: RealRegistry
    sync: Sync

    def write(self, name: str, *paths: str, more: str = "current: {stage}", auto: str = "") -> None:
        """The spec of one image along three stages, each with the repository of its place in `paths`. What comes to the
        stage `auto` comes by itself."""
        text = f"version: 1\npromotions:\n  - name: {name}\n    images: [app]\n    stages:\n"
        for stage, path in zip(STAGES, paths, strict=True):
            text += f"      - name: {stage}\n        repository: {self.registry.host}/{path}\n"
            lines = [] if stage == "dev" else more.format(stage=stage).splitlines()
            lines += ["auto: true"] if stage == auto else []
            text += "".join(f"        {line}\n" for line in lines)
        (self.sync.folder / "sync.yaml").write_text(text)

    def push(self, path: str, version: str) -> str:
        image = make_index(f"{path} {version}", layer_bytes=200_000)
        with open_repository(self.registry, f"{path}/app") as store:
            push_image(store, image, version)
        return image.digest

    def run(self, command: str, *arguments: str) -> list[Request]:
        """The requests of a command, which must end well."""
        since = len(self.registry.requests())
        code, said = self.sync.told(command, *arguments)
        assert code == 0, said
        return self.registry.requests(since)

    def history(self, *arguments: str) -> str:
        code, said = self.sync.told("history", *arguments, "--format", "json")
        assert code == 0, said
        return said


@pytest.fixture
def within(real: Real, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Within]:
    with plain_registry() as registry:
        yield Within(registry, Sync(tmp_path_factory.mktemp("home"), real))


VERSION, CURRENT = "retag: '{{tag}}-{stage}'", "current: {stage}"
COSTS = [(VERSION, 9), (CURRENT, 10), (f"{VERSION}\n{CURRENT}", 12)]
"""What a stage writes, and the requests of a second release."""


@pytest.mark.parametrize(("more", "count"), COSTS, ids=["version", "current", "both"])
def test_within_one_repository_it_is_one_put_a_tag_the_two_records_and_at_most_12_requests(
    within: Within, more: str, count: int
) -> None:
    within.write("web", "web", "web", "web", more=more)
    for version in ("1.0.0", "1.1.0"):
        within.push("web", version)
        asked = within.run("promote", "sync.yaml", f"web:{version}", "--to", "staging")
    check_writes(asked, tags=more.count(":"))
    assert len(asked) == count, asked


@pytest.mark.parametrize(("more", "count"), COSTS, ids=["version", "current", "both"])
def test_what_comes_by_itself_costs_the_tags_of_the_first_stage_and_a_record_more(
    within: Within, more: str, count: int
) -> None:
    within.write("web", "web", "web", "web", more=more, auto="staging")
    for version in ("1.0.0", "1.1.0"):
        within.push("web", version)
        asked = within.run("apply", "sync.yaml")
    check_writes(asked, tags=more.count(":"))
    assert len(asked) == count + 2, asked


def check_writes(asked: list[Request], *, tags: int) -> None:
    """What a promotion within one repository writes, and nothing else."""
    written = [one for one in asked if one.is_write]
    assert {one.method for one in written} == {"PUT"}, "no blob was asked for, let alone moved"
    journal = [one.path for one in written if "/imagesync-journal/" in one.path]
    assert [path.rpartition(".")[2] for path in journal] == ["started", "finished"]
    lists = [one for one in written if "/web/app/manifests/sha256" in one.path]
    assert len(lists) == 2, "the record, and the list that it stands in"
    assert len(written) - len(journal) - len(lists) == tags


def test_within_one_registry_no_byte_of_a_blob_moves(within: Within) -> None:
    within.write("web", "dev", "staging", "production")
    digest = within.push("dev", "1.0.0")
    asked = within.run("promote", "sync.yaml", "web:1.0.0", "--to", "staging")
    assert [one for one in asked if one.method == "GET" and "/blobs/" in one.path] == []
    mounts = [one for one in asked if one.method == "POST" and "/staging/app/" in one.path and "mount=" in one.path]
    assert {one.status for one in mounts} == {201}
    assert len(mounts) == 6, "config and two layers of two platforms"
    sent = [one for one in asked if one.method in ("PATCH", "PUT") and "/staging/app/blobs/" in one.path]
    assert len(sent) <= 1, "what a record needs has two bytes"
    with open_repository(within.registry, "staging/app") as store:
        assert store.resolve(store.list_tags()[0]).digest == digest


def test_the_history_outlives_a_garbage_collection_and_the_tags_that_it_tells_of(within: Within) -> None:
    within.write("web", "dev", "staging", "production")
    for version in ("1.0.0", "1.1.0"):
        within.push("dev", version)
        within.run("promote", "sync.yaml", f"web:{version}", "--to", "staging")
    within.run("rollback", "sync.yaml", "web", "--stage", "staging", "--reason", "trial", "--confirm")
    asked = ("web", "--spec", "sync.yaml")
    before, events = within.history(*asked), within.history(f"{within.registry.host}/staging/app:staging")
    assert len(json.loads(before)["events"]) == 4, "two promotions, a rollback and its hold"
    assert len(json.loads(events)["events"]) == 2
    collect(within.registry)
    assert within.history(*asked) == before
    assert within.history(f"{within.registry.host}/staging/app:staging") == events
    collect(within.registry, "--delete-untagged")
    assert within.history(*asked) == before, "the tag of each entry keeps it from the strictest one"
    within.push("dev", "1.2.0")
    within.run("hold", "sync.yaml", "web", "--stage", "staging", "--release", "--reason", "over")
    within.run("promote", "sync.yaml", "web:1.2.0", "--to", "staging")
    assert len(json.loads(within.history(*asked))["events"]) == 6


def collect(registry: RealRegistry, *options: str) -> None:
    """Let a registry delete what no tag and no manifest with a tag refers to."""
    line = ["docker-registry", "garbage-collect", *options, str(registry.folder / "config.yml")]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    registry.die_and_come_back()
