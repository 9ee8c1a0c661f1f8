"""Logging in, against a registry and a token server that are answered from memory."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import pytest

from imagesync.errors import AuthenticationError, LimitError, NetworkError, ProtocolError, StoreError
from imagesync.registry.auth import REFUSED_SECONDS, Authorizer, Scope
from imagesync.registry.credential import Credential
from imagesync.registry.headers import Headers
from imagesync.registry.message import Request, Response
from imagesync.registry.origin import parse_address
from imagesync.registry.token import MAX_ANSWER_BYTES, merged_scopes, parse_token
from imagesync.settings import Secret
from tests.secrets import IDENTITY_TOKEN, PASSWORD, REGISTRY_TOKEN

HOST = "registry.example"
ORIGIN = f"https://{HOST}"
REALM = "https://auth.example/token"
MANIFEST = f"{ORIGIN}/v2/a/b/manifests/1"
PULL = (Scope("a/b", ("pull",)),)
PUSH = (Scope("a/b", ("pull", "push")),)
LOGIN = Credential("user", Secret.literal(PASSWORD), None, "the test's login")
BASIC = "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode()
IDENTITY = Credential("", None, Secret.literal(IDENTITY_TOKEN), "the test's token")

Handler = Callable[[Request], Response]


def make_response(
    status: int, headers: Iterable[tuple[str, str]] = (), *, body: str | bytes | Generator[bytes, None, None] = b""
) -> Response:
    def pieces(whole: bytes) -> Generator[bytes, None, None]:
        yield whole

    raw = body.encode() if isinstance(body, str) else body
    return Response(status, Headers(headers), pieces(raw) if isinstance(raw, bytes) else raw)


def query_of(request: Request) -> str:
    return request.address.target.partition("?")[2]


def login_of(request: Request) -> str | None:
    """The Authorization header that a request is sent with."""
    return request.authorization.reveal() if request.authorization else None


def decoded(basic: str | None) -> str:
    """User and password in a header."""
    return base64.b64decode((basic or "").removeprefix("Basic ")).decode()


def make_bearer(scope: str = "repository:a/b:pull", realm: str = REALM, more: str = "") -> str:
    return f'Bearer realm="{realm}",service="registry.example",scope="{scope}"{more}'


@dataclass
class Net:
    """A registry that takes Bearer tokens, its token server, and a list of all requests."""

    challenge: list[str] = field(default_factory=lambda: [make_bearer()])
    login: Credential | None = LOGIN
    requests: list[Request] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    """The Authorization header of each request to the registry, in turn."""
    good: set[str] = field(default_factory=set)
    """Authorization headers that the registry takes."""
    token_answer: Handler | None = None
    registry_answer: Handler | None = None
    now: float = 1000.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.authorizer = Authorizer(
            HOST,
            origin=ORIGIN,
            credentials=lambda _path, _push: self.login,
            send=self.answer,
            clock=lambda: self.now,
        )

    def answer(self, request: Request) -> Response:
        with self.lock:
            self.requests.append(request)
            if request.address.origin.host == HOST:
                self.logins.append(login_of(request))
        if request.address.origin.host == HOST:
            return (self.registry_answer or self.answer_registry)(request)
        return (self.token_answer or self.answer_token)(request)

    def answer_registry(self, request: Request) -> Response:
        if login_of(request) in self.good:
            return make_response(200)
        return make_response(401, [("WWW-Authenticate", value) for value in self.challenge])

    def answer_token(self, request: Request) -> Response:
        with self.lock:
            token = f"token{len(self.good)}"
            self.good.add(f"Bearer {token}")
        return make_response(200, body=json.dumps({"token": token, "expires_in": 300}))

    def get(self, scopes: tuple[Scope, ...] = PULL, *, push: bool = False, url: str = MANIFEST) -> Response:
        request = Request("GET", parse_address(url), "ask")
        return self.authorizer.logged_in(request, self.answer, scopes=scopes, push=push)

    def patch(self) -> Response:
        """Send a body that cannot be sent again."""
        address = parse_address(f"{ORIGIN}/v2/a/b/blobs/uploads/1")
        request = Request("PATCH", address, "ask", {"Content-Length": "4"}, iter([b"body"]))
        return self.authorizer.logged_in(request, self.answer, scopes=PUSH, push=True)

    def token_requests(self) -> list[Request]:
        return [request for request in self.requests if request.address.origin.host != HOST]


@pytest.fixture
def net() -> Net:
    return Net()


def test_a_registry_that_asks_for_nothing_is_sent_nothing(net: Net) -> None:
    """AUTH-01."""
    net.registry_answer = lambda _: make_response(200)
    assert net.get().status == 200
    assert net.logins == [None]
    assert net.token_requests() == []
    assert str(net.authorizer.describe(PULL)) == "no login, the registry asked for none"


def test_basic_is_sent_when_asked_for_and_ahead_from_then_on(net: Net) -> None:
    """AUTH-02."""
    net.challenge, net.good = ['Basic realm="r"'], {BASIC}
    assert [net.get().status, net.get().status] == [200, 200]
    assert net.logins == [None, BASIC, BASIC]


def test_a_wrong_password_is_tried_once(net: Net) -> None:
    """AUTH-02: and not again for the next request, until a while has passed."""
    net.challenge = ['Basic realm="r"']
    for _ in range(3):
        assert net.get().status == 401
        assert str(net.authorizer.describe(PULL)) == "the test's login, basic"
    assert net.logins.count(BASIC) == 1
    net.now += REFUSED_SECONDS
    net.get()
    assert net.logins.count(BASIC) == 2


def test_a_password_that_changed_meanwhile_is_found(net: Net) -> None:
    net.challenge, net.good = ['Basic realm="r"'], {BASIC}
    net.get()
    net.login, net.good = Credential("user", Secret.literal("new")), {"Basic " + base64.b64encode(b"user:new").decode()}
    assert net.get().status == 200


def test_basic_goes_to_no_other_origin(net: Net) -> None:
    """AUTH-02, S16: another host, port or scheme is another origin."""
    net.challenge, net.good = ['Basic realm="r"'], {BASIC}
    net.get()
    for url in (
        "https://other.example/v2/",
        f"{ORIGIN}:8443/v2/",
        f"http://{HOST}/v2/",
        "https://evilregistry.example/",
    ):
        net.get(url=url)
        assert login_of(net.requests[-1]) is None


def test_one_token_is_asked_for_with_the_exact_scope(net: Net) -> None:
    """AUTH-03."""
    assert net.get(PUSH, push=True).status == 200
    [request] = net.token_requests()
    assert request.method == "GET"
    assert parse_qs(query_of(request)) == {
        "service": ["registry.example"],
        "scope": ["repository:a/b:pull,push"],
    }
    assert login_of(request) == BASIC
    assert net.logins == [None, "Bearer token0"]


def test_bearer_is_preferred_over_basic(net: Net) -> None:
    """AUTH-04."""
    net.challenge = ["Negotiate", 'Basic realm="r"', make_bearer()]
    assert net.get().status == 200
    assert net.logins[-1] == "Bearer token0"


def test_later_scopes_get_their_token_ahead_of_the_request(net: Net) -> None:
    net.get()
    assert net.get((Scope("c/d", ("pull",)),), url=f"{ORIGIN}/v2/c/d/manifests/1").status == 200
    assert net.logins == [None, "Bearer token0", "Bearer token1"]
    assert parse_qs(query_of(net.token_requests()[1]))["scope"] == ["repository:c/d:pull"]


def test_reading_and_writing_have_their_own_identities(net: Net) -> None:
    seen: list[tuple[str, bool]] = []

    def find(path: str, push: bool) -> Credential:
        seen.append((path, push))
        return Credential("writer" if push else "reader", Secret.literal("x"))

    authorizer = Authorizer(HOST, origin=ORIGIN, credentials=find, send=net.answer)
    for push in (False, True):
        authorizer.logged_in(Request("GET", parse_address(MANIFEST), "ask"), net.answer, scopes=PULL, push=push)
    users = [decoded(login_of(r)) for r in net.token_requests()]
    assert users == ["reader:x", "writer:x"]
    assert seen == [("a/b", False), ("a/b", True)]


@pytest.mark.parametrize("answer", [{"token": "t"}, {"access_token": "t"}, {"token": "t", "access_token": "t"}])
def test_either_name_of_a_token_is_read(answer: dict[str, str]) -> None:
    """AUTH-05."""
    assert parse_token(json.dumps(answer).encode()).text.reveal() == "t"


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"token": 1}', b'{"token": "a\\r\\nX: y"}', b"<html>", b"[" * 9999, b""]
)
def test_an_answer_without_a_usable_token_is_an_error(net: Net, body: bytes) -> None:
    """AUTH-05, AUTH-14."""
    net.token_answer = lambda _: make_response(200, body=body)
    with pytest.raises(ProtocolError, match="token server's answer"):
        net.get()


@pytest.mark.parametrize("lifetime", [None, 0, 5, -1, "300", True, float("nan")])
def test_a_token_is_good_for_a_minute_at_least(net: Net, lifetime: object) -> None:
    """AUTH-06: whatever the server says, and whatever its clock says in `issued_at`."""
    answer = {"token": "t", "expires_in": lifetime, "issued_at": "2001-01-01T00:00:00Z"}
    net.good = {"Bearer t"}
    net.token_answer = lambda _: make_response(200, body=json.dumps(answer))
    assert parse_token(json.dumps(answer).encode()).lifetime_seconds == 60
    net.get()
    net.now += 49
    net.get()
    assert len(net.token_requests()) == 1
    net.now += 2
    net.get()
    assert len(net.token_requests()) == 2


@pytest.mark.parametrize(("lifetime", "usable"), [(60, 50), (100, 90), (300, 270), (10**400, 86400 * 0.9)])
def test_a_token_is_renewed_early(lifetime: int, usable: float) -> None:
    assert parse_token(json.dumps({"token": "t", "expires_in": lifetime}).encode()).usable_seconds == usable


def test_a_token_that_the_registry_rejects_is_renewed_once(net: Net) -> None:
    net.get()
    net.good.clear()
    net.good.add("something else")
    assert net.get().status == 200
    assert len(net.token_requests()) == 2


def test_a_body_that_cannot_be_sent_again_gets_its_401_back_and_the_next_one_a_fresh_token(net: Net) -> None:
    """AUTH-07, the part that is auth's."""
    net.get(PUSH, push=True)
    net.good.clear()
    net.good.add("something else")
    assert net.patch().status == 401
    assert net.patch().status == 200


