"""Narrowing a spec to part of its rules, by name or by share. Pure."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from imagesync.errors import UsageError
from imagesync.lazy import replace
from imagesync.spec.globs import WHOLE, Share
from imagesync.spec.model import Rule, Spec

if TYPE_CHECKING:
    from imagesync.gates import Gate
    from imagesync.spec.stages import Promotion


def only(rules: Sequence[Rule], names: Sequence[str], *, option: str = "--only") -> tuple[Rule, ...]:
    """The rules of these entries (`bases`) and images (`bases/nginx`), also of those that a glob would find.

    Raises UsageError for a name without any, given with `option`.
    """
    for name in names:
        if not _is_entry(name, rules):
            raise UsageError(f"{option} {name!r} names no entry and no image of the spec", hint=_near(name, rules))
    found = (rule.named(name) for rule in rules for name in names)
    return tuple(dict.fromkeys(rule for rule in found if rule is not None))


def shard(rules: Sequence[Rule], part: int, whole: int) -> tuple[Rule, ...]:
    """The `part`-th of `whole` shares: by source repository, so that one repository is read by one shard.

    A glob stays in every share, and is narrowed in what it finds.
    """
    share = Share(part, whole)
    narrowed = (replace(rule, glob=replace(rule.glob, share=share)) if rule.glob else rule for rule in rules)
    return tuple(rule for rule in narrowed if rule.glob is not None or share.holds(rule.source))


def names_of_entries(spec: Spec, arguments: argparse.Namespace) -> list[str]:
    """Those of `--only` that name no promotion, or an entry as well. Raises UsageError for a promotion that a run over
    the spec never moves; commands that move none know no promotions."""
    is_moving = getattr(arguments, "moves_releases", False) and not getattr(arguments, "repair", False)
    known = {one.name: one for one in spec.promotions} if is_moving else {}
    for name in arguments.only:
        if name in known and not known[name].automatic and not _is_entry(name, spec.rules):
            hint = f"`imagesync promote SPEC {name}:VERSION --to STAGE` moves it, or give a stage `auto: true`"
            raise UsageError(f"--only {name!r} names a promotion that nothing moves by itself", hint=hint)
    return [name for name in arguments.only if name not in known or _is_entry(name, spec.rules)]


def _is_entry(name: str, rules: Sequence[Rule]) -> bool:
    return any(rule.named(name) for rule in rules)


def promotions_of(spec: Spec, arguments: argparse.Namespace) -> tuple[Promotion, ...]:
    """The promotions of which a run over the spec moves what is due: those that `--only` names, in the share that
    `--shard` gives it. A promotion belongs to the share of its first image."""
    named = [one for one in spec.promotions if not arguments.only or one.name in arguments.only]
    share = Share(*arguments.shard) if arguments.shard else WHOLE
    return tuple(one for one in named if one.automatic and share.holds(one.stages[0].repository_of(one.images[0])))


def without_commands(spec: Spec) -> Spec:
    """The spec with none of its programs: who logs in nowhere does not trust it, as with the pull request of a fork."""
    from imagesync.gates.command import without_commands as _of_gate  # noqa: PLC0415 - few commands

    def not_run(gates: Iterable[Gate]) -> tuple[Gate, ...]:
        return tuple(_of_gate(gate, "the spec is not trusted here (--anonymous)") for gate in gates)

    rules = tuple(replace(rule, gates=not_run(rule.gates)) for rule in spec.rules)
    stages = [tuple(replace(stage, gates=not_run(stage.gates)) for stage in one.stages) for one in spec.promotions]
    promotions = (replace(one, stages=own) for one, own in zip(spec.promotions, stages, strict=True))
    return replace(spec, rules=rules, promotions=tuple(promotions))


def _near(name: str, rules: Sequence[Rule]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    known = sorted({name for rule in rules for name in (rule.entry, rule.name)})
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there is: {', '.join(known[:20])}"
