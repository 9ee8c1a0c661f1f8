"""Uploads in chunks, and uploads that go on where they were cut: what is sent, what is believed, what is given up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import AuthenticationError, IntegrityError, LimitError, NetworkError, ProtocolError, StoreError
from imagesync.reference import make_repository
from imagesync.registry import Registries, RemoteRepository
from imagesync.registry.habits import UploadHabits, Way
from imagesync.server.auth import TokenAuth
from imagesync.settings import RegistrySettings, Tls, TlsMode
from imagesync.store import CHUNK_BYTES, Pushed
from tests.conftest import MakeRegistry
from tests.fakes.registry import Entry, FakeRegistry
from tests.images import make_bytes
from tests.registry.remote import Source, make_blob, open_registries
from tests.registry.test_upload import make_login
from tests.registry.wire import WireServer, answer, read_head

MIB = 1024 * 1024
DATA = make_bytes("resume", 5 * MIB)
BLOB = make_blob(DATA)
UPLOADS = "/v2/a/b/blobs/uploads/"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cancellation, "wait", lambda self, _seconds: self.check())


def make_source() -> Source:
    return Source(*(DATA[at : at + CHUNK_BYTES] for at in range(0, len(DATA), CHUNK_BYTES)))


@contextmanager
def opened(
    registry: FakeRegistry | WireServer, chunk_bytes: int | None = None
) -> Iterator[tuple[RemoteRepository, UploadHabits]]:
    """A repository, and what is remembered of its registry."""
    settings = RegistrySettings(tls=Tls(TlsMode.DISABLED), chunk_bytes=chunk_bytes)
    with open_registries((registry.host, settings)) as registries:
        yield _opened(registries, registry.host)


def _opened(registries: Registries, host: str) -> tuple[RemoteRepository, UploadHabits]:
    return registries.repository(make_repository(host, "a/b")), registries.client(host).uploads


def places(entries: list[Entry]) -> list[str | None]:
    return [entry.headers.get("Content-Range") for entry in entries]


def test_a_small_blob_is_one_put(registry: FakeRegistry) -> None:
    """UPL-01."""
    data = DATA[:MIB]
    with opened(registry) as (repository, _):
        assert repository.push_blob(make_blob(data), Source(data)) is Pushed.UPLOADED
        assert repository.has_blob(make_blob(data))
    post, put, _ = registry.log.entries()
    assert [post.line, put.line] == [f"POST {UPLOADS} 202", f"PUT {UPLOADS}ID 201"]
    assert (put.bytes_in, put.headers["Content-Type"]) == (MIB, "application/octet-stream")


@pytest.mark.parametrize("status", [400, 404, 405, 411, 415, 501])
def test_a_registry_that_takes_no_body_with_its_put_gets_patch_from_then_on(
    registry: FakeRegistry, status: int
) -> None:
    """UPL-05, the other way round: the source is not read again for it."""
    registry.script("PUT", UPLOADS, status=status, times=1)
    first = Source(b"first")
    with opened(registry) as (repository, habits):
        for data, source in ((b"first", first), (b"second", Source(b"second"))):
            assert repository.push_blob(make_blob(data), source) is Pushed.UPLOADED
            assert repository.has_blob(make_blob(data))
        assert habits.refused == {Way.WHOLE}
    assert [entry.bytes_in for entry in registry.log.entries("PATCH")] == [5, 6]
    assert first.opened == 1
    assert len(registry.log.entries("DELETE")) == 1


def test_a_registry_that_takes_neither_way_says_what_it_said_last(registry: FakeRegistry) -> None:
    registry.script("PUT", UPLOADS, status=405)
    registry.script("PATCH", UPLOADS, status=415)
    with opened(registry) as (repository, habits):
        with pytest.raises(StoreError, match="415"):
            repository.push_blob(make_blob(b"x"), Source(b"x"))
        assert habits.refused == set()
    assert len(registry.log.entries("POST")) == 2


@pytest.mark.parametrize(
    ("answer", "own"),
    [
        ({"status": 400, "body": b'{"errors":[{"code":"DIGEST_INVALID"}]}'}, IntegrityError),
        ({"status": 500}, NetworkError),
    ],
)
def test_a_put_whose_body_may_have_been_overlooked_is_a_patch_in_the_next_attempt(
    registry: FakeRegistry, answer: dict[str, object], own: type[StoreError]
) -> None:
    """UPL-08."""
    registry.script("PUT", UPLOADS, times=1, **answer)  # type: ignore[arg-type]
    with opened(registry) as (repository, _):
        with pytest.raises(own):
            repository.push_blob(make_blob(b"x"), Source(b"x"))
        assert repository.push_blob(make_blob(b"x"), Source(b"x")) is Pushed.UPLOADED
    assert len(registry.log.entries("PATCH")) == 1


def test_a_put_with_a_body_whose_answer_is_lost_is_looked_after(registry: FakeRegistry) -> None:
    """UPL-07."""
    registry.script("PUT", UPLOADS, status=504, is_done=True)
    source = Source(b"x")
    with opened(registry) as (repository, _):
        assert repository.push_blob(make_blob(b"x"), source) is Pushed.UPLOADED
    assert (source.opened, len(registry.log.entries("PUT"))) == (1, 1)


def test_a_blob_above_the_chunk_size_goes_in_chunks(registry: FakeRegistry) -> None:
    """UPL-09: each names its place; the last is what is left, and the source is read once."""
    source = make_source()
    with opened(registry, 2 * MIB) as (repository, _):
        assert repository.push_blob(BLOB, source) is Pushed.UPLOADED
        assert repository.has_blob(BLOB)
    patches = registry.log.entries("PATCH")
    assert places(patches) == ["0-2097151", "2097152-4194303", "4194304-5242879"]
    assert [entry.bytes_in for entry in patches] == [2 * MIB, 2 * MIB, MIB]
    assert registry.log.entries("PUT")[0].bytes_in == 0
    assert source.opened_at == [0]


def test_chunks_need_not_end_where_pieces_do(registry: FakeRegistry) -> None:
    with opened(registry, 1_000_000) as (repository, _):
        repository.push_blob(BLOB, make_source())
        assert repository.has_blob(BLOB)
    assert len(registry.log.entries("PATCH")) == 6


@pytest.mark.parametrize("size_bytes", [2 * MIB, MIB // 2])
def test_a_blob_up_to_the_chunk_size_goes_as_ever(registry: FakeRegistry, size_bytes: int) -> None:
    data = DATA[:size_bytes]
    with opened(registry, 2 * MIB) as (repository, _):
        repository.push_blob(make_blob(data), Source(data))
    assert places(registry.log.entries("PATCH")) == ([None] if size_bytes > MIB else [])


def test_a_small_blob_above_a_small_chunk_size_goes_in_chunks(registry: FakeRegistry) -> None:
    data = DATA[: MIB // 2]
    with opened(registry, MIB // 4) as (repository, _):
        repository.push_blob(make_blob(data), Source(data))
    assert [entry.bytes_in for entry in registry.log.entries("PATCH")] == [MIB // 4] * 2


@pytest.mark.parametrize(("least", "count"), [(str(3 * MIB), 2), (str(99 * MIB), 1), ("junk", 5), (str(MIB // 2), 5)])
def test_no_chunk_is_shorter_than_the_registry_wants(registry: FakeRegistry, least: str, count: int) -> None:
    """UPL-09."""
    registry.script("POST", UPLOADS, headers={"OCI-Chunk-Min-Length": least})
    with opened(registry, MIB) as (repository, _):
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED
    assert len(registry.log.entries("PATCH")) == count


def test_a_least_chunk_makes_no_chunks_where_none_were_asked_for(registry: FakeRegistry) -> None:
    registry.script("POST", UPLOADS, headers={"OCI-Chunk-Min-Length": "1000"})
    with opened(registry) as (repository, _):
        repository.push_blob(BLOB, make_source())
    assert places(registry.log.entries("PATCH")) == [None]


@pytest.mark.parametrize("said", ["0-0", "0--1", "0-99999999", "7-9", ""])
def test_what_a_registry_says_of_a_chunk_that_it_took_is_not_believed(registry: FakeRegistry, said: str) -> None:
    """UPL-10."""
    registry.script("PATCH", UPLOADS, headers={"Range": said})
    with opened(registry, 2 * MIB) as (repository, _):
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED
    assert len(registry.log.entries("PATCH")) == 3


def test_a_chunk_out_of_order_goes_on_where_the_registry_is(registry: FakeRegistry) -> None:
    """UPL-10: it had taken the half of a chunk, whose answer was lost."""
    source = make_source()
    registry.script("PATCH", UPLOADS, status=503, is_done=True, skip=1, times=1)
    registry.script("GET", UPLOADS, status=204, headers={"Range": f"0-{3 * MIB - 1}"}, times=1)
    with opened(registry, 2 * MIB) as (repository, _):
        assert repository.push_blob(BLOB, source) is Pushed.UPLOADED
        assert repository.has_blob(BLOB)
    assert places(registry.log.entries("PATCH")) == [
        "0-2097151",
        "2097152-4194303",
        "3145728-5242879",
        "4194304-5242879",
    ]
    assert registry.log.entries("PATCH")[2].status == 416
    assert source.opened_at == [0, 3 * MIB, 4 * MIB]


@pytest.mark.parametrize("said", ["0--1", "0-0", f"0-{MIB - 1}", f"0-{9 * MIB}", ""])
def test_a_chunk_out_of_order_begins_anew_where_the_registry_is_not_believed(registry: FakeRegistry, said: str) -> None:
    """UPL-10: `0--1`, stuck at the first chunk, past the end."""
    registry.script("PATCH", UPLOADS, status=416, headers={"Range": said}, skip=1, times=1)
    with opened(registry, 2 * MIB) as (repository, habits):
        with pytest.raises(ProtocolError) as raised:
            repository.push_blob(BLOB, make_source())
        assert raised.value.is_transient
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED
        assert habits.resumes
    assert len(registry.log.entries("POST")) == 2
    assert len(registry.log.entries("DELETE")) == 1


def test_a_registry_that_stays_where_it_is_is_not_asked_for_ever(registry: FakeRegistry) -> None:
    """UPL-10: a stuck range."""
    registry.script("PATCH", UPLOADS, status=416, headers={"Range": f"0-{2 * MIB - 1}"}, skip=1)
    with opened(registry, 2 * MIB) as (repository, _), pytest.raises(ProtocolError):
        repository.push_blob(BLOB, make_source())
    assert len(registry.log.entries("PATCH")) == 3


def test_a_whole_upload_that_is_called_out_of_order_is_refused(registry: FakeRegistry) -> None:
    registry.script("PATCH", UPLOADS, status=416)
    with opened(registry) as (repository, _), pytest.raises(ProtocolError) as raised:
        repository.push_blob(BLOB, make_source())
    assert not raised.value.is_transient


def test_a_login_that_runs_out_between_chunks_is_renewed_and_the_upload_goes_on(make_registry: MakeRegistry) -> None:
    """AUTH-07, UPL-10."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    challenge = f'Bearer realm="{registry.url}/token",service="x",error="invalid_token"'
    registry.script("PATCH", status=401, headers={"WWW-Authenticate": challenge}, skip=1, times=1)
    settings = make_login("user", "secret")
    with open_registries(
        (registry.host, RegistrySettings(settings.auth, settings.tls, chunk_bytes=2 * MIB))
    ) as registries:
        repository, _ = _opened(registries, registry.host)
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED
        assert repository.has_blob(BLOB)
    assert [entry.status for entry in registry.log.entries("PATCH")] == [202, 401, 202, 202]
    assert len([entry for entry in registry.log.entries("POST", UPLOADS) if entry.status == 202]) == 1


