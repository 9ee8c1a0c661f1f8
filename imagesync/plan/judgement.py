"""Judgement: what was wanted and what was read at a destination in, findings out. Pure; what is read, audit says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from imagesync.errors import IntegrityError, NotFoundError, PlatformError
from imagesync.manifest import Content, Descriptor
from imagesync.plan.actions import Failure, Skip, Waiting, WaitsFor
from imagesync.plan.attachments import counted
from imagesync.plan.diff import pinned
from imagesync.plan.findings import BELOW, Audited, Finding, Kind
from imagesync.plan.inventory import Absent, Attachment, Broken, Head, Present, Unreadable
from imagesync.plan.questions import HasBlob, ListReferrers, Part, Question, ReadHead, ReadManifest
from imagesync.plan.wants import Want, Wanted
from imagesync.reference import Reference

APPLY = "`imagesync apply` brings it"
REPAIR = "`imagesync apply --repair` brings what is not there"
_OPEN = Absent()
"""Of a source that has not been narrowed yet."""
REPLACE = "delete it at the destination, where that can be done, then `imagesync apply --repair`"


def judge_heads(wants: Iterable[Wanted], heads: Mapping[Reference, Head]) -> dict[Wanted, Finding]:
    """The promised tags that are wrong, each with what is."""
    judged = {want: _judge_tag(want, heads) for want in wants if isinstance(want, Want)}
    return {want: finding for want, finding in judged.items() if finding is not None}


def taken_for_absent(
    wants: Iterable[Wanted], heads: Mapping[Reference, Head], incomplete: Collection[Reference]
) -> dict[Reference, Head]:
    """The heads, with tags that are right and known to be incomplete taken for absent: then all that is below them
    is asked for and brought. One that has moved since stays what it is."""
    right = [want for want in wants if isinstance(want, Want) and want.destination in incomplete]
    absent = {want.destination: Absent() for want in right if _judge_tag(want, heads) is None}
    return {**heads, **absent}


def as_if_absent(question: Question, answer: Any, incomplete: Collection[Reference]) -> Any:
    """The answer, as if what speaks of an image and is incomplete were not there: then all of it is brought."""
    if isinstance(question, ReadHead) and question.side == "destination" and question.reference in incomplete:
        return Absent()
    if isinstance(question, ListReferrers) and question.side == "destination" and not isinstance(answer, Broken):
        place = question.repository
        return tuple(entry for entry in answer if Reference(place, None, entry.digest) not in incomplete)
    return answer


def root_of(want: Want, heads: Mapping[Reference, Head]) -> ReadManifest:
    """What has to be looked at below a tag that is right."""
    destination = heads[want.destination]
    assert isinstance(destination, Present)  # noqa: S101 - narrows: a tag that is right is there
    promised = heads[want.promise]
    left_out = promised.left_out if isinstance(promised, Present) else frozenset()
    return ReadManifest(want.destination.repository, destination.descriptor.digest, left_out=left_out)


def _judge_tag(want: Want, heads: Mapping[Reference, Head]) -> Finding | None:
    """Whether the destination's tag has the digest that the source's has, or becomes where it is narrowed."""
    source, destination, subject = heads[want.source], heads[want.destination], str(want.destination)
    if not isinstance(source, Present):
        return _unreadable(subject, source, f"source {want.source}: not found, so nobody knows what it should be")
    if isinstance(destination, Absent):
        return Finding(Kind.MISSING_TAG, subject, "the tag is not there", APPLY)
    if not isinstance(destination, Present):
        return _unreadable(subject, destination, "the destination does not say what the tag is")
    promised = heads.get(want.promise, _OPEN)
    if not isinstance(promised, Present):
        return _not_promised(subject, promised)
    wanted, found = promised.descriptor.digest, destination.descriptor.digest
    if found == wanted:
        return None
    whose = "the source" if want.rule.locked is None else "the lock"
    has = f"{whose} has" if wanted == source.descriptor.digest else f"what is kept of {whose} has"
    reason = f"the tag has {found.short}, {has} {wanted.short}"
    return Finding(Kind.OTHER_DIGEST, subject, reason, "`imagesync plan` shows what it would do about it")


def _not_promised(subject: str, promised: Head) -> Finding:
    """A source that cannot be narrowed: nobody knows what the tag should be, or nothing is as it is demanded."""
    if isinstance(promised, Broken) and promised.kind == PlatformError.kind:
        return Finding(Kind.OTHER_PLATFORMS, subject, promised.reason, promised.hint)
    return _unreadable(subject, promised, "what is kept of the source is not known")


def judge_manifest(question: ReadManifest, answer: Content | Broken) -> Finding | None:
    """Whether a manifest or index is there by its digest, byte for byte."""
    absent = Finding(Kind.MISSING_CHILD, _name(question), "the manifest is not there by its digest", REPAIR)
    return _judge_reading(answer, absent) if isinstance(answer, Broken) else None


def judge_size(question: HasBlob, answer: int | Broken | None) -> Finding | None:
    """Whether a blob is there with the size that its manifest says."""
    subject, wanted = _name(question), question.blob.size_bytes
    if isinstance(answer, Broken):
        return _unreadable(subject, answer, "")
    if answer is None:
        return Finding(Kind.MISSING_BLOB, subject, f"the blob of {wanted} bytes is not there", REPAIR)
    if answer != wanted:
        return Finding(Kind.OTHER_SIZE, subject, f"the blob has {answer} bytes, its manifest says {wanted}", REPLACE)
    return None


def judge_bytes(question: HasBlob, answer: Descriptor | Broken) -> Finding | None:
    """Whether a blob's bytes, read to the end, are those of its digest."""
    absent = Finding(Kind.MISSING_BLOB, _name(question), "the blob is said to be there, and cannot be fetched", REPAIR)
    return _judge_reading(answer, absent) if isinstance(answer, Broken) else None


