"""Whose login is used at a cloud's registry: a file's, then the cloud's own, then its helper's, then none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagesync.errors import AuthenticationError
from imagesync.log import log
from imagesync.registry.auth import Authorizer
from imagesync.registry.auth_use import AuthUse
from imagesync.registry.credential import Credential
from imagesync.registry.credentials import CredentialStore
from imagesync.registry.message import Request, Response
from imagesync.registry.refused_logins import login_hint
from imagesync.settings import Anonymous, DefaultAuth, Ecr, Secret
from tests.fakes.aws import FakeAws, Refused
from tests.registry.test_auth import HOST, Net, login_of, make_response
from tests.registry.test_credentials import ANSWER, NOT_FOUND, Home, make_auth

PRIVATE = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
PUBLIC = "public.ecr.aws"
DENIED = Refused("AccessDeniedException", "User: arn:aws:iam::111122223333:user/ci is not authorized")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def without_credentials(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return aws


@pytest.fixture
def without_botocore(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    monkeypatch.setitem(sys.modules, "botocore", None)
    yield aws
    assert aws.asked == []


def test_a_credential_file_that_knows_the_host_comes_first(home: Home, aws: FakeAws) -> None:
    """Decision 21."""
    home.write_docker(auths={PRIVATE: make_auth("file")})
    assert home.user(PRIVATE) == "file"
    assert aws.asked == []


def test_the_clouds_own_login_comes_next(home: Home, aws: FakeAws) -> None:
    home.write_docker(auths={"registry.example": make_auth("file")})
    home.write_helper("ecr-login", ANSWER)
    found = home.find(PRIVATE)
    assert found is not None
    assert (found.username, found.password) == ("AWS", Secret.literal("password-1"))
    assert len(aws.asked) == 1


def test_the_helper_comes_next_where_the_cloud_finds_no_credentials(home: Home, without_credentials: FakeAws) -> None:
    home.write_helper("ecr-login", ANSWER)
    assert home.user(PRIVATE) == "helped"
    assert home.asked() == [f"get {PRIVATE}"]


def test_the_helper_comes_next_where_the_library_is_not_installed(home: Home, without_botocore: FakeAws) -> None:
    home.write_helper("ecr-login", ANSWER)
    assert home.user(PRIVATE) == "helped"
    assert home.find(PRIVATE, login=Ecr()) == home.find(PRIVATE)


def test_nobody_is_the_last(home: Home, without_credentials: FakeAws) -> None:
    assert home.find(PRIVATE) is None
    home.write_helper("ecr-login", NOT_FOUND)
    assert home.find(PRIVATE) is None


@pytest.mark.parametrize("login", [DefaultAuth(), Ecr()])
def test_credentials_that_are_refused_end_the_search(home: Home, aws: FakeAws, login: DefaultAuth | Ecr) -> None:
    """AUTH-16."""
    aws.refusals["ecr.GetAuthorizationToken"] = DENIED
    home.write_helper("ecr-login", ANSWER)
    with pytest.raises(AuthenticationError, match="is not authorized") as caught:
        home.find(PRIVATE, login=login)
    assert caught.value.reference == PRIVATE
    assert caught.value.hint == "it needs the right to GetAuthorizationToken"


def test_the_public_registry_is_read_without_a_login_where_none_can_be_made(
    home: Home, aws: FakeAws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_logger", None)  # it keeps the stream that it first writes to, which here is one test's
    aws.refusals["ecr-public.GetAuthorizationToken"] = DENIED
    store = CredentialStore(home.environment)
    assert store.find(PUBLIC, "nginx/nginx", DefaultAuth()) is None
    assert store.find(PUBLIC, "docker/library/redis", DefaultAuth()) is None
    assert len(aws.asked) == 1
    assert capsys.readouterr().err.count("goes on without a login") == 1
    with pytest.raises(AuthenticationError):
        store.find(PUBLIC, "nginx/nginx", Ecr())


def test_what_the_spec_asks_for_is_never_nobody(home: Home, without_credentials: FakeAws) -> None:
    with pytest.raises(AuthenticationError, match="no AWS credentials were found"):
        home.find(PRIVATE, login=Ecr())


@pytest.mark.parametrize("login", [Ecr(), Ecr(role="arn:aws:iam::111122223333:role/x"), Ecr(profile="build")])
def test_without_the_library_the_error_says_what_to_install(home: Home, without_botocore: FakeAws, login: Ecr) -> None:
    if login != Ecr():
        home.write_helper("ecr-login", ANSWER)  # which could not be told whose login is wanted
    with pytest.raises(AuthenticationError, match="needs botocore, which is not installed") as caught:
        home.find(PRIVATE, login=login)
    assert caught.value.hint == "pip install 'imagesync[ecr]', or put docker-credential-ecr-login on PATH"


def test_anonymous_asks_nobody(home: Home, aws: FakeAws) -> None:
    home.write_helper("ecr-login", ANSWER)
    assert home.find(PRIVATE, login=Anonymous()) is None
    assert aws.asked == []


def test_a_run_asks_once_for_all_repositories_and_accounts_of_a_region(home: Home, aws: FakeAws) -> None:
    store = CredentialStore(home.environment)
    for host in (PRIVATE, PRIVATE.replace("1111", "4444"), PRIVATE.replace("central", "west")):
        for path in ("a", "b"):
            assert store.find(host, path, DefaultAuth()) is not None
    assert [asked.region for asked in aws.asked] == ["eu-central-1", "eu-west-1"]


def test_the_hint_of_a_refusal_says_what_would_log_in(
    without_credentials: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hint() -> str:
        return login_hint(401, PRIVATE, AuthUse(None, "basic", None, ()))

    assert hint().startswith("set AWS_PROFILE or AWS_ACCESS_KEY_ID")
    monkeypatch.setitem(sys.modules, "botocore", None)
    assert hint().startswith("pip install 'imagesync[ecr]'")


def test_a_run_of_days_is_refused_at_its_first_request_alone(home: Home, aws: FakeAws) -> None:
    """A login of ECR lasts for 12 hours, by the clock of the registry."""
    net, given = Net(), dict[str, float]()
    store = CredentialStore(home.environment, clock=lambda: net.now)

    def answer(request: Request) -> Response:
        login = login_of(request)
        if login and net.now < given.setdefault(login, net.now) + 12 * 3600:
            return make_response(200)
        return make_response(401, [("WWW-Authenticate", 'Basic realm="https://ecr/",service="ecr.amazonaws.com"')])

    def find(path: str, _push: bool) -> Credential | None:
        return store.find(PRIVATE, path, Ecr())

    net.registry_answer = answer
    net.authorizer = Authorizer(
        HOST, origin=f"https://{HOST}", credentials=find, send=net.answer, clock=lambda: net.now
    )
    for _ in range(40):
        assert net.get().status == 200
        net.now += 3600
    assert len(net.logins) == 41
    assert len(aws.asked) == 4
