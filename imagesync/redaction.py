"""What is taken out of text before anybody sees it: what looks like a secret, and what is one.

Every error and every log line passes `redacted`. It knows secrets by their form, and by value those that this process
has used: a server that repeats a password in its refusal cannot have it printed. The program's own data (names,
digests, tags) never passes here, so that a password that equals a name harms no plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from threading import Lock

HIDDEN = "***"
MIN_LENGTH = 8
"""Shorter texts are not looked for by value: they stand in too many words."""
MAX_REMEMBERED = 512
"""How many values are looked for: those that were used last. A token is made for each repository."""
_VISIBLE_QUERY = frozenset({"scope", "service", "mount", "from", "digest", "n", "last", "artifactType"})
_NAMES = (
    r"_state|sig(?:nature)?|x-amz-[a-z-]{1,40}|(?:(?:access|refresh|id|identity|registry)_?)?token"
    r"|passw(?:or)?d|(?:client_)?secret|auth"
)
"""What secrets are called, in queries and in JSON."""


class _Values:
    """Secrets that were used. How each may be written is found out when a text is looked through: few are."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._longest_first: tuple[str, ...] | None = ()
        self._lock = Lock()

    def add(self, text: str) -> None:
        with self._lock:
            if text not in self._texts:
                self._longest_first = None
            self._texts.pop(text, None)
            self._texts[text] = None
            if len(self._texts) > MAX_REMEMBERED:
                del self._texts[next(iter(self._texts))]

    def hide_in(self, text: str) -> str:
        for value in self._sought():
            if value in text:
                text = text.replace(value, HIDDEN)
        return text

    def _sought(self) -> tuple[str, ...]:
        with self._lock:
            if self._longest_first is None:
                found = {spelling for secret in self._texts for spelling in _spellings(secret)}
                self._longest_first = tuple(sorted(found, key=len, reverse=True))
            return self._longest_first


_values = _Values()


def remember(secret: str) -> None:
    """Look for this text from now on; of several lines, for each."""
    _values.add(secret)


def redacted(text: str) -> str:
    """The text without secrets: `***` stands for each. Takes time in proportion to its length."""
    text = _values.hide_in(text)
    for pattern, replacement in _forms():
        text = pattern.sub(replacement, text)
    if "=" in text:
        for pattern in _assignments():
            text = pattern.sub(_hide_value, text)
    return text


@lru_cache(2 * MAX_REMEMBERED)
def _spellings(secret: str) -> frozenset[str]:
    """How a server may write what it was sent, in a page, in JSON, in a URL or encoded, and we for a terminal."""
    lines = [line for line in secret.splitlines() if len(line) >= MIN_LENGTH and not line.startswith("-----")]
    return frozenset(spelling for line in lines for spelling in (*_written(line), *_encoded(line)))


def _written(line: str) -> Iterator[str]:
    from html import escape  # noqa: PLC0415 - not for --help
    from urllib.parse import quote, quote_plus  # noqa: PLC0415

    yield from (line, ascii(line)[1:-1], json.dumps(line)[1:-1], escape(line))
    for percent in (quote(_bytes(line), safe=""), quote_plus(_bytes(line))):
        yield from (percent, re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), percent))


def _encoded(line: str) -> Iterator[str]:
    """In hex, and what is in base64 the same whatever stands before and after it there: one of three."""
    from base64 import b64encode, urlsafe_b64encode  # noqa: PLC0415 - not for --help

    yield _bytes(line).hex()
    for offset in range(3):
        padded = bytes(offset) + _bytes(line)
        begin, end = -(-offset * 8 // 6), len(padded) * 8 // 6
        yield from (encode(padded)[begin:end].decode() for encode in (b64encode, urlsafe_b64encode))


def _bytes(line: str) -> bytes:
    return line.encode("utf-8", "surrogatepass")


def _hide_value(match: re.Match[str]) -> str:
    return match[0] if match[1] in _VISIBLE_QUERY else f"{match[1]}={HIDDEN}"


@cache
def _assignments() -> tuple[re.Pattern[str], ...]:
    """In the query of a URL all are hidden but those that are known to be harmless; elsewhere, those called so."""
    return (
        re.compile(r"(?<=[?&])([^=&?\s]+)=[^&\s]*"),
        re.compile(rf"(?<![\w-])({_NAMES})=[^\s&,;\"']+", re.I),
    )


@cache
def _forms() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compiled when the first text comes. None of them may try a place twice: texts come from servers."""
    return (
        (re.compile(r"(?<=//)[^/?#\s\"<>]+@"), f"{HIDDEN}@"),
        (re.compile(r"\b((?:proxy-)?authorization[\"']?[:=]) ?[\"']?(?:[a-z]+ +)?[^\s,;\"']+", re.I), rf"\1 {HIDDEN}"),
        (re.compile(r"\b((?:set-)?cookie[\"']?[:=])[^\r\n]+", re.I), rf"\1 {HIDDEN}"),
        (re.compile(r"\b(bearer|basic) +[a-z0-9._~+/-]{16,}=*", re.I), rf"\1 {HIDDEN}"),
        (re.compile(rf"([\"'](?:{_NAMES})[\"']) ?: ?[\"'][^\"'\r\n]*", re.I), rf'\1: "{HIDDEN}'),
        (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), HIDDEN),
        (re.compile(r"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----)(?:(?!-----END)[\s\S])*"), rf"\1{HIDDEN}"),
    )
