"""WWW-Authenticate: what a registry asks for with a 401, read from any number of headers.

RFC 9110, section 11. Reading is lenient and linear: what cannot be read is left out, never guessed. What to
answer is auth's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from imagesync.lazy import dataclass, field

MAX_LENGTH = 16 * 1024
"""Characters of all headers together; a longer answer is no challenge at all."""

_SEPARATORS = re.compile(r"[ \t,]*")
_SCHEME = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?=[ \t,]|$)[ \t]*", re.ASCII)
_NAME = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r'[^ \t,"=][^ \t,"]*')
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in: `scheme` and the names of `parameters` are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """True for Basic, and for Bearer that says where its tokens come from."""
        return self.scheme == "basic" or (self.scheme == "bearer" and bool(self.parameters.get("realm")))


def parse_challenges(values: Sequence[str]) -> tuple[Challenge, ...]:
    """Every challenge of these header values, in order; several may share a value. Never raises."""
    if sum(map(len, values)) > MAX_LENGTH:
        return ()
    return tuple(challenge for value in values for challenge in _challenges(value))


def choose_challenge(challenges: Sequence[Challenge]) -> Challenge | None:
    """The challenge to answer: Bearer before Basic, and no other."""
    usable = [challenge for challenge in challenges if challenge.is_usable]
    return min(usable, key=lambda challenge: challenge.scheme != "bearer", default=None)


def _challenges(text: str) -> Iterator[Challenge]:
    """A name with `=` behind it belongs to the scheme before it; a word without one is the next scheme."""
    scheme, parameters, position = "", dict[str, str](), 0
    while (position := _end(_SEPARATORS, text, position)) < len(text):
        if scheme and (name := _NAME.match(text, position)):
            found = _value(text, name.end())
            if found is None:
                break
            parameters.setdefault(name[1].lower(), found[0])
            position = found[1]
            continue
        if scheme:
            yield Challenge(scheme, parameters)
        word = _SCHEME.match(text, position)
        scheme, parameters = (word[1].lower() if word else ""), {}
        position = _after_scheme(text, word.end()) if word else _next_comma(text, position)
    if scheme:
        yield Challenge(scheme, parameters)


def _value(text: str, position: int) -> tuple[str, int] | None:
    """A parameter's value and where it ends; None for a quote that is never closed."""
    if quoted := _QUOTED.match(text, position):
        return _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
    if text.startswith('"', position):
        return None
    bare = _BARE.match(text, position)
    return (bare[0], bare.end()) if bare else ("", position)


def _after_scheme(text: str, position: int) -> int:
    """Step over what schemes such as Negotiate carry instead of parameters."""
    if text.startswith(",", position):
        return position
    return _end(_TOKEN68, text, position)


def _next_comma(text: str, position: int) -> int:
    comma = text.find(",", position)
    return len(text) if comma < 0 else comma


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
