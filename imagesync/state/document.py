"""The document of a state: JSON, one entry a line, in a stable order, so that two of them can be compared and merged.

Reading is strict: whoever may write it may write anything, and an entry that is misread is an image that is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from imagesync.errors import InvalidReference, StateError
from imagesync.reference import LAYOUT_SCHEMES, Digest, Reference, Tag, make_repository
from imagesync.state.entries import Deleted, Entry, FirstSeen, Narrowed, Written
from imagesync.state.model import State

FORMAT_VERSION = 1
MAX_BYTES = 64 * 1024 * 1024
MAX_ENTRIES = 400_000
"""Of all kinds together."""
_MAX_LENGTH = 4096
_TIME = re.compile(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_KINDS = ("first_seen", "written", "deleted", "narrowed")


def state_to_json(state: State) -> str:
    """The state as text: the same state gives the same text."""
    found: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for entry in state.entries():
        kind, value = _to_dict(entry)
        found[kind].append(json.dumps(value, ensure_ascii=False))
    lists = [f'  "{kind}": [{_lines(found[kind])}]' for kind in _KINDS]
    return "{\n" + ",\n".join([f'  "format_version": {FORMAT_VERSION}', *lists]) + "\n}\n"


def state_from_json(raw: bytes, *, name: str) -> State:
    """Read a document; `name` is what messages call it. Raises StateError for whatever does not fit."""
    if len(raw) > MAX_BYTES:
        raise StateError(f"state {name} has over {MAX_BYTES} bytes", hint="is it really a state of imagesync?")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
        return State.of(_entries_of(document))
    except (ValueError, RecursionError, InvalidReference) as error:
        raise StateError(
            f"state {name} is damaged or none: {ascii(str(error))[1:-1][:300]}",
            hint="put back a good copy of it; begun anew it would forget which tags are imagesync's",
        ) from error


def _lines(entries: Iterable[str]) -> str:
    lines = ",\n".join(f"    {entry}" for entry in sorted(entries))
    return f"\n{lines}\n  " if lines else ""


def _to_dict(entry: Entry) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, FirstSeen):
        return "first_seen", {**_name_to_dict(entry.source), "digest": entry.digest, "at": _time_to_text(entry.at)}
    if isinstance(entry, Written):
        source = {"source": entry.source} if entry.source is not None else {}
        value = {**_name_to_dict(entry.destination), "digest": entry.digest, "at": _time_to_text(entry.at), **source}
        return "written", value
    if isinstance(entry, Deleted):
        return "deleted", {**_name_to_dict(entry.destination), "at": _time_to_text(entry.at)}
    return "narrowed", {"source": entry.source, "keep": entry.keep, "digest": entry.digest}


def _name_to_dict(reference: Reference) -> dict[str, Any]:
    repository = reference.repository
    return {"registry": repository.registry, "path": repository.path, "tag": reference.tag}


def _time_to_text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _entries_of(document: object) -> Iterator[Entry]:
    if not isinstance(document, dict) or "format_version" not in document:
        raise ValueError("there is no format_version")
    found = document["format_version"]
    if found != FORMAT_VERSION or isinstance(found, bool):
        raise ValueError(f"format_version is {str(found)[:40]}, this imagesync reads {FORMAT_VERSION}")
    if set(document) != {"format_version", *_KINDS}:
        raise ValueError(f"it must have format_version, {', '.join(_KINDS)}, and nothing else")
    if not all(isinstance(document[kind], list) for kind in _KINDS):
        raise ValueError(f"{', '.join(_KINDS)} must be lists")
    if sum(len(document[kind]) for kind in _KINDS) > MAX_ENTRIES:
        raise ValueError(f"it has over {MAX_ENTRIES} entries")
    for kind in _KINDS:
        for position, value in enumerate(document[kind]):
            yield _entry(kind, position, value)


def _entry(kind: str, position: int, value: object) -> Entry:
    required, optional, read = _READERS[kind]
    try:
        if not isinstance(value, dict) or not required <= set(value) <= required | optional:
            raise ValueError(f"an entry has {', '.join(sorted(required))} and nothing else")
        return read({key: _text(key, one) for key, one in value.items()})
    except (ValueError, InvalidReference) as error:
        raise ValueError(f"{kind}[{position}]: {error}") from error


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_LENGTH or not value.isprintable():
        raise ValueError(f"{key} must be a printable text of at most {_MAX_LENGTH} characters")
    return value


def _name(value: Mapping[str, str]) -> Reference:
    if value["registry"] in LAYOUT_SCHEMES:
        raise ValueError("registry names no folder")
    return Reference(make_repository(value["registry"], value["path"]), Tag(value["tag"]))


def _time(value: Mapping[str, str]) -> datetime:
    if not _TIME.fullmatch(value["at"]):
        raise ValueError("at must be a time like 2026-01-31T23:59:59Z")
    return datetime.fromisoformat(value["at"])


def _first_seen(value: Mapping[str, str]) -> FirstSeen:
    return FirstSeen(_name(value), Digest(value["digest"]), _time(value))


def _written(value: Mapping[str, str]) -> Written:
    source = Digest(value["source"]) if "source" in value else None
    return Written(_name(value), Digest(value["digest"]), _time(value), source)


def _deleted(value: Mapping[str, str]) -> Deleted:
    return Deleted(_name(value), _time(value))


def _narrowed(value: Mapping[str, str]) -> Narrowed:
    return Narrowed(Digest(value["source"]), value["keep"], Digest(value["digest"]))


_TAG = frozenset({"registry", "path", "tag"})
_NOTHING: frozenset[str] = frozenset()
_READERS: Mapping[str, tuple[frozenset[str], frozenset[str], Callable[[Mapping[str, str]], Entry]]] = {
    "first_seen": (_TAG | {"digest", "at"}, _NOTHING, _first_seen),
    "written": (_TAG | {"digest", "at"}, frozenset({"source"}), _written),
    "deleted": (_TAG | {"at"}, _NOTHING, _deleted),
    "narrowed": (frozenset({"source", "keep", "digest"}), _NOTHING, _narrowed),
}
"""Of each kind: the keys that an entry has, those that it may have, and what reads it."""
