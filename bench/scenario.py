"""What a scenario is: a source to fill, and the commands that do the same job on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.stage import Stage
    from tests.real.registries import RealRegistry


@dataclass(frozen=True)
class Contestant:
    """One program, and the command that does the job."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Scenario:
    """One job. `prepare` fills the source; each of `contestants` gives its command for one destination.

    With `is_filled` the job is done once before it is measured: what is measured is that nothing is left to do.
    `repository` and `tags` say what must be at the destination afterwards. `needed_bytes` is the room on disk.
    """

    title: str
    repository: str
    tags: tuple[str, ...]
    needed_bytes: int
    prepare: Callable[[Stage], None]
    contestants: Sequence[Callable[[Stage, RealRegistry], Contestant]]
    is_filled: bool = False
