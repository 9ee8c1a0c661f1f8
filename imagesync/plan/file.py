"""The plan file: a Plan as JSON and back, exact to the digest. Its form is in schema.json beside this.

Reading checks everything again: manifests hash to their names, blobs stand in their manifests. What a spec
allows is checked in `conformity`. Reading and writing the file itself is cli's business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from imagesync import __version__
from imagesync.errors import InvalidManifest, InvalidReference, Place, PlanFileError
from imagesync.gates import Verdict
from imagesync.manifest import MAX_DEPTH, Content, Descriptor, Index, parse_manifest, walk
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Carries,
    Cause,
    Conflict,
    Copy,
    Delete,
    Drifted,
    Failure,
    Keep,
    Plan,
    Purpose,
    Skip,
    Spared,
    SpecPin,
    UpstreamMoved,
    Waiting,
    WaitsFor,
)
from imagesync.plan.attachments import kind_of
from imagesync.plan.diff import blobs_of
from imagesync.plan.narrowing import names_of_kept
from imagesync.plan.summary import summarise
from imagesync.plan.unit import unit_from_dict, unit_to_dict
from imagesync.plan.verdicts import verdicts_from_dict, verdicts_to_dicts
from imagesync.reference import Digest, Reference, Tag, make_repository
from imagesync.spec.validator import Mismatch, Validator

FORMAT_VERSION = 1


def plan_to_json(plan: Plan, *, created: str = "") -> str:
    """The plan as the text of a file: stable order, two spaces, a final newline. `created` is RFC 3339, UTC."""
    summary = summarise(plan)
    document = {
        "format_version": FORMAT_VERSION,
        "imagesync": __version__,
        **({"purpose": plan.purpose.value} if plan.purpose is not Purpose.SYNC else {}),
        **({"created": created} if created else {}),
        **({"unit": unit_to_dict(plan.unit)} if plan.unit is not None else {}),
        "specs": [asdict(pin) for pin in plan.specs],
        "summary": {"changes": summary.changes, **asdict(summary)},
        **({"pulls": [asdict(pulls) for pulls in plan.pulls]} if plan.pulls else {}),
        **({"warnings": [asdict(one) for one in plan.warnings]} if plan.warnings else {}),
        **({"found": [asdict(one) for one in plan.found]} if plan.found else {}),
        "actions": [_action_to_dict(action) for action in plan.actions],
        "manifests": {
            digest: {"media_type": content.media_type, "content": content.raw.decode("utf-8")}
            for digest, content in sorted(plan.contents.items())
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def plan_from_json(text: str, *, name: str) -> Plan:
    """Read a plan file; `name` is what messages call it. Raises PlanFileError for whatever does not fit."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"{name} is not JSON: {error}", hint="write it anew with `imagesync plan -o`") from error
    _check_form(document, name)
    try:
        contents = {
            Digest(digest): _content_from_dict(entry, Digest(digest)) for digest, entry in document["manifests"].items()
        }
        actions = tuple(_action_from_dict(action, contents) for action in document["actions"])
        _check_destinations(actions)
        unit = unit_from_dict(document["unit"]) if "unit" in document else None
    except (InvalidManifest, InvalidReference, UnicodeEncodeError) as error:
        raise PlanFileError(f"{name} is damaged: {error}", hint="write it anew with `imagesync plan -o`") from error
    specs = tuple(SpecPin(pin["path"], pin["sha256"]) for pin in document["specs"])
    return Plan(actions, contents, specs, from_file=True, unit=unit)


def schema_text() -> str:
    """The plan file's JSON Schema (draft-07)."""
    return Path(__file__).with_name("schema.json").read_text("utf-8")


