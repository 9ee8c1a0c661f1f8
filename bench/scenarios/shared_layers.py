"""Twenty images in twenty repositories, on the same five layers of 16 MiB: what need not be read or sent again."""

from __future__ import annotations

from bench.contestants import EVERYBODY
from bench.fill import Filler
from bench.scenario import Job, Scenario

LAYERS, IMAGES = 5, 20


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    """Each image has a small layer of its own on top of the shared ones."""
    first = job.repositories[0]
    shared = filler.layers(first, LAYERS, layer_bytes)
    for repository in job.repositories:
        if repository != first:
            filler.mount(repository, shared, first)
        filler.image(repository, [*shared, *filler.layers(repository, 1, 10_000)], tag=job.tags[0], label=repository)


SCENARIO = Scenario(
    title="20 images in 20 repositories, sharing 5 x 16 MiB",
    job=Job(tuple(f"bench/app{number:02}" for number in range(IMAGES)), ("1",)),
    prepare=prepare,
    contestants=EVERYBODY,
    layers=LAYERS,
    layer_bytes=16 * 1024 * 1024,
)
