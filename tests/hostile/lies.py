"""Lies that any endpoint may tell: where to go, who may ask, how much there is, when it comes. Section 6 of the
protocol's threats, each as the bytes of an answer.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.hostile.asked import Asked, head, reply
from tests.hostile.liar import TOKEN, Lie, Tell, Truth

PIECE = b"x" * 65536
EVIL = "\x1b[31mred\x1b[0m\r\n::error::owned\r\n\x07\u202e\x9b2J"
COOKIE = ("Set-Cookie", "session=cookie-of-the-liar; Path=/")


def elsewhere(status: str, header: str, form: str) -> Tell:
    """An answer whose header leads to another place; `form` may hold `{public}`, `{inside}`, `{metadata}`, `{own}`."""

    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        places = {**asked.elsewhere, "own": asked.host, "target": asked.target, "path": asked.path}
        yield reply(asked, status, [(header, form.format(**places)), COOKIE])

    return tell


def redirect(form: str) -> Tell:
    return elsewhere("307 Temporary Redirect", "Location", form)


def realm(address: str) -> Lie:
    tell = elsewhere("401 Unauthorized", "WWW-Authenticate", f'Bearer realm="{address}",service="s",scope="a:b:pull"')
    return Lie(tell, told_at_once=True)


def redirect_on_and_on(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """Each redirect leads to another place of the liar's own."""
    separator = "&" if "?" in asked.target else "?"
    yield reply(asked, "307 Temporary Redirect", [("Location", f"{asked.target}{separator}more=1")])


def refusal(status: str, *fields: tuple[str, str], body: bytes = b"") -> Tell:
    def tell(asked: Asked, _truth: Truth) -> Iterator[bytes]:
        yield reply(asked, status, fields, body)

    return tell


