"""What registries say of their pull limits, in every spelling, and junk that says nothing."""

from __future__ import annotations

import pytest

from imagesync.registry.headers import Headers
from imagesync.registry.pull_rate import PullRate, parse_pull_rate


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "76;w=21600"}, PullRate(76, 100, 21600)),
        ({"RateLimit-Limit": "100; W=21600", "RateLimit-Remaining": " 0 "}, PullRate(0, 100, 21600)),
        ({"ratelimit-remaining": "76;w=21600"}, PullRate(76, None, 21600)),
        (
            {"RateLimit-Limit": "100, 100;w=21600", "RateLimit-Remaining": "5", "RateLimit-Reset": "3600"},
            PullRate(5, 100, 21600, 3600),
        ),
        ({"RateLimit": "limit=100, remaining=7, reset=3600"}, PullRate(7, 100, None, 3600)),
        (
            {"RateLimit": '"default";r=7;t=3600', "RateLimit-Policy": '"default";q=100;w=21600'},
            PullRate(7, 100, 21600, 3600),
        ),
    ],
)
def test_a_pull_limit_is_read(headers: dict[str, str], expected: PullRate) -> None:
    assert parse_pull_rate(Headers(headers.items())) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "", "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "-1;w=21600", "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "many", "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "0x10", "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "9" * 5000, "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "1.5", "ratelimit-limit": "100;w=21600"},
        {"ratelimit-remaining": "5", "ratelimit-limit": f"100;w={'9' * 5000}"},
        {"RateLimit": "r;t=3600"},
        {"RateLimit": "=7;;;,,,r="},
        {"RateLimit": "bar=7"},
    ],
)
def test_what_is_no_number_says_nothing(headers: dict[str, str]) -> None:
    assert parse_pull_rate(Headers(headers.items())) is None


def test_digits_of_other_scripts_are_no_number() -> None:
    assert parse_pull_rate({"ratelimit-remaining": "٣;w=21600"}) is None


def test_a_limit_that_does_not_say_how_long_it_holds_may_be_one_of_requests() -> None:
    assert parse_pull_rate({"ratelimit-remaining": "0", "ratelimit-limit": "100"}) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit": "limit=10, remaining=0, reset=1"},
        {"RateLimit": '"burst";r=0;t=1', "RateLimit-Policy": '"burst";q=10;w=1'},
        {"ratelimit-limit": "10;w=60", "ratelimit-remaining": "0;w=60"},
    ],
)
def test_a_limit_of_a_minute_is_none_of_pulls(headers: dict[str, str]) -> None:
    """It speaks of requests at once: a 429 will say how long to wait."""
    assert parse_pull_rate(Headers(headers.items())) is None


@pytest.mark.parametrize("text", ["r=" * 500_000, "1;" + " " * 1_000_000, ";w" * 500_000, "=" * 1_000_000])
def test_a_header_of_a_megabyte_is_not_read_to_its_end(text: str) -> None:
    assert parse_pull_rate({"ratelimit-remaining": text, "ratelimit": text}) is None
