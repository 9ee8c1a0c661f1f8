"""Every lie where the doctor meets it: it comes to its end, speaks of every registry, and says nothing it may not."""

from __future__ import annotations

import json

import pytest

from tests.cli.command import Cli
from tests.hostile.checks import check_liar, check_standins, check_text
from tests.hostile.endpoints import Endpoint
from tests.hostile.matrix import lie_of, names, told_at
from tests.hostile.quick import hasten
from tests.hostile.world import open_world

MET = (Endpoint.PING, Endpoint.TOKEN, Endpoint.TAGS, Endpoint.CATALOG, Endpoint.HEAD_TAG)
"""What the doctor asks, or has asked to find out what a glob stands for."""
CAPS = {"imagesync.registry.pages.MAX_PAGES": 20}


def met_at(name: str) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in told_at(name) if endpoint in MET)


@pytest.fixture(autouse=True)
def _hastened(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch, CAPS)


@pytest.mark.parametrize("name", [name for name in names() if met_at(name)])
def test_no_lie_ends_the_doctor_or_leads_it_astray(name: str, cli: Cli) -> None:
    with open_world(lie_of(name), met_at(name)) as world:
        spec = cli.file(world.spec(world.fill(), read_timeout="500ms"))
        ran = cli("doctor", spec, "--format", "json")
        assert ran.code in (0, 1), ran.text
        assert all(one["checks"] for one in ran.json()["registries"])
    check_text(ran.text + json.dumps(ran.json(), ensure_ascii=False))
    check_standins(world, is_realm=name.startswith("realm"))
    for liar in world.liars:
        check_liar(liar)
