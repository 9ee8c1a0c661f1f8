"""The gate `size`: no image of it is larger, has a larger layer, or more layers, than this."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass

MAX_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds for what one platform pulls, compressed; None where there is none. Text is as the spec has it."""

    total_bytes: int | None = None
    layer_bytes: int | None = None
    layers: int | None = None
    text: str = ""

    def __str__(self) -> str:
        return f"size {self.text}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:  # noqa: ARG002 - manifests say it
        return ()

    def judge(self, candidate: Candidate, known: Known) -> Finding:  # noqa: ARG002 - as above
        images = candidate.images()
        found = [f"{image}: {what}" for image in images for what in self._excesses(image)]
        if not images:
            return Finding.blocked("holds no image to measure", "leave the gate out where artifacts are copied")
        if not found:
            return Finding.passed(f"within {self.text}")
        more = [f"{len(found) - MAX_SHOWN} more"] if len(found) > MAX_SHOWN else []
        return Finding.blocked("; ".join([*found[:MAX_SHOWN], *more]), f"the gate allows {self.text}")

    def _excesses(self, image: Image) -> Iterator[str]:
        layers = image.manifest.layers
        total = image.manifest.config.size_bytes + sum(layer.size_bytes for layer in layers)
        largest = max((layer.size_bytes for layer in layers), default=0)
        if self.total_bytes is not None and total > self.total_bytes:
            yield f"{total} bytes"
        if self.layer_bytes is not None and largest > self.layer_bytes:
            yield f"a layer of {largest} bytes"
        if self.layers is not None and len(layers) > self.layers:
            yield f"{len(layers)} layers"
