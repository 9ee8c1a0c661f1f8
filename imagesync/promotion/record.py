"""Record: who moved what where, when and why it was allowed; or who holds a stage. A value, and its text.

Whoever may push to a repository may write any record into it, so what is read is checked like any answer of a server.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imagesync.errors import InvalidManifest, InvalidReference
from imagesync.gates import Ruling, Verdict
from imagesync.lazy import dataclass
from imagesync.plan.unit import Move
from imagesync.plan.verdicts import verdicts_to_dicts
from imagesync.promotion.entries import Kind
from imagesync.redaction import redacted
from imagesync.reference import Digest, Repository, Tag, parse_reference

FORMAT_VERSION = 1
MAX_BYTES = 1024 * 1024
MAX_IMAGES = 1000
_MAX_TEXT = 4096
_MAX_SAID = 400
"""Of what a gate has said of one image: it stands there for each."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Who:
    """Who did it: an account of CI and the page of its run, else user@host."""

    name: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """One image of a release: its digest, where it came from, and the tags that it got."""

    name: str
    source: str
    repository: Repository
    digest: Digest
    tags: tuple[Tag, ...]
    verdicts: tuple[Verdict, ...] = ()
    """Why it was allowed: what the gates of the stage have said of this digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What happened to a stage. Of a hold, and of its release, `version` is what the stage is held at."""

    kind: Kind
    promotion: str
    stage: str
    version: Tag
    at: datetime
    who: Who
    move: Move = Move.PROMOTION
    source_stage: str = ""
    images: tuple[Moved, ...] = ()
    plan: str = ""
    """The SHA-256 of the plan that was carried out, without what it cost."""
    ticket: str = ""
    reason: str = ""
    entry: str = ""
    """What its entry in the journal is called, but for the kind: nobody can enter a signed record twice."""

    @property
    def digests(self) -> Mapping[str, Digest]:
        """What the release is, by the names of its images."""
        return {image.name: image.digest for image in self.images}


def record_to_json(record: Record) -> str:
    """The text of a record: the same bytes for the same record. What is longer than is read again is cut."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "kind": record.kind.value,
        "move": record.move.value,
        "promotion": record.promotion,
        "stage": record.stage,
        "from": record.source_stage,
        "version": record.version,
        "at": record.at.strftime(_TIME),
        "who": {"name": _cut(record.who.name), "run": _cut(record.who.run)},
        "images": [_image_to_dict(image) for image in record.images],
        "plan": record.plan,
        "ticket": _cut(record.ticket),
        "reason": _cut(record.reason),
        "entry": record.entry,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def record_from_json(text: str) -> Record:
    """Raises InvalidManifest for whatever is no record of this format."""
    if len(text) > MAX_BYTES:
        raise InvalidManifest(f"a record of over {MAX_BYTES} letters")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest("a record that is no JSON") from error
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        raise InvalidManifest(f"a record of another format than {FORMAT_VERSION}")
    try:
        return _record(document)
    except (KeyError, TypeError, ValueError, InvalidReference) as error:
        raise InvalidManifest("a record that lacks something, or has something else in its place") from error


def _record(document: Mapping[str, Any]) -> Record:
    who, images = document["who"], document["images"]
    if not isinstance(images, list) or len(images) > MAX_IMAGES:
        raise ValueError
    return Record(
        kind=Kind(document["kind"]),
        move=Move(document["move"]),
        promotion=_text(document["promotion"]),
        stage=_text(document["stage"]),
        source_stage=_text(document["from"]),
        version=Tag(_text(document["version"])),
        at=datetime.strptime(_text(document["at"]), _TIME).replace(tzinfo=UTC),
        who=Who(_said(who["name"]), _said(who["run"])),
        images=tuple(map(_image, images)),
        plan=_text(document["plan"]),
        ticket=_said(document["ticket"]),
        reason=_said(document["reason"]),
        entry=_text(document["entry"]),
    )


def _image_to_dict(image: Moved) -> dict[str, Any]:
    return {
        "name": image.name,
        "source": image.source,
        "repository": str(image.repository),
        "digest": image.digest,
        "tags": list(image.tags),
        "verdicts": verdicts_to_dicts(map(_shortened, image.verdicts)),
    }


def _shortened(verdict: Verdict) -> Verdict:
    hint = _cut(verdict.hint, _MAX_SAID) if verdict.hint is not None else None
    return Verdict(_cut(verdict.gate), verdict.ruling, _cut(verdict.reason, _MAX_SAID), hint)


def _cut(text: str, length: int = _MAX_TEXT) -> str:
    """The text as it is read again, with what is no Unicode replaced: whoever runs this has typed it."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= length else f"{clean[: length - 1]}…"


def _image(value: Mapping[str, Any]) -> Moved:
    tags, verdicts = value["tags"], value["verdicts"]
    if any(not isinstance(one, list) or len(one) > MAX_IMAGES for one in (tags, verdicts)):
        raise ValueError
    return Moved(
        name=_text(value["name"]),
        source=_text(value["source"]),
        repository=parse_reference(_text(value["repository"])).repository,
        digest=Digest(_text(value["digest"])),
        tags=tuple(Tag(_text(tag)) for tag in tags),
        verdicts=tuple(map(_verdict, verdicts)),
    )


def _verdict(value: Mapping[str, Any]) -> Verdict:
    hint = value["hint"]
    ruling, reason = Ruling(value["ruling"]), _said(value["reason"])
    return Verdict(_said(value["gate"]), ruling, reason, _said(hint) if hint is not None else None)


def _said(value: object) -> str:
    """A text for people. Whoever has written it may have been sent a login."""
    return redacted(_text(value))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError
    return value
