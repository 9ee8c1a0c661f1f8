"""Every lie at every endpoint: a whole apply, in which the honest images arrive, and that of each liar fails for the
right reason or arrives whole. S1-S11, S14, S17, S20, S21, S26, S28.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.command import Cli
from tests.hostile.checks import check_copied, check_liar, check_standins, check_text
from tests.hostile.endpoints import Endpoint
from tests.hostile.matrix import LEFT_OUT, OUTCOMES, lie_of, names, read_outcomes, read_timeout, told_at
from tests.hostile.quick import hasten
from tests.hostile.special import SPECIAL
from tests.hostile.threats import LIES_OF, TOLD_OTHERWISE
from tests.hostile.world import open_world

EXPECTED = read_outcomes(OUTCOMES.read_text())
CAPS = {"imagesync.registry.pages.MAX_PAGES": 20, "imagesync.registry.referrers.MAX_ENTRIES": 20}
"""Lists without end come to their cap sooner. What they may hold in memory is asked in test_memory."""


@pytest.fixture(autouse=True)
def _hastened(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch, CAPS)


@pytest.mark.parametrize("name", names())
def test_a_lie_at_each_endpoint_ends_one_image_and_no_other(name: str, cli: Cli) -> None:
    """None of the runs ends by its `--timeout`: that would be exit code 130, and images that nothing became of."""
    with open_world(lie_of(name), told_at(name)) as world:
        made = world.fill()
        spec = cli.file(world.spec(made, read_timeout=read_timeout(name)))
        ran = cli("apply", spec, "--report", "report.json", "--timeout", "120s", "--format", "text")
        report = Path("report.json").read_text()
        document = json.loads(report)
        told = world.told(document)
        assert _unexpected(told, EXPECTED[name]) == {}
        assert ran.code == (0 if set(told.values()) == {"copied"} else 1)
        check_copied(world, made, document)
    assert all(liar.told for liar in world.liars)
    check_text(ran.text + json.dumps(document, ensure_ascii=False))
    check_standins(world, is_realm=name.startswith("realm"))
    for liar in world.liars:
        check_liar(liar)


def test_every_lie_has_an_outcome_at_every_endpoint_where_it_makes_sense() -> None:
    assert {name: set(kinds) for name, kinds in EXPECTED.items()} == {
        name: {endpoint.value for endpoint in told_at(name)} for name in names()
    }


def test_what_is_told_at_some_endpoints_alone_has_a_reason() -> None:
    assert {endpoints for endpoints, _ in SPECIAL.values()} == set(LEFT_OUT)
    assert all(LEFT_OUT.values())


def test_every_endpoint_is_lied_at() -> None:
    assert {endpoint.value for endpoint in Endpoint} == {one for kinds in EXPECTED.values() for one in kinds}


def test_every_threat_that_a_registry_can_be_is_told_as_a_lie() -> None:
    """S1 to S28, and no lie of them that is none."""
    assert LIES_OF.keys() | TOLD_OTHERWISE.keys() == {f"S{number}" for number in range(1, 29)}
    assert not LIES_OF.keys() & TOLD_OTHERWISE.keys()
    assert {name for lies in LIES_OF.values() for name in lies} <= set(names())


def _unexpected(told: Mapping[Endpoint, str], expected: Mapping[str, frozenset[str]]) -> dict[str, str]:
    return {endpoint.value: kind for endpoint, kind in told.items() if kind not in expected[endpoint.value]}
