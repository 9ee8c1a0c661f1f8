"""Checks: what has to hold after every run, whatever was told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imagesync.manifest import digest_of
from imagesync.reference import Tag
from tests.fakes.registry import FakeRegistry
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import BASIC, Liar
from tests.hostile.standins import LOOPBACK, METADATA, PUBLIC
from tests.hostile.world import GOOD, HONEST_LOGIN, SECRETS, World
from tests.images import MadeImage

_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"^\s*(::|##\[|##vso\[)", re.MULTILINE)


def check_text(text: str) -> None:
    """Nothing in it colours a terminal, commands a CI, or is a secret."""
    assert _UNPRINTABLE.search(text) is None
    assert _COMMAND.search(text) is None
    assert [secret for secret in SECRETS if secret in text] == []


def check_standins(world: World, *, is_realm: bool) -> None:
    """What is near was not connected to; what is far got no login, no cookie and no bytes. To a token server that a
    registry names, and that is as far away, its own login goes: there is no other way to log in."""
    assert (world.standins[LOOPBACK].connections, world.standins[METADATA].connections) == (0, 0)
    for asked in world.standins[PUBLIC].asked:
        assert "cookie" not in asked.headers
        assert asked.body == b""
        assert asked.login in ({"", BASIC} if is_realm and asked.path == "/token" else {""})


def check_liar(liar: Liar) -> None:
    """It was told its own login, and nobody else's; no cookie came back."""
    for asked in liar.asked:
        assert asked.login != HONEST_LOGIN
        assert "cookie" not in asked.headers


def check_copied(world: World, made: Mapping[str, MadeImage], report: Any) -> None:
    """The honest images are there, and so is every image that is said to be: whole, and with the source's digest."""
    statuses = [one["status"] for one in report["outcomes"]]
    assert statuses[: len(GOOD)] == ["copied"] * len(GOOD)
    for path in GOOD:
        check_whole(world.warehouse, path, made[path])
    for liar in world.liars:
        endpoint = liar.endpoint
        if world.told(report)[endpoint] == "copied":
            store = world.backing if endpoint.is_destination else world.warehouse
            path = "mount-copy" if endpoint is Endpoint.MOUNT else endpoint.value
            check_whole(store, path, made[endpoint.value])


def check_whole(registry: FakeRegistry, path: str, image: MadeImage) -> None:
    repository = registry.repository(path)
    assert repository.resolve(Tag("1")).digest == image.digest
    for content in image.contents:
        assert repository.fetch_manifest(content.digest).raw == content.raw
        for blob in content.successors():
            with repository.fetch_blob(blob) as pieces:
                assert digest_of(b"".join(pieces)) == blob.digest
