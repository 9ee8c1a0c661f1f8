"""Real docker-registry processes on free loopback ports: plain, with TLS and htpasswd, with TLS and tokens.

Each keeps its data in a folder of its own and its access log is its stdout, so that requests can be counted.
"""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme

from tests.real.tokens import SERVICE, TokenServer, serve_tokens
from tests.secrets import REAL_PASSWORD as PASSWORD

USERNAME = "mirror"
_HTPASSWD = "mirror:$2y$04$Nfu0six0CSS8Ya88gMsmp.9kGiIXp8VXRJ7IzrQXaYFEKQlfJrYl6\n"
_START_SECONDS = 20.0
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
_ACCESS = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[0-9.]+" (?P<status>\d{3}) ')
_TAG_PATH = re.compile(r"/v2/.+/manifests/(?!sha256:)")


@dataclass(frozen=True, slots=True)
class Request:
    """One line of an access log."""

    method: str
    path: str
    status: int

    @property
    def is_write(self) -> bool:
        return self.method not in ("GET", "HEAD")

    @property
    def is_of_a_tag(self) -> bool:
        return _TAG_PATH.match(self.path) is not None


@dataclass
class RealRegistry:
    """A docker-registry that listens. `host` is what a reference starts with."""

    folder: Path
    process: subprocess.Popen[bytes]
    authority: Authority | None = None
    credentials: tuple[str, str] | None = None
    tokens: TokenServer | None = None
    host: str = ""
    _marks: int = field(default=0, repr=False)

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://{self.host}"

    @property
    def repositories_folder(self) -> Path:
        return self.folder / "data" / "docker" / "registry" / "v2" / "repositories"

    def requests(self, since: int = 0) -> list[Request]:
        """What was asked so far, from the given number on, without the marks of this method."""
        self._write_mark()
        lines = (self.folder / "access.log").read_text(encoding="utf-8", errors="replace").splitlines()
        matches = [match for line in lines if (match := _ACCESS.search(line)) and "?mark=" not in match["path"]]
        return [Request(match["method"], match["path"], int(match["status"])) for match in matches][since:]

    def tags(self, repository: str) -> list[str]:
        """The tags on its disk, complete or not."""
        folder = self.repositories_folder / repository / "_manifests" / "tags"
        return sorted(path.name for path in folder.iterdir() if (path / "current").exists()) if folder.is_dir() else []

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def die_and_come_back(self) -> None:
        """Killed in the middle of whatever it does, and started anew on the same port, over what is on its disk."""
        self.process.kill()
        self.process.wait()
        file = self.folder / "config.yml"
        configuration = json.loads(file.read_text())
        configuration["http"]["addr"] = self.host
        file.write_text(json.dumps(configuration))
        self.process = _launch(self.folder)

    def _write_mark(self) -> None:
        """A line is written after its answer was sent: ask once more, and wait for that line."""
        self._marks += 1
        mark = f"/v2/?mark={self._marks}"
        context = self.authority.context() if self.authority else None
        try:
            with urllib.request.urlopen(self.url + mark, context=context, timeout=5):
                pass
        except urllib.error.HTTPError as error:
            error.close()
        _wait_for(lambda: mark + " " in (self.folder / "access.log").read_text(errors="replace"), "a line of its log")


