"""What a registry is told to be: login, TLS, limits, timeouts, mirrors; values that spec fills and registry obeys.

A Secret is read when a login needs it and shown by nothing. No network here, and no defaults that depend on
a host's answers: those are the registry's own business.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NoReturn

from imagesync.behaviour import TABLE, Behaviour, Chunks, Kind, RepositoryTemplate, Said, kind_of
from imagesync.errors import UsageError
from imagesync.lazy import dataclass, fields, replace
from imagesync.redaction import HIDDEN, remember

DEFAULT_CONCURRENCY = TABLE[Kind.GENERIC].concurrency


class Secret:
    """Text that is read late and never shown: whatever prints, formats or copies it gets `***`, and nothing writes it.

    `origin` says where it comes from, for messages (`environment variable HUB_TOKEN`). `read` returns it and
    may raise UsageError when that place is empty. Two are equal that hold one text, or are read from one place.
    """

    __slots__ = ("_identity", "origin", "read")

    def __init__(self, origin: str, read: Callable[[], str]) -> None:
        self.origin = origin
        self.read = read
        self._identity = ("place", origin)

    def reveal(self) -> str:
        """The text itself, which errors and the log look for from now on. Call it only to log in, or to sign."""
        text = self.read()
        remember(text)
        return text

    def read_now(self) -> Secret:
        """The same secret, that stays as it is now. Raises UsageError when its place is empty."""
        return Secret.literal(self.read(), self.origin)

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, form: str) -> str:
        return format(HIDDEN, form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is written nowhere")

    @classmethod
    def literal(cls, text: str, origin: str = "the spec") -> Secret:
        made = cls(origin, lambda: text)
        made._identity = ("text", text)
        return made

    @classmethod
    def from_environment(cls, name: str) -> Secret:
        return cls(f"environment variable {name}", lambda: _environment(name))

    @classmethod
    def from_file(cls, path: Path) -> Secret:
        return cls(f"file {path}", lambda: _file(path))

    @classmethod
    def joined(cls, parts: tuple[str | Secret, ...]) -> Secret:
        """Text with secrets in it, as `"user-${secret:NAME}"` gives."""
        if all(isinstance(part, str) for part in parts):
            return cls.literal("".join(map(str, parts)))
        origin = ", ".join(part.origin for part in parts if isinstance(part, Secret))
        return cls(origin, lambda: "".join(part.read() if isinstance(part, Secret) else part for part in parts))


NOTHING = Secret.literal("", "nowhere")
"""A password that is empty."""


@dataclass(frozen=True, slots=True)
class DefaultAuth:
    """Look for a login where docker and podman keep theirs; anonymous where there is none."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No login, whatever the credential files hold."""


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and password, from the spec."""

    username: Secret
    password: Secret


@dataclass(frozen=True, slots=True)
class IdentityToken:
    """A token that is exchanged for access tokens (OAuth2 refresh token)."""

    token: Secret


@dataclass(frozen=True, slots=True)
class Helper:
    """`docker-credential-NAME` on PATH is asked."""

    name: str


@dataclass(frozen=True, slots=True)
class Ecr:
    """A login that Amazon makes for ECR, with the credentials that the AWS SDK finds.

    `profile` says which of those, `role` as whom it is made, and `region` where, if the host's name does not say.
    """

    role: str | None = None
    profile: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Gar:
    """A login that Google makes for Artifact Registry and gcr.io, with the credentials that its library finds.

    `service_account` is as whom it is made, where that is another; `workload_identity` is the provider that takes a
    GitHub job's identity for one of Google's.
    """

    service_account: str | None = None
    workload_identity: str | None = None


@dataclass(frozen=True, slots=True)
class Acr:
    """A login that Azure makes for its registry, with the credentials that its library finds.

    `client_id` says which of several identities, `tenant` of which directory; a GitHub job needs both to be one.
    """

    tenant: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class DockerHub:
    """A login that Docker makes for a job of GitHub Actions, by an OIDC connection of an organization."""

    organization: str
    connection: str


CloudLogin = Ecr | Gar | Acr | DockerHub
"""Logins that a cloud makes; without a value they are those that its own tools would find."""

Login = DefaultAuth | Anonymous | Password | IdentityToken | Helper | CloudLogin


@dataclass(frozen=True, slots=True)
class Auth:
    """The login for reading and the one for writing; one identity for both unless the spec sets them apart."""

    pull: Login = DefaultAuth()
    push: Login = DefaultAuth()


class TlsMode(Enum):
    """`REQUIRED` is TLS with a checked certificate, with one exception: on loopback a server that answers in
    plain HTTP is taken as it is. `INSECURE` does not check the certificate, `DISABLED` is plain HTTP."""

    REQUIRED = "required"
    INSECURE = "insecure"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust a registry: its CA, and the client certificate that it asks for, as PEM files."""

    mode: TlsMode = TlsMode.REQUIRED
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


LIST_WAITS = 60
"""A list has to be there after so many times what one piece of it may take."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two pieces of data, and for a registry to commit what was uploaded."""

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    commit_seconds: float = 900.0

    @property
    def list_seconds(self) -> float:
        """How long all pages of a list may take together: an hour, unless a registry is told else."""
        return LIST_WAITS * self.read_seconds

    def at_most(self, other: Timeouts) -> Timeouts:
        """The shorter of each."""
        return Timeouts(*(min(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)))


