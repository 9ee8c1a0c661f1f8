"""Two hundred small tags that the destination does not have: what requests cost."""

from __future__ import annotations

from functools import partial

from bench.commands import imagesync, skopeo_sync
from bench.scenario import Scenario
from bench.stage import Stage

REPOSITORY = "bench/many"
TAGS = tuple(f"1.{number}" for number in range(200))
SHARED_LAYERS, LAYER_BYTES = 3, 10_000


def prepare(stage: Stage) -> None:
    """Each tag has one layer of its own and shares three with the others."""
    stage.load(REPOSITORY, TAGS, layers=1, layer_bytes=LAYER_BYTES, shared=SHARED_LAYERS)


SCENARIO = Scenario(
    title="200 small tags, new",
    repository=REPOSITORY,
    tags=TAGS,
    needed_bytes=200_000_000,
    prepare=prepare,
    contestants=(
        partial(imagesync, repository=REPOSITORY, tags='["*"]'),
        partial(skopeo_sync, repository=REPOSITORY),
    ),
)
