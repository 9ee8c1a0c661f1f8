"""One image of eight layers of 16 MiB to three registries: one read for all of them."""

from __future__ import annotations

from dataclasses import replace

from bench.contestants import EVERYBODY
from bench.scenarios import large_image

SCENARIO = replace(
    large_image.SCENARIO,
    title="One image of 8 x 16 MiB to three registries",
    contestants=EVERYBODY,
    layer_bytes=16 * 1024 * 1024,
    destinations=3,
)
