"""Platform: what an image runs on, in one spelling whatever the source wrote. No manifests here, no selection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass

_ARCHITECTURES = {
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
}
_VARIANTS = {
    "amd64": {"v1": "", "1": ""},
    "arm64": {"8": "", "v8": "", "v8.0": "", "8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"},
    "arm": {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"},
}
_PART = re.compile(r"[a-z0-9_.+-]{1,64}")


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """`os[(os_version)]/architecture[/variant]`, normalised: `linux/aarch64` is `linux/arm64`.

    Image spec, "Image Index", platform; the spellings that are folded are containerd's.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    def __str__(self) -> str:
        version = f"({self.os_version})" if self.os_version else ""
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}{version}/{self.architecture}{variant}"

    @property
    def is_unknown(self) -> bool:
        """True for `unknown/unknown`, which BuildKit gives its attestation manifests."""
        return self.os == "unknown" and self.architecture == "unknown"

    @classmethod
    def make(cls, os: str, architecture: str, variant: str = "", os_version: str = "") -> Platform:
        """A normalised Platform from the parts as somebody wrote them."""
        os, architecture, variant = os.lower(), architecture.lower(), variant.lower()
        os = {"macos": "darwin"}.get(os, os)
        architecture, implied = _ARCHITECTURES.get(architecture, (architecture, ""))
        variant = variant or implied
        variant = _VARIANTS.get(architecture, {}).get(variant, variant)
        return cls(os, architecture, variant, os_version)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Platform:
        """From an index entry or an image config; what is missing or no string counts as empty."""

        def text(key: str) -> str:
            found = value.get(key)
            return found if isinstance(found, str) else ""

        made = cls.make(text("os"), text("architecture"), text("variant"), text("os.version"))
        features = value.get("os.features")
        names = tuple(name for name in features if isinstance(name, str)) if isinstance(features, list) else ()
        return cls(made.os, made.architecture, made.variant, made.os_version, names)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """From `os[(version)]/architecture[/variant]` as a person writes it. Raises InvalidReference."""
        match = re.fullmatch(r"([^/()]+)(?:\(([^/()]*)\))?/([^/()]+)(?:/([^/()]+))?", text)
        parts = [part for part in match.groups() if part] if match else []
        if match is None or not all(_PART.fullmatch(part.lower()) for part in parts):
            raise InvalidReference(f"{text[:80]!a} is not a platform: os/architecture or os/architecture/variant")
        os, version, architecture, variant = match.groups()
        return cls.make(os, architecture, variant or "", version or "")