def _check_form(document: object, name: str) -> None:
    if isinstance(document, dict) and document.get("purpose") is not None:
        hint = "`imagesync prune` with --confirm deletes, after it has looked anew"
        raise PlanFileError(f"{name} is what a prune would do: there is nothing to apply", hint=hint)
    found = document.get("format_version") if isinstance(document, dict) else None
    if found != FORMAT_VERSION:
        raise PlanFileError(
            f"{name} has format_version {ascii(found)[:40]}, this imagesync reads {FORMAT_VERSION}",
            hint="write it anew with `imagesync plan -o`",
        )
    try:
        Validator(json.loads(schema_text())).check(document)
    except Mismatch as error:
        where = ".".join(map(str, error.path))
        raise PlanFileError(f"{name} is damaged at {ascii(where)[1:-1]}", hint="write it anew") from error


def _action_to_dict(action: Action) -> dict[str, Any]:
    shared = {"rule": action.rule, "place": asdict(action.place)}
    if isinstance(action, Blocked):
        hint = {"hint": action.hint} if action.hint is not None else {}
        return {**_action_to_dict(action.copy), "action": "blocked", "reason": action.reason, **hint}
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


def _moved_upstream(value: Mapping[str, Any]) -> UpstreamMoved | None:
    moved = value.get("upstream_moved")
    if moved is None:
        return None
    return UpstreamMoved(Digest(moved["now"]) if moved["now"] is not None else None)


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


def _check_depth(root: Content, contents: Mapping[Digest, Content]) -> None:
    """Raise InvalidManifest for indexes of indexes that no survey would have read."""
    level = {root.digest}
    for _ in range(MAX_DEPTH):
        indexes = [found for digest in level if isinstance(found := contents[digest], Index)]
        level = {entry.digest for index in indexes for entry in index.successors() if entry.digest in contents}
    if level:
        raise InvalidManifest(f"index {root.digest} is nested more than {MAX_DEPTH} levels deep")


def _action_from_dict(value: Mapping[str, Any], contents: Mapping[Digest, Content]) -> Action:
    rule, place = value["rule"], Place(**{key: value["place"][key] for key in ("file", "line", "column")})
    kind = value["action"]
    if kind in ("copy", "attach"):
        return _change_from_dict(value, rule, place, contents)
    if kind == "blocked":
        change = _change_from_dict(value, rule, place, contents)
        return Blocked(copy=change, reason=value.get("reason", ""), hint=value.get("hint"))
    if kind in ("keep", "assumed", "conflict", "drifted"):
        return _settled_from_dict(value, rule, place)
    if kind == "waiting":
        return _waiting_from_dict(value, rule, place)
    subject, reason = value["subject"], value["reason"]
    if kind == "skip":
        return Skip(rule=rule, place=place, subject=subject, reason=reason)
    hint = value.get("hint")
    return Failure(rule=rule, place=place, subject=subject, reason=reason, kind=value.get("kind", "error"), hint=hint)


def _settled_from_dict(value: Mapping[str, Any], rule: str, place: Place) -> Keep | Assumed | Conflict | Drifted:
    source, destination, narrowed = _from_dict(value["source"]), _from_dict(value["destination"]), _narrowed(value)
    moved = _moved_upstream(value)
    if value["action"] == "keep":
        return Keep(rule=rule, place=place, source=source, destination=destination, narrowed=narrowed, moved=moved)
    if value["action"] == "assumed":
        return Assumed(rule=rule, place=place, source=source, destination=destination)
    found = Digest(value["found"])
    if value["action"] == "drifted":
        wrote = Digest(value["wrote"])
        return Drifted(rule=rule, place=place, source=source, destination=destination, found=found, wrote=wrote)
    return Conflict(
        rule=rule,
        place=place,
        source=source,
        destination=destination,
        found=found,
        narrowed=narrowed,
        moved=moved,
    )


def _narrowed(value: Mapping[str, Any]) -> Digest | None:
    return Digest(value["narrowed"]) if value.get("narrowed") is not None else None


