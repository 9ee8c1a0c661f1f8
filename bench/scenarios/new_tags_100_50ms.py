"""A hundred small tags that the destination does not have, at a distance: what waiting costs."""

from __future__ import annotations

from dataclasses import replace

from bench.scenario import Job
from bench.scenarios import new_tags_200_tls
from bench.scenarios.new_tags_200_tls import tags

SCENARIO = replace(
    new_tags_200_tls.SCENARIO,
    title="100 small tags, new, 50 ms",
    job=Job(("bench/many",), tags(100)),
    is_tls=False,
    round_trip_seconds=0.05,
    is_quick=False,
)
