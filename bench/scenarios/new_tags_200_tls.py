"""Two hundred small tags that the destination does not have: what requests cost."""

from __future__ import annotations

from bench.contestants import EVERYBODY
from bench.fill import Filler
from bench.scenario import Job, Scenario

SHARED_LAYERS, LAYER_BYTES = 3, 10_000


def prepare(filler: Filler, job: Job, layer_bytes: int) -> None:
    """Each tag has one layer of its own and shares three with the others."""
    repository = job.repositories[0]
    shared = filler.layers(repository, SHARED_LAYERS, layer_bytes)
    for tag in job.tags:
        filler.image(repository, [*shared, *filler.layers(repository, 1, layer_bytes)], tag=tag)


def tags(count: int) -> tuple[str, ...]:
    return tuple(f"1.{number}" for number in range(count))


SCENARIO = Scenario(
    title="200 small tags, new, TLS",
    job=Job(("bench/many",), tags(200)),
    prepare=prepare,
    contestants=EVERYBODY,
    layers=SHARED_LAYERS + 200,
    layer_bytes=LAYER_BYTES,
    is_tls=True,
    is_quick=True,
)
