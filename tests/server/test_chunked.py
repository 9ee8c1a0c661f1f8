"""Bodies in chunked transfer coding: read to their end and not beyond, and never a chunk at a time."""

from __future__ import annotations

import io
import socket
import tracemalloc
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.server.chunked import ChunkedBody
from tests.fakes.registry import FakeRegistry


def coded(chunks: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n\r\n"


@given(st.lists(st.binary(max_size=50), max_size=10), st.integers(1, 60))
def test_a_body_is_what_its_chunks_hold_and_what_follows_is_left(chunks: list[bytes], size: int) -> None:
    stream = io.BytesIO(coded(chunks) + b"GET next")
    body, parts = ChunkedBody(stream), list[bytes]()
    while part := body.read(size):
        parts.append(part)
    assert b"".join(parts) == b"".join(chunks)
    assert all(len(part) == size for part in parts[:-1])
    assert body.read(size) == b""
    assert stream.read() == b"GET next"


def test_extensions_and_trailers_are_passed_over() -> None:
    stream = io.BytesIO(b"3;name=value\r\nabc\r\n0\r\nTrailer: x\r\n\r\nrest")
    assert ChunkedBody(stream).read() == b"abc"
    assert stream.read() == b"rest"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"3",
        b"\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b"+3\r\nabc\r\n",
        b"1_0\r\n",
        b"f" * 17 + b"\r\n",
        b"3\r\nab",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\r\n",
        b"1" * 300 + b"\r\n",
    ],
)
def test_a_broken_coding_is_an_error(raw: bytes) -> None:
    body = ChunkedBody(io.BytesIO(raw))
    with pytest.raises(ConnectionAbortedError):
        list(iter(partial(body.read, 100), b""))


def test_a_chunk_that_says_it_is_huge_takes_no_memory(registry: FakeRegistry) -> None:
    address, _, port = registry.host.rpartition(":")
    head = b"PUT /v2/a/manifests/t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n"
    tracemalloc.start()
    with socket.create_connection((address, int(port)), timeout=10) as client:
        client.sendall(head)
        for _ in range(64):
            client.sendall(b"x" * 1024 * 1024)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            continue
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * 1024 * 1024
