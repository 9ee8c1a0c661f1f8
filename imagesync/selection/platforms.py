"""Platform filters: patterns for platforms, which of them a rule keeps or demands, and what its index is written as.

Pure values. What a pattern is held against comes from index entries and image configs.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from imagesync.errors import InvalidReference
from imagesync.lazy import dataclass
from imagesync.platform import Platform

FORMAT_VERSION = 1
"""Of the bytes that narrowing writes: another one makes other digests of the same sources."""
_SYSTEMS = (
    *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd"),
    *("openbsd", "plan9", "solaris", "wasip1", "wasip2", "windows", "zos"),
)
_ARCHITECTURES = (
    *("386", "amd64", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc"),
    *("ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc", "sparc64", "wasm"),
)
_ANY = "/*"
_HINT = "write linux/amd64, linux/arm/v7, linux/arm/*, linux/* or windows(10.0.20348)/amd64"


@dataclass(frozen=True, slots=True, order=True)
class PlatformPattern:
    """A platform as `os[(version)]/architecture[/variant]`, or the beginning of one and `/*`.

    Spellings are folded as those of sources are. A variant that is left out is the architecture's plain one; a
    version is a beginning: `windows(10.0.20348)/amd64` is every revision of that build, `windows/amd64` every build.
    """

    platform: Platform
    has_any_architecture: bool = False
    has_any_variant: bool = False

    def __str__(self) -> str:
        text = str(self.platform)
        if self.has_any_architecture:
            return text.partition("/")[0] + _ANY
        return "/".join(text.split("/")[:2]) + _ANY if self.has_any_variant else text

    @classmethod
    def parse(cls, text: str) -> PlatformPattern:
        """Raises InvalidReference for what is none, and for systems and architectures that do not exist."""
        stem = text.removesuffix(_ANY)
        is_any = stem != text
        has_any_architecture = is_any and "/" not in stem
        if stem.count("/") > (1 if is_any else 2):
            raise InvalidReference(f"{text[:80]!a} is not a platform", hint=_HINT)
        try:
            platform = Platform.parse(f"{stem}/amd64" if has_any_architecture else stem)
        except InvalidReference as error:
            raise InvalidReference(f"{text[:80]!a} is not a platform", hint=_HINT) from error
        _check_known(platform.os, _SYSTEMS, "an operating system")
        _check_known(platform.architecture, _ARCHITECTURES, "an architecture")
        if is_any:
            platform = Platform(platform.os, platform.architecture, os_version=platform.os_version)
        return cls(platform, has_any_architecture, is_any)

    def matches(self, platform: Platform) -> bool:
        own = self.platform
        return (
            platform.os == own.os
            and _begins_with(platform.os_version, own.os_version)
            and (self.has_any_architecture or platform.architecture == own.architecture)
            and (self.has_any_variant or platform.variant == own.variant)
        )


class IndexForm(Enum):
    """What becomes of an index of which not all is kept."""

    REWRITE = "rewrite"
    """A new index without the entries that are left out: another digest."""
    SPARSE = "sparse"
    """The source's index as it is, and what it lists in part: the same digest, where the registry takes that."""
    FLATTEN = "flatten"
    """No index: the tag points to the manifest of the one platform that is kept."""


@dataclass(frozen=True, slots=True)
class Platforms:
    """Which platforms of an image are kept, in which form, and which it must have. Made by `of`: in one order."""

    keep: tuple[PlatformPattern, ...] = ()
    """None: all there are."""
    index: IndexForm = IndexForm.REWRITE
    required: tuple[PlatformPattern, ...] = ()

    @classmethod
    def of(
        cls,
        keep: Iterable[PlatformPattern],
        index: IndexForm = IndexForm.REWRITE,
        required: Iterable[PlatformPattern] = (),
    ) -> Platforms:
        """The same value for the same platforms, in whatever order they are named."""
        return cls(tuple(sorted(set(keep))), index, tuple(sorted(set(required))))

    @property
    def key(self) -> str:
        """What an earlier run is remembered by, in one spelling."""
        kept = f"{self.index.value} {_joined(self.keep)}" if self.keep else "all"
        demanded = f" of {_joined(self.required)}" if self.required else ""
        return f"{FORMAT_VERSION} {kept}{demanded}"

    def __str__(self) -> str:
        return _joined(self.keep) or "all platforms"

    def keeps(self, platform: Platform) -> bool:
        return not self.keep or any(pattern.matches(platform) for pattern in self.keep)

    def missing_of(self, platforms: Iterable[Platform]) -> tuple[PlatformPattern, ...]:
        """What is required and is not among these."""
        there = tuple(platforms)
        return tuple(one for one in self.required if not any(one.matches(platform) for platform in there))


EVERY_PLATFORM = Platforms()


def _joined(patterns: Iterable[PlatformPattern]) -> str:
    return ", ".join(map(str, patterns))


def _begins_with(version: str, wanted: str) -> bool:
    """Whether these are the first numbers of a version: of Windows, a build's revisions run each other's images."""
    return not wanted or version.split(".")[: wanted.count(".") + 1] == wanted.split(".")


def _check_known(word: str, known: tuple[str, ...], what: str) -> None:
    if word in known:
        return
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    near = get_close_matches(word, known, n=1)
    raise InvalidReference(f"{word!a} is not {what}", hint=f"did you mean {near[0]}?" if near else _HINT)
