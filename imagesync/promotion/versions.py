"""Versions of releases: which is newer, and which a stage takes by itself. Pure."""

from __future__ import annotations

from imagesync.reference import Tag
from imagesync.selection import Version


def is_newer(version: Tag, than: Tag) -> bool:
    """Whether it is a higher version. What is no version is not, and nothing is higher than that."""
    one, other = Version.parse(version), Version.parse(than)
    return one is not None and other is not None and one.order > other.order


def why_not_by_itself(version: Tag, runs: Tag | None) -> str | None:
    """Why a stage that runs another one does not take a version by itself; None where it would. It stays with its
    variant; what comes first is plain."""
    found, own = Version.parse(version), Version.parse(runs) if runs is not None else None
    if found is None:
        return "is no version"
    if found.prerelease:
        return "is a pre-release"
    variant = own.variant if own is not None else ""
    if found.variant == variant:
        return None
    return f"has the suffix {found.variant}" if found.variant else f"has no suffix {variant}"
