"""The store over HTTP. `Registries` opens repositories; the other modules are its parts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from imagesync.cancellation import Cancellation
from imagesync.reference import Repository, make_repository
from imagesync.registry import addresses
from imagesync.registry.addresses import LookUp
from imagesync.registry.client import WIRE_HOSTS, RegistryClient
from imagesync.registry.connection import Connections
from imagesync.registry.credential import Credential
from imagesync.registry.credentials import CredentialStore
from imagesync.registry.limits import HostLimits
from imagesync.registry.mirror import Mirror, MirroredRepository
from imagesync.registry.origin import Origin
from imagesync.registry.pulls import MemoryLedger, PullCount, PullLedger
from imagesync.registry.repository import RemoteRepository
from imagesync.registry.retry import ONE_TRY, RetryPolicy
from imagesync.registry.tls import TlsContexts
from imagesync.registry.traffic import TrafficCounts
from imagesync.settings import Auth, Settings, Tls

if TYPE_CHECKING:
    from ssl import SSLContext

    from imagesync.registry.catalogs import RegistryCatalog, RegistryPushTimes
    from imagesync.registry.creation import Clouds
    from imagesync.registry.sounding import Sounding
    from imagesync.store import Creator

__all__ = ["PullCount", "PullLedger", "Registries", "RemoteRepository", "RetryPolicy"]

_SPEC_NAMES = {wire: name for name, wire in WIRE_HOSTS.items()}


class Registries:
    """Every registry of a run: one client for each host, one set of connections for all.

    `environment` is where proxies, authorities and credential files are looked up; `ledger` remembers pulls, by
    default those of this run alone; `find` looks hosts' names up, by default as the system does. Implements
    tasks.Hosts.
    """

    def __init__(
        self,
        settings: Settings,
        cancellation: Cancellation,
        *,
        environment: Mapping[str, str],
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value
        ledger: PullLedger | None = None,
        find: LookUp | None = None,
    ) -> None:
        self._settings = settings
        self._cancellation = cancellation
        self._policy = policy
        self._environment = environment
        self._find = find or addresses.look_up
        self._contexts = TlsContexts(environment)
        self._credentials = CredentialStore(environment, context_for=self._context_for)
        self._connections = Connections(environment, self._tls_for, find=self._find)
        self._ledger = ledger or MemoryLedger()
        self._limits: dict[str, HostLimits] = {}
        self._clients: dict[tuple[str, RetryPolicy], RegistryClient] = {}
        self._repositories: dict[Repository, RemoteRepository] = {}
        self._push_times: dict[str, RegistryPushTimes] = {}
        self._clouds: Clouds | None = None
        self._lock = Lock()

    def repository(self, repository: Repository) -> RemoteRepository:
        """The store for one repository, the same each time."""
        with self._lock:
            if repository not in self._repositories:
                self._repositories[repository] = self._open(repository)
            return self._repositories[repository]

    def lister(self, host: str) -> RegistryCatalog:
        """Who lists what a registry holds; its catalog is kept with it, so that each time it is another one."""
        from imagesync.registry.catalogs import Access, RegistryCatalog  # noqa: PLC0415 - most specs have no glob

        return RegistryCatalog(Access(host, self.client, partial(self._find_login, host)))

    def creates(self, repository: Repository) -> bool:
        """Whether the spec wants a repository made that is not there."""
        return self._settings.create_for(repository.registry, repository.path) is not None

    def creator(self, repository: Repository) -> Creator | None:
        """Who makes a repository that is not there; None where the spec wants none made. Raises UnsupportedError."""
        template = self._settings.create_for(repository.registry, repository.path)
        if template is None:
            return None
        from imagesync.registry.creation import Clouds, creator_of  # noqa: PLC0415 - few specs create

        host, path = repository.registry, repository.path
        with self._lock:
            clouds = self._clouds = self._clouds or Clouds()
        return creator_of(
            self.client(host),
            repository,
            template,
            cloud=partial(clouds.open, host, self._settings.auth_for(host, path).push),
            find=partial(self._find_credential, host, path, True),
        )

    def push_times(self, host: str) -> RegistryPushTimes:
        """Who tells when a registry got what its tags point to: the same each time, for what it finds out of it."""
        from imagesync.registry.catalogs import Access, RegistryPushTimes  # noqa: PLC0415 - most specs have no age

        with self._lock:
            if host not in self._push_times:
                access = Access(host, self.client, partial(self._find_login, host))
                self._push_times[host] = RegistryPushTimes(access)
            return self._push_times[host]

    def sound(self, host: str, *, step_seconds: float) -> Sounding:
        """How far one gets towards a registry before the first request, no step of which takes longer than that."""
        from imagesync.registry.sounding import Sounder  # noqa: PLC0415 - for doctor alone

        sounder = Sounder(self._environment, self._tls_for, find=self._find, step_seconds=step_seconds)
        return sounder.sound(self.client(host).likely_origin())

    def speaks_tls(self, host: str) -> bool:
        """Whether the server that is spoken to in plain HTTP for this registry would rather speak TLS."""
        plain = self.client(host).likely_origin()
        with suppress(OSError):
            return self._connections.speaks_tls(plain._replace(scheme="https"))
        return False

    def client(self, host: str) -> RegistryClient:
        """The client for one registry, the same each time."""
        with self._lock:
            return self._client(host)

    def traffic(self) -> Mapping[str, TrafficCounts]:
        """What was sent to each host and came from it so far; a host that is asked as a mirror too stands twice."""
        with self._lock:
            clients = tuple(self._clients.items())
        return {
            f"{host} (mirror)" if policy == ONE_TRY else host: client.traffic.counts()
            for (host, policy), client in clients
        }

    def pulls(self) -> Mapping[str, PullCount]:
        """How it stands with the pulls of each host that was spoken to; a mirror's are its own."""
        with self._lock:
            limits = tuple(self._limits.items())
        return {host: known.pulls.count() for host, known in limits}

    def counts_pulls(self, host: str) -> bool:
        """Whether the spec or the registry itself limits the manifests that are read there."""
        return self._limits_of(host).pulls.count().left is not None

    def reserve_pulls(self, host: str, count: int) -> None:
        """Set so many manifests aside for what is read next. Raises BudgetError where they are more than are left."""
        self._limits_of(host).pulls.reserve(count)

    def slots(self, host: str) -> int:
        """Requests that may be under way on this host at once; 0 while it asked to be left alone."""
        return self._limits_of(host).slots

    def pause_seconds(self, host: str) -> float:
        """For how much longer this host asked to be left alone."""
        return self._limits_of(host).pause.seconds()

    def shutdown(self) -> None:
        """Wake every thread that waits for a server; nothing can be sent after it."""
        self._connections.shutdown()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._connections.close()

    def _open(self, repository: Repository) -> RemoteRepository:
        client = self._client(repository.registry)
        hosts = self._settings.for_host(repository.registry).mirrors
        if not hosts:
            return RemoteRepository(repository, client)
        return MirroredRepository(repository, client, tuple(self._mirror(host, repository.path) for host in hosts))

    def _mirror(self, host: str, path: str) -> Mirror:
        repository = make_repository(host, path)
        return Mirror(RemoteRepository(repository, self._client(repository.registry, ONE_TRY)))

    def _client(self, host: str, policy: RetryPolicy | None = None) -> RegistryClient:
        key = (host, policy or self._policy)
        if key not in self._clients:
            self._clients[key] = RegistryClient(
                host,
                self._settings.for_host(host),
                connections=self._connections,
                cancellation=self._cancellation,
                credentials=partial(self._find_credential, host),
                policy=policy or self._policy,
                limits=self._limits_of(host),
            )
        return self._clients[key]

    def _limits_of(self, host: str) -> HostLimits:
        found = self._limits.get(host)
        if found is None:
            made = HostLimits(host, self._settings.for_host(host), ledger=self._ledger)
            found = self._limits.setdefault(host, made)  # whoever of two threads came second takes the first's
        return found

    def _find_credential(self, host: str, path: str, push: bool) -> Credential | None:
        auth: Auth = self._settings.auth_for(host, path)
        return self._credentials.find(host, path, auth.push if push else auth.pull)

    def _find_login(self, host: str, path: str) -> Credential | None:
        return self._find_credential(host, path, push=False)

    def _context_for(self, host: str) -> SSLContext:
        return self._contexts.context_for(self._settings.for_host(host).tls or Tls())

    def _tls_for(self, origin: Origin) -> Tls:
        """By the name that the spec has for a server; what a registry sends us to has the usual settings."""
        host = _SPEC_NAMES.get(origin.authority, origin.authority)
        return self._settings.for_host(host).tls or Tls()
