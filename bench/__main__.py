"""`python -m bench`: runs the scenarios that were named, or all, and prints one table for each."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rounds import run_scenario
from bench.scenario import Scenario
from bench.scenarios import load_scenarios
from bench.stage import Stage, folder_with_room
from bench.table import render
from tests.real.registries import Authority, tls_registry

PROGRAMS = ("docker-registry", "skopeo")


def main() -> int:
    scenarios = load_scenarios()
    arguments = _parser(scenarios).parse_args()
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        sys.stderr.write(f"not installed: {' '.join(missing)} (apt-get install {' '.join(missing)})\n")
        return 1
    for name in arguments.scenarios or scenarios:
        _run(scenarios[name], arguments.rounds)
    return 0


def _parser(scenarios: dict[str, Scenario]) -> argparse.ArgumentParser:
    listing = "\n".join(f"  {name:<18}{scenario.title}" for name, scenario in scenarios.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Compare imagesync with skopeo on loopback over TLS.",
        epilog=f"scenarios:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", choices=[*scenarios, []], metavar="SCENARIO", help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs (default: 3)")
    return parser


def _run(scenario: Scenario, rounds: int) -> None:
    room = folder_with_room(scenario.needed_bytes)
    with TemporaryDirectory(prefix="bench-", dir=room) as name:
        folder = Path(name)
        authority = Authority(folder)
        with tls_registry(authority, folder) as source:
            runs = run_scenario(scenario, Stage(folder, authority, source), rounds)
    sys.stdout.write(render(scenario.title, runs) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
