"""A hundred tags that are in place, at a distance."""

from __future__ import annotations

from dataclasses import replace

from bench.scenarios import unchanged_tags_100

SCENARIO = replace(
    unchanged_tags_100.SCENARIO, title="100 tags, unchanged, 50 ms", round_trip_seconds=0.05, is_quick=False
)
