"""Where a registry may send us: rules by address, and no connection where they refuse. S2, S3, S4, S5."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from imagesync.cancellation import Cancellation
from imagesync.errors import NotFoundError, ProtocolError, TlsError
from imagesync.log import Level, log
from imagesync.reference import Tag, make_repository
from imagesync.registry import Registries, RemoteRepository
from imagesync.registry.connection import Connections, Waits
from imagesync.registry.guard import Guard
from imagesync.registry.origin import Origin
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Settings, Tls
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.names import Names
from tests.fakes.registry import FakeRegistry
from tests.registry.remote import PLAIN, QUICK, Source, make_blob
from tests.registry.wire import WireServer, answer, read_head

PUBLIC, PRIVATE, LOOPBACK, LINK_LOCAL = "93.184.216.34", "10.0.0.7", "127.0.0.1", "169.254.169.254"
BLOB = make_blob(b"a layer")


@dataclass
class World:
    """A registry at an address of the test's choice, and another server that it names."""

    registry: FakeRegistry
    other: FakeRegistry
    names: Names = field(default_factory=Names)
    allowed: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    auth: Auth = Auth()  # noqa: RUF009 - a frozen value

    def __post_init__(self) -> None:
        self.names.add("registry.example", [PUBLIC])

    @property
    def named(self) -> str:
        """The other server's name, as the registry writes it."""
        return f"other.example:{self.other.host.rpartition(':')[2]}"

    @property
    def name(self) -> str:
        return f"registry.example:{self.registry.host.rpartition(':')[2]}"

    @contextmanager
    def repository(self) -> Iterator[RemoteRepository]:
        host = (self.name, RegistrySettings(token_realm_allow=self.allowed, auth=self.auth))
        registries = Registries(
            Settings(patterns=(("*", PLAIN),), hosts=(host,)),
            Cancellation(),
            environment={"HOME": "/nonexistent", **self.environment},
            policy=QUICK,
            find=self.names,
        )
        try:
            yield registries.repository(make_repository(self.name, "a/b"))
        finally:
            registries.close()

    def fetch(self) -> bytes:
        """A blob, which the registry has at the other server."""
        self.registry.script("GET", "/blobs/", status=307, headers={"Location": f"http://{self.named}/stored?sig=x"})
        self.other.script("GET", "/stored", status=200, body=b"a layer")
        with self.repository() as repository:
            return read(repository)

    def log_in(self) -> None:
        """A manifest, for which the registry wants a token of the other server."""
        challenge = f'Bearer realm="http://{self.named}/token",service="x"'
        self.registry.script("", "/v2/", status=401, headers={"WWW-Authenticate": challenge})
        with self.repository() as repository:
            repository.resolve(Tag("1"))


def read(repository: RemoteRepository) -> bytes:
    with repository.fetch_blob(BLOB) as pieces:
        return b"".join(pieces)


@pytest.fixture
def world(make_registry: MakeRegistry) -> World:
    return World(make_registry(), make_registry())


REFUSED = [
    (PUBLIC, PRIVATE, "private"),
    (PUBLIC, LOOPBACK, "loopback"),
    (PUBLIC, "::ffff:127.0.0.1", "loopback"),
    (PRIVATE, LOOPBACK, "loopback"),
]
NEVER = [(PUBLIC, LINK_LOCAL), (PRIVATE, LINK_LOCAL), (LOOPBACK, LINK_LOCAL), (LOOPBACK, "fd00:ec2::254")]
TAKEN = [(PUBLIC, PUBLIC), (PRIVATE, PRIVATE), (PRIVATE, PUBLIC), (LOOPBACK, LOOPBACK), (LOOPBACK, PRIVATE)]


@pytest.mark.parametrize(("own", "named", "word"), REFUSED)
def test_storage_that_is_nearer_than_its_registry_is_refused_unasked(
    world: World, own: str, named: str, word: str
) -> None:
    """BLB-03, S4: and the error says what leads where, and what to set."""
    world.names.add("registry.example", [own])
    world.names.add("other.example", [named])
    with pytest.raises(ProtocolError, match=f"Location leads to {world.named} at {named}") as raised:
        world.fetch()
    assert f"({word}), and {world.name} is " in raised.value.message
    assert f'  {world.name}:\n    token_realm_allow: ["{world.named}"]' in (raised.value.hint or "")
    assert raised.value.operation == "GET blob"
    assert not raised.value.is_transient
    assert len(world.other.log) == 0


