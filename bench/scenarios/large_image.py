"""One image of eight layers of 64 MiB: what bytes cost."""

from __future__ import annotations

from functools import partial

from bench.commands import imagesync, skopeo_copy
from bench.scenario import Scenario
from bench.stage import Stage

REPOSITORY, TAG = "bench/large", "1"
LAYERS, LAYER_BYTES = 8, 64 * 1024 * 1024


def prepare(stage: Stage) -> None:
    stage.load(REPOSITORY, (TAG,), layers=LAYERS, layer_bytes=LAYER_BYTES)


SCENARIO = Scenario(
    title="One image of 8 x 64 MiB, new",
    repository=REPOSITORY,
    tags=(TAG,),
    needed_bytes=3 * LAYERS * LAYER_BYTES,
    prepare=prepare,
    contestants=(
        partial(imagesync, repository=REPOSITORY, tags=f'["{TAG}"]'),
        partial(skopeo_copy, repository=REPOSITORY, tag=TAG),
    ),
)