def test_a_login_that_runs_out_before_anything_came_is_a_new_attempt(make_registry: MakeRegistry) -> None:
    """AUTH-07: nobody asks what arrived."""
    registry = make_registry(auth=TokenAuth({"user": "secret"}))
    challenge = f'Bearer realm="{registry.url}/token",service="x",error="invalid_token"'
    registry.script("PATCH", status=401, headers={"WWW-Authenticate": challenge}, times=1)
    with open_registries((registry.host, make_login("user", "secret"))) as registries:
        repository, _ = _opened(registries, registry.host)
        with pytest.raises(AuthenticationError) as raised:
            repository.push_blob(BLOB, make_source())
    assert raised.value.is_transient
    assert registry.log.entries("GET", UPLOADS) == []


@pytest.mark.parametrize(("chunk_bytes", "said"), [(None, "set `chunk_size:` below it for"), (2 * MIB, "smaller")])
def test_a_body_that_is_too_large_names_the_key_that_helps(
    registry: FakeRegistry, chunk_bytes: int | None, said: str
) -> None:
    """UPL-11."""
    registry.script("PATCH", UPLOADS, status=413)
    with opened(registry, chunk_bytes) as (repository, _), pytest.raises(LimitError) as raised:
        repository.push_blob(BLOB, make_source())
    assert said in (raised.value.hint or "")
    assert registry.host in (raised.value.hint or "")
    assert len(registry.log.entries("PATCH")) == 1


