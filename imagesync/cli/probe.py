"""Probing logins: one harmless request, and what it was logged in with. For `login` and `auth check`."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from imagesync.cli.behaving import Row, row_of
from imagesync.cli.session import load, open_session
from imagesync.errors import Cancelled, ImagesyncError, NetworkError, NotFoundError, ProtocolError, TlsError
from imagesync.lazy import dataclass, replace
from imagesync.plan.actions import Failure
from imagesync.reference import Repository
from imagesync.registry import Registries
from imagesync.registry.answers import is_page
from imagesync.registry.auth import AuthUse
from imagesync.registry.call import Call
from imagesync.registry.token import Scope
from imagesync.settings import Auth, RegistrySettings, Settings
from imagesync.spec.model import Rule, Spec
from imagesync.survey import find_repositories


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one probe. `access` is `pull` or `pull,push`; `used` says who asked whom.

    `seconds_left` is how long this login is used before another one is made; None for one that has no known end.
    """

    subject: str
    access: str
    used: str
    error: ImagesyncError | None = None
    seconds_left: float | None = None
    row: Row | None = None
    """How its registry behaves; None where no registry is known."""

    @property
    def exit_code(self) -> int:
        return 0 if self.error is None else self.error.exit_code

    @property
    def host(self) -> str:
        return self.subject.partition("/")[0]

    @property
    def login(self) -> str:
        """Where the login came from, without what it was used for."""
        return self.used.partition(" for ")[0]

    def to_dict(self) -> dict[str, Any]:
        error = self.error
        failure = None if error is None else {"kind": error.kind, "reason": error.message, "hint": error.hint}
        left = None if self.seconds_left is None else round(self.seconds_left)
        return {
            "subject": self.subject,
            "access": self.access,
            "used": self.used,
            "seconds_left": left,
            "error": failure,
            "behaviour": self.row.to_dict() if self.row is not None else None,
        }


def probe(arguments: argparse.Namespace, host: str, auth: Auth) -> None:
    """Log in to a registry's root with this login. Raises what comes of it."""
    settings = load(arguments).settings if arguments.spec else Settings()
    own = RegistrySettings(auth=auth).over(settings.for_host(host))
    spec = Spec((), Settings(hosts=((host, own),)), ())
    with open_session(spec, arguments) as session:
        _send(session.stores.registries, _root(host), host)


def probe_repositories(arguments: argparse.Namespace, target: Spec | str) -> list[Answer]:
    """Log in for every repository of a spec, to read at sources and to write at destinations; or to one host."""
    spec = target if isinstance(target, Spec) else Spec((), Settings(), ())
    with open_session(spec, arguments) as session:
        registries = session.stores.registries
        if isinstance(target, str):
            return _with_rows([_probe(registries, _root(target), target)], registries, spec.settings)
        named = find_repositories(spec.rules, session.stores, session.tasks).rules
        wanted = dict.fromkeys(pair for rule in named if isinstance(rule, Rule) for pair in _accesses(rule))
        tasks = [
            session.tasks.add(
                partial(_probe, registries, _listing(repository, push), str(repository)), hosts=[repository.registry]
            )
            for repository, push in wanted
        ]
        answers = _with_rows(session.tasks.results(tasks), registries, spec.settings)
        return [*(_not_found(one) for one in named if isinstance(one, Failure)), *answers]


def _with_rows(answers: list[Answer], registries: Registries, settings: Settings) -> list[Answer]:
    """The answers, each with how its registry behaves, as far as that is known by then."""
    hosts = {answer.host for answer in answers}
    rows = {host: row_of(registries.client(host), settings.said_of(host)) for host in hosts}
    return [replace(answer, row=rows[answer.host]) for answer in answers]


def _not_found(failure: Failure) -> Answer:
    """The answer for a glob, where what it stands for could not be told."""
    error = ImagesyncError(failure.reason, hint=failure.hint)
    return Answer(failure.subject, "list", "no answer", error)


def _accesses(rule: Rule) -> list[tuple[Repository, bool]]:
    pairs = [(rule.source, False), *((repository, True) for repository in rule.destinations)]
    return [pair for pair in pairs if not pair[0].is_layout]


def _probe(registries: Registries, call: Call, subject: str) -> Answer:
    access = "pull,push" if call.push else "pull"
    host = subject.partition("/")[0]
    error: ImagesyncError | None = None
    try:
        _send(registries, call, host)
    except NotFoundError:
        pass  # logged in, and there is nothing yet
    except ImagesyncError as raised:
        error = raised
    use = _use(registries, host, call, error)
    return Answer(subject, access, str(use or "no answer"), error, use.seconds_left if use else None)


def _send(registries: Registries, call: Call, host: str) -> None:
    """Raise what comes of it, and ProtocolError for the page of something that is no registry: it asks for no login."""
    client = registries.client(host)
    answer = client.send(call)
    if is_page(answer.headers.get("Content-Type", "")):
        hint = f"check host and port; `curl -v {client.origin}/v2/` shows the answer"
        raise call.fail(
            ProtocolError, "answered with an HTML page: that is no registry, or a page before it", hint=hint
        )


def _use(registries: Registries, host: str, call: Call, error: ImagesyncError | None) -> AuthUse | None:
    if isinstance(error, NetworkError | TlsError | ProtocolError | Cancelled):
        return None
    try:
        return registries.client(host).authorizer.describe(call.scopes, call.push)
    except ImagesyncError:
        return None


def _root(host: str) -> Call:
    return Call(method="GET", target="/v2/", operation="log in", reference=host, scopes=())


def _listing(repository: Repository, push: bool) -> Call:
    """A tag list with the rights that a run needs: the token for it is what is tested, the list is not read."""
    actions = ("pull", "push") if push else ("pull",)
    return Call(
        method="GET",
        target=f"/v2/{repository.path}/tags/list?n=1",
        operation="log in",
        reference=str(repository),
        scopes=(Scope(repository.path, actions),),
        push=push,
        max_bytes=4 * 1024 * 1024,
    )
