"""200 repositories with 10,000 tags that are in place; and what selection and diff take of that by themselves."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.contestants import IMAGESYNC, write_spec
from bench.fill import Filler
from bench.scenario import Contestant, Job, Scenario, Sides
from bench.scenarios.new_tags_200_tls import tags

REPOSITORIES, TAGS = 200, 50


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    """All images share one layer; each has a manifest of its own."""
    first, *others = job.repositories
    shared = filler.layers(first, 1, layer_bytes)
    for repository in others:
        filler.mount(repository, shared, first)
    for repository in job.repositories:
        for tag in job.tags:
            filler.image(repository, shared, tag=tag, label=f"{repository}:{tag}")


def _plan(job: Job, sides: Sides) -> Sequence[str]:
    return [*IMAGESYNC, "plan", write_spec(job, sides)]


def _alone(job: Job, _sides: Sides) -> Sequence[str]:
    return [sys.executable, "-m", "bench.alone", str(len(job.repositories)), str(len(job.tags))]


SCENARIO = Scenario(
    title="200 repositories, 10,000 tags, unchanged",
    job=Job(tuple(f"bench/app{number:03}" for number in range(REPOSITORIES)), tags(TAGS)),
    prepare=prepare,
    contestants=(
        Contestant("selection and diff alone", sys.executable, _alone),
        Contestant("imagesync plan", sys.executable, _plan),
    ),
    layers=1,
    layer_bytes=10_000,
    is_filled=True,
    is_race=False,
)
