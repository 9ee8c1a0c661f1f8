"""How a registry is taken to behave, for `auth check`: each column with where its value came from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from imagesync.behaviour import Kind, Said
from imagesync.errors import ImagesyncError
from imagesync.lazy import dataclass, fields
from imagesync.registry.client import RegistryClient
from imagesync.settings import RegistrySettings
from imagesync.spec.sizes import format_size

TABLE, SPEC, LEARNT, NAME, NOTHING = "table", "spec", "learnt", "its name", "nothing says what it is"


@dataclass(frozen=True, slots=True)
class Known:
    """A value, and who says so: the table, the spec, or the registry itself, during this run."""

    value: str
    origin: str

    def __str__(self) -> str:
        return self.value if self.origin == TABLE else f"{self.value} ({self.origin})"


@dataclass(frozen=True, slots=True)
class Row:
    """One host's row of the table, as it holds in this run."""

    host: str
    kind: Known
    columns: Mapping[str, Known]
    recognised: Kind
    """What its token server shows it to be, where nothing else says so."""

    def to_dict(self) -> dict[str, Any]:
        known = {"kind": self.kind, **self.columns}
        shown = {name: {"value": one.value, "from": one.origin} for name, one in known.items()}
        return {**shown, "recognised": self.recognised.value}

    def to_text(self) -> str:
        said = ", ".join(f"{name} {one}" for name, one in self.columns.items())
        name = self.recognised.value
        advice = f"; its token server is that of {name}: say `kind: {name}`" if name != self.kind.value else ""
        return f"   {self.host} behaves as {self.kind.value} ({self.kind.origin}{advice}):\n     {said}"


def row_of(client: RegistryClient, said: RegistrySettings) -> Row:
    """What holds for a client's host; `said` is all that the spec says of it."""
    own = said.behaviour or Said()
    named = set(own.values()) | ({"concurrency"} if said.concurrency is not None else set())
    learnt = client.learnt()
    columns = {}
    for one in fields(client.behaviour):
        value = _text(one.name, getattr(client.behaviour, one.name))
        known = Known(value, SPEC if one.name in named else TABLE)
        columns[_key(one.name)] = Known(learnt[one.name], LEARNT) if one.name in learnt else known
    if said.chunk_bytes is not None and "chunks" not in named:
        columns["chunks"] = Known(f"of {format_size(said.chunk_bytes)}", SPEC)
    return Row(client.host, _kind(client.kind, said), columns, _recognised(client))


def _recognised(client: RegistryClient) -> Kind:
    """By what the registry has said so far; one that did not answer says nothing."""
    try:
        return client.recognised()
    except ImagesyncError:
        return client.kind


def _kind(kind: Kind, said: RegistrySettings) -> Known:
    if said.kind is not None:
        return Known(kind.value, SPEC)
    return Known(kind.value, NOTHING if kind is Kind.GENERIC else NAME)


def _key(column: str) -> str:
    """As the spec calls it."""
    return "manifest_size" if column == "manifest_bytes" else column


def _text(column: str, value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return format_size(int(str(value))) if column == "manifest_bytes" else str(value)