class WhenSpent(Enum):
    """What a spent budget means for what is still to be read: `STOP` the run there, or `DEFER` it to a later one."""

    STOP = "stop"
    DEFER = "defer"


@dataclass(frozen=True, slots=True)
class PullBudget:
    """Manifests that may be read from a host in any stretch of `window_seconds`."""

    pulls: int
    window_seconds: float
    when_spent: WhenSpent = WhenSpent.STOP

    def __str__(self) -> str:
        return f"{self.pulls} {'pull' if self.pulls == 1 else 'pulls'} in {_window(self.window_seconds)}"


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """One registry's settings. `None` in a layer of them means: not said here."""

    auth: Auth | None = None
    tls: Tls | None = None
    concurrency: int | None = None
    timeouts: Timeouts | None = None
    mirrors: tuple[str, ...] | None = None
    bandwidth: int | None = None
    """Bytes a second, read and written together."""
    pulls: PullBudget | None = None
    chunk_bytes: int | None = None
    """The most that one request of an upload carries; `None` everywhere: whole blobs."""
    token_realm_allow: tuple[str, ...] | None = None
    """Hosts, or hosts with a port, in lower case, to which this registry may send us though they are nearer to us."""

    kind: Kind | None = None
    """Which row of the table holds, where a host's name does not say."""
    behaviour: Said | None = None
    """What holds instead of the table."""
    create: RepositoryTemplate | None = None
    """What a repository is created with that is not there; `None`: none is created."""

    def over(self, below: RegistrySettings) -> RegistrySettings:
        """These settings, and those of `below` wherever nothing is said here."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.behaviour is not None and below.behaviour is not None:
            said["behaviour"] = self.behaviour.over(below.behaviour)
        return replace(below, **said)

    def kind_at(self, host: str) -> Kind:
        """Which row of the table holds for a host."""
        return self.kind or kind_of(host)

    def behaviour_at(self, host: str) -> Behaviour:
        """The row of the table, with what is said instead. Whoever asks for chunks is taken to know that they work."""
        row = TABLE[self.kind_at(host)]
        row = row if self.chunk_bytes is None else replace(row, chunks=Chunks.AUTO)
        row = row if self.concurrency is None else replace(row, concurrency=self.concurrency)
        return row if self.behaviour is None else self.behaviour.on(row)


DEFAULTS = RegistrySettings(auth=Auth(), tls=Tls(), timeouts=Timeouts(), mirrors=())
"""What holds for a host of which nothing is said, beside how its kind behaves."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a spec says about registries: by host pattern, host, and host/prefix, least specific first."""

    patterns: tuple[tuple[str, RegistrySettings], ...] = ()
    hosts: tuple[tuple[str, RegistrySettings], ...] = ()
    prefixes: tuple[tuple[str, RegistrySettings], ...] = ()
    anonymous: bool = False
    """No login at all, for `plan --anonymous`."""
    longest: Timeouts | None = None
    """No wait is longer than these, whatever is said of a host, for `doctor`."""

    def for_host(self, host: str) -> RegistrySettings:
        """Merge by key in the order pattern < host, over the defaults; a longer pattern wins over a shorter one."""
        merged = self.said_of(host).over(DEFAULTS)
        merged = replace(merged, concurrency=merged.behaviour_at(host).concurrency)
        if self.longest is not None:
            merged = replace(merged, timeouts=(merged.timeouts or Timeouts()).at_most(self.longest))
        return replace(merged, auth=Auth(Anonymous(), Anonymous())) if self.anonymous else merged

    def said_of(self, host: str) -> RegistrySettings:
        """What is said of a host, without what holds by default."""
        merged = RegistrySettings()
        for pattern, settings in sorted(self.patterns, key=lambda item: len(item[0])):
            if fnmatchcase(host, pattern):
                merged = settings.over(merged)
        return dict(self.hosts).get(host, RegistrySettings()).over(merged)

    def auth_for(self, host: str, path: str) -> Auth:
        """The login for one repository: the longest host/prefix above it, else the host's."""
        if not self.anonymous:
            for settings in self._above(host, path):
                if settings.auth is not None:
                    return settings.auth
        return self.for_host(host).auth or Auth()

    def create_for(self, host: str, path: str) -> RepositoryTemplate | None:
        """What a repository is created with: what the longest host/prefix above it says, else the host."""
        said = (settings.create for settings in self._above(host, path) if settings.create is not None)
        return next(said, None) or self.for_host(host).create

    def _above(self, host: str, path: str) -> list[RegistrySettings]:
        """The settings of each host/prefix above a repository, the longest first."""
        matching = [item for item in self.prefixes if f"{host}/{path}/".startswith(f"{item[0]}/")]
        return [settings for _, settings in sorted(matching, key=lambda item: len(item[0]), reverse=True)]


def _window(seconds: float) -> str:
    if seconds % 3600 == 0:
        return "an hour" if seconds == 3600 else f"{seconds / 3600:g} hours"
    return f"{seconds / 60:g} minutes" if seconds % 60 == 0 else f"{seconds:g} seconds"


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(
            f"secret {name} is not set in the environment", hint=f"export {name}, or write ${{file:PATH}} in the spec"
        )
    return value


def _file(path: Path) -> str:
    try:
        return path.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"secret file {path} cannot be read: {error.__class__.__name__}") from error
