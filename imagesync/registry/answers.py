"""What a registry's refusal means: its error body made safe to print, its status as one of our errors. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from imagesync.errors import (
    AuthenticationError,
    ImmutableError,
    IntegrityError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
    UnsupportedError,
)
from imagesync.lazy import dataclass
from imagesync.redaction import redacted
from imagesync.registry.sayings import saying_in

MAX_SHOWN = 300
_WORD = r"(?<![\w./:@-])(?:{})(?![\w/@-]|[.:]\w)"
"""Words that stand alone: as a part of a repository's name or as a tag they mean nothing."""
_QUOTA = re.compile(_WORD.format("quotas?|limit exceeded|insufficient storage"), re.IGNORECASE)
_IMMUTABLE = re.compile(_WORD.format("immutable|cannot be overwritten"), re.IGNORECASE)
_PULL_LIMIT = re.compile(r"pull rate limit", re.IGNORECASE)
_TOO_LARGE = re.compile(r"too large", re.IGNORECASE)
_DETAILED = frozenset({"MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID"})
"""Codes that mean little without what stands beside them: which blob, which media type."""
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")

_BY_CODE: Mapping[str, type[StoreError]] = {
    "DIGEST_INVALID": IntegrityError,
    "SIZE_INVALID": IntegrityError,
    "MANIFEST_BLOB_UNKNOWN": NotFoundError,
    "NAME_UNKNOWN": NotFoundError,
    "UNSUPPORTED": UnsupportedError,
    "TAG_IMMUTABLE": ImmutableError,
}
_BY_STATUS: Mapping[int, type[StoreError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    405: UnsupportedError,
    406: UnsupportedError,
    408: NetworkError,
    413: LimitError,
    415: UnsupportedError,
    429: LimitError,
    501: UnsupportedError,
    507: LimitError,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status, and what the registry said with it: `code` of the distribution spec or empty, and a short text."""

    status: int
    code: str = ""
    text: str = ""

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.code, self.text) if part)
        return f"{self.status} {said}" if said else f"status {self.status}"


def parse_refusal(status: int, content_type: str, body: bytes) -> Refusal:
    """Read an error body of whatever form (distribution spec, "Error Codes"); never raises."""
    text = body.decode("utf-8", "replace").strip()
    if text.startswith(("{", "[")):
        try:
            return _from_document(status, json.loads(text))
        except (ValueError, RecursionError):
            pass  # cut off, or no JSON: shown as text
    if is_page(content_type) or text[:15].lower().startswith(("<!doctype", "<html")):
        return Refusal(status, text="an HTML page, as from a proxy or a login form")
    return Refusal(status, text=_shown(text))


def is_page(content_type: str) -> bool:
    """Whether an answer is for people's eyes: a registry sends none, what stands before it may."""
    return "html" in content_type.lower()


def class_for(refusal: Refusal, *, is_manifest_put: bool = False, is_write: bool = True) -> type[StoreError]:
    """The error class for a refusal. A code with one meaning decides, then what the text says, then the status.

    A tag that is fixed is met by `is_manifest_put` alone, and a lock that keeps from reading is none of a tag.
    """
    if refusal.status < 400:
        return ProtocolError
    if refusal.status >= 500 and refusal.status not in _BY_STATUS:
        return NetworkError
    said = _by_words(refusal, is_manifest_put=is_manifest_put)
    is_locked = said is ImmutableError and not is_write
    if is_locked or (said is None and refusal.code == "DENIED"):
        return AuthenticationError
    return said or _BY_STATUS.get(refusal.status) or ProtocolError


def _by_words(refusal: Refusal, *, is_manifest_put: bool) -> type[StoreError] | None:
    saying = saying_in(refusal.text)
    if saying is not None:
        return saying.own
    by_code = _BY_CODE.get(refusal.code)
    if by_code is None and is_manifest_put and _says_immutable(refusal):
        return ImmutableError
    return LimitError if by_code is None and _says_limit(refusal) else by_code


def _says_immutable(refusal: Refusal) -> bool:
    said = "IMMUTABLE" in refusal.code or _IMMUTABLE.search(refusal.text)
    return refusal.status in (400, 403, 409, 412) and bool(said)


def _says_limit(refusal: Refusal) -> bool:
    said = "QUOTA" in refusal.code or _QUOTA.search(refusal.text) or _TOO_LARGE.search(refusal.text)
    return refusal.status in (400, 403, 412) and bool(said)


def pull_limit(refusal: Refusal, headers: Mapping[str, str]) -> str | None:
    """Docker Hub's pull limit in words, where a 429 speaks of that and not of too many requests at once."""
    if refusal.status != 429 or "Retry-After" in headers:
        return None
    limit = re.fullmatch(r"([0-9]{1,9})(?:;w=([0-9]{1,9}))?", headers.get("ratelimit-limit", "").strip())
    if limit is None and not _PULL_LIMIT.search(refusal.text):
        return None
    if limit is None:
        return "the pull limit is used up"
    hours = f" in {int(limit[2]) / 3600:g} hours" if limit[2] else ""
    return f"the pull limit of {limit[1]}{hours} is used up"


def _from_document(status: int, document: object) -> Refusal:
    if not isinstance(document, dict):
        return Refusal(status, text=_shown(str(document)))
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else document
    if not isinstance(first, dict):
        return Refusal(status, text=_shown(str(first)))
    code = first.get("code")
    known = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    said = first.get("message") or first.get("details") or first.get("error") or first.get("detail") or ""
    detail = first.get("detail")
    if known in _DETAILED and detail and detail != said:
        said = f"{said} {_worded(detail)}"
    return Refusal(status, known, _shown(said if isinstance(said, str) else ""))


def _worded(detail: object) -> str:
    """Quay puts its words into an object of their own."""
    words = detail.get("message") if isinstance(detail, dict) and len(detail) == 1 else detail
    return words if isinstance(words, str) else json.dumps(detail)


def _shown(text: str) -> str:
    """Without secrets, escaped and cut: a terminal and a log may see it."""
    text = redacted(" ".join(redacted(text).split()))  # again: what stood on two lines may be whole only now
    return ascii(text[:MAX_SHOWN])[1:-1] + ("…" if len(text) > MAX_SHOWN else "")


def hint_for(own: type[StoreError], refusal: Refusal, *, is_write: bool) -> str | None:
    """What to do about a refusal, where there is something."""
    said = saying_in(refusal.text)
    if said is not None:
        return said.hint
    if own is ImmutableError:
        return "the registry keeps this tag as it is: use another tag, or delete it there"
    if refusal.status in _HINT_BY_STATUS:
        return _HINT_BY_STATUS[refusal.status]
    return (_HINT_BY_CODE_TO_WRITE if is_write else _HINT_BY_CODE_TO_READ).get(refusal.code)


_HINT_BY_STATUS = {
    413: "raise the body limit of the proxy in front of the registry",
    415: "the registry does not take this media type; zot takes Docker's with `http: {compat: [docker2s2]}`",
}
_HINT_BY_CODE_TO_WRITE = {
    "NAME_UNKNOWN": "some registries want a repository to be created before it is pushed to",
}
_HINT_BY_CODE_TO_READ = {
    "NAME_UNKNOWN": "check the repository's name; some registries say so of private ones too",
    "MANIFEST_UNKNOWN": "check the tag; `imagesync tags --repository REPOSITORY` lists what is there",
}