def test_a_registry_that_takes_no_token_is_asked_twice_and_no_more(net: Net) -> None:
    """AUTH-08."""
    net.registry_answer = lambda _: make_response(401, [("WWW-Authenticate", make_bearer())])
    assert net.get().status == 401
    assert len(net.requests) == 3
    assert net.get().status == 401
    assert len(net.requests) == 6  # the known token, a fresh one, and the request with it


def test_twenty_workers_share_one_token(net: Net) -> None:
    """AUTH-09."""
    ready = threading.Barrier(20)

    def work(_: int) -> int:
        ready.wait(10)
        return net.get().status

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(work, range(20))) == [200] * 20
    assert len(net.token_requests()) == 1


def test_workers_that_wait_for_a_token_share_its_failure(net: Net) -> None:
    ready = threading.Barrier(8)

    def refuse(request: Request) -> Response:
        time.sleep(0.3)  # the others come for the token meanwhile
        return make_response(503)

    def work(_: int) -> type[BaseException]:
        ready.wait(10)
        with pytest.raises(NetworkError) as caught:
            net.get()
        return caught.type

    net.token_answer = refuse
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [NetworkError] * 8
    assert len(net.token_requests()) < 4  # a worker that the machine holds up asks again


def test_a_wider_scope_that_is_asked_for_is_merged_behind_the_needed_one(net: Net) -> None:
    """AUTH-10: and asked for ahead the next time."""
    net.challenge = [make_bearer("repository:a/b:pull,push repository:c/d:pull", more=',error="insufficient_scope"')]
    assert net.get(PUSH, push=True).status == 200
    wanted = ["repository:a/b:pull,push", "repository:c/d:pull"]
    assert parse_qs(query_of(net.token_requests()[0]))["scope"] == wanted
    net.get(PUSH, push=True)
    assert net.logins == [None, "Bearer token0", "Bearer token0"]