@pytest.mark.parametrize("status", [502, 503])
def test_an_upload_goes_on_after_a_passing_error(registry: FakeRegistry, status: int) -> None:
    """UPL-06: the registry had stored it all."""
    source = make_source()
    registry.script("PATCH", UPLOADS, status=status, is_done=True, times=1)
    with opened(registry) as (repository, _):
        assert repository.push_blob(BLOB, source) is Pushed.UPLOADED
        assert repository.has_blob(BLOB)
    assert len(registry.log.entries("PATCH")) == 1
    assert source.opened == 1


@pytest.mark.parametrize(
    "status", [{"status": 404}, {"status": 204}, {"status": 204, "headers": {"Range": "0-9999999"}}, {"status": 503}]
)
def test_an_upload_of_which_the_registry_knows_nothing_begins_anew(
    registry: FakeRegistry, status: dict[str, object]
) -> None:
    """UPL-06."""
    registry.script("PATCH", UPLOADS, status=502, is_done=True, times=1)
    registry.script("GET", UPLOADS, times=1, **status)  # type: ignore[arg-type]
    with opened(registry) as (repository, _):
        with pytest.raises(NetworkError, match="502"):
            repository.push_blob(BLOB, make_source())
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED
    assert len(registry.log.entries("GET", UPLOADS)) == 1


