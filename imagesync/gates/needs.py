"""Needs: what a gate has to know of an image, as values; each says what it is answered with.

Whatever cannot be answered is answered with Unread, and so is what nobody has asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagesync.lazy import dataclass, field
from imagesync.reference import Digest, Reference

MAX_FILE_BYTES = 32 * 1024 * 1024
"""A vulnerability report of a large image."""


@dataclass(frozen=True, slots=True)
class TimeNow:
    """The time of the judgement, the same for a whole run: an aware datetime in UTC."""


@dataclass(frozen=True, slots=True)
class WhoRuns:
    """Who runs this: the names of who started CI's run, and who started it again; else that of the user. A tuple."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The bytes of a file, MAX_FILE_BYTES at most; None where it is not there."""

    path: str


@dataclass(frozen=True, slots=True)
class ListFiles:
    """The bytes of all files that a glob finds, by name."""

    pattern: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """What becomes of a program that gets `stdin`, and works in `folder`: a Ran."""

    arguments: tuple[str, ...]
    folder: str
    stdin: bytes = field(repr=False)
    timeout_seconds: int = 60


@dataclass(frozen=True, slots=True)
class ReadConfig:
    """The config of one manifest of the image, as a JSON object."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class ReadSpoken:
    """What the source has that may prove something of a digest: a tuple of `signature.Evidence` and of `Rejected` for
    what was not read."""

    digest: Digest


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """When a run first found the source's digest under its tag: a datetime; None where none has."""

    source: Reference


@dataclass(frozen=True, slots=True)
class PushedAt:
    """When the source's registry got the source's digest under its tag, as it says: a datetime."""

    source: Reference


@dataclass(frozen=True, slots=True)
class ReadJobIdentity:
    """The job of GitHub Actions that this run is, as GitHub says it, with the issuer's keys: a JobIdentity; None where
    it is no such job, or one that may not have an identity."""

    issuer: str


Need = (
    TimeNow
    | WhoRuns
    | ReadFile
    | ListFiles
    | RunCommand
    | ReadConfig
    | ReadSpoken
    | FirstSeen
    | PushedAt
    | ReadJobIdentity
)


@dataclass(frozen=True, slots=True)
class JobIdentity:
    """A token that was asked for with this audience, which nobody was told before, and the keys of its issuer as a
    JSON Web Key Set. Nothing of it is verified yet."""

    token: str = field(repr=False)
    audience: str
    keys: Mapping[str, Any] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and the first line that it printed."""

    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Unread:
    """No answer, and why."""

    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """The answers that there are."""

    answers: Mapping[Need, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, need: Need) -> Any:
        """The answer; Unread where nobody has asked."""
        return self.answers.get(need, Unread(f"{type(need).__name__} was not asked for"))
