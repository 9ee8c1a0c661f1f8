"""Rounds: every contestant in turn, each with destinations of its own, the order turned round every time."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.fill import Filler
from bench.measure import Measurement, measure
from bench.scenario import Contestant, Scenario, Sides
from bench.stage import Side, Stage
from bench.traffic import Traffic, traffic_of
from tests.real.registries import RealRegistry


@dataclass(frozen=True)
class Run:
    """One contestant's run of one round, and what the registries saw of it.

    `read_ratio` is the bytes of blobs that the source gave, by those that it has.
    """

    contestant: str
    measurement: Measurement
    source: Traffic
    destination: Traffic
    read_ratio: float


def run_scenario(scenario: Scenario, contestants: Sequence[Contestant], stage: Stage, rounds: int) -> list[Run]:
    """Fill the source and run all rounds."""
    runs: list[Run] = []
    with stage.side() as source:
        sys.stderr.write(f"{scenario.title}: filling the source\n")
        with Filler(source.registry) as filler:
            scenario.prepare(filler, scenario.job, scenario.layer_bytes)
        unique_bytes = filler.unique_bytes
        for number in range(rounds):
            sys.stderr.write(f"{scenario.title}: round {number + 1} of {rounds}\n")
            for contestant in reversed(contestants) if number % 2 else contestants:
                runs += _run(_Race(scenario, stage, source, unique_bytes), contestant)
    return runs


@dataclass(frozen=True)
class _Race:
    scenario: Scenario
    stage: Stage
    source: Side
    unique_bytes: int


def _run(race: _Race, contestant: Contestant) -> list[Run]:
    """One run; none where the program has no command for the job."""
    scenario, stage = race.scenario, race.stage
    with ExitStack() as stack:
        destinations = [stack.enter_context(stage.side()) for _ in range(scenario.destinations)]
        if scenario.is_filled:
            _copy_data(race.source, destinations)
        hosts = tuple(side.host for side in destinations)
        command = contestant.command(scenario.job, Sides(race.source.host, hosts, stage.folder, stage.is_tls))
        if command is None:
            return []
        run = _measured(race, contestant.name, command, [side.registry for side in destinations])
        _check(race, run, destinations)
        return [run]


def _copy_data(source: Side, destinations: Sequence[Side]) -> None:
    """Give the destinations all that the source has, without any program's part in it."""
    for side in destinations:
        shutil.copytree(source.registry.folder / "data", side.registry.folder / "data", dirs_exist_ok=True)


def _measured(race: _Race, name: str, command: Sequence[str], destinations: Sequence[RealRegistry]) -> Run:
    sides = ([race.source.registry], destinations)
    before = [traffic_of(side) for side in sides]
    with TemporaryDirectory(prefix="cache-", dir=race.stage.folder) as cache:
        environment = race.stage.environment(Path(cache))
        measurement = measure(command, environment, race.stage.folder / "output.log")
    source, destination = (traffic_of(side).since(then) for side, then in zip(sides, before, strict=True))
    return Run(name, measurement, source, destination, source.read_bytes / race.unique_bytes)


def _check(race: _Race, run: Run, destinations: Sequence[Side]) -> None:
    """A program that did less than the job, or another one, has not won."""
    for repository in race.scenario.job.repositories:
        wanted = _digests(race.source.registry, repository)
        for side in destinations:
            found = _digests(side.registry, repository)
            if found != wanted:
                same = len(found.items() & wanted.items())
                raise RuntimeError(f"{run.contestant}: {repository}: {same} of {len(wanted)} tags have their digest")


def _digests(registry: RealRegistry, repository: str) -> dict[str, str]:
    """What each tag on its disk points to."""
    folder = registry.repositories_folder / repository / "_manifests" / "tags"
    return {tag: (folder / tag / "current" / "link").read_text() for tag in registry.tags(repository)}
