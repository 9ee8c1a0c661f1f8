"""What is taken out of text before anybody sees it: what looks like a secret, and what is one.

Every error and every log line passes `redacted`. It knows secrets by their form, and by value those that this process
has used: a server that repeats a password in its refusal cannot have it printed. The program's own data (names,
digests, tags) never passes here, so that a password that equals a name harms no plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
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
    """Secrets that were used, and how each may be written."""

    def __init__(self) -> None:
        self._spellings: dict[str, frozenset[str]] = {}
        self._longest_first: tuple[str, ...] = ()
        self._lock = Lock()

    def add(self, text: str) -> None:
        with self._lock:
            known = self._spellings.pop(text, None)
            self._spellings[text] = known if known is not None else frozenset(_spellings(text))
            if known is None:
                if len(self._spellings) > MAX_REMEMBERED:
                    del self._spellings[next(iter(self._spellings))]
                found = frozenset[str]().union(*self._spellings.values())
                self._longest_first = tuple(sorted(found, key=len, reverse=True))

    def hide_in(self, text: str) -> str:
        for value in self._longest_first:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text


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


def _spellings(secret: str) -> Iterator[str]:
    """As it is, and as it looks in a URL, in JSON, and escaped for a terminal."""
    from urllib.parse import quote, quote_plus  # noqa: PLC0415 - not for --help

    for line in secret.splitlines():
        if len(line) >= MIN_LENGTH and not line.startswith("-----"):
            safe = line.encode("utf-8", "surrogatepass")
            yield from (line, ascii(line)[1:-1], json.dumps(line)[1:-1], quote(safe, safe=""), quote_plus(safe))


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