@pytest.mark.parametrize(("own", "named", "word"), REFUSED)
def test_a_token_server_that_is_nearer_than_its_registry_is_refused_unasked(
    world: World, own: str, named: str, word: str
) -> None:
    """AUTH-13, S2: a name, and so no literal that could be looked through."""
    world.names.add("registry.example", [own])
    world.names.add("other.example", [named])
    with pytest.raises(ProtocolError, match=f"token realm leads to {world.named} at {named} .{word}"):
        world.log_in()
    assert len(world.other.log) == 0


@pytest.mark.parametrize(("own", "named"), NEVER)
def test_what_gives_out_a_machines_own_logins_is_named_by_nobody(world: World, own: str, named: str) -> None:
    """AUTH-13: nothing lifts it, and so no hint says how."""
    world.allowed = (world.named,)
    world.names.add("registry.example", [own])
    world.names.add("other.example", [named])
    for ask in (world.fetch, world.log_in):
        with pytest.raises(ProtocolError, match="which no registry may name: refused") as raised:
            ask()
        assert raised.value.hint is None
    assert len(world.other.log) == 0


@pytest.mark.parametrize(("own", "named"), TAKEN)
def test_storage_that_is_as_far_as_its_registry_is_asked(world: World, own: str, named: str) -> None:
    world.names.add("registry.example", [own])
    world.names.add("other.example", [named])
    assert world.fetch() == b"a layer"
    (entry,) = world.other.log.entries()
    assert entry.headers["Host"] == world.named
    assert not entry.has_authorization


@pytest.mark.parametrize("with_port", [True, False])
def test_a_server_that_the_user_allows_is_asked_wherever_it_is(world: World, with_port: bool) -> None:
    world.allowed = (world.named if with_port else "other.example",)
    world.names.add("other.example", [LOOPBACK])
    assert world.fetch() == b"a layer"


def test_another_port_than_the_one_that_is_allowed_is_refused(world: World) -> None:
    world.allowed = ("other.example:1",)
    world.names.add("other.example", [LOOPBACK])
    with pytest.raises(ProtocolError, match="refused"):
        world.fetch()


def test_one_bad_address_among_good_ones_is_enough(world: World) -> None:
    world.names.add("other.example", [PUBLIC, PRIVATE])
    with pytest.raises(ProtocolError, match=f"at {PRIVATE}"):
        world.fetch()
    assert len(world.other.log) == 0


def test_a_name_is_looked_up_once_for_a_connection(world: World) -> None:
    """DNS rebinding: what is said the second time is never connected to."""
    world.names.add("other.example", [PUBLIC], [LOOPBACK])
    assert world.fetch() == b"a layer"
    assert world.names.asked.count("other.example") == 1


def test_a_registry_comes_no_nearer_by_another_answer_of_its_name(world: World) -> None:
    """It was public once: that it says it is on loopback now opens no loopback to it."""
    guard = Guard("registry.example", Origin.of("https", "registry.example"))
    for ip in (PUBLIC, LOOPBACK):
        guard.watch(Origin.of("https", "registry.example"), "Location").reached(ip)
    with pytest.raises(ProtocolError, match=r"registry\.example is public"):
        guard.watch(Origin.of("https", "other.example"), "Location").check([LOOPBACK])


def test_an_idle_connection_of_another_registry_is_no_way_round() -> None:
    def play(opened: object) -> None:
        while read_head(opened):  # type: ignore[arg-type]
            opened.sendall(answer())  # type: ignore[attr-defined]

    guard = Guard("registry.example", Origin.of("http", "registry.example"))
    with WireServer(play) as server:
        origin = Origin.of("http", server.host)
        connections = Connections({}, lambda _origin: Tls())
        connections.release(connections.open(origin, Waits(5, 5, 5)))
        with pytest.raises(ProtocolError, match=r"127\.0\.0\.1"):
            connections.acquire(origin, Waits(5, 5, 5), guard.watch(origin, "Location"))
        connections.close()


def test_the_registrys_own_host_may_be_anywhere(world: World) -> None:
    """At another port too: the spec names the host."""
    world.names.add("registry.example", [PUBLIC], [LINK_LOCAL])
    location = f"http://registry.example:{world.other.host.rpartition(':')[2]}/stored"
    world.registry.script("GET", "/blobs/", status=307, headers={"Location": location})
    world.other.script("GET", "/stored", status=200, body=b"a layer")
    with world.repository() as repository:
        assert read(repository) == b"a layer"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "localhost.", "[::ffff:127.0.0.1]", "127.1"]
)
def test_odd_spellings_of_loopback_are_refused(world: World, host: str) -> None:
    """AUTH-13: the system looks them up as it does names."""
    location = f"http://{host}:{world.other.host.rpartition(':')[2]}/stored"
    world.registry.script("GET", "/blobs/", status=307, headers={"Location": location})
    world.names.add("localhost.", [LOOPBACK])  # not every system knows it
    with pytest.raises(ProtocolError, match="loopback"), world.repository() as repository:
        read(repository)
    assert len(world.other.log) == 0


