"""The entries of a state. Each says one thing that was so at one moment; times are in UTC, to the second."""

from __future__ import annotations

from datetime import datetime

from imagesync.lazy import dataclass
from imagesync.reference import Digest, Reference


@dataclass(frozen=True, slots=True, order=True)
class FirstSeen:
    """A run first found this digest under this tag of a source. `source` has no digest of its own."""

    source: Reference
    digest: Digest
    at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """This tag of a destination was written, or adopted, and is imagesync's from then on.

    `destination` has no digest of its own. `source` is the digest that it came from where that is another, since the
    index was narrowed on the way.
    """

    destination: Reference
    digest: Digest
    at: datetime
    source: Digest | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """This tag was given up: imagesync deleted it, and owns it no more. It outlives every older Written."""

    destination: Reference
    at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Narrowed:
    """What became of an index of which only some platforms are kept; `keep` names those in one spelling."""

    source: Digest
    keep: str
    digest: Digest


Entry = FirstSeen | Written | Deleted | Narrowed
