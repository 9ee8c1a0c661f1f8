"""One blob to a registry, in a single attempt: mount, PATCH, PUT, and what registries make of them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import (
    AuthenticationError,
    Cancelled,
    ImagesyncError,
    IntegrityError,
    LimitError,
    NetworkError,
    NotFoundError,
    ProtocolError,
    StoreError,
)
from imagesync.reference import make_repository
from imagesync.server.auth import TokenAuth
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Tls, TlsMode
from imagesync.store import Pushed
from imagesync.transfer.blob import BlobCopy
from imagesync.transfer.meter import Meter
from tests.conftest import MakeRegistry
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import Source, make_blob, open_registries, open_repository
from tests.registry.wire import WireServer, answer, read_all, read_head

DATA = b"blob" * 300_000
"""More than goes in one PUT."""
BLOB = make_blob(DATA)
BLOBS = "/v2/a/b/blobs"
UPLOADS = f"{BLOBS}/uploads/"
SESSION = f"{UPLOADS}ID"


def test_an_upload_is_post_patch_put(registry: FakeRegistry) -> None:
    """UPL-01."""
    with open_repository(registry) as repository:
        assert repository.push_blob(BLOB, Source(DATA[:7], DATA[7:])) is Pushed.UPLOADED
        assert repository.has_blob(BLOB)
    post, patch, put, _ = registry.log.entries()
    assert [post.line, patch.line, put.line] == [f"POST {UPLOADS} 202", f"PATCH {SESSION} 202", f"PUT {SESSION} 201"]
    assert (patch.bytes_in, put.bytes_in) == (len(DATA), 0)
    assert patch.headers["Content-Type"] == "application/octet-stream"
    assert "Content-Range" not in patch.headers


def play_upload(location: str, seen: list[bytes]) -> WireServer:
    """A server that names this Location to every POST and PATCH."""

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            seen.append(request.partition(b" HTTP")[0])
            while not request.endswith(DATA) and request.startswith(b"PATCH"):
                request += opened.recv(65536)
            status = "201 Created" if request.startswith(b"PUT") else "202 Accepted"
            opened.sendall(answer(b"", status, f"Location: {location}"))

    return WireServer(play)


@pytest.mark.parametrize(
    ("location", "put"),
    [
        ("/u?a=%20b+c&sig=%2F'()*", "/u?a=%20b+c&sig=%2F'()*&digest="),
        ("/u?_state=a|b%2f==", "/u?_state=a|b%2f==&digest="),
        ("/u?", "/u?digest="),
        ("/u#part", "/u?digest="),
        ("u", "/v2/a/b/blobs/uploads/u?digest="),
    ],
)
def test_a_location_keeps_every_letter(location: str, put: str) -> None:
    """UPL-02."""
    seen: list[bytes] = []
    with play_upload(location, seen) as server, open_repository(server) as repository:
        repository.push_blob(BLOB, Source(DATA))
    assert seen[-1] == f"PUT {put}{BLOB.digest}".encode()


@pytest.mark.parametrize("location", ["http://127.0.0.2:1/u", "ftp://127.0.0.1/u", "https://u:p@127.0.0.1/u", ""])
def test_a_location_on_another_host_is_refused(registry: FakeRegistry, location: str) -> None:
    """UPL-03, SEC-03."""
    registry.script("POST", UPLOADS, status=202, headers={"Location": location} if location else {})
    source = Source(DATA)
    with open_repository(registry) as repository, pytest.raises(ProtocolError):
        repository.push_blob(BLOB, source)
    assert source.opened == 0


@pytest.mark.parametrize(("method", "status"), [("PATCH", 201), ("PATCH", 204), ("PUT", 204)])
def test_the_successes_of_other_registries_are_taken(registry: FakeRegistry, method: str, status: int) -> None:
    """UPL-04."""
    registry.script(method, UPLOADS, status=status, is_done=True)
    with open_repository(registry) as repository:
        assert repository.push_blob(BLOB, Source(DATA)) is Pushed.UPLOADED


def test_a_post_that_says_created_is_believed_when_the_blob_is_there(registry: FakeRegistry) -> None:
    """UPL-04."""
    with open_repository(registry) as repository:
        repository.push_blob(BLOB, Source(DATA))
        registry.script("POST", UPLOADS, status=201)
        source = Source(DATA)
        assert repository.push_blob(BLOB, source) is Pushed.PRESENT
    assert source.opened == 0


def test_a_post_that_says_created_of_a_blob_that_is_not_there_is_an_upload() -> None:
    """UPL-04: nothing was sent yet that could have been stored."""
    seen: list[bytes] = []

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            seen.append(request.partition(b" ")[0])
            while request.startswith(b"PATCH") and not request.endswith(DATA):
                request += opened.recv(65536)
            status = "404 Not Found" if request.startswith(b"HEAD") else "201 Created"
            opened.sendall(answer(b"", status, "Location: /u"))

    with WireServer(play) as server, open_repository(server) as repository:
        assert repository.push_blob(BLOB, Source(DATA)) is Pushed.UPLOADED
    assert seen == [b"POST", b"HEAD", b"PATCH", b"PUT"]


def test_a_post_that_says_created_and_nothing_else_is_an_error(registry: FakeRegistry) -> None:
    registry.script("POST", UPLOADS, status=201)
    with open_repository(registry) as repository, pytest.raises(ProtocolError):
        repository.push_blob(BLOB, Source(DATA))


@pytest.mark.parametrize("status", [404, 405, 415])
def test_without_patch_the_body_goes_with_the_put_from_then_on(registry: FakeRegistry, status: int) -> None:
    """UPL-05."""
    registry.script("PATCH", UPLOADS, status=status)
    with open_repository(registry) as repository:
        for data in (DATA, b"another"):
            assert repository.push_blob(make_blob(data), Source(data)) is Pushed.UPLOADED
            assert repository.has_blob(make_blob(data))
    assert len(registry.log.entries("PATCH")) == 1
    assert [entry.bytes_in for entry in registry.log.entries("PUT")] == [len(DATA), len(b"another")]
    assert len(registry.log.entries("DELETE")) == 1


@pytest.mark.parametrize("status", [404, 504])
def test_a_put_whose_answer_is_lost_is_looked_after(registry: FakeRegistry, status: int) -> None:
    """UPL-07: a proxy in between may send it again, and the session is gone then."""
    registry.script("PUT", UPLOADS, status=status, is_done=True)
    source = Source(DATA)
    with open_repository(registry) as repository:
        assert repository.push_blob(BLOB, source) is Pushed.UPLOADED
    assert source.opened == 1
    assert registry.log.lines()[-1].startswith(f"HEAD {BLOBS}/sha256:")


def test_a_commit_that_is_cut_off_after_it_was_done_is_looked_after() -> None:
    """UPL-07: on the connection that brought the body."""
    seen: list[bytes] = []

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            seen.append(request.partition(b" ")[0])
            while request.startswith(b"PATCH") and not request.endswith(DATA):
                request += opened.recv(65536)
            if request.startswith(b"PUT"):
                return
            opened.sendall(answer(b"", "202 Accepted", "Location: /u"))

    def looks(opened: socket.socket) -> None:
        seen.append(read_head(opened).partition(b" ")[0])
        opened.sendall(answer(DATA).removesuffix(DATA))

    with WireServer(play, looks) as server, open_repository(server) as repository:
        assert repository.push_blob(BLOB, Source(DATA)) is Pushed.UPLOADED
    assert seen == [b"POST", b"PATCH", b"PUT", b"HEAD"]


@pytest.mark.parametrize(
    ("method", "status", "own", "is_transient"),
    [
        ("PATCH", 502, NetworkError, True),
        ("PATCH", 429, LimitError, True),
        ("PATCH", 413, LimitError, False),
        ("PUT", 503, NetworkError, True),
        ("POST", 404, NotFoundError, False),
        ("POST", 200, ProtocolError, False),
    ],
)
def test_a_body_is_sent_once_and_the_error_says_whether_to_begin_again(
    registry: FakeRegistry, method: str, status: int, own: type[StoreError], is_transient: bool
) -> None:
    """UPL-11, UPL-13, UPL-14."""
    registry.script(method, UPLOADS, status=status)
    with open_repository(registry) as repository, pytest.raises(own) as raised:
        repository.push_blob(BLOB, Source(DATA))
    assert raised.value.is_transient is is_transient
    assert raised.value.status == status
    assert len(registry.log.entries("PATCH")) <= 1


@pytest.mark.parametrize("mount_from", [None, "n"])
def test_a_post_that_fails_is_sent_again_by_who_copies_the_blob(registry: FakeRegistry, mount_from: str | None) -> None:
    """UPL-13, and decisions 32: one attempt is one POST."""
    registry.script("POST", UPLOADS, status=500, times=2)
    neighbour = make_repository(registry.host, mount_from) if mount_from else None
    with open_repository(registry) as repository:
        with pytest.raises(NetworkError) as raised:
            repository.push_blob(BLOB, Source(DATA), neighbour)
        assert raised.value.is_transient
        assert len(registry.log) == 1
        copy = BlobCopy(repository, Meter(), Cancellation())
        assert copy.run(replace(BLOB, data=DATA), repository, neighbour) is Pushed.UPLOADED
    assert len(registry.log.entries("POST")) == 3


def test_a_look_for_what_arrived_is_taken_once(registry: FakeRegistry) -> None:
    """UPL-07, and decisions 32."""
    registry.script("PUT", UPLOADS, status=504)
    registry.script("HEAD", BLOBS, status=503)
    with open_repository(registry) as repository, pytest.raises(NetworkError, match="504") as raised:
        repository.push_blob(BLOB, Source(DATA))
    assert raised.value.is_transient
    assert len(registry.log.entries("HEAD")) == 1


def test_a_session_that_failed_is_taken_back(registry: FakeRegistry) -> None:
    registry.script("PUT", UPLOADS, status=400, body=b'{"errors":[{"code":"DIGEST_INVALID"}]}')
    with open_repository(registry) as repository, pytest.raises(IntegrityError):
        repository.push_blob(BLOB, Source(DATA))
    assert registry.log.lines()[-1] == f"DELETE {SESSION} 204"


@pytest.mark.parametrize("data", [DATA[:-1], DATA + b"x", b""])
def test_a_source_of_another_length_is_never_committed(registry: FakeRegistry, data: bytes) -> None:
    """BLB-07."""
    with open_repository(registry) as repository:
        with pytest.raises(IntegrityError):
            repository.push_blob(BLOB, Source(data))
        assert not repository.has_blob(BLOB)
    assert registry.log.entries("PUT") == []


def test_an_error_of_the_source_is_raised_as_it_is(registry: FakeRegistry) -> None:
    failure = NotFoundError("source is gone")

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield DATA[:10]
            raise failure

        yield pieces()

    with open_repository(registry) as repository, pytest.raises(NotFoundError) as raised:
        repository.push_blob(BLOB, read)
    assert raised.value is failure


def test_a_cancelled_upload_takes_its_session_back(registry: FakeRegistry) -> None:
    """UPL-12."""
    cancellation = Cancellation()

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield DATA[:10]
            cancellation.cancel()
            yield DATA[10:]

        yield pieces()

    with open_repository(registry, cancellation=cancellation) as repository, pytest.raises(Cancelled):
        repository.push_blob(BLOB, read)
    assert [entry.method for entry in registry.log.entries("DELETE")] == ["DELETE"]


def test_an_upload_that_hangs_is_woken_by_shutting_down() -> None:
    """UPL-12: a PUT that never answers; decisions 29."""
    hanging = threading.Event()

    def play(opened: socket.socket) -> None:
        while request := read_all(opened, 0):
            if request.startswith(b"PUT"):
                hanging.set()
                opened.recv(1)
                return
            while request.startswith(b"PATCH") and not request.endswith(DATA):
                request += opened.recv(65536)
            opened.sendall(answer(b"", "202 Accepted", "Location: /u"))

    cancellation = Cancellation()
    outcomes: list[ImagesyncError] = []
    with WireServer(play) as server, open_registries(cancellation=cancellation) as registries:
        repository = registries.repository(make_repository(server.host, "a/b"))

        def push() -> None:
            try:
                repository.push_blob(BLOB, Source(DATA))
            except ImagesyncError as error:
                outcomes.append(error)

        thread = threading.Thread(target=push)
        thread.start()
        assert hanging.wait(5)
        begun = time.monotonic()
        cancellation.cancel()
        registries.shutdown()
        thread.join(10)
        assert time.monotonic() - begun < 2
    assert [type(error) for error in outcomes] == [Cancelled]


def test_a_blob_of_a_neighbour_is_mounted(registry: FakeRegistry) -> None:
    """MNT-01."""
    source = Source(DATA)
    with open_registries() as registries:
        neighbour = make_repository(registry.host, "n")
        registries.repository(neighbour).push_blob(BLOB, Source(DATA))
        registry.log.clear()
        repository = registries.repository(make_repository(registry.host, "a/b"))
        assert repository.push_blob(BLOB, source, neighbour) is Pushed.MOUNTED
        assert repository.has_blob(BLOB)
    (post,) = registry.log.entries("POST")
    assert post.query == f"mount={BLOB.digest}&from=n"
    assert source.opened == 0


def test_a_mount_answered_with_a_session_uploads_to_that_session(registry: FakeRegistry) -> None:
    """MNT-02: the neighbour lacks the blob."""
    with open_repository(registry) as repository:
        assert repository.push_blob(BLOB, Source(DATA), make_repository(registry.host, "n")) is Pushed.UPLOADED
    assert len(registry.log.entries("POST")) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_refused_mount_is_a_plain_upload_and_not_asked_for_again(registry: FakeRegistry, status: int) -> None:
    """MNT-03."""
    registry.script("POST", UPLOADS, status=status, times=1)
    neighbour = make_repository(registry.host, "n")
    with open_repository(registry) as repository:
        assert repository.push_blob(BLOB, Source(DATA), neighbour) is Pushed.UPLOADED
        assert repository.push_blob(make_blob(b"2"), Source(b"2"), neighbour) is Pushed.UPLOADED
    assert [bool(entry.query) for entry in registry.log.entries("POST", UPLOADS)] == [True, False, False]


def test_nothing_is_mounted_from_another_registry_or_from_itself(registry: FakeRegistry) -> None:
    """MNT-05."""
    with open_repository(registry) as repository:
        repository.push_blob(BLOB, Source(DATA), make_repository("other.example", "n"))
        repository.push_blob(BLOB, Source(DATA), repository.repository)
    assert {entry.query for entry in registry.log.entries("POST")} == {""}


def make_login(user: str, password: str) -> RegistrySettings:
    login = Password(Secret.literal(user), Secret.literal(password))
    return RegistrySettings(auth=Auth(login, login), tls=Tls(TlsMode.DISABLED))


def test_a_token_serves_a_whole_upload_and_a_mount_gets_its_own(make_registry: MakeRegistry) -> None:
    """AUTH-10 and decisions 3: one 401, then one token for each access."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        neighbour = make_repository(registry.host, "n")
        registries.repository(neighbour).push_blob(BLOB, Source(DATA))
        repository = registries.repository(make_repository(registry.host, "a/b"))
        assert repository.push_blob(BLOB, Source(DATA), neighbour) is Pushed.MOUNTED
    refused = [entry for entry in registry.log.entries() if entry.status == 401]
    assert len(refused) == 1
    assert len(registry.log.entries("GET")) == 2, "two tokens"


def test_a_login_that_runs_out_in_the_middle_is_worth_a_new_attempt(make_registry: MakeRegistry) -> None:
    """AUTH-07."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    challenge = f'Bearer realm="{registry.url}/token",service="x",error="invalid_token"'
    registry.script("PATCH", status=401, headers={"WWW-Authenticate": challenge}, times=1)
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        repository = registries.repository(make_repository(registry.host, "a/b"))
        with pytest.raises(AuthenticationError) as raised:
            repository.push_blob(BLOB, Source(DATA))
        assert raised.value.is_transient
        assert repository.push_blob(BLOB, Source(DATA)) is Pushed.UPLOADED
