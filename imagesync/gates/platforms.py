"""The gate `require_platforms`: the image can be run on all of these."""

from __future__ import annotations

from collections.abc import Iterator

from imagesync.gates.candidate import Candidate, Image
from imagesync.gates.needs import Known, Need, ReadConfig, Unread
from imagesync.gates.verdict import Finding
from imagesync.lazy import dataclass
from imagesync.platform import Platform
from imagesync.selection import PlatformPattern, Platforms


@dataclass(frozen=True, slots=True)
class RequirePlatforms:
    """What an index does not say, the configs of its images do."""

    required: tuple[PlatformPattern, ...]

    def __str__(self) -> str:
        return f"require_platforms {', '.join(map(str, self.required))}"

    def needs(self, candidate: Candidate) -> tuple[Need, ...]:
        return tuple(ReadConfig(image.manifest.digest) for image in candidate.images() if image.platform is None)

    def judge(self, candidate: Candidate, known: Known) -> Finding:
        there = tuple(self._platforms(candidate.images(), known))
        missing = Platforms.of((), required=self.required).missing_of(there)
        if not missing:
            return Finding.passed(f"has {', '.join(map(str, self.required))}")
        has = ", ".join(map(str, there)) or "none that it names"
        reason = f"lacks {', '.join(map(str, missing))}; it has {has}"
        return Finding.blocked(reason, "build it for these platforms, or let the gate require fewer")

    def _platforms(self, images: tuple[Image, ...], known: Known) -> Iterator[Platform]:
        for image in images:
            config = None if image.platform else known[ReadConfig(image.manifest.digest)]
            if image.platform is not None:
                yield image.platform
            elif config is not None and not isinstance(config, Unread):
                platform = Platform.from_dict(config)
                if platform.os and platform.architecture:
                    yield platform
