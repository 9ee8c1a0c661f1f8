"""What a scenario is: a source to fill, a job to do on it, and the programs that do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.fill import Filler


@dataclass(frozen=True)
class Job:
    """The tags that every one of `repositories` has at the source, and is to have at each destination."""

    repositories: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Sides:
    """Where a job is done: hosts as a program is to write them, and a folder for its files."""

    source: str
    destinations: tuple[str, ...]
    folder: Path
    is_tls: bool


@dataclass(frozen=True)
class Contestant:
    """A row of the table. `command` gives nothing for a job that the program has no one command for."""

    name: str
    program: str
    command: Callable[[Job, Sides], Sequence[str] | None]


@dataclass(frozen=True)
class Scenario:
    """One job and its circumstances.

    `prepare` fills the source, with layers of the given size; `layers` says how many there are in all. With
    `is_filled` the destination has everything before it starts: what is measured is that nothing is left to do.
    `round_trip_seconds` lies between the programs and every registry. Without `is_race` the rows are different
    jobs, and no ratios are printed. The quick ones are what `make bench` runs.
    """

    title: str
    job: Job
    prepare: Callable[[Filler, Job, int], None]
    contestants: Sequence[Contestant]
    layers: int
    layer_bytes: int
    destinations: int = 1
    is_tls: bool = False
    round_trip_seconds: float = 0.0
    is_filled: bool = False
    is_race: bool = True
    is_quick: bool = False

    @property
    def needed_bytes(self) -> int:
        """The room that all registries take at once, small files included."""
        small = 100_000 * len(self.job.repositories) * len(self.job.tags)
        return (self.layers * self.layer_bytes + small) * (1 + self.destinations)