def evil_refusal(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """What would colour a terminal, command a CI, or show a login that was sent."""
    text = f"{EVIL} {asked.login}".encode("unicode_escape").decode().replace("\\x", "\\u00")
    body = f'{{"errors": [{{"code": "DENIED\\n::error::", "message": "{text}"}}]}}'.encode()
    yield reply(asked, "403 Forbidden", [("Content-Type", "application/json")], body)


def evil_text(asked: Asked, _truth: Truth) -> Iterator[bytes]:
    yield reply(asked, "400 Bad\x1b[31m Request", [("Content-Type", "text/plain")], EVIL.encode())


def yes(kind: str, body: bytes) -> Tell:
    """200, whatever was asked."""
    return refusal("200 OK", ("Content-Type", kind), body=body)


def cookie(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """The truth, with a cookie."""
    status, fields, body = truth_of(asked, truth)
    yield reply(asked, status, [*fields, COOKIE], body)


def truth_of(asked: Asked, truth: Truth) -> tuple[str, list[tuple[str, str]], bytes]:
    if asked.path == "/token":
        return "200 OK", [], f'{{"token": "{TOKEN}"}}'.encode()
    if asked.path == "/v2/":
        return "401 Unauthorized", [("WWW-Authenticate", 'Basic realm="liar"')], b""
    status, fields, body = truth.answer(asked)
    return status, list(fields), body


def packed(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """The truth, compressed though nobody asked for that."""
    status, fields, body = truth_of(asked, truth)
    kept = [(name, text) for name, text in fields if name.lower() != "content-length"]
    yield reply(asked, status, [*kept, ("Content-Encoding", "gzip")], gzip.compress(body))


def cut(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """Half of the truth, announced as the whole."""
    whole = reply(asked, *truth_of(asked, truth))
    yield whole[: len(whole) // 2]


def lengths(*values: str) -> Tell:
    """The truth, of other lengths than it has."""

    def tell(asked: Asked, truth: Truth) -> Iterator[bytes]:
        status, fields, body = truth_of(asked, truth)
        kept = [f"{name}: {text}" for name, text in fields if name.lower() != "content-length"]
        yield head(status, *kept, *(f"Content-Length: {value}" for value in values)) + body

    return tell


def nothing(_asked: Asked, _truth: Truth) -> Iterator[bytes]:
    """The connection is closed without a word."""
    yield from ()


def silence(_asked: Asked, truth: Truth) -> Iterator[bytes]:
    """The connection stays open without a word."""
    truth.stopping.wait(60)
    yield b""


def half_a_head(_asked: Asked, truth: Truth) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-"
    truth.stopping.wait(60)


def head_by_letters(_asked: Asked, truth: Truth) -> Iterator[bytes]:
    """Slow loris: a head that goes on coming."""
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    while not truth.stopping.wait(0.05):
        yield b"x"


def body_by_letters(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """A body that goes on coming: of a HEAD, which has none, its head does."""
    if asked.method == "HEAD":
        yield from head_by_letters(asked, truth)
    yield head("200 OK", "Content-Length: 100000")
    while not truth.stopping.wait(0.05):
        yield b"x"


def no_http(_asked: Asked, _truth: Truth) -> Iterator[bytes]:
    yield b"\x15\x03\x01\x00\x02\x02\x28 SSH-2.0-OpenSSH_9.2\r\n\r\n"


def many_headers(_asked: Asked, _truth: Truth) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield b"X-Line: bomb\r\n" * 100_000 + b"\r\n"


def long_header(_asked: Asked, _truth: Truth) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    yield b"x" * 5_000_000 + b"\r\n\r\n"


def endless_header(_asked: Asked, truth: Truth) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    while not truth.stopping.is_set():
        yield PIECE


def interim_for_ever(_asked: Asked, truth: Truth) -> Iterator[bytes]:
    while not truth.stopping.is_set():
        yield b"HTTP/1.1 100 Continue\r\n\r\n"


def endless(status: str) -> Tell:
    """A body in chunks, for ever."""

    def tell(asked: Asked, truth: Truth) -> Iterator[bytes]:
        yield head(status, "Content-Type: application/json", "Transfer-Encoding: chunked")
        while asked.method != "HEAD" and not truth.stopping.is_set():
            yield b"10000\r\n" + PIECE + b"\r\n"

    return tell


def letter_chunks(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """A body in chunks of one letter, for ever: each costs who reads it a hundred times what it costs to send."""
    yield head("200 OK", "Content-Type: application/json", "Transfer-Encoding: chunked")
    while asked.method != "HEAD" and not truth.stopping.is_set():
        yield b"1\r\nx\r\n" * 10_000


def enormous(asked: Asked, truth: Truth) -> Iterator[bytes]:
    """A body that says how much too long it is."""
    yield head("200 OK", "Content-Type: application/json", "Content-Length: 999999999999999")
    while asked.method != "HEAD" and not truth.stopping.is_set():
        yield PIECE


ANYWHERE: dict[str, Tell | Lie] = {
    "redirect to a public host": redirect("http://{public}/stolen"),
    "redirect to a name on loopback": redirect("http://{inside}/stolen"),
    "redirect to metadata": redirect("http://{metadata}/latest/meta-data/"),
    "redirect to a file": redirect("file:///etc/passwd"),
    "redirect to data": redirect("data:text/plain,stolen"),
    "redirect to itself": redirect("{target}"),
    "redirect on and on": redirect_on_and_on,
    "redirect with a user": redirect("http://user:word@{public}/stolen"),
    "redirect with a control character": redirect("/x\x1by\rX-Evil: 1"),
    "redirect to nowhere": refusal("307 Temporary Redirect"),
    "realm at a public host": realm("http://{public}/token"),
    "realm at a name on loopback": realm("http://{inside}/token"),
    "realm at metadata": realm("http://{metadata}/latest/"),
    "realm in a file": realm("file:///etc/passwd"),
    "realm with a user": realm("http://user:word@{public}/token"),
    "401 for ever": refusal("401 Unauthorized", ("WWW-Authenticate", 'Basic realm="again"')),
    "401 without a challenge": refusal("401 Unauthorized"),
    "429 for a long time": refusal("429 Too Many Requests", ("Retry-After", "1000000000")),
    "500 for ever": refusal("500 Internal Server Error"),
    "refusal with commands": evil_refusal,
    "refusal with control characters": evil_text,
    "OK to everything": yes("text/plain", b"OK"),
    "a web page": yes("text/html", b"<!DOCTYPE html><h1>Log in</h1>"),
    "a cookie": cookie,
    "compressed": packed,
    "cut": cut,
    "two lengths": lengths("3", "4"),
    "a negative length": lengths("-1"),
    "nothing": nothing,
    "no HTTP": no_http,
    "silence": silence,
    "half a head": half_a_head,
    "a head letter by letter": head_by_letters,
    "a body letter by letter": body_by_letters,
    "100000 headers": many_headers,
    "a long header": long_header,
    "a header without end": endless_header,
    "interim answers for ever": interim_for_ever,
    "a body without end": endless("200 OK"),
    "an error without end": endless("404 Not Found"),
    "chunks of one letter": letter_chunks,
    "an enormous length": enormous,
}
