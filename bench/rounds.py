"""Rounds: every contestant in turn, each with a destination of its own, the order turned round every time."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Measurement, measure
from bench.scenario import Contestant, Scenario
from bench.stage import Stage
from tests.real.registries import RealRegistry, tls_registry


@dataclass(frozen=True)
class Run:
    """One contestant's run of one round, and the requests that the registries saw."""

    contestant: str
    measurement: Measurement
    source_requests: int
    destination_requests: int


def run_scenario(scenario: Scenario, stage: Stage, rounds: int) -> list[Run]:
    """Fill the source and run all rounds."""
    sys.stderr.write(f"{scenario.title}: filling the source\n")
    scenario.prepare(stage)
    runs = []
    for number in range(rounds):
        sys.stderr.write(f"{scenario.title}: round {number + 1} of {rounds}\n")
        runs += _one_round(scenario, stage, turned=bool(number % 2))
    return runs


def _one_round(scenario: Scenario, stage: Stage, *, turned: bool) -> list[Run]:
    runs = []
    for contestant in reversed(scenario.contestants) if turned else scenario.contestants:
        with tls_registry(stage.authority, stage.folder) as destination:
            if scenario.is_filled:
                _run(scenario.contestants[0](stage, destination), stage)
            runs.append(_measured(contestant(stage, destination), stage, destination))
            _check(scenario, runs[-1], destination)
    return runs


def _measured(contestant: Contestant, stage: Stage, destination: RealRegistry) -> Run:
    before = len(stage.source.requests()), len(destination.requests())
    measurement = _run(contestant, stage)
    after = len(stage.source.requests()), len(destination.requests())
    return Run(contestant.name, measurement, after[0] - before[0], after[1] - before[1])


def _run(contestant: Contestant, stage: Stage) -> Measurement:
    with TemporaryDirectory(prefix="cache-", dir=stage.folder) as cache:
        return measure(contestant.command, stage.environment(Path(cache)), stage.folder / "output.log")


def _check(scenario: Scenario, run: Run, destination: RealRegistry) -> None:
    """A program that did less than the job has not won."""
    found = destination.tags(scenario.repository)
    if found != sorted(scenario.tags):
        raise RuntimeError(f"{run.contestant}: {len(found)} of {len(scenario.tags)} tags are there")
