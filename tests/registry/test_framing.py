"""Where the body of an answer ends, and whether its connection is of use afterwards."""

from __future__ import annotations

import io
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from imagesync.registry.framing import MAX_INTERIM_ANSWERS, FramedAnswer
from imagesync.registry.head_lines import BadAnswer, CutAnswer


@contextmanager
def begun(raw: bytes, method: str = "GET") -> Iterator[FramedAnswer]:
    """The answer to a request, of which nothing but these bytes arrives."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(raw)
        theirs.shutdown(socket.SHUT_WR)
        with closing(FramedAnswer(ours.makefile("rb"), method)) as answer:
            answer.begin()
            yield answer


def read_all(answer: FramedAnswer) -> bytes:
    pieces = []
    while piece := answer.read(4):
        pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("head", "sent", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", b"helloX", b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", b"helloX", b"hello"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", b"X", b""),
        (b"HTTP/1.1 204 No\r\n", b"X", b""),
        (b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n", b"X", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"2\r\nab\r\n0\r\nX: y\r\n\r\n", b"ab"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"2\r\nab\r\n0\r\n", b"ab"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", b"2\r\nab\r\n0\r\n\r\n", b"ab"),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n", b"abX", b"ab"),
    ],
)
def test_a_body_ends_where_its_head_says_and_the_connection_stays_of_use(head: bytes, sent: bytes, body: bytes) -> None:
    with begun(head + b"\r\n" + sent) as answer:
        assert read_all(answer) == body
        assert not answer.will_close
        answer.read(1)
        assert answer.is_ended


def test_the_answer_to_a_head_has_no_body_whatever_it_says() -> None:
    for length in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: y"):
        with begun(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n", "HEAD") as answer:
            assert read_all(answer) == b""
            assert not answer.will_close


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n",
    ],
)
def test_otherwise_it_ends_with_the_connection_or_is_the_last_one(head: bytes) -> None:
    with begun(head + b"\r\nhello") as answer:
        assert read_all(answer) == b"hello"
        assert answer.will_close


def test_two_lengths_that_differ_are_refused() -> None:
    for lengths in (b"Content-Length: 1\r\nContent-Length: 2\r\n", b"Content-Length: 1, 2\r\n"):
        with pytest.raises(BadAnswer), begun(b"HTTP/1.1 200 OK\r\n" + lengths + b"\r\nab"):
            pytest.fail("begun")


def test_interim_answers_come_to_an_end() -> None:
    """S20: they cost nobody anything but us."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_INTERIM_ANSWERS + 1)
    with pytest.raises(BadAnswer, match="interim"):
        FramedAnswer(io.BytesIO(interim + b"HTTP/1.1 204 No Content\r\n\r\n"), "GET").begin()


def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
    with begun(interim + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as answer:
        assert answer.status == 200
        assert "Link" not in answer.fields
        assert read_all(answer) == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Length: 10\r\n\r\nshort",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nnot a number\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_body_that_is_cut_or_counted_wrongly_is_an_error(raw: bytes) -> None:
    with begun(b"HTTP/1.1 200 OK\r\n" + raw) as answer, pytest.raises(CutAnswer):
        read_all(answer)


@pytest.mark.parametrize("size", [b"-1", b"-5", b"+1", b"0x1", b"1_0", b"", b" 1", b"1" * 16])
def test_a_chunk_whose_size_is_no_plain_number_is_an_error_and_not_read(size: bytes) -> None:
    """To a stream, -1 means: all that comes, at once."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with begun(chunked + size + b"\r\nall of it") as answer:
        with pytest.raises(CutAnswer):
            answer.read(4)
        assert answer.stream.read() == b"all of it"


def test_trailers_come_to_an_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with begun(chunked + b"X: y\r\n" * 100) as answer, pytest.raises(BadAnswer):
        answer.read(4)


def test_trailers_are_passed_over() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    with begun(chunked + b"X: y\r\n" * 99 + b"\r\n") as answer:
        assert read_all(answer) == b"ok"


@pytest.mark.parametrize("chunk", [b"1\r\na\r\n", b"1;" + b"x" * 60_000 + b"\r\na\r\n", b"00000000001\r\na\r\n"])
def test_chunks_that_are_shorter_than_what_stands_around_them_are_refused(chunk: bytes) -> None:
    """CVE-2023-39326 was of this kind: a body of a few letters takes as long as one likes."""
    with (
        closing(chunked(chunk * (2_000_000 // len(chunk)))) as answer,
        pytest.raises(BadAnswer, match="chunks so small"),
    ):
        answer.read(1024 * 1024)


def test_chunks_of_a_few_letters_among_larger_ones_are_read() -> None:
    chunks = (b"1\r\na\r\n" * 10_000 + b"%x\r\n" % 100_000 + b"a" * 100_000 + b"\r\n") * 3
    with closing(chunked(chunks)) as answer:
        assert answer.read(10_000_000) == b"a" * 330_000


def test_many_chunks_take_no_more_memory_than_their_bytes() -> None:
    with closing(chunked(b"6\r\nabcdef\r\n" * 100_000)) as answer:
        tracemalloc.start()
        try:
            assert len(answer.read(1024 * 1024)) == 600_000
            assert tracemalloc.get_traced_memory()[1] < 4 * 600_000
        finally:
            tracemalloc.stop()


def chunked(chunks: bytes) -> FramedAnswer:
    """An answer whose body is these chunks."""
    answer = FramedAnswer(
        io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"), "GET"
    )
    answer.begin()
    return answer
