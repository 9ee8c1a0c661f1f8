"""How much one rule may come to: what a server lists decides it, and each tag takes some 7 KiB until all is planned."""

from __future__ import annotations

from collections.abc import Sized

from imagesync.errors import LimitError
from imagesync.plan.inventory import Broken
from imagesync.reference import Repository
from imagesync.selection import NeedsFacts, Selection

MAX_SELECTED = 10_000
"""Tags of one repository; as many as `newest` may be."""
MAX_FOUND = 10_000
"""Repositories of one glob."""


def too_many_tags(source: Repository, found: Selection | NeedsFacts) -> Broken | None:
    """Why tags are neither planned nor asked for; None where there are few enough."""
    count = max(map(len, _asked_for(found)))
    if count <= MAX_SELECTED:
        return None
    reason = f"{count} tags of {source} are selected, and one image may select {MAX_SELECTED}"
    hint = f"take fewer, by `newest` or a narrower `include`; what is over {MAX_SELECTED} needs entries of its own"
    return Broken(reason, LimitError.kind, hint)


def too_many_repositories(glob: str, paths: Sized) -> Broken | None:
    """Why none of the repositories that a glob finds is looked into; None where there are few enough."""
    if len(paths) <= MAX_FOUND:
        return None
    reason = f"{len(paths)} are like {glob}, and one glob may find {MAX_FOUND}"
    return Broken(reason, LimitError.kind, "let several narrower globs share them")


def _asked_for(found: Selection | NeedsFacts) -> tuple[Sized, ...]:
    if isinstance(found, Selection):
        return (found.kept, found.waiting)
    return (found.created, found.standings, found.pushed, found.held)
