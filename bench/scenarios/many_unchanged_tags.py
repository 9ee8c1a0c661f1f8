"""Two hundred tags that are in place: what a run costs that has nothing to do."""

from __future__ import annotations

from dataclasses import replace

from bench.scenarios import many_new_tags

SCENARIO = replace(many_new_tags.SCENARIO, title="200 small tags, unchanged", is_filled=True)
