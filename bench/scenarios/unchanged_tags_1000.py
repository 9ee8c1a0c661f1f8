"""A thousand tags that are in place."""

from __future__ import annotations

from dataclasses import replace

from bench.scenario import Job
from bench.scenarios import unchanged_tags_100
from bench.scenarios.new_tags_200_tls import tags

SCENARIO = replace(
    unchanged_tags_100.SCENARIO,
    title="1,000 tags, unchanged",
    job=Job(("bench/many",), tags(1000)),
    is_quick=False,
)