@pytest.mark.parametrize("header", ["Location", "Link"])
def test_an_upload_or_a_list_leads_to_no_nearer_server(world: World, header: str) -> None:
    """UPL-03, TAG-03, S3, S5: an upload may go elsewhere by TLS alone, a list not at all."""
    world.names.add("other.example", [LOOPBACK])
    elsewhere = f"https://{world.named}/x"
    world.registry.script("POST", "/uploads/", status=202, headers={"Location": elsewhere})
    world.registry.script("GET", "/tags/list", status=200, body=b"{}", headers={"Link": f'<{elsewhere}>; rel="next"'})
    with world.repository() as repository:
        ask = partial(repository.push_blob, BLOB, Source(b"a layer")) if header == "Location" else repository.list_tags
        with pytest.raises(ProtocolError, match="refused"):
            ask()
    assert len(world.other.log) == 0


def test_behind_a_proxy_literals_are_looked_at_and_names_are_not(world: World) -> None:
    """The proxy looks names up, and the registry's own: of that one nothing is known, so it counts as public."""
    heads: list[bytes] = []

    def relay(opened: object) -> None:
        head = read_head(opened)  # type: ignore[arg-type]
        heads.append(head)
        place = "http://other.example/stored" if len(heads) < 3 else "http://0x7f.1/stored"
        is_last = b"/stored" in head.partition(b"\r\n")[0]
        said = answer(b"a layer") if is_last else answer(b"", "307 Temporary Redirect", f"Location: {place}")
        opened.sendall(said)  # type: ignore[attr-defined]

    with WireServer(relay) as proxy:
        world.environment["http_proxy"] = f"http://{proxy.host}"
        with world.repository() as repository:
            assert read(repository) == b"a layer"
            with pytest.raises(ProtocolError, match=r"0x7f\.1 at 127\.0\.0\.1 \(loopback\)"):
                read(repository)
    assert "registry.example" not in world.names.asked
    assert len(heads) == 3, "the proxy was not asked for what is refused"


def test_a_login_goes_to_a_token_server_on_another_host_and_cookies_go_nowhere(world: World) -> None:
    """AUTH-12, SEC-02: it is told once that tokens come from there."""
    login = Password(Secret.literal("user"), Secret.literal("hunter2"))
    world.auth = Auth(login, login)
    world.names.add("other.example", [PUBLIC])
    challenge = f'Bearer realm="http://{world.named}/token",service="x"'
    headers = {"WWW-Authenticate": challenge, "Set-Cookie": "session=secret; Path=/"}
    for skip in (0, 1):  # the token is not taken the second time
        world.registry.script("HEAD", status=401, headers=headers, skip=skip, times=1)
    for body, times in ((b'{"token": "t1"}', 1), (b'{"token": "t2"}', None)):
        cookie = {"Set-Cookie": "other=secret"}
        world.other.script("GET", "/token", status=200, body=body, headers=cookie, times=times)
    stream = io.StringIO()
    log.configure(Level.INFO, stream=stream)
    try:
        with world.repository() as repository:
            for _ in range(2):
                with pytest.raises(NotFoundError):
                    repository.resolve(Tag("1"))
    finally:
        log.configure(Level.WARNING)
    assert [entry.headers["Authorization"][:6] for entry in world.other.log.entries()] == ["Basic "] * 2
    assert world.registry.log.entries()[-1].headers["Authorization"] == "Bearer t2"
    assert not [
        entry for log in (world.registry.log, world.other.log) for entry in log.entries() if "Cookie" in entry.headers
    ]
    assert stream.getvalue().count("tokens come from another host") == 1
    assert "hunter2" not in stream.getvalue()


def test_the_certificate_and_the_host_header_stay_the_names(world: World, certificates: Certificates) -> None:
    """What is connected to is an address; who has to be there is a name."""
    world.environment["SSL_CERT_FILE"] = str(certificates.ca)
    storage = FakeRegistry(tls=certificates.server)
    with storage:
        port = storage.host.rpartition(":")[2]
        storage.script("GET", "/stored", status=200, body=b"a layer")
        for name in ("localhost", "other.example"):
            world.names.add(name, [PUBLIC])
            world.registry.script(
                "GET", "/blobs/", status=307, headers={"Location": f"https://{name}:{port}/stored"}, times=1
            )
        with world.repository() as repository:
            assert read(repository) == b"a layer"
            with pytest.raises(TlsError, match=r"other\.example"):
                read(repository)
        assert [entry.headers["Host"] for entry in storage.log.entries()] == [f"localhost:{port}"]