def _judge_reading(failure: Broken, absent: Finding) -> Finding:
    """What it means that something could not be read; `absent` where it is not there."""
    if failure.kind == NotFoundError.kind:
        return absent
    if failure.kind == IntegrityError.kind:
        return Finding(Kind.OTHER_BYTES, absent.subject, failure.reason, REPLACE)
    return _unreadable(absent.subject, failure, "")


def too_large(question: Part) -> Finding:
    """An index that no plan would have read either."""
    return Finding(Kind.UNREADABLE, _name(question), "the index is nested too deeply, or lists too many manifests")


def judge_lacking(attachment: Attachment) -> Finding:
    """What it means that something which speaks of an image is at its source alone."""
    what, digest = counted(attachment.kind, attachment.count), attachment.source.digest
    holder = f", in {digest.short}," if digest is not None else ""
    reason = f"the source has {what}{holder} that {'is' if attachment.count == 1 else 'are'} not there"
    return Finding(Kind.MISSING_ATTACHMENT, str(attachment.destination), reason, APPLY)


def unsearched(want: Want, broken: Broken) -> Finding:
    """Nobody knows what speaks of an image."""
    return _unreadable(str(want.destination), broken, "")


def sum_up(want: Want, heads: Mapping[Reference, Head], found: Sequence[tuple[Reference, Finding]]) -> Audited:
    """A promised tag with what was found of it, and of what speaks of it: each with the tag or digest at the
    destination below which that is."""
    source = heads[want.source]
    return Audited(
        rule=want.rule.name,
        place=want.rule.place,
        subject=str(want.destination),
        source=pinned(want.source, source) if isinstance(source, Present) else want.source,
        findings=tuple(dict.fromkeys(finding for _, finding in found)),
        want=want,
        incomplete=frozenset(reference for reference, finding in found if finding.kind in BELOW),
    )


def not_known(action: Failure | Skip | Waiting) -> tuple[Audited, ...]:
    """An image of which nobody can say what is promised: its tags cannot be listed, or two rules want one tag. Of
    one that may select nothing and does, and of what waits to be old enough, or for a higher version, nothing is
    promised."""
    if isinstance(action, Waiting) and action.waits_for is WaitsFor.KNOWLEDGE:
        subject = str(action.destination)
        finding = Finding(Kind.OTHER_DIGEST, subject, action.reason, action.hint)
        return (Audited(action.rule, action.place, subject, action.source, (finding,)),)
    if isinstance(action, Skip) or (isinstance(action, Waiting) and action.waits_for is not WaitsFor.PULLS):
        return ()
    subject = str(action.destination) if isinstance(action, Waiting) else action.subject
    finding = Finding(Kind.UNREADABLE, subject, action.reason, action.hint)
    return (Audited(action.rule, action.place, subject, None, (finding,)),)


def _name(question: Part) -> str:
    return str(Reference(question.repository, None, question.digest))


def _unreadable(subject: str, answer: Head, otherwise: str) -> Finding:
    if isinstance(answer, Broken):
        return Finding(Kind.UNREADABLE, subject, answer.reason, answer.hint)
    reason = answer.reason if isinstance(answer, Unreadable) else otherwise
    return Finding(Kind.UNREADABLE, subject, reason or otherwise)
