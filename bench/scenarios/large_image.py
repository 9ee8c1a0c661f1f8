"""One image of eight layers of 64 MiB, in plain HTTP: what bytes cost."""

from __future__ import annotations

from bench.contestants import EVERYBODY, ON_ONE_CORE
from bench.fill import Filler
from bench.scenario import Job, Scenario

LAYERS = 8


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    repository, tag = job.repositories[0], job.tags[0]
    filler.image(repository, filler.layers(repository, LAYERS, layer_bytes), tag=tag)


SCENARIO = Scenario(
    title="One image of 8 x 64 MiB, plain HTTP",
    job=Job(("bench/large",), ("1",)),
    prepare=prepare,
    contestants=(*EVERYBODY, ON_ONE_CORE),
    layers=LAYERS,
    layer_bytes=64 * 1024 * 1024,
)
