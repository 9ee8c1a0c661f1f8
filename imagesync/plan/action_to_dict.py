"""Actions as a plan file has them. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from imagesync.gates import Verdict
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Conflict,
    Copy,
    Delete,
    Drifted,
    Keep,
    Skip,
    Spared,
    Waiting,
)
from imagesync.plan.creating import creation_to_dict
from imagesync.plan.verdicts import verdicts_to_dicts
from imagesync.reference import Reference


def action_to_dict(action: Action) -> dict[str, Any]:
    shared = {"rule": action.rule, "place": asdict(action.place)}
    if isinstance(action, Blocked):
        hint = {"hint": action.hint} if action.hint is not None else {}
        return {**action_to_dict(action.copy), "action": "blocked", "reason": action.reason, **hint}
    if isinstance(action, Delete | Spared):
        return {**shared, **_pruned_to_dict(action)}
    if isinstance(action, Copy | Attach):
        return {"action": "copy" if isinstance(action, Copy) else "attach", **shared, **_change_to_dict(action)}
    if isinstance(action, Keep | Assumed | Conflict | Drifted | Waiting):
        sides = {"source": _to_dict(action.source), "destination": _to_dict(action.destination)}
        moved = {} if isinstance(action, Assumed | Drifted | Waiting) else _moved_to_dict(action)
        return {**_left_to_dict(action), **shared, **sides, **_narrowed_to_dict(action), **moved}
    said = {"subject": action.subject, "reason": action.reason}
    if isinstance(action, Skip):
        return {"action": "skip", **shared, **said}
    return {"action": "failure", **shared, **said, "kind": action.kind, "hint": action.hint}


def _narrowed_to_dict(action: Action) -> dict[str, Any]:
    """What the source's digest becomes at the destination, where that is another."""
    if isinstance(action, Copy):
        return {"narrowed": action.root.digest} if action.is_narrowed else {}
    narrowed = action.narrowed if isinstance(action, Attach | Keep | Conflict) else None
    return {"narrowed": narrowed} if narrowed is not None else {}


def _pruned_to_dict(action: Delete | Spared) -> dict[str, Any]:
    """What a prune does to a tag; no plan file has it."""
    destination = _to_dict(action.destination)
    if isinstance(action, Spared):
        return {"action": "spared", "destination": destination, "found": action.digest, "reason": action.reason}
    return {"action": "delete", "destination": destination, "replaces": action.digest, "note": action.note}


def _left_to_dict(action: Keep | Assumed | Conflict | Drifted | Waiting) -> dict[str, Any]:
    """What an action that leaves its tag alone says besides the two sides."""
    if isinstance(action, Conflict):
        return {"action": "conflict", "found": action.found, "reason": action.reason, "hint": action.hint}
    if isinstance(action, Drifted):
        said = {"reason": action.reason, "hint": action.hint}
        return {"action": "drifted", "found": action.found, "wrote": action.wrote, **said}
    if isinstance(action, Waiting):
        why: dict[str, Any] = {"reason": action.reason, "hint": action.hint, "exit_code": action.exit_code}
        why |= {"waits_for": action.waits_for.value, **_said_to_dict(action.verdicts)}
        return {"action": "waiting", **why}
    return {"action": "keep" if isinstance(action, Keep) else "assumed"}


def _change_to_dict(action: Copy | Attach) -> dict[str, Any]:
    attachments = [_copy_to_dict(copy) for copy in action.attachments]
    beside = {**({"attachments": attachments} if attachments else {}), **_moved_to_dict(action)}
    if isinstance(action, Copy):
        return {**_copy_to_dict(action), **beside}
    source, destination = _to_dict(action.source), _to_dict(action.destination)
    return {
        "source": source,
        "destination": destination,
        "note": action.note,
        **_narrowed_to_dict(action),
        **beside,
    }


def _moved_to_dict(action: Copy | Attach | Keep | Conflict) -> dict[str, Any]:
    """Where the source's tag went that a lock holds on to, if it did."""
    return {"upstream_moved": asdict(action.moved)} if action.moved is not None else {}


def _copy_to_dict(copy: Copy) -> dict[str, Any]:
    return {
        "source": _to_dict(copy.source),
        "destination": _to_dict(copy.destination),
        "replaces": copy.replaces,
        "platforms": list(copy.platforms),
        "bytes_to_copy": copy.bytes_to_copy,
        "present_bytes": copy.present_bytes,
        "missing": [blob.digest for blob in copy.missing],
        "note": copy.note,
        "previous": copy.previous,
        "immutable": copy.is_immutable,
        **({"cause": copy.cause.value} if copy.cause is not None else {}),
        **({"alias": asdict(copy.carries)} if copy.carries is not None else {}),
        **({"creates": creation_to_dict(copy.creates)} if copy.creates is not None else {}),
        **_narrowed_to_dict(copy),
        **({"left_out": list(copy.left_out)} if copy.left_out else {}),
        **_said_to_dict(copy.verdicts),
    }


def _said_to_dict(verdicts: tuple[Verdict, ...]) -> dict[str, Any]:
    """What gates have said, where there are any."""
    return {"verdicts": verdicts_to_dicts(verdicts)} if verdicts else {}


def _to_dict(reference: Reference) -> dict[str, Any]:
    repository = reference.repository
    return {
        "registry": repository.registry,
        "path": repository.path,
        "tag": reference.tag,
        "digest": reference.digest,
    }
