"""Creations in a run: before the first blob, once for all that wait, and what fails holds up nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from imagesync.errors import LimitError
from imagesync.manifest import Content, digest_of
from imagesync.plan.actions import Copy
from imagesync.plan.outcome import Status
from imagesync.reference import Repository, Tag
from tests.fakes.memory import MemoryRepository, MemoryStores
from tests.fakes.run import MemoryRun
from tests.plan.values import HUB_NGINX, LOCAL_NGINX, make_manifest, make_rule

OTHER = Repository("localhost:5000", "team/other")
ELSEWHERE = Repository("localhost:6000", "nginx")
FIRST, SECOND = make_manifest("first", "shared"), make_manifest("second", "shared")


@dataclass
class MemoryCreator:
    """Implements store.Creator; `written` are the calls that the repositories below had when it was asked to create."""

    makes: Repository
    below: tuple[MemoryRepository, ...]
    error: Exception | None = None
    what: str = "repository"
    made_with: str = ""
    is_made: bool = False
    asked: list[str] = field(default_factory=list)

    def is_missing(self) -> bool:
        self.asked.append("is_missing")
        return not self.is_made

    def create(self) -> None:
        self.asked.append(f"create after {sum(len(one.writes()) for one in self.below)} writes")
        if self.error is not None:
            raise self.error
        self.is_made = True


class Bench(MemoryRun):
    """A source with two images that share a layer; `workers` is 1 where a lock-up would show."""

    def __init__(self, workers: int) -> None:
        self.stores = MemoryStores()
        super().__init__(self.stores, workers=workers)
        self.put("1", FIRST, "first", "shared")
        self.put("2", SECOND, "second", "shared")

    def put(self, tag: str, image: Content, *layers: str) -> None:
        self.source.put(tag, image)
        for text in ("config " + " ".join(layers), *layers):
            self.source.blobs[digest_of(text.encode())] = text.encode()

    def creator(self, makes: Repository, *repositories: Repository, error: Exception | None = None) -> MemoryCreator:
        made = MemoryCreator(makes, tuple(self.stores[one] for one in repositories), error)
        self.stores.creators |= dict.fromkeys(repositories, made)
        return made


@pytest.fixture(params=[1, 16])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(request.param)
    yield made
    made.tasks.close()


def test_a_repository_is_created_once_and_before_anything_is_written(bench: Bench) -> None:
    creator = bench.creator(LOCAL_NGINX, LOCAL_NGINX)
    outcomes = list(bench.run(make_rule("1", "2")))
    assert [outcome.status for outcome in outcomes] == [Status.COPIED] * 2
    assert [asked for asked in creator.asked if asked.startswith("create")] == ["create after 0 writes"]


def test_a_project_is_created_once_for_all_repositories_below_it(bench: Bench) -> None:
    project = Repository("localhost:5000", "team")
    creator = bench.creator(project, LOCAL_NGINX, OTHER)
    outcomes = list(bench.run(make_rule("1", destinations=(LOCAL_NGINX, OTHER))))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    copies = [outcome.action for outcome in outcomes if isinstance(outcome.action, Copy)]
    assert {copy.creates.repository for copy in copies if copy.creates is not None} == {project}
    assert len([asked for asked in creator.asked if asked.startswith("create")]) == 1


def test_what_cannot_be_created_fails_its_images_alone_and_is_asked_for_once(bench: Bench) -> None:
    creator = bench.creator(LOCAL_NGINX, LOCAL_NGINX, error=LimitError("too many repositories"))
    outcomes = list(bench.run(make_rule("1", "2", destinations=(LOCAL_NGINX, ELSEWHERE))))
    failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    assert {outcome.reason for outcome in failed} == {"destination: too many repositories"}
    assert sorted(bench.stores[ELSEWHERE].tags) == [Tag("1"), Tag("2")]
    assert (len(failed), bench.stores[LOCAL_NGINX].writes()) == (2, [])
    assert len([asked for asked in creator.asked if asked.startswith("create")]) == 1


def test_several_destinations_get_their_blobs_where_one_of_them_is_created_first(bench: Bench) -> None:
    bench.creator(LOCAL_NGINX, LOCAL_NGINX)
    outcomes = list(bench.run(make_rule("1", "2", destinations=(LOCAL_NGINX, ELSEWHERE))))
    assert {outcome.status for outcome in outcomes} == {Status.COPIED}
    assert bench.stores[LOCAL_NGINX].tags == bench.stores[ELSEWHERE].tags


def test_a_repository_with_one_of_the_wanted_tags_is_not_asked_for(bench: Bench) -> None:
    bench.stores[LOCAL_NGINX].put("1", FIRST)
    creator = bench.creator(LOCAL_NGINX, LOCAL_NGINX)
    list(bench.run(make_rule("1", "2")))
    assert creator.asked == []


def test_a_repository_that_is_there_is_not_created(bench: Bench) -> None:
    creator = bench.creator(LOCAL_NGINX, LOCAL_NGINX)
    creator.is_made = True
    assert {outcome.status for outcome in bench.run(make_rule("1", "2"))} == {Status.COPIED}
    assert not [asked for asked in creator.asked if asked.startswith("create")]


def test_a_tag_of_the_same_registry_is_promoted_into_a_repository_that_is_created(bench: Bench) -> None:
    list(bench.run(make_rule("1")))
    creator = bench.creator(OTHER, OTHER)
    outcomes = list(bench.run(make_rule("1", source=LOCAL_NGINX, destinations=(OTHER,))))
    assert [outcome.status for outcome in outcomes] == [Status.COPIED]
    assert [asked for asked in creator.asked if asked.startswith("create")] == ["create after 0 writes"]
    assert bench.source.repository == HUB_NGINX
