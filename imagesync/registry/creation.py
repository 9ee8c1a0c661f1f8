"""Creation: makes what a registry wants to be there before a push, by its API: a repository at ECR, a project at
Harbor.

Whether it is there is asked of the registry itself. That it was made meanwhile by another hand is no failure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from urllib.parse import quote

from imagesync.behaviour import CREATED_WITH, Creation, RepositoryTemplate
from imagesync.clouds import RepositoryCreator, repository_creator
from imagesync.errors import AuthenticationError, NotFoundError, ProtocolError, UnsupportedError
from imagesync.lazy import dataclass
from imagesync.reference import Repository, make_repository
from imagesync.registry.call import NO_LOGIN, Answer, Call
from imagesync.registry.client import RegistryClient
from imagesync.registry.credential import Credential
from imagesync.registry.token import Scope, basic_login
from imagesync.settings import Login
from imagesync.store import Creator

OPERATION = "create repository"
FindLogin = Callable[[], Credential | None]
OpenCloud = Callable[[], RepositoryCreator | None]
_FOUND, _CREATED = frozenset({200, 301, 302, 303, 307, 308}), frozenset({201, 409})
_HARBOR_RIGHT = "the login needs the right to create projects; a robot of a project has none"


@dataclass(frozen=True, slots=True)
class EcrCreator:
    """A repository of ECR, private or public. Implements store.Creator."""

    client: RegistryClient
    makes: Repository
    template: RepositoryTemplate
    open_cloud: OpenCloud
    what: str = "repository"

    @property
    def made_with(self) -> str:
        return str(self.template)

    def is_missing(self) -> bool:
        """The tag list of a repository that is not there is 404 NAME_UNKNOWN."""
        call = Call(
            method="GET",
            target=f"/v2/{self.makes.path}/tags/list?n=1",
            operation="find repository",
            reference=str(self.makes),
            scopes=(Scope(self.makes.path, ("pull",)),),
            max_bytes=1024 * 1024,
        )
        try:
            self.client.send(call)
        except NotFoundError:
            return True
        return False

    def create(self) -> None:
        """CreateRepository, in the account and region that the host's name says."""
        creator = self.open_cloud()
        if creator is None:
            message = "only with a login that Amazon makes are repositories created"
            raise AuthenticationError(message, hint="`auth: ecr`", operation=OPERATION, reference=str(self.makes))
        creator.create(self.makes.path, self.template)


class Clouds:
    """The sessions with clouds that repositories are created in: one for each host and login, however many they are."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, Login], RepositoryCreator | None] = {}
        self._lock = Lock()

    def open(self, host: str, login: Login) -> RepositoryCreator | None:
        """None where no cloud creates at this host. Raises StoreError."""
        with self._lock:
            if (host, login) not in self._opened:
                self._opened[host, login] = repository_creator(host, login)
            return self._opened[host, login]


@dataclass(frozen=True, slots=True)
class HarborCreator:
    """A project of Harbor, below which repositories come by themselves: https://goharbor.io/docs/, the API 2.0.

    Implements store.Creator. Its login goes to the registry's own host alone.
    """

    client: RegistryClient
    makes: Repository
    template: RepositoryTemplate
    find_login: FindLogin
    what: str = "project"

    @property
    def made_with(self) -> str:
        return str(self.template)

    def is_missing(self) -> bool:
        """HEAD a project: 404 where nobody has one with this name."""
        name = quote(self.makes.path, safe="")
        call = self._call("HEAD", f"/api/v2.0/projects?project_name={name}", "find project")
        try:
            answer = self._send(call)
        except NotFoundError:
            return True
        if answer.status != 200:
            raise call.fail(ProtocolError, f"answered {answer.status}, a redirect, which is not followed")
        return False

    def create(self) -> None:
        """POST a project: 201, or 409 for one that is there."""
        self._send(self._call("POST", "/api/v2.0/projects", OPERATION, json.dumps(self._wanted()).encode()))

    def _send(self, call: Call) -> Answer:
        try:
            return self.client.send(call)
        except AuthenticationError as error:
            error.hint = _HARBOR_RIGHT
            raise

    def _wanted(self) -> dict[str, object]:
        metadata = {"public": "true" if self.template.is_public else "false"}
        scan = {"auto_scan": "true"} if self.template.scan_on_push else {}
        limit = {"storage_limit": self.template.storage_bytes} if self.template.storage_bytes is not None else {}
        return {"project_name": self.makes.path, "metadata": metadata | scan, **limit}

    def _call(self, method: str, target: str, operation: str, content: bytes = b"") -> Call:
        login = self.find_login()
        return Call(
            method=method,
            target=target,
            operation=operation,
            reference=str(self.makes),
            scopes=(),
            push=True,
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            content=content,
            accepted=_FOUND if method == "HEAD" else _CREATED,
            authorization=NO_LOGIN if login is None else basic_login(login),
        )


def creator_of(
    client: RegistryClient, repository: Repository, template: RepositoryTemplate, *, cloud: OpenCloud, find: FindLogin
) -> Creator:
    """Who makes a repository of this registry. Raises UnsupportedError where no API does, or not with this template."""
    creation = client.behaviour.creation
    lacking = template.said() - frozenset(CREATED_WITH.get(creation, ()))
    if creation not in CREATED_WITH or lacking:
        what = "nothing" if creation not in CREATED_WITH else "no such thing"
        message = f"`create:` of {client.host} says more than it can be told: by its API {what} is set"
        hint = "take it out, or say with `kind:` what the registry is"
        raise UnsupportedError(message, hint=hint, operation=OPERATION, reference=str(repository))
    if creation is Creation.ECR:
        return EcrCreator(client, repository, template, cloud)
    project = make_repository(repository.registry, repository.path.partition("/")[0])
    return HarborCreator(client, project, template, find)