def test_an_upload_that_came_out_wrong_after_it_went_on_is_the_last_that_did(registry: FakeRegistry) -> None:
    """UPL-06: the registry says that it has a MiB more than it has."""
    registry.script("PATCH", UPLOADS, status=502, times=1)
    registry.script("PATCH", UPLOADS, status=202, times=1)
    registry.script("PATCH", UPLOADS, status=502, times=1)
    registry.script("GET", UPLOADS, status=204, headers={"Range": f"0-{MIB - 1}"})
    with opened(registry) as (repository, habits):
        with pytest.raises(NetworkError) as raised:
            repository.push_blob(BLOB, make_source())
        assert raised.value.is_transient
        assert not habits.resumes
        with pytest.raises(NetworkError):
            repository.push_blob(BLOB, make_source())
    assert len(registry.log.entries("GET", UPLOADS)) == 1


@pytest.mark.parametrize("status", [400, 404, 416])
def test_an_upload_that_cannot_be_ended_after_it_went_on_begins_anew(registry: FakeRegistry, status: int) -> None:
    """UPL-06."""
    registry.script("PATCH", UPLOADS, status=502, is_done=True, times=1)
    registry.script("PUT", UPLOADS, status=status, times=1)
    with opened(registry) as (repository, habits):
        with pytest.raises(NetworkError) as raised:
            repository.push_blob(BLOB, make_source())
        assert raised.value.is_transient
        assert not habits.resumes
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED


@pytest.mark.parametrize("status", [400, 404, 405, 416])
def test_a_registry_that_will_not_be_gone_on_with_is_begun_anew(registry: FakeRegistry, status: int) -> None:
    """UPL-06: Gitea takes no second PATCH, GHCR none above 4 MiB."""
    registry.script("PATCH", UPLOADS, status=502, times=1)
    registry.script("PATCH", UPLOADS, status=status, times=1)
    registry.script("GET", UPLOADS, status=204, headers={"Range": f"0-{MIB - 1}"})
    with opened(registry) as (repository, habits):
        with pytest.raises(StoreError) as raised:
            repository.push_blob(BLOB, make_source())
        assert raised.value.is_transient
        assert not habits.resumes
        assert repository.push_blob(BLOB, make_source()) is Pushed.UPLOADED


def test_an_upload_whose_source_fails_is_not_gone_on_with(registry: FakeRegistry) -> None:
    failure = NetworkError("the source is gone")

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield DATA[: 3 * MIB]
            raise failure

        yield pieces()

    with opened(registry) as (repository, _), pytest.raises(NetworkError) as raised:
        repository.push_blob(BLOB, read)
    assert raised.value is failure
    assert registry.log.entries("GET", UPLOADS) == []


def test_an_upload_that_brought_little_is_a_failed_attempt() -> None:
    """UPL-06: less than 1 MiB; nobody asks."""
    seen: list[bytes] = []
    is_cut = threading.Event()

    def play(opened: socket.socket) -> None:
        while request := read_head(opened):
            seen.append(request.partition(b" ")[0])
            if request.startswith(b"PATCH"):
                break
            opened.sendall(answer(b"", "202 Accepted", "Location: /u"))
        opened.close()
        is_cut.set()

    @contextmanager
    def read(_start: int) -> Iterator[Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            for at in range(0, len(DATA), 1000):
                yield DATA[at : at + 1000]
                is_cut.wait(5)

        yield pieces()

    with WireServer(play) as server, opened(server) as (repository, _), pytest.raises(NetworkError):
        repository.push_blob(BLOB, read)
    assert seen == [b"POST", b"PATCH", b"DELETE"]
