"""Sync entries that write where releases come to: past the gates of a stage, and on no record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from imagesync.spec.model import Rule, SpecWarning

if TYPE_CHECKING:
    from imagesync.spec.stages import Promotion


def past_gates(rules: Sequence[Rule], promotions: Sequence[Promotion]) -> Iterator[SpecWarning]:
    """A warning for each; none where the entry has the gates of the stage itself. To the first stage anybody pushes,
    and so to those that share its repositories."""
    for promotion in promotions:
        first, *others = promotion.stages
        pushed = set(map(first.repository_of, promotion.images))
        for stage in others:
            guarded = sorted(set(map(stage.repository_of, promotion.images)) - pushed, key=str)
            passing = [rule for rule in rules if not set(stage.gates) <= set(rule.gates)]
            for rule, repository in product(passing, guarded):
                if rule.may_write(repository):
                    where = f"{promotion.name}/{stage.name}"
                    yield SpecWarning(rule.place, f"it may write to {repository}, past the gates of the stage {where}")
