"""The head of an answer, line by line: what is read, and what is refused."""

from __future__ import annotations

import io

import pytest

from imagesync.registry.head_lines import (
    MAX_HEAD_BYTES,
    MAX_HEADER_LINES,
    MAX_LINE_BYTES,
    BadAnswer,
    CutAnswer,
    read_headers,
    read_status,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", (1, 200)),
        (b"HTTP/1.0 404 Not Found\r\n", (0, 404)),
        (b"HTTP/1.1 204\r\n", (1, 204)),
        (b"HTTP/1.1 500 \r\n", (1, 500)),
        (b"HTTP/1.1 200 caf\xc3\xa9\n", (1, 200)),
    ],
)
def test_a_status_line_gives_version_and_status(line: bytes, expected: tuple[int, int]) -> None:
    assert read_status(io.BytesIO(line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"\r\n",
        b"<html>\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200 OK\r\n",
        b"HTTP/1.1 two OK\r\n",
        b"HTTP/1.1 99 Low\r\n",
        b"HTTP/1.1 2000 OK\r\n",
        b"HTTP/1.1 +20 OK\r\n",
        b"HTTP/1.1 200 a\rX: y\r\n",
        b"HTTP/1.1 200 a\0b\r\n",
    ],
)
def test_what_is_no_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_status(io.BytesIO(line))


def test_no_answer_at_all_is_a_closed_connection_and_half_a_line_is_cut_off() -> None:
    with pytest.raises(ConnectionResetError):
        read_status(io.BytesIO(b""))
    with pytest.raises(CutAnswer):
        read_status(io.BytesIO(b"HTTP/1.1 20"))


def test_headers_are_found_by_any_spelling_and_those_that_come_twice_are_kept() -> None:
    headers = read_headers(io.BytesIO(b"Link: <a>\r\nETag:  \t x y \t\r\nLINK:<b>\nEmpty:\r\n\r\nthe body"))
    assert headers.values_of("link") == ["<a>", "<b>"]
    assert headers["Link"] == "<a>, <b>"
    assert headers["etag"] == "x y"
    assert headers["Empty"] == ""


def test_nothing_is_read_beyond_the_empty_line() -> None:
    stream = io.BytesIO(b"A: b\r\n\r\nthe body")
    read_headers(stream)
    assert stream.read() == b"the body"


def test_a_folded_value_becomes_one_line() -> None:
    headers = read_headers(io.BytesIO(b"A: one,\r\n\t two\r\n three\r\nB: c\r\n\r\n"))
    assert dict(headers) == {"a": "one, two three", "b": "c"}


@pytest.mark.parametrize(
    "line",
    [
        b"no colon",
        b": no name",
        b" folded: onto nothing",
        b"Name : space",
        b"Na me: x",
        b"N\xe4me: x",
        b"A: b\rSet-Cookie: c",
        b"A: b\0c",
        b"\0: x",
    ],
)
def test_what_is_no_header_is_refused(line: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_headers(io.BytesIO(line + b"\r\n\r\n"))


def test_a_head_that_ends_before_its_empty_line_is_cut_off() -> None:
    for head in (b"", b"A: b\r\n", b"A: b\r\nContent-Le"):
        with pytest.raises(CutAnswer):
            read_headers(io.BytesIO(head))


def test_as_many_and_as_long_headers_as_other_tools_take_are_read_and_no_more() -> None:
    longest = b"A: " + b"x" * (MAX_LINE_BYTES - 5) + b"\r\n"
    assert len(read_headers(io.BytesIO(longest + b"\r\n"))["A"]) == MAX_LINE_BYTES - 5
    with pytest.raises(BadAnswer):
        read_headers(io.BytesIO(b"A: " + b"x" * MAX_LINE_BYTES + b"\r\n\r\n"))
    most = b"A: b\r\n" * (MAX_HEADER_LINES - 1)
    assert len(read_headers(io.BytesIO(most + b"\r\n")).values_of("A")) == MAX_HEADER_LINES - 1
    for one_more in (b"A: b\r\n", b" folded\r\n"):
        with pytest.raises(BadAnswer, match="over 100"):
            read_headers(io.BytesIO(most + one_more + b"\r\n"))


def test_many_long_headers_are_not_kept() -> None:
    """S10: 100 lines of 64 KiB each, for every answer that is read at the same time."""
    long = b"A: " + b"x" * 60_000 + b"\r\n"
    with pytest.raises(BadAnswer, match=f"headers of over {MAX_HEAD_BYTES} bytes"):
        read_headers(io.BytesIO(long * 20 + b"\r\n"))
