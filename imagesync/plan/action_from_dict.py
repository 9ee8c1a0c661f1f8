"""Actions as a plan file has them, and back: a file cannot name blobs that its manifests do not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagesync.errors import InvalidManifest, Place
from imagesync.lazy import replace
from imagesync.manifest import MAX_DEPTH, Content, Index, walk
from imagesync.plan.actions import (
    Action,
    Assumed,
    Attach,
    Blocked,
    Cause,
    Conflict,
    Copy,
    Drifted,
    Failure,
    Keep,
    Skip,
    Waiting,
    WaitsFor,
)
from imagesync.plan.attachments import kind_of
from imagesync.plan.creating import creation_from_dict
from imagesync.plan.diff import blobs_of
from imagesync.plan.following import Carries, UpstreamMoved
from imagesync.plan.narrowing import names_of_kept
from imagesync.plan.verdicts import verdicts_from_dict
from imagesync.reference import Digest, Reference, Tag, make_repository


def action_from_dict(value: Mapping[str, Any], contents: Mapping[Digest, Content]) -> Action:
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


def _moved_upstream(value: Mapping[str, Any]) -> UpstreamMoved | None:
    moved = value.get("upstream_moved")
    if moved is None:
        return None
    return UpstreamMoved(Digest(moved["now"]) if moved["now"] is not None else None)


def _check_depth(root: Content, contents: Mapping[Digest, Content]) -> None:
    """Raise InvalidManifest for indexes of indexes that no survey would have read."""
    level = {root.digest}
    for _ in range(MAX_DEPTH):
        indexes = [found for digest in level if isinstance(found := contents[digest], Index)]
        level = {entry.digest for index in indexes for entry in index.successors() if entry.digest in contents}
    if level:
        raise InvalidManifest(f"index {root.digest} is nested more than {MAX_DEPTH} levels deep")


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
        creates=creation_from_dict(value.get("creates")),
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
