"""Logins that end or are refused while a run goes on: looked for again, once, and in time."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest

from imagesync.errors import AuthenticationError
from imagesync.registry.auth import Authorizer
from imagesync.registry.credential import Credential
from imagesync.registry.found_logins import FoundLogins
from imagesync.registry.message import Request, Response
from imagesync.settings import Secret
from tests.registry.test_auth import HOST, ORIGIN, Net, login_of, make_response


@pytest.fixture
def net() -> Net:
    return Net()


@dataclass
class Minting:
    """Finds logins that last for an hour, each with a number of its own; a rejected one is made again."""

    net: Net
    made: int = 0
    is_fresh: bool = False

    def find(self, _path: str, _push: bool) -> Credential:
        if not self.is_fresh:
            self.made += 1
            self.is_fresh = True
        return Credential("AWS", Secret.literal(f"pw{self.made}"), usable_until=self.net.now + 3600, reject=self.reject)

    def reject(self) -> bool:
        self.is_fresh = False
        return True


@pytest.fixture
def minting(net: Net) -> Minting:
    made = Minting(net)
    net.authorizer = Authorizer(HOST, origin=ORIGIN, credentials=made.find, send=net.answer, clock=lambda: net.now)
    return made


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()


def test_a_login_that_ends_is_looked_for_again_before_the_registry_refuses_it(net: Net, minting: Minting) -> None:
    net.challenge, net.good = ['Basic realm="r"'], {basic("pw1"), basic("pw2")}
    net.get()
    net.now += 3599
    net.get()
    assert minting.made == 1
    net.now, minting.is_fresh = net.now + 1, False
    assert net.get().status == 200
    assert net.logins == [None, basic("pw1"), basic("pw1"), basic("pw2")]


def test_a_minted_login_that_is_refused_is_made_again_at_once(net: Net, minting: Minting) -> None:
    net.challenge, net.good = ['Basic realm="r"'], {basic("pw1")}
    net.get()
    net.good = {basic("pw2")}
    assert net.get().status == 200
    assert net.logins == [None, basic("pw1"), basic("pw1"), basic("pw2")]


def test_a_minted_login_that_the_token_server_refuses_is_made_again(net: Net, minting: Minting) -> None:
    def answer(request: Request) -> Response:
        return net.answer_token(request) if login_of(request) == basic("pw2") else make_response(401)

    net.token_answer = answer
    with pytest.raises(AuthenticationError):
        net.get()
    assert net.get().status == 200
    assert minting.made == 2


def test_a_refused_login_takes_no_newer_one_with_it(net: Net, minting: Minting) -> None:
    """Two threads are refused with one login: what the first has had made since is not what the second was refused."""
    net.challenge, net.good = ['Basic realm="r"'], {basic("pw1")}
    net.get()
    net.good, is_first = {basic("pw2")}, iter([True])

    def answer(request: Request) -> Response:
        response = net.answer_registry(request)
        if response.status == 401 and next(is_first, False):
            net.get()  # another thread, which is refused as well and comes first
        return response

    net.registry_answer = answer
    assert net.get().status == 200
    assert minting.made == 2


def test_a_login_that_was_looked_up_while_it_was_refused_is_looked_up_again(net: Net) -> None:
    def find(_path: str, _push: bool) -> Credential:
        net.now += 1
        if net.now == 1001:
            logins.refused(("a", False))
        return Credential(f"user at {net.now:g}", Secret.literal("pw"))

    logins = FoundLogins(find, lambda: net.now)
    assert [logins.get(("a", False)) for _ in range(3)] == [
        Credential("user at 1001", Secret.literal("pw")),
        Credential("user at 1002", Secret.literal("pw")),
        Credential("user at 1002", Secret.literal("pw")),
    ]
