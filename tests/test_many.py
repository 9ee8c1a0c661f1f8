"""A spec of 200 repositories and 10,000 tags: what is asked for it, and that nothing is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from imagesync.cancellation import Cancellation
from imagesync.pipeline import make_plan
from imagesync.plan.summary import summarise
from imagesync.reference import Repository, Tag
from imagesync.selection import TagFilter
from imagesync.spec.model import ALL_ATTACHMENTS, NO_ATTACHMENTS, AttachmentType, Rule, Spec
from imagesync.tasks import Tasks
from tests.conftest import MakeRegistry
from tests.fakes.memory import MemoryStores
from tests.images import make_image, push_image
from tests.plan.values import make_immutable, make_manifest, make_rule, make_spec
from tests.traces.harness import Sync, kinds

REPOSITORIES, TAGS = 200, 50
SELECTED, IMMUTABLE = 40, 10
"""Of each repository's tags: those that the filter keeps, and of these the ones that the destination's list decides."""
FILTER = TagFilter.parse(["1.*"])


def name_of(number: int) -> str:
    return f"team/app{number}"


def tags_of(count: int, selected: int, immutable: int) -> list[str]:
    """Names of one repository's tags: `1.0.7` never moves, `1.1.7` may, `2.7` is not selected."""
    kept = [f"1.0.{number}" if number < immutable else f"1.1.{number}" for number in range(selected)]
    return [*kept, *(f"2.{number}" for number in range(count - selected))]


def rule_of(number: int, source: str, destination: str) -> Rule:
    """One image of the spec, on a line of its own."""
    rule = make_rule(
        source=Repository(source, name_of(number)),
        destinations=[Repository(destination, name_of(number))],
        immutable=make_immutable("1.0.*", trusts_list=True),
        tag_filter=FILTER,
        line=number + 5,
    )
    return replace(rule, attachments=NO_ATTACHMENTS)


@pytest.fixture
def stores() -> MemoryStores:
    """Every repository with every tag, on both sides the same."""
    stores = MemoryStores()
    contents = [make_manifest(f"image {number}") for number in range(TAGS)]
    for number in range(REPOSITORIES):
        for host in ("docker.io", "mirror.test"):
            repository = stores[Repository(host, name_of(number))]
            repository.manifests = {content.digest: content for content in contents}
            named = zip(tags_of(TAGS, SELECTED, IMMUTABLE), contents, strict=True)
            repository.tags = {Tag(tag): content.digest for tag, content in named}
    return stores


@pytest.fixture
def tasks(stores: MemoryStores) -> Iterator[Tasks]:
    tasks = Tasks(workers=4, hosts=stores, cancellation=Cancellation())
    yield tasks
    tasks.close()


def calls(stores: MemoryStores, host: str) -> Counter[str]:
    held = [one for repository, one in stores.repositories.items() if repository.registry == host]
    return Counter(method for one in held for method, _ in one.calls)


@pytest.mark.parametrize("attachments", [NO_ATTACHMENTS, ALL_ATTACHMENTS])
def test_ten_thousand_tags_cost_their_lists_and_two_heads_each_that_no_list_decides(
    stores: MemoryStores, tasks: Tasks, attachments: frozenset[AttachmentType]
) -> None:
    rules = [rule_of(number, "docker.io", "mirror.test") for number in range(REPOSITORIES)]
    plan = make_plan(make_spec(*(replace(rule, attachments=attachments) for rule in rules)), stores, tasks)
    asked = REPOSITORIES * (SELECTED - IMMUTABLE)
    probe = {"list_referrers": 1} if attachments else {}
    assert calls(stores, "docker.io") == {"list_tags": REPOSITORIES, "resolve": asked, **probe}
    assert calls(stores, "mirror.test") == {"list_tags": REPOSITORIES, "resolve": asked}
    counted = summarise(plan)
    assert (counted.unchanged, counted.assumed, counted.changes) == (asked, REPOSITORIES * IMMUTABLE, 0)


def test_on_the_wire_it_is_the_same(make_registry: MakeRegistry) -> None:
    """Ten repositories, ten selected tags each, of which a list decides two."""
    sync = Sync(make_registry(), make_registry())
    image = make_image(layers=1, layer_bytes=10)
    for number in range(10):
        for side in (sync.source, sync.destination):
            push_image(side.repository(name_of(number)), image, *tags_of(12, 10, 2))
    rules = tuple(rule_of(number, sync.source.host, sync.destination.host) for number in range(10))
    with sync.session() as (stores, tasks, _):
        plan = make_plan(Spec(rules, sync.settings, ()), stores, tasks)
    assert kinds(sync.source) == kinds(sync.destination) == {"GET tags": 10, "HEAD manifests": 10 * (10 - 2)}
    assert summarise(plan).unchanged == 80
