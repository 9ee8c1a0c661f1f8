"""Lies that have no end, and those that grow in memory: a run in a process of its own stays below 150 MiB. S6, S10,
S11, S13.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import Cli
from tests.hostile.checks import check_standins, check_text, check_whole
from tests.hostile.endpoints import Endpoint
from tests.hostile.liar import PASSWORD, Liar, Lie
from tests.hostile.matrix import lie_of, names, told_at
from tests.hostile.special import large_manifest
from tests.hostile.world import GOOD, open_world

ROOT = Path(__file__).parents[2]
MOST_BYTES = 150 * 1024 * 1024
DANGEROUS = (
    *("a body without end", "an error without end", "a header without end", "interim answers for ever", "compressed"),
    *("chunks of one letter", "large pages without end", "large pages of referrers", "99999 names"),
    *("a list of brackets", "short texts", "10001 children", "a size without end"),
)
"""Of those that are alike one. Long headers, announced lengths and many of one child are told in test_lies."""


def run_alone(command: str, spec: Path) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, which leaves its peak beside the spec."""
    program = [sys.executable, "-m", "tests.hostile.alone", str(spec.with_name("peak"))]
    arguments = [*program, command, str(spec), "--timeout", "120s"]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", DANGEROUS)
def test_all_endpoints_at_once_take_less_than_150_mib(name: str, cli: Cli) -> None:
    """More than is asked: each of the liars tells its lie in the same run."""
    with open_world(lie_of(name), told_at(name)) as world:
        made = world.fill()
        spec = Path(cli.file(world.spec(made, read_timeout="2s"))).absolute()
        ran = run_alone("apply", spec)
        assert ran.returncode == 1, ran.stderr
        for path in GOOD:
            check_whole(world.warehouse, path, made[path])
    assert all(liar.told for liar in world.liars)
    assert int(spec.with_name("peak").read_text()) < MOST_BYTES
    check_text(ran.stdout + ran.stderr)
    check_standins(world, is_realm=False)


AT_ONCE = {
    "short texts": (
        Endpoint.GET_TAG,
        lie_of("short texts"),
        [{"name": "app", "tags": [f"v{one}" for one in range(40)]}],
    ),
    "large manifests": (
        Endpoint.GET_TAG,
        Lie(large_manifest),
        [{"name": "app", "tags": [f"v{one}" for one in range(40)]}],
    ),
    "long lists": (Endpoint.TAGS, lie_of("99999 long names"), [{"name": f"a{one}", "tags": ["*"]} for one in range(8)]),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_one_registry_answers_many_times_over_takes_less_than_150_mib(name: str, cli: Cli) -> None:
    endpoint, lie, images = AT_ONCE[name]
    with Liar(endpoint, lie, "", {}) as liar:
        entry = {"source": liar.host, "destination": "nobody.example:1", "images": images}
        auth = {"username": "liar", "password": PASSWORD}
        document = {"version": 1, "registries": {liar.host: {"tls": "disabled", "auth": auth}}, "sync": [entry]}
        spec = Path(cli.file(json.dumps(document))).absolute()
        ran = run_alone("plan", spec)
        assert ran.returncode == 1, ran.stderr
    assert liar.told >= 8
    assert int(spec.with_name("peak").read_text()) < MOST_BYTES
    check_text(ran.stdout + ran.stderr)


def test_dangerous_lies_are_lies() -> None:
    assert set(DANGEROUS) <= set(names())