def test_scopes_of_one_repository_are_merged_into_one() -> None:
    merged = merged_scopes(["repository:h:5000/a:pull"], ["repository:b:pull", "repository:h:5000/a:push,pull"])
    assert merged == ("repository:h:5000/a:pull,push", "repository:b:pull")


def test_an_identity_token_is_exchanged_by_a_form(net: Net) -> None:
    net.login = IDENTITY
    assert net.get(PUSH, push=True).status == 200
    [request] = net.token_requests()
    assert request.method == "POST"
    assert login_of(request) is None
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["refresh_token"],
        "service": ["registry.example"],
        "client_id": ["imagesync"],
        "scope": ["repository:a/b:pull,push"],
        "refresh_token": ["identity-secret"],
    }


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_a_token_server_without_the_form_is_asked_by_get(net: Net, status: int) -> None:
    """AUTH-11."""
    net.login = IDENTITY
    by_get = net.answer_token
    net.token_answer = lambda request: make_response(status) if request.method == "POST" else by_get(request)
    assert net.get().status == 200
    assert [request.method for request in net.token_requests()] == ["POST", "GET"]
    assert decoded(login_of(net.token_requests()[1])) == "<token>:identity-secret"


def test_a_registry_token_is_sent_as_it_is(net: Net) -> None:
    net.login, net.good = Credential("", None, None, "a file", Secret.literal(REGISTRY_TOKEN)), {"Bearer ready-made"}
    assert net.get().status == 200
    assert net.token_requests() == []