def _waiting_from_dict(value: Mapping[str, Any], rule: str, place: Place) -> Waiting:
    return Waiting(
        rule=rule,
        place=place,
        source=_from_dict(value["source"]),
        destination=_from_dict(value["destination"]),
        reason=value["reason"],
        hint=value.get("hint"),
        exit_code=value["exit_code"],
        waits_for=WaitsFor(value.get("waits_for", WaitsFor.PULLS.value)),
        verdicts=verdicts_from_dict(value),
    )


def _change_from_dict(
    value: Mapping[str, Any], rule: str, place: Place, contents: Mapping[Digest, Content]
) -> Copy | Attach:
    """A Copy, or what is attached to a tag that stays: that has no blobs of its own."""
    attachments = tuple(_copy_from_dict(one, rule, place, contents) for one in value.get("attachments", ()))
    source, destination = _from_dict(value["source"]), _from_dict(value["destination"])
    if destination.tag is None or source.digest is None:
        raise InvalidManifest(f"the copy to {destination} lacks its digest or its tag")
    moved = _moved_upstream(value)
    if "missing" in value:
        return replace(_copy_from_dict(value, rule, place, contents), attachments=attachments, moved=moved)
    return Attach(
        rule=rule,
        place=place,
        source=source,
        destination=destination,
        attachments=attachments,
        note=value.get("note", ""),
        narrowed=_narrowed(value),
        moved=moved,
    )


def _copy_from_dict(value: Mapping[str, Any], rule: str, place: Place, contents: Mapping[Digest, Content]) -> Copy:
    """The Copy, with its blobs looked up in the manifests: a file cannot name others."""
    source, destination = _from_dict(value["source"]), _from_dict(value["destination"])
    wanted = _narrowed(value) or source.digest
    root, origin = (contents.get(digest) if digest else None for digest in (wanted, source.digest))
    if root is None or origin is None:
        raise InvalidManifest(f"the copy to {destination} lacks its manifest or its digest")
    _check_depth(root, contents)
    left_out = tuple(map(Digest, value.get("left_out", ())))
    blobs = {blob.digest: blob for blob in blobs_of(root, contents, left_out)}
    is_moved = source.repository != destination.repository
    lost = set(_lost(root, contents, destination)) - set(left_out) if is_moved else set()
    if lost or any(digest not in blobs for digest in value["missing"]):
        raise InvalidManifest(f"the copy to {destination} does not fit its manifests")
    return Copy(
        rule=rule,
        place=place,
        source=source,
        destination=destination,
        root=root.descriptor,
        replaces=Digest(value["replaces"]) if value["replaces"] is not None else None,
        platforms=names_of_kept(origin, root, left_out),
        missing=tuple(blobs[digest] for digest in value["missing"]),
        present_bytes=value["present_bytes"],
        note=value.get("note", ""),
        previous=Tag(value["previous"]) if value.get("previous") is not None else None,
        is_immutable=value.get("immutable", False),
        cause=Cause(value["cause"]) if value.get("cause") is not None else None,
        carries=_carries(value.get("alias")),
        left_out=left_out,
        verdicts=verdicts_from_dict(value),
    )


def _carries(value: Mapping[str, Any] | None) -> Carries | None:
    if value is None:
        return None
    return Carries(Tag(value["version"]), Tag(value["before"]) if value["before"] is not None else None)


def _lost(root: Content, contents: Mapping[Digest, Content], destination: Reference) -> list[Digest]:
    """Manifests that a root lists and the file has not. Of a list of referrers, the destination may have some."""
    if destination.tag is not None and kind_of(destination.tag) is not None:
        return []
    nodes = {node.digest for node in walk(root, contents)}
    entries = [entry for node in nodes if isinstance(found := contents[node], Index) for entry in found.successors()]
    return [entry.digest for entry in entries if entry.is_manifest and entry.digest not in nodes]


def _from_dict(value: Mapping[str, Any]) -> Reference:
    tag, digest = value.get("tag"), value.get("digest")
    return Reference(
        make_repository(value["registry"], value["path"]),
        Tag(tag) if tag is not None else None,
        Digest(digest) if digest is not None else None,
    )
