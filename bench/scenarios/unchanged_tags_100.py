"""A hundred tags that are in place: what a run costs that has nothing to do."""

from __future__ import annotations

from bench.contestants import EVERYBODY
from bench.fill import Filler
from bench.scenario import Job, Scenario
from bench.scenarios.new_tags_200_tls import LAYER_BYTES, SHARED_LAYERS, tags


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    """All tags share their layers; each has a manifest of its own."""
    repository = job.repositories[0]
    shared = filler.layers(repository, SHARED_LAYERS, layer_bytes)
    for tag in job.tags:
        filler.image(repository, shared, tag=tag)


SCENARIO = Scenario(
    title="100 tags, unchanged",
    job=Job(("bench/many",), tags(100)),
    prepare=prepare,
    contestants=EVERYBODY,
    layers=SHARED_LAYERS,
    layer_bytes=LAYER_BYTES,
    is_filled=True,
    is_quick=True,
)