def test_a_realm_on_another_https_host_is_asked_and_named(net: Net) -> None:
    """AUTH-12."""
    net.get()
    assert login_of(net.token_requests()[0]) == BASIC
    use = net.authorizer.describe(PULL)
    assert use.realm_host == "auth.example"
    assert str(use) == "the test's login, bearer from auth.example for repository:a/b:pull"


def test_the_query_of_a_realm_is_kept(net: Net) -> None:
    net.challenge = [make_bearer(realm=f"{REALM}?tenant=x%2Fy")]
    net.get()
    assert query_of(net.token_requests()[0]).startswith("tenant=x%2Fy&service=registry.example&scope=")


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.example/token",
        "file:///etc/passwd",
        "ftp://auth.example/",
        "//auth.example/token",
        "https://user:hunter3@auth.example/token",
        "https://auth.example/token#fragment",
        "https://auth.example:99999/",
        "https://[::1/",
        "https://auth.example\\@evil.example/",
        "https:///token",
        "https://auth.example/" + "a" * 3000,
    ],
)
def test_a_realm_that_may_not_see_a_login_is_refused_before_anything_is_sent(net: Net, realm: str) -> None:
    """AUTH-13, SEC-03."""
    net.challenge = [f'Bearer realm="{realm.replace(chr(92), chr(92) * 2)}",service="s"']
    for _ in range(2):
        with pytest.raises(ProtocolError, match="realm is refused") as caught:
            net.get()
        assert "hunter" not in str(caught.value)
        assert len(str(caught.value)) < 400
    assert net.token_requests() == []
    assert net.logins == [None, None]


