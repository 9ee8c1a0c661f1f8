"""What gates have said, as JSON has it in plan files and reports, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from imagesync.gates import Ruling, Verdict


def verdicts_to_dicts(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """One object for each verdict."""
    return [{"gate": one.gate, "ruling": one.ruling.value, "reason": one.reason, "hint": one.hint} for one in verdicts]


def verdicts_from_dict(value: Mapping[str, Any]) -> tuple[Verdict, ...]:
    """Those of an action of a plan file, which the schema has accepted."""
    return tuple(
        Verdict(one["gate"], Ruling(one["ruling"]), one["reason"], one.get("hint")) for one in value.get("verdicts", ())
    )
