"""AUTH-02: a password that is wrong for one repository is wrong for all: it is not tried with each of a thousand."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagesync.errors import AuthenticationError
from imagesync.registry.auth import REFUSED_SECONDS
from imagesync.registry.credential import Credential
from imagesync.registry.message import Request, Response
from imagesync.registry.token import Scope
from imagesync.registry.unproven import MOST_TRIES
from imagesync.settings import Secret
from tests.registry.test_auth import BASIC, HOST, ORIGIN, Net, login_of, make_response

MANY = 20


@pytest.fixture
def net() -> Net:
    return Net(challenge=['Basic realm="r"'])


def ask(net: Net, number: int) -> int:
    return net.get((Scope(f"a/b{number}", ("pull",)),), url=f"{ORIGIN}/v2/a/b{number}/manifests/1").status


def ask_all_at_once(net: Net) -> list[int]:
    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(lambda number: ask(net, number), range(MANY)))


def test_a_wrong_password_is_tried_few_times_however_many_repositories_it_is_for(net: Net) -> None:
    assert [ask(net, number) for number in range(MANY)] == [401] * MANY
    assert net.logins.count(BASIC) == MOST_TRIES
    net.now += REFUSED_SECONDS
    ask(net, 0)
    assert net.logins.count(BASIC) == MOST_TRIES + 1


def test_nor_is_it_by_many_threads_at_once(net: Net) -> None:
    assert ask_all_at_once(net) == [401] * MANY
    assert net.logins.count(BASIC) == MOST_TRIES


def test_nor_at_a_token_server(net: Net) -> None:
    net.challenge = ['Bearer realm="https://auth.example/token",service="s"']

    def refuse(_request: Request) -> Response:
        return make_response(401)

    net.token_answer = refuse

    def outcome(number: int) -> AuthenticationError:
        with pytest.raises(AuthenticationError) as raised:
            ask(net, number)
        return raised.value

    with ThreadPoolExecutor(MANY) as pool:
        errors = list(pool.map(outcome, range(MANY)))
    assert len(net.token_requests()) == MOST_TRIES
    assert {error.status for error in errors} == {401}
    assert {error.reference for error in errors} == {f"{HOST}/a/b{number}" for number in range(MANY)}
    told = [error.message for error in errors if "is not asked again" in error.message]
    assert len(told) == MANY - MOST_TRIES
    assert (
        told[0] == f"the token server refused the test's login {MOST_TRIES} times, and is not asked again for a while"
    )


def test_a_login_that_was_let_in_anywhere_is_tried_with_every_repository(net: Net) -> None:
    """Artifactory says 401 of a repository that a user has no right to."""

    def answer(request: Request) -> Response:
        is_open = login_of(request) == BASIC and request.address.target.startswith("/v2/a/b2/")
        return make_response(200) if is_open else make_response(401, [("WWW-Authenticate", 'Basic realm="r"')])

    net.registry_answer = answer
    assert [ask(net, number) for number in range(MANY)] == [200 if number == 2 else 401 for number in range(MANY)]
    assert net.logins.count(BASIC) == MANY


def test_another_password_is_no_part_of_that(net: Net) -> None:
    for number in range(MOST_TRIES):
        ask(net, number)
    net.login = Credential("user", Secret.literal("new"))
    net.good = {"Basic " + base64.b64encode(b"user:new").decode()}
    assert ask(net, MANY) == 200


def test_many_repositories_of_a_good_password_wait_for_no_turn(net: Net) -> None:
    net.good = {BASIC}
    assert ask_all_at_once(net) == [200] * MANY
    assert net.logins.count(BASIC) == MANY
