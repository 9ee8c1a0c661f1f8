"""Facts: what was found out about a registry, and nothing that was made of it. Values that gathering fills."""

from __future__ import annotations

from imagesync.behaviour import Kind
from imagesync.doctor.subjects import Subject, Want
from imagesync.errors import ImagesyncError, StoreError
from imagesync.lazy import dataclass, field
from imagesync.registry.auth import AuthUse
from imagesync.registry.headers import Headers
from imagesync.registry.pull_rate import PullRate
from imagesync.registry.sounding import Sounding
from imagesync.settings import Tls


@dataclass(frozen=True, slots=True)
class Ping:
    """What `GET /v2/` without a login was answered, and when by this machine's clock, in seconds of time.time()."""

    asked_at: float
    answered_at: float
    status: int = 0
    headers: Headers = field(default_factory=Headers)
    said: str = ""
    """What an error's body says, made safe to show."""
    error: StoreError | None = None
    """Why there is no answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """Which row of the table holds: by its name or the spec, and by what its token server shows it to be."""

    kind: Kind
    recognised: Kind


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a want. `granted` is what the token says that it allows, None where nobody says; `status` that
    of an answer, None where nothing was asked of the registry itself."""

    want: Want
    status: int | None = None
    use: AuthUse | None = None
    granted: frozenset[str] | None = None
    is_proven: bool = False
    """Whether the registry let us do it, rather than that a token says it would."""
    rate: PullRate | None = None
    creation: str | None = None
    """How the repository comes to be there, where it is not, and no push of ours may make it."""
    error: ImagesyncError | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was found out about one registry; a `ping` and `tries` only of one that was reached."""

    subject: Subject
    tls: Tls
    """How the spec wants it trusted."""
    sounding: Sounding | None = None
    """None where the time was up before."""
    ping: Ping | None = None
    row: Row | None = None
    speaks_tls: bool = False
    """Whether a server that was asked in plain HTTP, and did not answer as a registry, speaks TLS."""
    tries: tuple[Tried, ...] = ()
