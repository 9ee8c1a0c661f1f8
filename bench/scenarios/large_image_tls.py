"""One image of eight layers of 64 MiB, over TLS: bytes, and two encryptions beside each other."""

from __future__ import annotations

from dataclasses import replace

from bench.scenarios import large_image

SCENARIO = replace(large_image.SCENARIO, title="One image of 8 x 64 MiB, TLS", is_tls=True, is_quick=True)
