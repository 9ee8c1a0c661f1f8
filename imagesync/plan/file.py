"""The plan file: a Plan as JSON and back, exact to the digest. Its form is in schema.json beside this.

Reading checks everything again: manifests hash to their names, blobs stand in their manifests. What a spec
allows is checked in `conformity`. Reading and writing the file itself is cli's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imagesync import __version__
from imagesync.errors import InvalidManifest, InvalidReference, PlanFileError
from imagesync.lazy import replace
from imagesync.manifest import Content, Descriptor, Index, parse_manifest
from imagesync.plan.action_from_dict import action_from_dict
from imagesync.plan.action_to_dict import action_to_dict
from imagesync.plan.actions import (
    Action,
    Attach,
    Blocked,
    Copy,
    Plan,
    Purpose,
    SpecPin,
)
from imagesync.plan.parts import as_one
from imagesync.plan.summary import summarise
from imagesync.plan.unit import unit_from_dict, unit_to_dict
from imagesync.reference import Digest, Reference
from imagesync.spec.validator import Mismatch, Validator

FORMAT_VERSION = 1
FORMAT_WITH_UNITS = 2
"""Of a plan with units beside its own actions: who reads format 1 alone would leave them out in silence."""
_READ = (FORMAT_VERSION, FORMAT_WITH_UNITS)


def plan_to_json(plan: Plan, *, created: str = "") -> str:
    """The plan as the text of a file: stable order, two spaces, a final newline. `created` is RFC 3339, UTC."""
    whole = as_one(plan)
    summary = summarise(whole)
    document = {
        "format_version": FORMAT_WITH_UNITS if plan.units else FORMAT_VERSION,
        "imagesync": __version__,
        **({"purpose": plan.purpose.value} if plan.purpose is not Purpose.SYNC else {}),
        **({"created": created} if created else {}),
        **({"unit": unit_to_dict(plan.unit)} if plan.unit is not None else {}),
        **({"units": [_unit_to_dict(unit) for unit in plan.units]} if plan.units else {}),
        "specs": [asdict(pin) for pin in plan.specs],
        "summary": {"changes": summary.changes, **asdict(summary)},
        **({"pulls": [asdict(pulls) for pulls in plan.pulls]} if plan.pulls else {}),
        **({"warnings": [asdict(one) for one in plan.warnings]} if plan.warnings else {}),
        **({"found": [asdict(one) for one in plan.found]} if plan.found else {}),
        **({"due": [asdict(one) for one in plan.due]} if plan.due else {}),
        "actions": [*map(action_to_dict, plan.actions), *_actions_of_units(plan)],
        "manifests": {
            digest: {"media_type": content.media_type, "content": content.raw.decode("utf-8")}
            for digest, content in sorted(whole.contents.items())
        },
    }
    return json.dumps(document, indent=2) + "\n"


def plan_from_json(text: str, *, name: str) -> Plan:
    """Read a plan file; `name` is what messages call it. Raises PlanFileError for whatever does not fit."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"{name} is not JSON: {error}", hint="write it anew with `imagesync plan -o`") from error
    _check_form(document, name)
    try:
        return _plan(document)
    except (InvalidManifest, InvalidReference, UnicodeEncodeError) as error:
        raise PlanFileError(f"{name} is damaged: {error}", hint="write it anew with `imagesync plan -o`") from error


def _unit_to_dict(plan: Plan) -> dict[str, Any]:
    """What moves together, and the files that it was planned from: that of a release is among them."""
    assert plan.unit is not None  # noqa: S101 - narrows: what moves together is one
    return {**unit_to_dict(plan.unit), "specs": [asdict(pin) for pin in plan.specs]}


def _actions_of_units(plan: Plan) -> Iterator[dict[str, Any]]:
    """The actions of all units, each with the position of its own."""
    for position, unit in enumerate(plan.units):
        yield from ({**action_to_dict(action), "unit": position} for action in unit.actions)


def _plan(document: Mapping[str, Any]) -> Plan:
    contents = {
        Digest(digest): _content_from_dict(entry, Digest(digest)) for digest, entry in document["manifests"].items()
    }
    units = document.get("units", ())
    parts: dict[int | None, list[Action]] = {None: [], **{position: [] for position in range(len(units))}}
    for action in document["actions"]:
        if action.get("unit") not in parts:
            raise InvalidManifest(f"there is no unit {action['unit']}")
        parts[action.get("unit")].append(action_from_dict(action, contents))
    _check_destinations(action for part in parts.values() for action in part)
    return Plan(
        tuple(parts[None]),
        contents,
        _specs(document),
        from_file=True,
        unit=unit_from_dict(document["unit"]) if "unit" in document else None,
        units=tuple(
            Plan(tuple(parts[position]), contents, _specs(unit), from_file=True, unit=unit_from_dict(unit))
            for position, unit in enumerate(units)
        ),
    )


def _specs(value: Mapping[str, Any]) -> tuple[SpecPin, ...]:
    return tuple(SpecPin(pin["path"], pin["sha256"]) for pin in value["specs"])


def schema_text() -> str:
    """The plan file's JSON Schema (draft-07)."""
    return Path(__file__).with_name("schema.json").read_text("utf-8")


def _check_form(document: object, name: str) -> None:
    if isinstance(document, dict) and document.get("purpose") is not None:
        hint = "`imagesync prune` with --confirm deletes, after it has looked anew"
        raise PlanFileError(f"{name} is what a prune would do: there is nothing to apply", hint=hint)
    found = document.get("format_version") if isinstance(document, dict) else None
    if found not in _READ:
        raise PlanFileError(
            f"{name} has format_version {ascii(found)[:40]}, this imagesync reads {' and '.join(map(str, _READ))}",
            hint="write it anew with `imagesync plan -o`",
        )
    try:
        Validator(json.loads(schema_text())).check(document)
    except Mismatch as error:
        where = ".".join(map(str, error.path))
        raise PlanFileError(f"{name} is damaged at {ascii(where)[1:-1]}", hint="write it anew") from error


def _content_from_dict(entry: Mapping[str, Any], digest: Digest) -> Content:
    """A manifest without the content that its descriptors embed: what is copied comes from the source alone."""
    content = parse_manifest(entry["content"].encode("utf-8"), entry["media_type"], digest)
    if isinstance(content, Index):
        return replace(content, manifests=tuple(map(_without_data, content.manifests)))
    layers = tuple(map(_without_data, content.layers))
    return replace(content, config=_without_data(content.config), layers=layers)


def _without_data(descriptor: Descriptor) -> Descriptor:
    return replace(descriptor, data=None) if descriptor.data is not None else descriptor


def _check_destinations(actions: Iterable[Action]) -> None:
    seen: set[Reference] = set()
    for action in actions:
        if isinstance(action, Copy | Attach | Blocked):
            if action.destination in seen:
                raise InvalidManifest(f"there are two copies to {action.destination}")
            seen.add(action.destination)
