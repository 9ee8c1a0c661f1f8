"""What a search for attachments has found, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagesync.lazy import dataclass, field, replace
from imagesync.manifest import Content
from imagesync.plan.inventory import Attachment, Broken, NotRead
from imagesync.plan.questions import Part
from imagesync.reference import Digest, Reference

_LEAVE_OUT = "`attachments: none` copies images without what speaks of them"


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the destination has of one attachment: the tag or digest that it stands under there, and what has to be
    whole for it. An entry that the source does not have is the destination's own business."""

    destination: Reference
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Attachments to bring, their manifests, the digests that may have attachments in turn, and what need not be
    brought."""

    attachments: tuple[Attachment, ...] = ()
    contents: Mapping[Digest, Content] = field(default_factory=dict)
    subjects: tuple[Digest, ...] = ()
    arrived: tuple[Arrived, ...] = ()


def unknown(broken: Broken) -> Broken:
    """What could not be read, as the reason why an image's attachments are not known."""
    reason = f"attachments: {broken.reason}"
    if isinstance(broken, NotRead):  # a later run reads them
        return replace(broken, reason=reason)
    return replace(broken, reason=reason, hint=f"{broken.hint}; {_LEAVE_OUT}" if broken.hint else _LEAVE_OUT)


def joined(steps: Iterable[Found]) -> Found:
    """All of some, each once."""
    attachments: dict[Attachment, None] = {}
    contents: dict[Digest, Content] = {}
    subjects: dict[Digest, None] = {}
    arrived: dict[Arrived, None] = {}
    for step in steps:
        attachments |= dict.fromkeys(step.attachments)
        contents |= step.contents
        subjects |= dict.fromkeys(step.subjects)
        arrived |= dict.fromkeys(step.arrived)
    return Found(tuple(attachments), contents, tuple(subjects), tuple(arrived))
