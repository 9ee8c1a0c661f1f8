"""The diff: what is wanted and what was seen in, the plan out. Pure; what has to be seen first, reading says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from imagesync.errors import NotFoundError
from imagesync.lazy import replace
from imagesync.manifest import Content, Descriptor, Index, Manifest, is_made_here, walk
from imagesync.plan.actions import (
    MADE_HERE,
    Action,
    Assumed,
    Attach,
    Cause,
    Conflict,
    Copy,
    Drifted,
    Failure,
    Keep,
    Plan,
    SpecPin,
    Waiting,
)
from imagesync.plan.attachments import in_words
from imagesync.plan.candidates import candidate_of
from imagesync.plan.following import UpstreamMoved
from imagesync.plan.gated import Gated
from imagesync.plan.inventory import (
    Absent,
    Attachment,
    Broken,
    Head,
    Inventory,
    Listed,
    NotRead,
    Pair,
    Present,
    Remembered,
    Unreadable,
)
from imagesync.plan.narrowing import names_of_kept
from imagesync.plan.wants import Want, Wanted, failure_of, waiting_for
from imagesync.reference import DOCKER_ARCHIVE, Digest, Reference, Repository
from imagesync.spec.model import OnDrift


def blobs_of(
    root: Content, contents: Mapping[Digest, Content], left_out: Collection[Digest] = ()
) -> tuple[Descriptor, ...]:
    """Every blob below a root and what of it is not left out, each digest once."""
    blobs: dict[Digest, Descriptor] = {}
    for node in walk(root, contents, left_out):
        leaves = node.successors() if isinstance(node, Manifest) else _blob_entries(node)
        blobs.update((blob.digest, blob) for blob in leaves)
    return tuple(blobs.values())


def diff(wants: Sequence[Wanted], inventory: Inventory, specs: tuple[SpecPin, ...] = ()) -> Plan:
    """One action for every want, in their order; `contents` holds just what the copies need."""
    actions = tuple(_action(want, inventory) for want in wants)
    needed: dict[Digest, Content] = {}
    for copy in Plan(actions).all_copies():
        nodes = walk(inventory.contents[copy.root.digest], inventory.contents, copy.left_out)
        needed.update((node.digest, node) for node in nodes)
        if copy.is_narrowed and copy.source.digest is not None:
            needed[copy.source.digest] = inventory.contents[copy.source.digest]
    return Plan(actions, needed, specs)


def _action(want: Wanted, inventory: Inventory) -> Action:
    if not isinstance(want, Want):
        return want
    action, moved = _of_want(want, inventory), moved_upstream(want, inventory.heads)
    if moved is None or not isinstance(action, Copy | Attach | Keep | Conflict):
        return action
    return replace(action, moved=moved)


def _of_want(want: Want, inventory: Inventory) -> Action:
    destination = inventory.heads[want.destination]
    if isinstance(destination, Listed):
        return Assumed(rule=want.rule.name, place=want.rule.place, source=want.source, destination=want.destination)
    source = inventory.heads[want.source]
    if not isinstance(source, Present):
        return _unusable(want, source, "source", want.source)
    if isinstance(destination, Broken):
        return _unusable(want, destination, "destination", want.destination)
    promised = inventory.heads.get(want.promise)
    if isinstance(promised, Broken):
        return _unusable(want, promised, "source", want.source)
    return _compared(want, source, destination, inventory)


def _compared(want: Want, source: Present, destination: Head, inventory: Inventory) -> Action:
    """What comes of a source that is there and a destination that was asked."""
    is_kept = is_equal(want, inventory.heads)
    if isinstance(destination, Present) and not is_kept and not differs(want, inventory.heads):
        return _left_alone(want, source, destination, inventory)
    broken = _broken_below(want, source, inventory)
    if broken is not None:
        return _unusable(want, broken, "source", want.source)
    attachments = _attachments(want, inventory)
    if is_kept:
        return _kept(want, source, attachments, inventory)
    copy = _copy(want, source, destination, inventory)
    parts = (copy.note, _made(copy, inventory), _narrowed_to(copy), _added(attachments))
    note = ", ".join(part for part in parts if part)
    return replace(copy, attachments=_copies(want, attachments, inventory), note=note)


def _made(copy: Copy, inventory: Inventory) -> str:
    """What is to be known of a digest that no registry had for the image."""
    is_saved = copy.source.repository.registry.startswith(DOCKER_ARCHIVE)
    return MADE_HERE if is_saved and is_made_here(inventory.contents[copy.root.digest]) else ""


def _narrowed_to(copy: Copy) -> str:
    """What a narrowed copy loses, besides what it leaves out."""
    if copy.is_narrowed and copy.source.digest is not None:
        return f"narrowed from {copy.source.digest.short}: signatures of that index stay behind"
    return f"sparse index, without {len(copy.left_out)} of the manifests that it lists" if copy.left_out else ""


def _left_alone(
    want: Want, source: Present, destination: Present, inventory: Inventory
) -> Conflict | Drifted | Failure:
    """A tag that is there and stays, though it is not right."""
    drifted = _drifted(want, source, destination)
    if drifted is None or want.is_immutable:
        return _conflict(want, source, destination.descriptor.digest, inventory)
    if want.rule.on_drift is OnDrift.KEEP:
        return drifted
    return failure_of(want.rule, want.destination, Broken(drifted.reason, Drifted.kind, drifted.hint))


def _drifted(want: Want, source: Present, destination: Present) -> Drifted | None:
    if not isinstance(destination, Remembered) or destination.wrote is None:
        return None
    return Drifted(
        rule=want.rule.name,
        place=want.rule.place,
        source=pinned(want.source, source),
        destination=want.destination,
        found=destination.descriptor.digest,
        wrote=destination.wrote,
    )


def _conflict(want: Want, source: Present, found: Digest, inventory: Inventory) -> Conflict:
    """It is immutable."""
    return Conflict(
        rule=want.rule.name,
        place=want.rule.place,
        source=pinned(want.source, source),
        destination=want.destination,
        found=found,
        narrowed=_narrowed(want, source, inventory),
    )


def _added(attachments: tuple[Attachment, ...]) -> str:
    return in_words((one.kind, one.count) for one in attachments)


def _broken_below(want: Want, source: Present, inventory: Inventory) -> Broken | None:
    """What could not be read of the image, or of what speaks of it, where that has to be known."""
    pair = pair_of(want)
    attachments = inventory.attachments.get(pair, ()) if pair is not None else ()
    if isinstance(attachments, Broken):
        return attachments
    is_needed = pair is not None or not is_equal(want, inventory.heads)
    return inventory.broken.get(source.descriptor.digest) if is_needed else None


def _attachments(want: Want, inventory: Inventory) -> tuple[Attachment, ...]:
    pair = pair_of(want)
    found = inventory.attachments.get(pair, ()) if pair is not None else ()
    return () if isinstance(found, Broken) else found


def _kept(want: Want, source: Present, attachments: tuple[Attachment, ...], inventory: Inventory) -> Keep | Attach:
    pin, narrowed = pinned(want.source, source), _narrowed(want, source, inventory)
    if not attachments:
        rule, place = want.rule.name, want.rule.place
        return Keep(rule=rule, place=place, source=pin, destination=want.destination, narrowed=narrowed)
    return Attach(
        rule=want.rule.name,
        place=want.rule.place,
        source=pin,
        destination=want.destination,
        attachments=_copies(want, attachments, inventory),
        note=_added(attachments),
        narrowed=narrowed,
    )


def _narrowed(want: Want, source: Present, inventory: Inventory) -> Digest | None:
    """What the source's digest becomes, where that is another."""
    promised = inventory.heads[want.promise]
    digest = promised.descriptor.digest if isinstance(promised, Present) else None
    return digest if digest != source.descriptor.digest else None