def test_a_token_answer_without_end_is_cut_off(net: Net) -> None:
    """AUTH-14."""
    read = 0

    def endless() -> Generator[bytes, None, None]:
        nonlocal read
        while True:
            read += 65536
            yield b" " * 65536

    net.token_answer = lambda _: make_response(200, body=endless())
    with pytest.raises(ProtocolError, match="over 1048576 bytes"):
        net.get()
    assert read <= MAX_ANSWER_BYTES + 2 * 65536


@pytest.mark.parametrize(
    ("status", "kind"), [(503, NetworkError), (429, LimitError), (404, ProtocolError), (302, ProtocolError)]
)
def test_a_token_server_in_trouble_is_an_error_of_its_kind_and_asked_again_later(
    net: Net, status: int, kind: type[StoreError]
) -> None:
    """AUTH-14."""
    net.token_answer = lambda _: make_response(status, [("Location", "https://elsewhere.example/")])
    with pytest.raises(kind) as caught:
        net.get()
    assert caught.value.status == status
    assert all(request.address.origin.host != "elsewhere.example" for request in net.requests)
    net.token_answer = None
    assert net.get().status == 200


def test_a_401_that_does_not_say_how_is_answered_as_the_ping_says(net: Net) -> None:
    """AUTH-15."""

    def answer(request: Request) -> Response:
        if request.address.path == "/v2/" or login_of(request) is not None:
            return net.answer_registry(request)
        return make_response(401)

    net.registry_answer = answer
    assert net.get().status == 200
    assert [request.address.path for request in net.requests] == [
        "/v2/a/b/manifests/1",
        "/v2/",
        "/token",
        "/v2/a/b/manifests/1",
    ]


def test_a_refused_login_is_an_error_that_names_it_and_never_a_try_without(net: Net) -> None:
    """AUTH-16, SEC-01."""
    net.token_answer = lambda request: make_response(
        401 if login_of(request) is not None else 200, body='{"token": "t"}'
    )
    net.good = {"Bearer t"}
    for _ in range(3):
        with pytest.raises(AuthenticationError) as caught:
            net.get()
    text = str(caught.value)
    for part in ("the test's login", "repository:a/b:pull", "auth.example", "registry.example/a/b"):
        assert part in text
    assert "hunter2" not in text
    assert len(net.token_requests()) == 1


def test_without_a_login_the_token_is_asked_for_anonymously(net: Net) -> None:
    net.login = None
    assert net.get().status == 200
    assert login_of(net.token_requests()[0]) is None


def test_no_login_for_basic_hands_the_401_back(net: Net) -> None:
    net.login, net.challenge = None, ['Basic realm="r"']
    assert net.get().status == 401
    assert net.logins == [None]


def test_a_401_with_a_body_without_end_is_not_read_to_its_end(net: Net) -> None:
    read = 0

    def endless() -> Generator[bytes, None, None]:
        nonlocal read
        while True:
            read += 4096
            yield b"x" * 4096

    def answer(request: Request) -> Response:
        if login_of(request) is not None:
            return net.answer_registry(request)
        return make_response(401, [("WWW-Authenticate", make_bearer())], body=endless())

    net.registry_answer = answer
    assert net.get().status == 200
    assert read < 128 * 1024


def test_no_repr_shows_a_secret(net: Net) -> None:
    """SEC-01."""
    net.get()
    for shown in (
        LOGIN,
        IDENTITY,
        net.authorizer,
        *net.requests,
        net.authorizer.describe(PULL),
        parse_token(b'{"token":"tok"}'),
    ):
        assert not {"hunter2", "identity-secret", "token0", "tok'"} & set(repr(shown).split("'"))
        assert "hunter2" not in repr(shown)
