"""PullRate: what a registry says of its own pull limit in the headers of an answer. Pure; junk says nothing.

Docker Hub: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`. The drafts of the IETF: the same with
`RateLimit-Reset`, `RateLimit: "default";r=76;t=3600` with `RateLimit-Policy: "default";q=100;w=21600`, or
`RateLimit: limit=100, remaining=76, reset=3600`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from imagesync.lazy import dataclass

SHORTEST_WINDOW_SECONDS = 61
"""A limit of a minute or less is one of requests at once: it is met by waiting, not by reading less. One that does
not say how long it holds may be either, and is left to the registry's refusal."""
_MOST_SHOWN = 1000
_NUMBER = r"[0-9]{1,9}"
_COUNT = re.compile(rf"\s*({_NUMBER})\s*(?:[;,].*)?", re.DOTALL)
_PARAMETER = re.compile(rf"(?:^|[;,\s])([a-z]{{1,9}})\s*=\s*({_NUMBER})(?=$|[;,\s])")


@dataclass(frozen=True, slots=True)
class PullRate:
    """How many pulls are left, of how many, in a window of how many seconds, and when it begins anew; None where the
    registry does not say, of the last two never both."""

    remaining: int
    limit: int | None = None
    window_seconds: int | None = None
    reset_seconds: int | None = None


def parse_pull_rate(headers: Mapping[str, str]) -> PullRate | None:
    """What the headers say, or None where they speak of no limit of pulls. Never raises."""
    structured, policy = _parameters(headers, "ratelimit"), _parameters(headers, "ratelimit-policy")
    limits, remains = _parameters(headers, "ratelimit-limit"), _parameters(headers, "ratelimit-remaining")
    remaining = _first(_count(headers, "ratelimit-remaining"), structured.get("r"), structured.get("remaining"))
    if remaining is None:
        return None
    rate = PullRate(
        remaining,
        limit=_first(_count(headers, "ratelimit-limit"), policy.get("q"), structured.get("limit")),
        window_seconds=_first(remains.get("w"), limits.get("w"), policy.get("w")),
        reset_seconds=_first(_count(headers, "ratelimit-reset"), structured.get("t"), structured.get("reset")),
    )
    longest = _first(rate.window_seconds, rate.reset_seconds)
    return None if longest is None or longest < SHORTEST_WINDOW_SECONDS else rate


def _count(headers: Mapping[str, str], name: str) -> int | None:
    match = _COUNT.fullmatch(headers.get(name, "")[:_MOST_SHOWN])
    return None if match is None else int(match[1])


def _parameters(headers: Mapping[str, str], name: str) -> dict[str, int]:
    """`w=21600` and the like; of a name that comes twice the first counts."""
    found: dict[str, int] = {}
    for key, value in _PARAMETER.findall(headers.get(name, "")[:_MOST_SHOWN].lower()):
        found.setdefault(key, int(value))
    return found


def _first(*found: int | None) -> int | None:
    return next((one for one in found if one is not None), None)
