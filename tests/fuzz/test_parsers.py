"""No parser raises anything but its own error, and none takes more time than what it reads is long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.parsers import PARSERS, Parser, check

BITS = (
    *(
        b"\x00",
        b"\xff",
        b"\r\n",
        b"\n ",
        b'"',
        b"'",
        b"\\",
        b"{}",
        b"[]",
        b"null",
        b"NaN",
        b"1e999",
        b"-1",
        b"\xe2\x80\xa8",
    ),
    *(
        b"\\ud800",
        b"9" * 5000,
        b"[" * 2000,
        b"{" * 500,
        b"../",
        b"sha256:",
        b"@",
        b":",
        b"/",
        b",",
        b";",
        b"=",
        b"%",
        b"&a",
    ),
    *(
        b"*a",
        b"!!python/object:a",
        b"<<: ",
        b"${secret:A}",
        b"${",
        b"\xef\xbb\xbf",
        b"?",
        b"|",
        b"||",
        b"(",
        b"~",
        b"^",
    ),
)
ODD = (
    None,
    True,
    -1,
    0,
    2**64,
    1.5,
    "",
    "\ud800",
    "a\0b",
    "9" * 30,
    "1e5",
    [],
    {},
    [[]],
    [{}],
    {"": None},
    [None],
    "sha256:a",
)
PIECES = (
    *(
        "a",
        "/",
        ":",
        "a/",
        "a:",
        "-",
        ".",
        "..",
        "(",
        "[",
        "{",
        "{a,",
        '"',
        '\\"',
        "' ",
        ",",
        ", ",
        "=",
        "a=",
        ";",
        "a;",
    ),
    *(
        " ",
        "\t",
        "\n",
        "\r\n",
        "<",
        "<a>;",
        "&",
        "?",
        "*",
        "||",
        "0",
        "9",
        "1.",
        "[[",
        '{"a":',
        '"a",',
        "- ",
        "a: ",
        "@",
        "%",
    ),
)


@st.composite
def changed(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A seed with something cut out, put in or said twice, in a few places; or with odd values in its JSON."""
    seed = draw(st.sampled_from(seeds))
    if draw(st.booleans()) and (other := draw(odd_document(seed))) is not None:
        return other
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(seed)))
        end = draw(st.integers(start, min(len(seed), start + 40)))
        new = draw(st.sampled_from((b"", seed[start:end] * 2, *BITS)) | st.binary(max_size=4))
        seed = seed[:start] + new + seed[end:]
    return seed


@st.composite
def odd_document(draw: st.DrawFn, seed: bytes) -> bytes | None:
    try:
        document = json.loads(seed)
    except ValueError:
        return None
    holder = {"": document}
    places = list(_places(holder))
    for _ in range(draw(st.integers(1, 2))):
        found, key = draw(st.sampled_from(places))
        found[key] = draw(st.sampled_from(ODD))
    return json.dumps(holder[""]).encode()


def _places(value: Any) -> Any:
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@pytest.mark.parametrize("name", PARSERS)
def test_what_it_is_fed_with_first_is_good(name: str) -> None:
    parser = PARSERS[name]
    assert parser.seeds
    for seed in parser.seeds[:1]:
        parser.parse(seed)


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_it_reads_it_raises_nothing_but_its_own_error(name: str) -> None:
    parser = PARSERS[name]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(
        changed(parser.seeds)
        | st.binary(max_size=200)
        | st.text(max_size=100).map(lambda t: t.encode("utf-8", "replace"))
    )
    def holds(raw: bytes) -> None:
        check(parser, raw)

    holds()


@pytest.mark.parametrize("name", PARSERS)
def test_what_is_eight_times_as_long_takes_no_square_of_that(name: str) -> None:
    """A square would be 64 times as much. The time of this thread alone is compared, and generously."""
    parser = PARSERS[name]
    grows = [partial(_repeated, piece.encode()) for piece in PIECES] + ([parser.grow] if parser.grow else [])
    slow = [grow(20)[:20] for grow in grows if _is_square(parser, grow)]
    assert not slow


def _repeated(piece: bytes, size: int) -> bytes:
    return piece * (size // len(piece))


def _is_square(parser: Parser, grow: Callable[[int], bytes]) -> bool:
    """Nothing is that is done in some milliseconds, and nothing is called so for one bad measurement."""
    long, short = grow(parser.size_bytes * 8), grow(parser.size_bytes)
    return _seconds(parser, long) > 0.1 and all(
        _seconds(parser, long) > 32 * max(_seconds(parser, short), 0.002) for _ in range(3)
    )


def _seconds(parser: Parser, raw: bytes) -> float:
    began = time.thread_time()
    check(parser, raw)
    return time.thread_time() - began
