"""One image for eight platforms, of 80 blobs, at a distance."""

from __future__ import annotations

from bench.contestants import EVERYBODY
from bench.fill import Filler
from bench.scenario import Job, Scenario

ARCHITECTURES = ("amd64", "arm64", "arm", "386", "ppc64le", "s390x", "riscv64", "mips64le")
LAYERS = 9


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    """Nine layers and a config for each platform; none is shared."""
    repository = job.repositories[0]
    images = [
        filler.image(repository, filler.layers(repository, LAYERS, layer_bytes), architecture=architecture)
        for architecture in ARCHITECTURES
    ]
    filler.index(repository, job.tags[0], images)


SCENARIO = Scenario(
    title="8 platforms, 80 blobs, 50 ms",
    job=Job(("bench/platforms",), ("1",)),
    prepare=prepare,
    contestants=EVERYBODY,
    layers=LAYERS * len(ARCHITECTURES),
    layer_bytes=10_000,
    round_trip_seconds=0.05,
)
