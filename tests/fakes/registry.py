"""FakeRegistry: `imagesync.server` on a free loopback port, with a log of requests and answers scripted over it."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Self

from imagesync.layout import LayoutRepository, LayoutTree
from imagesync.server.app import RegistryApp
from imagesync.server.auth import Auth
from imagesync.server.http import Environ, StartResponse, WsgiApp
from imagesync.server.serve import Server, ServerTls

MEMORY = Path("/dev/shm")


@dataclass
class Entry:
    """One request as the registry saw it. `bytes_in` and `bytes_out` count bodies only."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    is_scripted: bool = False

    @property
    def line(self) -> str:
        """`HEAD /v2/a/manifests/t 200`: without the query, and with a session's name as `ID`."""
        path = re.sub(r"/uploads/[0-9a-f]{32}$", "/uploads/ID", self.path)
        return f"{self.method} {path} {self.status}"

    @property
    def has_authorization(self) -> bool:
        return "Authorization" in self.headers


class Log:
    """What was asked, in the order in which the answers began."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def entries(self, method: str = "", path: str = "") -> list[Entry]:
        """Those with this method and a path that the regular expression is found in."""
        with self._lock:
            found = list(self._entries)
        return [entry for entry in found if method in ("", entry.method) and re.search(path, entry.path)]

    def lines(self, method: str = "", path: str = "") -> list[str]:
        return [entry.line for entry in self.entries(method, path)]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)


@dataclass
class Script:
    """What is answered in the registry's place, for the requests that fit.

    It starts with the request number `skip` + 1 and holds for `times` of them, for ever where that is None.
    Without a `status` the registry answers itself, after `delay_seconds`, with `headers` set over its own.
    With `status` and `is_done` the registry does what it was asked first, and the client is not told so.
    """

    method: str
    path: re.Pattern[str]
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    skip: int
    times: int | None
    delay_seconds: float
    is_done: bool
    seen: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether this request gets this answer; counts the requests that fit."""
        if self.method not in ("", method) or not self.path.search(path):
            return False
        self.seen += 1
        return self.seen > self.skip and (self.times is None or self.seen <= self.skip + self.times)


class Scripted:
    """WSGI middleware that logs every request and gives the scripted answers."""

    def __init__(self, app: WsgiApp) -> None:
        self.app = app
        self.log = Log()
        self._scripts: list[Script] = []
        self._lock = threading.Lock()
        self.before_each: Callable[[Entry], None] = lambda _entry: None

    def add(self, script: Script) -> None:
        with self._lock:
            self._scripts.append(script)

    def clear(self) -> None:
        with self._lock:
            self._scripts.clear()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        entry = _entry(environ)
        environ["wsgi.input"] = _Counted(environ["wsgi.input"], entry)
        self.before_each(entry)
        script = self._script(entry)
        if script is not None:
            time.sleep(script.delay_seconds)
        if script is None or script.status is None:
            return self._pass_on(environ, start_response, entry, script.headers if script else {})
        return self._answer(environ, start_response, entry, script)

    def _script(self, entry: Entry) -> Script | None:
        with self._lock:
            return next((found for found in self._scripts if found.takes(entry.method, entry.path)), None)

    def _pass_on(
        self, environ: Environ, start_response: StartResponse, entry: Entry, extra: Mapping[str, str]
    ) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]]) -> object:
            entry.status = int(status.partition(" ")[0])
            self.log.add(entry)
            replaced = {name.lower() for name in extra}
            kept = [(name, text) for name, text in headers if name.lower() not in replaced]
            return start_response(status, [*kept, *((name, text) for name, text in extra.items() if text)])

        return _CountedBody(self.app(environ, start), entry)

    def _answer(self, environ: Environ, start_response: StartResponse, entry: Entry, script: Script) -> Iterable[bytes]:
        if script.is_done:
            body = self.app(environ, lambda *_: None)
            getattr(body, "close", lambda: None)()
        while environ["wsgi.input"].read(1024 * 1024):
            continue
        status = script.status or 500
        entry.status, entry.is_scripted = status, True
        self.log.add(entry)
        headers = {"Content-Length": str(len(script.body)), **script.headers}
        start_response(f"{status} {_phrase(status)}", list(headers.items()))
        return [] if entry.method == "HEAD" else _CountedBody([script.body], entry)


class FakeRegistry:
    """A registry in a folder of its own, which goes away with it. Use it in a `with`, or `start` and `stop` it."""

    def __init__(self, *, tls: ServerTls | None = None, auth: Auth | None = None, address: str = "127.0.0.1") -> None:
        self.root = Path(tempfile.mkdtemp(prefix="registry-", dir=MEMORY if MEMORY.is_dir() else None))
        self._app = RegistryApp(self.root, auth)
        self._scripted = Scripted(self._app)
        self.server = Server(self._scripted, address=address, tls=tls)
        self.log = self._scripted.log

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, as it stands in a reference."""
        return self.server.host

    @property
    def url(self) -> str:
        return self.server.url

    def repository(self, path: str) -> LayoutRepository:
        """What is stored, past the wire: to fill a registry, or to look at what arrived."""
        return LayoutTree(self.root).repository(path)

    def script(
        self,
        method: str = "",
        path: str = "",
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        skip: int = 0,
        times: int | None = None,
        delay_seconds: float = 0.0,
        is_done: bool = False,
    ) -> Script:
        """Answer requests in the registry's place: see Script. `path` is a regular expression, found anywhere."""
        made = Script(method, re.compile(path), status, headers or {}, body, skip, times, delay_seconds, is_done)
        self._scripted.add(made)
        return made

    def list_no_referrers(self) -> None:
        """Be as docker-registry, which has no page of referrers, and names no subject of what it stores."""
        self.script("GET", "/referrers/", status=404, body=b"404 page not found\n")
        self.script("PUT", "/manifests/sha256:", headers={"OCI-Subject": ""})

    def call_before_each(self, call: Callable[[Entry], None]) -> None:
        """Let this be called before a request is looked at, in the thread of its connection."""
        self._scripted.before_each = call

    def unscript(self) -> None:
        """Drop all scripts."""
        self._scripted.clear()

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.root)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class _Counted:
    """A request body that counts what is read of it."""

    def __init__(self, stream: object, entry: Entry) -> None:
        self._read = stream.read  # type: ignore[attr-defined]
        self._entry = entry

    def read(self, size: int | None = None) -> bytes:
        data: bytes = self._read(size)
        self._entry.bytes_in += len(data)
        return data


class _CountedBody:
    """A response body that counts what is sent of it, and closes what it came from."""

    def __init__(self, body: Iterable[bytes], entry: Entry) -> None:
        self._body = body
        self._entry = entry

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            self._entry.bytes_out += len(piece)
            yield piece

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def _entry(environ: Environ) -> Entry:
    names = {key: key.removeprefix("HTTP_") for key in environ if key.startswith("HTTP_")}
    names |= {key: key for key in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(key)}
    headers = {name.replace("_", "-").title(): str(environ[key]) for key, name in names.items()}
    return Entry(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("QUERY_STRING", ""), headers)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
