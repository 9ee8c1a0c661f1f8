"""`python -m bench`: runs the scenarios that were named, the quick ones, or all, and prints a table for each."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rounds import run_scenario
from bench.scenario import Contestant, Scenario
from bench.scenarios import load_scenarios
from bench.stage import Stage, folder_with_room
from bench.table import render
from tests.real.registries import Authority

NEEDED = ("docker-registry", "skopeo")


def main() -> int:
    scenarios = load_scenarios()
    arguments = _parser(scenarios).parse_args()
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        sys.stderr.write(f"not installed: {' '.join(missing)} (apt-get install {' '.join(missing)})\n")
        return 1
    for name in _chosen(arguments.scenarios, scenarios):
        found = scenarios[name]
        if arguments.layer_mib:
            found = replace(found, layer_bytes=arguments.layer_mib * 1024 * 1024)
        _run(found, _present(found.contestants, arguments.only), arguments.rounds)
    return 0


def _parser(scenarios: dict[str, Scenario]) -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:<21}{found.title}{' *' * found.is_quick}" for name, found in scenarios.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Compare imagesync with skopeo, and with crane, oras and regsync where they are on the PATH.",
        epilog=f"scenarios:\n{listing}\n  all                  every one of them",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [*scenarios, "all", []]
    parser.add_argument("scenarios", nargs="*", choices=names, metavar="SCENARIO", help="default: those with a star")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs (default: 3)")
    parser.add_argument("--only", default="", metavar="PROGRAMS", help="rows that start with one of these: a,b")
    parser.add_argument("--layer-mib", type=int, metavar="N", help="another size of the layers")
    return parser


def _chosen(names: Sequence[str], scenarios: dict[str, Scenario]) -> Sequence[str]:
    if "all" in names:
        return list(scenarios)
    return names or [name for name, found in scenarios.items() if found.is_quick]


def _present(contestants: Sequence[Contestant], only: str) -> list[Contestant]:
    """Those whose program is on the PATH, and that were asked for."""
    starts = tuple(only.split(","))
    return [each for each in contestants if each.name.startswith(starts) and shutil.which(each.program)]


def _run(scenario: Scenario, contestants: Sequence[Contestant], rounds: int) -> None:
    room = folder_with_room(scenario.needed_bytes)
    with TemporaryDirectory(prefix="bench-", dir=room) as name:
        folder = Path(name)
        stage = Stage(folder, Authority(folder), scenario.is_tls, scenario.round_trip_seconds)
        runs = run_scenario(scenario, contestants, stage, rounds)
    sys.stdout.write(render(scenario.title, runs, has_ratios=scenario.is_race) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