def _copies(want: Want, attachments: tuple[Attachment, ...], inventory: Inventory) -> tuple[Copy, ...]:
    return tuple(_copy_of(want, attachment, inventory) for attachment in attachments)


def _copy_of(want: Want, attachment: Attachment, inventory: Inventory) -> Copy:
    digest = attachment.source.digest
    assert digest is not None  # noqa: S101 - narrows: what is found has been read
    root = inventory.contents[digest]
    missing, present_bytes = _missing(blobs_of(root, inventory.contents), attachment.destination.repository, inventory)
    return Copy(
        rule=want.rule.name,
        place=want.rule.place,
        source=attachment.source,
        destination=attachment.destination,
        root=root.descriptor,
        replaces=attachment.replaces,
        missing=missing,
        present_bytes=present_bytes,
    )


def _copy(want: Want, source: Present, destination: Head, inventory: Inventory) -> Copy:
    promised = inventory.heads[want.promise]
    assert isinstance(promised, Present)  # noqa: S101 - narrows: what differs is known
    root = inventory.contents[promised.descriptor.digest]
    left_out = tuple(digest for digest in _listed(root) if digest in promised.left_out)
    is_moved = want.source.repository != want.destination.repository
    replaces = destination.descriptor.digest if isinstance(destination, Present) else None
    blobs = blobs_of(root, inventory.contents, left_out) if is_moved else ()
    missing, present_bytes = _missing(blobs, want.destination.repository, inventory)
    return Copy(
        rule=want.rule.name,
        place=want.rule.place,
        source=pinned(want.source, source),
        destination=want.destination,
        root=root.descriptor,
        replaces=replaces,
        previous=want.previous if replaces is not None else None,
        platforms=names_of_kept(inventory.contents[source.descriptor.digest], root, left_out),
        missing=missing,
        present_bytes=present_bytes,
        note="not readable, will try" if isinstance(destination, Unreadable) else "",
        is_immutable=want.is_immutable,
        cause=destination.cause if isinstance(destination, Remembered) else None,
        carries=want.carries,
        creates=inventory.to_create.get(want.destination.repository),
        left_out=left_out,
        gated=_gated(want, inventory),
    )


