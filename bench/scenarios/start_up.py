"""What a command takes before it does anything. The rows are different jobs, so that they make no ratios."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from bench.contestants import IMAGESYNC, spec_of, write_spec
from bench.scenario import Contestant, Job, Scenario, Sides
from bench.scenarios.large_blob import prepare


def _run(*words: str) -> Callable[[Job, Sides], Sequence[str]]:
    return lambda _job, _sides: words


def _validate(count: int) -> Callable[[Job, Sides], Sequence[str]]:
    def command(_job: Job, sides: Sides) -> Sequence[str]:
        file = sides.folder / "many.yaml"
        file.write_text(json.dumps(spec_of(Job(tuple(f"app/n{number}" for number in range(count)), ("1",)), sides)))
        return [*IMAGESYNC, "validate", str(file)]

    return command


def _plan(job: Job, sides: Sides) -> Sequence[str]:
    return [*IMAGESYNC, "plan", write_spec(job, sides)]


SCENARIO = Scenario(
    title="Start-up",
    job=Job(("bench/small",), ("1",)),
    prepare=prepare,
    contestants=(
        Contestant("imagesync --version", sys.executable, _run(*IMAGESYNC, "--version")),
        Contestant("imagesync --help", sys.executable, _run(*IMAGESYNC, "--help")),
        Contestant("imagesync validate, 1 image", sys.executable, _validate(1)),
        Contestant("imagesync validate, 1,000 images", sys.executable, _validate(1000)),
        Contestant("imagesync plan, nothing to do", sys.executable, _plan),
        Contestant("skopeo --version", "skopeo", _run("skopeo", "--version")),
        Contestant("crane version", "crane", _run("crane", "version")),
    ),
    layers=1,
    layer_bytes=10_000,
    is_filled=True,
    is_race=False,
    is_quick=True,
)
