"""The diff: what is wanted and what was seen in, the plan out. Pure; what has to be seen first, reading says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagesync.manifest import Content, Descriptor, Index, Manifest, walk
from imagesync.plan.actions import Action, Assumed, Conflict, Copy, Failure, Keep, Plan, Skip, SpecPin, Waiting
from imagesync.plan.inventory import Absent, Broken, Head, Inventory, Listed, NotRead, Present, Unreadable
from imagesync.plan.wants import Want
from imagesync.reference import Digest, Reference

Wanted = Want | Skip | Failure


def blobs_of(root: Content, contents: Mapping[Digest, Content]) -> tuple[Descriptor, ...]:
    """Every blob below a root, each digest once."""
    blobs: dict[Digest, Descriptor] = {}
    for node in walk(root, contents):
        leaves = node.successors() if isinstance(node, Manifest) else _blob_entries(node)
        blobs.update((blob.digest, blob) for blob in leaves)
    return tuple(blobs.values())


def diff(wants: Sequence[Wanted], inventory: Inventory, specs: tuple[SpecPin, ...] = ()) -> Plan:
    """One action for every want, in their order; `contents` holds just what the copies need."""
    actions = tuple(_action(want, inventory) for want in wants)
    needed: dict[Digest, Content] = {}
    for action in actions:
        if isinstance(action, Copy):
            nodes = walk(inventory.contents[action.root.digest], inventory.contents)
            needed.update((node.digest, node) for node in nodes)
    return Plan(actions, needed, specs)


def _action(want: Wanted, inventory: Inventory) -> Action:
    if not isinstance(want, Want):
        return want
    destination = inventory.heads[want.destination]
    if isinstance(destination, Listed):
        return Assumed(rule=want.rule.name, place=want.rule.place, source=want.source, destination=want.destination)
    source = inventory.heads[want.source]
    if not isinstance(source, Present):
        return _unusable(want, source, "source", want.source)
    if isinstance(destination, Broken):
        return _unusable(want, destination, "destination", want.destination)
    return _compared(want, source, destination, inventory)


def _compared(want: Want, source: Present, destination: Head, inventory: Inventory) -> Action:
    """What comes of a source that is there and a destination that was asked."""
    if isinstance(destination, Present) and not differs(want, inventory.heads):
        return _left_alone(want, source, destination.descriptor.digest)
    broken = inventory.broken.get(source.descriptor.digest)
    if broken is None:
        return _copy(want, source, destination, inventory)
    return _unusable(want, broken, "source", want.source)


def _left_alone(want: Want, source: Present, found: Digest) -> Keep | Conflict:
    """A tag that is there and stays: it is right, or it is immutable and is not."""
    rule, place, wanted = want.rule.name, want.rule.place, pinned(want.source, source)
    if found == wanted.digest:
        return Keep(rule=rule, place=place, source=wanted, destination=want.destination)
    return Conflict(rule=rule, place=place, source=wanted, destination=want.destination, found=found)


def _copy(want: Want, source: Present, destination: Head, inventory: Inventory) -> Copy:
    root = inventory.contents[source.descriptor.digest]
    replaces = destination.descriptor.digest if isinstance(destination, Present) else None
    held = inventory.present.get(want.destination.repository, frozenset())
    blobs = () if want.source.repository == want.destination.repository else blobs_of(root, inventory.contents)
    return Copy(
        rule=want.rule.name,
        place=want.rule.place,
        source=pinned(want.source, source),
        destination=want.destination,
        root=root.descriptor,
        replaces=replaces,
        previous=want.previous if replaces is not None else None,
        platforms=tuple(str(platform) for platform in root.platforms()) if isinstance(root, Index) else (),
        missing=tuple(blob for blob in blobs if blob.digest not in held),
        present_bytes=sum(blob.size_bytes for blob in blobs if blob.digest in held),
        note="not readable, will try" if isinstance(destination, Unreadable) else "",
        is_immutable=want.is_immutable,
    )


def _unusable(want: Want, head: Head, side: str, reference: Reference) -> Failure | Waiting:
    if isinstance(head, NotRead):
        return Waiting(
            rule=want.rule.name,
            place=want.rule.place,
            source=want.source,
            destination=want.destination,
            reason=head.reason,
            hint=head.hint,
            exit_code=head.exit_code,
        )
    if isinstance(head, Broken):
        reason, kind, hint = head.reason, head.kind, head.hint
    else:
        reason, kind = f"{side} {reference}: not found", "not-found"
        hint = f"`imagesync tags --repository {reference.repository}` lists what is there"
    return Failure(
        rule=want.rule.name,
        place=want.rule.place,
        subject=str(want.destination),
        reason=reason,
        kind=kind,
        hint=hint,
    )


def differs(want: Want, heads: Mapping[Reference, Head]) -> bool:
    """Whether a copy comes of this want: the source is there, the destination has something else or nothing."""
    destination = heads[want.destination]
    if isinstance(destination, Listed | Broken) or not isinstance(source := heads[want.source], Present):
        return False
    if isinstance(destination, Absent | Unreadable):
        return True
    return destination.descriptor.digest != source.descriptor.digest and not want.is_immutable


def pinned(reference: Reference, head: Present) -> Reference:
    """The reference with the digest that it points to."""
    return Reference(reference.repository, reference.tag, head.descriptor.digest)


def _blob_entries(index: Index) -> tuple[Descriptor, ...]:
    """Entries of an index that are no manifests: rare, legal, and copied as blobs."""
    return tuple(entry for entry in index.successors() if not entry.is_manifest)