def _gated(want: Want, inventory: Inventory) -> Gated | None:
    if not want.gates:
        return None
    return Gated(want.gates, candidate_of(want, inventory.heads, inventory.contents), inventory.known)


def _listed(root: Content) -> tuple[Digest, ...]:
    return tuple(entry.digest for entry in root.successors()) if isinstance(root, Index) else ()


def _missing(
    blobs: Sequence[Descriptor], destination: Repository, inventory: Inventory
) -> tuple[tuple[Descriptor, ...], int]:
    """The blobs that a destination lacks, and the bytes of those that it has."""
    held = inventory.present.get(destination, frozenset())
    missing = tuple(blob for blob in blobs if blob.digest not in held)
    return missing, sum(blob.size_bytes for blob in blobs if blob.digest in held)


def _unusable(want: Want, head: Head, side: str, reference: Reference) -> Failure | Waiting:
    if isinstance(head, NotRead):
        return waiting_for(want.rule, (want.source, want.destination), head)
    if not isinstance(head, Broken):
        said = head.hint if isinstance(head, Absent) else None
        hint = said or f"`imagesync tags --repository {reference.repository}` lists what is there"
        head = Broken(f"{side} {reference}: not found", NotFoundError.kind, hint)
    if want.rule.locked is not None and side == "source" and head.kind == NotFoundError.kind:
        hint = f"it is what the lock has: `imagesync lock --update {want.rule.name}` takes what the tag points to now"
        head = replace(head, hint=hint)
    return failure_of(want.rule, want.destination, head)


def moved_upstream(want: Want, heads: Mapping[Reference, Head]) -> UpstreamMoved | None:
    """Where a source's tag went that a lock or the spec holds on to; None where it did not move, or nobody knows."""
    now = heads.get(want.asked) if want.asked != want.source else None
    if isinstance(now, Absent):
        return UpstreamMoved(None)
    is_other = isinstance(now, Present) and now.descriptor.digest != want.source.digest
    return UpstreamMoved(now.descriptor.digest) if isinstance(now, Present) and is_other else None


def pair_of(want: Want) -> Pair | None:
    """Between which repositories a want's attachments go; None where they stay what they are."""
    source, destination = want.source.repository, want.destination.repository
    if not want.rule.attachments or source == destination:
        return None
    return Pair(source, destination, want.rule.attachments)


def is_equal(want: Want, heads: Mapping[Reference, Head]) -> bool:
    """Whether the destination's tag is known to have the digest that it should."""
    promised, destination = heads.get(want.promise), heads.get(want.destination)
    if not isinstance(promised, Present) or not isinstance(destination, Present):
        return False
    return promised.descriptor.digest == destination.descriptor.digest


def differs(want: Want, heads: Mapping[Reference, Head]) -> bool:
    """Whether a copy comes of this want: the source is there, the destination is known to have something else or
    nothing."""
    destination = heads[want.destination]
    if isinstance(destination, Listed | Broken) or not isinstance(heads[want.source], Present):
        return False
    promised = heads.get(want.promise)
    if isinstance(destination, Absent | Unreadable):
        return not isinstance(promised, Broken)
    is_other = isinstance(promised, Present) and promised.descriptor.digest != destination.descriptor.digest
    return is_other and not want.is_immutable and not _is_kept_on_drift(want, destination)


def _is_kept_on_drift(want: Want, destination: Present) -> bool:
    """Whether another hand has changed the tag, and it stays so."""
    is_drifted = isinstance(destination, Remembered) and destination.cause is Cause.DRIFTED
    return is_drifted and want.rule.on_drift is not OnDrift.OVERWRITE


def is_open(want: Want, heads: Mapping[Reference, Head]) -> bool:
    """Whether both tags are there, and only what narrowing makes of the source can tell whether they fit."""
    sides = (heads[want.destination], heads.get(want.source))
    return all(isinstance(head, Present) for head in sides) and want.promise not in heads


def pinned(reference: Reference, head: Present) -> Reference:
    """The reference with the digest that it points to."""
    return Reference(reference.repository, reference.tag, head.descriptor.digest)


def _blob_entries(index: Index) -> tuple[Descriptor, ...]:
    """Entries of an index that are no manifests: rare, legal, and copied as blobs."""
    return tuple(entry for entry in index.successors() if not entry.is_manifest)
