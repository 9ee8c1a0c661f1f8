"""Guard: to which servers a registry may send us. It names token servers, storages and places to upload to; what it
names must be no nearer to us than it is itself, or it could have us ask what only we can reach (docs/adr/0033).
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Protocol

from imagesync.errors import ProtocolError
from imagesync.lazy import dataclass
from imagesync.reach import Reach, literal_address, reach_of
from imagesync.registry.origin import Origin


class Watch(Protocol):
    """What looks at the addresses of one server, before it is connected to and after."""

    def check(self, ips: Sequence[str]) -> None:
        """Raise StoreError unless a server with all of these addresses may be spoken to. There is none where a proxy
        looks its name up."""

    def reached(self, ip: str) -> None:
        """A connection was made to this address."""


class Unguarded:
    """Looks at nothing: for what the user named and no registry."""

    def check(self, ips: Sequence[str]) -> None:
        """Whatever it is."""

    def reached(self, ip: str) -> None:
        """Whichever it was."""


UNGUARDED = Unguarded()


class Guard:
    """Of one registry, for any number of threads. `allowed` are hosts, or hosts with a port, that it may name
    wherever they are; none of them is link-local."""

    def __init__(self, name: str, own: Origin, allowed: Sequence[str] = ()) -> None:
        self.name = name
        self._own = own
        self._allowed = frozenset(allowed)
        self._reach: Reach | None = None
        self._lock = Lock()

    def watch(self, named: Origin, header: str) -> Watch:
        """Who looks at a server that this registry named in a header, or that is the registry itself: its own host,
        at any port, may be where it likes, for the spec names it."""
        return _OwnServer(self) if named.host == self._own.host else _NamedServer(self, named, header)

    @property
    def reach(self) -> Reach:
        """How far away the registry is. One of which no address is known, since a proxy looks it up, is public."""
        literal = literal_address(self._own.host)
        if literal is not None:
            return reach_of(literal)
        return Reach.PUBLIC if self._reach is None else self._reach

    def learn(self, ip: str) -> None:
        """The registry was connected to at this address. The farthest one counts: a name that says another thing
        each time it is looked up comes no nearer by that."""
        with self._lock:
            self._reach = max(reach_of(ip), self._reach or Reach.NOWHERE)

    def allows(self, named: Origin) -> bool:
        """Whether the user lets the registry name this server."""
        return not self._allowed.isdisjoint((named.bare_host, f"{named.bare_host}:{named.port}"))


@dataclass(frozen=True, slots=True)
class _OwnServer:
    guard: Guard

    def check(self, ips: Sequence[str]) -> None:
        """The spec names it."""

    def reached(self, ip: str) -> None:
        self.guard.learn(ip)


@dataclass(frozen=True, slots=True)
class _NamedServer:
    guard: Guard
    named: Origin
    header: str

    def check(self, ips: Sequence[str]) -> None:
        literal = literal_address(self.named.host)
        for ip in ips or ([literal] if literal else []):
            found = reach_of(ip)
            if not found.may_be_named:
                raise self._refused(ip, "which no registry may name")
            if found < self.guard.reach and not self.guard.allows(self.named):
                raise self._refused(ip, f"and {self.guard.name} is {self.guard.reach}", hint=self._hint())

    def reached(self, ip: str) -> None:
        """Where others are says nothing of the registry."""

    def _refused(self, ip: str, why: str, *, hint: str | None = None) -> ProtocolError:
        at = "" if ip == self.named.host else f" at {ip}"
        where = f"{self.named.authority}{at} ({reach_of(ip)})"
        return ProtocolError(f"the registry's {self.header} leads to {where}, {why}: refused", hint=hint)

    def _hint(self) -> str:
        lines = ("registries:", f"  {self.guard.name}:", f"    token_realm_allow: [{_quoted(self.named)}]")
        return "if that is meant, add to the spec:\n" + "\n".join(lines)


def _quoted(named: Origin) -> str:
    """As YAML takes it: what has a colon or brackets in it stands in quotes."""
    text = named.authority
    return f'"{text}"' if ":" in text else text
