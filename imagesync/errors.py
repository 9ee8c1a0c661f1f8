"""Every error imagesync raises, and the exit code each class ends a command with.

    ImagesyncError                     1   something failed; the rest was carried out
    ├── UsageError                     4   the command line is wrong
    ├── SpecError                      4   the spec is wrong: carries every Problem found
    │   ├── LockError                  4   the lock is damaged, or does not fit the spec
    │   └── ReleaseError               4   a release file is damaged, or does not fit its promotion
    ├── PlanFileError                  4   a plan file does not fit this spec, or is damaged
    ├── StateError                     4   the state is damaged, of another format, or none at all
    ├── InvalidReference               4   a name, tag or digest that breaks the grammar
    ├── InvalidManifest                1   a manifest or index that breaks the format
    ├── PlatformError                  1   an image lacks a platform that is wanted of it
    ├── TrustError                     4   a key or trusted root that nothing can be verified with
    ├── StoreError                     1   reading or writing a repository failed
    │   ├── AuthenticationError            no credential, a wrong one, or no right
    │   │   └── MissingLoginError              no login where one was looked for
    │   ├── NotFoundError                  the repository, manifest or blob is not there
    │   ├── ImmutableError             3   the registry refuses to move a tag
    │   ├── LimitError                     quota, size or rate limit
    │   │   └── BudgetError            3       not asked: the pulls that the spec or the registry allows are spent
    │   ├── UnsupportedError               the registry cannot do or take this
    │   ├── IntegrityError                 bytes do not match their digest or size
    │   ├── ProtocolError                  the answer is not one a registry gives
    │   ├── TlsError                       certificate or handshake; never retried
    │   └── NetworkError                   no connection, cut, or timed out; retried before it is raised
    ├── HeldError                      3   a stage is held by now, and what was on its way there is not let in
    ├── Cancelled                    130   a signal or a deadline stopped the work
    └── InternalError                 70   a mistake in imagesync itself

Nothing else may end a command: what a library raises is mapped to one of these where it is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from imagesync.lazy import dataclass, field
from imagesync.redaction import redacted


class ImagesyncError(Exception):
    """What happened, to what, and what to do next.

    `message` says what happened in one sentence, without a final full stop. `hint` says what the reader
    can do about it. Neither holds a secret, which is seen to here, nor an unescaped control character from a server,
    which is seen to by whoever repeats one.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = redacted(message)
        self.hint = redacted(hint) if hint else hint
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(ImagesyncError):
    """The command line is wrong; nothing was touched."""

    exit_code = 4
    kind = "usage"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a file: `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a spec: where, what was found and what is allowed, and what to do."""

    place: Place
    message: str
    hint: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        # Both quote the file, where a login may stand.
        object.__setattr__(self, "message", redacted(self.message))
        object.__setattr__(self, "hint", redacted(self.hint) if self.hint else self.hint)

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f"\n    {self.hint}" if self.hint else "")


class SpecError(ImagesyncError):
    """The spec is wrong. `problems` holds all that were found, in the order of the files."""

    exit_code = 4
    kind = "spec"
    subject: ClassVar[str] = "the spec"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class LockError(SpecError):
    """The lock is damaged, or lacks what the spec takes."""

    kind = "lock"
    subject = "the lock"


class ReleaseError(SpecError):
    """A release file is damaged, or is not one of its promotion."""

    kind = "release"
    subject = "the release"


class PlanFileError(ImagesyncError):
    """A plan file cannot be carried out: damaged, of another format, or not of this spec."""

    exit_code = 4
    kind = "plan-file"


class StateError(ImagesyncError):
    """The state cannot be trusted: damaged, of another format, or no state at all. Nothing was touched."""

    exit_code = 4
    kind = "state"


class InvalidReference(ImagesyncError):
    """A repository name, tag, digest or reference that breaks the grammar."""

    exit_code = 4
    kind = "reference"


class InvalidManifest(ImagesyncError):
    """A manifest or index that breaks the image specification, or is not one."""

    kind = "manifest"


class PlatformError(ImagesyncError):
    """An image has none of the platforms that are kept, lacks one that is required, or does not say which it has."""

    kind = "platform"


class TrustError(ImagesyncError):
    """A key, a trusted root or a library that signatures are to be verified with, and cannot be."""

    exit_code = 4
    kind = "trust"


class StoreError(ImagesyncError):
    """Reading or writing a repository failed.

    `operation` is what was tried ("PUT manifest"), `reference` on what; `side` is set by the room that
    knows it ("source", "destination"). `status` is the HTTP status and `code` the registry's own error code,
    where there was one. `is_transient` says that the same thing may work when it is tried again.
    """

    kind = "store"
    is_transient: bool = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        operation: str = "",
        reference: str = "",
        status: int | None = None,
        code: str = "",
        is_transient: bool | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        if is_transient is not None:
            self.is_transient = is_transient
        self.operation = operation
        self.reference = reference
        self.status = status
        self.code = code
        self.side: str | None = None

    def __str__(self) -> str:
        where = " ".join(part for part in (self.side, self.reference) if part)
        what = f"{self.operation}: {self.message}" if self.operation else self.message
        text = f"{where}: {what}" if where else what
        return f"{text} ({self.hint})" if self.hint else text


class AuthenticationError(StoreError):
    """401 or 403 after one fresh login: names the credential source, the scope and the repository.

    `is_refusal` is True where the login itself was good and this one thing was refused: some registries
    answer so for a repository that does not exist yet.
    """

    kind = "authentication"
    is_refusal = False


class MissingLoginError(AuthenticationError):
    """Where a login was looked for there is none at all: another place may have one."""


class NotFoundError(StoreError):
    """404: the repository, manifest or blob is not there."""

    kind = "not-found"


class ImmutableError(StoreError):
    """The registry refuses to move this tag."""

    exit_code = 3
    kind = "immutable"


class LimitError(StoreError):
    """A quota, a size limit, or a rate limit that waiting within the deadline does not lift."""

    kind = "limit"


class BudgetError(LimitError):
    """A manifest that was not asked for: the pulls that the spec or the registry allows are spent.

    `is_deferred` says that the spec wants it to wait for a later run, rather than to end this one.
    """

    exit_code = 3
    kind = "budget"
    is_deferred = False


class UnsupportedError(StoreError):
    """The registry cannot do this, or does not take this media type."""

    kind = "unsupported"


class IntegrityError(StoreError):
    """Bytes that do not match the digest or size they were asked for by. Re-read once, then permanent."""

    kind = "integrity"


class ProtocolError(StoreError):
    """An answer that no registry gives: an HTML page, a missing Location, a foreign Link."""

    kind = "protocol"


class TlsError(StoreError):
    """The certificate or handshake failed. Never retried, and never answered by plain HTTP."""

    kind = "tls"


class NetworkError(StoreError):
    """No connection, a connection cut, or no answer in time."""

    kind = "network"
    is_transient = True


class HeldError(ImagesyncError):
    """Somebody has held a stage while a release was on its way there: nothing of it has come in."""

    exit_code = 3
    kind = "held"


class Cancelled(ImagesyncError):
    """A signal or the deadline stopped the work before this was done."""

    exit_code = 130
    kind = "cancelled"


class InternalError(ImagesyncError):
    """A mistake in imagesync itself: an exception that nobody expected. It ends one image, not the run."""

    exit_code = 70
    kind = "internal"

    @classmethod
    def of(cls, error: BaseException) -> InternalError:
        """The error that stands for an exception that is none of ours; the exception itself is its cause."""
        made = cls(f"imagesync made a mistake: {type(error).__name__}: {ascii(redacted(str(error)))[1:-1][:200]}")
        made.hint = "please report it, with the log of -v"
        made.__cause__ = error
        return made
