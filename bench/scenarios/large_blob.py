"""One image with a single layer, of 1 GiB unless told otherwise: memory must not grow with it."""

from __future__ import annotations

from bench.contestants import EVERYBODY
from bench.fill import Filler
from bench.scenario import Job, Scenario


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    repository = job.repositories[0]
    filler.image(repository, filler.layers(repository, 1, layer_bytes), tag=job.tags[0])


SCENARIO = Scenario(
    title="One large blob (1 GiB, or as --layer-mib says)",
    job=Job(("bench/blob",), ("1",)),
    prepare=prepare,
    contestants=EVERYBODY,
    layers=1,
    layer_bytes=1024 * 1024 * 1024,
)