class Authority:
    """A certificate authority made for one test run; `file` holds its certificate."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def write_certificate(self, folder: Path) -> tuple[Path, Path]:
        """A certificate for loopback names and its key, as two files."""
        issued = self._authority.issue_cert("127.0.0.1", "localhost")
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return certificate, key

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.file)


@contextmanager
def plain_registry(where: Path | None = None) -> Iterator[RealRegistry]:
    """Plain HTTP, no login. `where` is the folder to put its own folder into."""
    with _folder(where) as folder, _running(folder, {}, RealRegistry) as registry:
        yield registry


@contextmanager
def keeping_registry() -> Iterator[RealRegistry]:
    """Plain HTTP, no login, and nothing can be deleted, as docker-registry is by default."""
    with _folder(None) as folder, _running(folder, {"delete": {"enabled": False}}, RealRegistry) as registry:
        yield registry


@contextmanager
def tls_registry(authority: Authority, where: Path | None = None) -> Iterator[RealRegistry]:
    """TLS, no login."""
    with _folder(where) as folder, _running(folder, _tls(authority, folder), RealRegistry) as registry:
        registry.authority = authority
        yield registry


@contextmanager
def basic_registry(authority: Authority, where: Path | None = None) -> Iterator[RealRegistry]:
    """TLS, and a password file for USERNAME and PASSWORD."""
    with _folder(where) as folder:
        (folder / "htpasswd").write_text(_HTPASSWD)
        auth = {"auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}}
        with _running(folder, _tls(authority, folder) | auth, RealRegistry) as registry:
            registry.authority, registry.credentials = authority, (USERNAME, PASSWORD)
            yield registry


@contextmanager
def token_registry(authority: Authority, where: Path | None = None) -> Iterator[RealRegistry]:
    """TLS, and tokens of a server that gives them for USERNAME and PASSWORD."""
    with _folder(where) as folder:
        files = authority.write_certificate(folder)
        with serve_tokens(files, (USERNAME, PASSWORD)) as tokens:
            (folder / "roots.pem").write_bytes(tokens.certificate_pem)
            settings = {
                "realm": tokens.realm,
                "service": SERVICE,
                "issuer": tokens.issuer,
                "rootcertbundle": str(folder / "roots.pem"),
            }
            auth = {"auth": {"token": settings}}
            with _running(folder, _tls(authority, folder) | auth, RealRegistry) as registry:
                registry.authority, registry.credentials = authority, (USERNAME, PASSWORD)
                registry.tokens = tokens
                yield registry


@contextmanager
def _folder(where: Path | None) -> Iterator[Path]:
    with TemporaryDirectory(prefix="registry-", dir=where or memory_folder()) as name:
        yield Path(name)


def memory_folder() -> Path | None:
    """A folder in memory where this machine has one: disks are slow and shared."""
    folder = Path("/dev/shm")
    return folder if folder.is_dir() else None


def _tls(authority: Authority, folder: Path) -> dict[str, Any]:
    certificate, key = authority.write_certificate(folder)
    return {"tls": {"certificate": str(certificate), "key": str(key)}}


@contextmanager
def _running(folder: Path, extra: dict[str, Any], kind: type[RealRegistry]) -> Iterator[RealRegistry]:
    (folder / "data").mkdir()
    tls = {"tls": extra["tls"]} if "tls" in extra else {}
    configuration = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": False}},
        "storage": {
            "filesystem": {"rootdirectory": str(folder / "data")},
            "delete": extra.get("delete", {"enabled": True}),
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": "127.0.0.1:0", "secret": "of-the-tests", **tls},
        **({"auth": extra["auth"]} if "auth" in extra else {}),
    }
    # JSON is YAML.
    (folder / "config.yml").write_text(json.dumps(configuration))
    process = _launch(folder)
    registry = kind(folder, process)
    try:
        registry.host = f"127.0.0.1:{_port(folder / 'registry.log', process)}"
        yield registry
    finally:
        registry.stop()


def _launch(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "access.log").open("ab") as access, (folder / "registry.log").open("ab") as log:
        command = ["docker-registry", "serve", str(folder / "config.yml")]
        return subprocess.Popen(command, stdout=access, stderr=log, stdin=subprocess.DEVNULL)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that it says it listens on; port 0 let the system choose one."""
    _wait_for(lambda: _LISTENING.search(log.read_text(errors="replace")) or process.poll() is not None, "it to listen")
    match = _LISTENING.search(log.read_text(errors="replace"))
    if match is None:
        raise RuntimeError(f"docker-registry has ended: {log.read_text(errors='replace')[-2000:]}")
    return int(match[1])


def _wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"docker-registry: waited {_START_SECONDS:.0f} s for {what}")
        time.sleep(0.01)
