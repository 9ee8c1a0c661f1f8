"""World: honest registries, one liar for each endpoint that tells a lie, stand-ins for all whom it names, and a run."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from imagesync.server.auth import BasicAuth
from tests.fakes.registry import FakeRegistry
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import BASIC, PASSWORD, TOKEN, Liar, Lie
from tests.hostile.standins import LOOPBACK, METADATA, PUBLIC, Standin
from tests.images import MadeImage, make_image, push_image

HONEST_PASSWORD = "password-of-the-honest"
HONEST_LOGIN = "Basic aG9uZXN0OnBhc3N3b3JkLW9mLXRoZS1ob25lc3Q="
SECRETS = (PASSWORD, TOKEN, HONEST_PASSWORD, BASIC.split()[1], HONEST_LOGIN.split()[1], "cookie-of-the-liar")
GOOD = ("good/one", "good/two")
LARGE = {Endpoint.PATCH, Endpoint.STATUS}
"""An upload is asked after only where a mebibyte of it has gone out."""
Run = Callable[[str], tuple[int, str]]
"""Runs apply with a spec, and returns its exit code and all that it printed."""


@dataclass
class World:
    """`library` is an honest source, `warehouse` an honest destination, `backing` is behind every liar."""

    library: FakeRegistry
    warehouse: FakeRegistry
    backing: FakeRegistry
    standins: Mapping[str, Standin]
    liars: list[Liar]
    is_secure: bool = False
    """Whether the liars are spoken to by TLS."""

    def fill(self) -> dict[str, MadeImage]:
        made = {path: push_image(self.library.repository(path), make_image(path), "1") for path in GOOD}
        for endpoint in (liar.endpoint for liar in self.liars):
            store = self.library if endpoint.is_destination and endpoint is not Endpoint.MOUNT else self.backing
            size = 3_000_000 if endpoint in LARGE else 1000
            image = make_image(endpoint.value, layers=1, layer_bytes=size)
            made[endpoint.value] = push_image(store.repository(endpoint.value), image, "1")
        return made

    def spec(self, made: Mapping[str, MadeImage], *, read_timeout: str) -> str:
        """The honest images, and that of each liar, in one spec: JSON is YAML."""
        library, warehouse = map(_named, (self.library, self.warehouse))
        entries = [_entry(library, warehouse, {"name": f"{path}:1"}) for path in GOOD]
        for liar in self.liars:
            is_source = not liar.endpoint.is_destination or liar.endpoint is Endpoint.MOUNT
            source, destination = (
                liar.host if is_source else library,
                liar.host if liar.endpoint.is_destination else warehouse,
            )
            entries.append(_entry(source, destination, _image(liar.endpoint, made)))
        plain = {"tls": "disabled"}
        honest = {host: plain | _settings("honest", HONEST_PASSWORD) for host in (library, warehouse)}
        told = _settings("liar", PASSWORD, read=read_timeout, commit=read_timeout)
        lying = {liar.host: told if self.is_secure else plain | told for liar in self.liars}
        return json.dumps({"version": 1, "registries": honest | lying, "sync": entries})

    def told(self, report: Any) -> dict[Endpoint, str]:
        """By endpoint, how the copy of its image failed, or `copied`."""
        return {liar.endpoint: _told(liar, report) for liar in self.liars}


@contextmanager
def open_world(
    lie: Lie, endpoints: Iterable[Endpoint], *, liars_tls: ssl.SSLContext | None = None, is_secure: bool = False
) -> Iterator[World]:
    """With `liars_tls` the liars and the stand-ins speak TLS; `is_secure` alone says that the spec thinks they do."""
    with ExitStack() as stack:
        library, warehouse = (
            stack.enter_context(FakeRegistry(auth=BasicAuth({"honest": HONEST_PASSWORD}))) for _ in range(2)
        )
        backing = stack.enter_context(FakeRegistry())
        standins = {name: stack.enter_context(Standin(name, liars_tls)) for name in (PUBLIC, LOOPBACK, METADATA)}
        hosts = {
            "public": standins[PUBLIC].host,
            "inside": standins[LOOPBACK].host,
            "metadata": standins[METADATA].host,
        }
        liars = [stack.enter_context(Liar(endpoint, lie, backing.host, hosts, tls=liars_tls)) for endpoint in endpoints]
        yield World(library, warehouse, backing, standins, liars, is_secure or liars_tls is not None)


def _named(registry: FakeRegistry) -> str:
    return f"honest.example:{registry.host.rpartition(':')[2]}"


def _entry(source: str, destination: str, image: dict[str, Any]) -> dict[str, Any]:
    return {"source": source, "destination": destination, "images": [{"attachments": "none", **image}]}


def _settings(user: str, password: str, **timeouts: str) -> dict[str, Any]:
    auth = {"username": user, "password": password}
    return {"auth": auth, **({"timeouts": timeouts} if timeouts else {})}


def _image(endpoint: Endpoint, made: Mapping[str, MadeImage]) -> dict[str, Any]:
    """What stands in the spec for the image of a liar: what makes imagesync ask that endpoint."""
    path = endpoint.value
    special: dict[Endpoint, dict[str, Any]] = {
        Endpoint.TAGS: {"name": path, "tags": ["*"]},
        Endpoint.CATALOG: {"name": f"{path[:-1]}*", "tags": ["1"]},
        Endpoint.REFERRERS: {"name": f"{path}:1", "attachments": "all"},
        Endpoint.HEAD_DIGEST: {"name": f"{path}@{made[path].digest}", "as_tag": "1"},
        Endpoint.MOUNT: {"name": f"{path}:1", "as": "mount-copy"},
    }
    return special.get(endpoint, {"name": f"{path}:1"})


def _told(liar: Liar, report: Any) -> str:
    """Several outcomes are of one liar where it named several tags."""
    of_it = [one for one in report["outcomes"] if liar.host in json.dumps(one)]
    return "+".join(sorted({one["kind"] or one["status"] for one in of_it}))
