"""Narrowing a spec to part of its rules, by name or by share. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from imagesync.errors import UsageError
from imagesync.spec.model import Rule


def only(rules: Sequence[Rule], names: Sequence[str], *, option: str = "--only") -> tuple[Rule, ...]:
    """The rules of these entries (`bases`) and images (`bases/nginx`), which `option` has named. Raises UsageError for
    a name without any."""
    known = {name for rule in rules for name in (rule.entry, rule.name)}
    for name in names:
        if name not in known:
            from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is: {', '.join(sorted(known)[:20])}"
            raise UsageError(f"{option} {name!r} names no entry and no image of the spec", hint=hint)
    wanted = set(names)
    return tuple(rule for rule in rules if wanted & {rule.entry, rule.name})


def shard(rules: Sequence[Rule], part: int, whole: int) -> tuple[Rule, ...]:
    """The `part`-th of `whole` shares: by source repository, so that one repository is read by one shard."""
    return tuple(rule for rule in rules if _hash(str(rule.source)) % whole == part - 1)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
