"""Whose login is used at registries of Google and Azure: a file's, the cloud's own, a helper's, nobody's."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from imagesync.clouds.acr import AcrMinter
from imagesync.clouds.gar import GarMinter
from imagesync.clouds.minted import Minted
from imagesync.errors import AuthenticationError, MissingLoginError
from imagesync.log import log
from imagesync.registry.auth_use import AuthUse
from imagesync.registry.credential import Credential
from imagesync.registry.credentials import CredentialStore
from imagesync.registry.refused_logins import login_hint
from imagesync.settings import Acr, DefaultAuth, Gar, Secret
from tests.registry.test_credentials import ANSWER, Home, make_auth

GOOGLE, AZURE = "europe-docker.pkg.dev", "acme.azurecr.io"
EITHER = pytest.mark.parametrize("host", [GOOGLE, "gcr.io", "eu.gcr.io", AZURE])
LIBRARIES = {GOOGLE: "google.auth", AZURE: "azure.identity"}
HELPERS = [(GOOGLE, "gcr"), (GOOGLE, "gcloud"), (AZURE, "acr-env")]
NAMED = [
    (GOOGLE, Gar(service_account="a@b.example")),
    (GOOGLE, Gar(workload_identity="projects/1/locations/global/workloadIdentityPools/a/providers/b")),
    (AZURE, Acr(tenant="acme.example")),
]


def minted(self: object) -> Minted:
    return Minted("own", Secret.literal("secret"), 3600, "the cloud")


def missing(self: object) -> Minted:
    raise MissingLoginError("none were found", hint="log in")


def refused(self: object) -> Minted:
    raise AuthenticationError("refused", hint="look at it")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Nothing on PATH but what a test puts there: this machine may have a helper of its own."""
    home = Home(tmp_path)
    home.environment["PATH"] = str(home.bin)
    return home


def minting(monkeypatch: pytest.MonkeyPatch, outcome: object) -> None:
    for minter in (GarMinter, AcrMinter):
        monkeypatch.setattr(minter, "mint", outcome)


def without_library(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setitem(sys.modules, LIBRARIES[host], None)


@EITHER
def test_a_credential_file_then_the_cloud(home: Home, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    minting(monkeypatch, minted)
    assert home.user(host) == "own"
    home.write_docker(auths={host: make_auth("file")})
    assert home.user(host) == "file"


@pytest.mark.parametrize(("host", "helper"), HELPERS)
def test_a_helper_where_the_cloud_finds_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str, helper: str
) -> None:
    minting(monkeypatch, missing)
    assert home.find(host) is None
    home.write_helper(helper, ANSWER)
    assert home.user(host) == "helped"


@pytest.mark.parametrize(("host", "helper"), HELPERS)
def test_a_helper_where_the_library_is_not_installed(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str, helper: str
) -> None:
    without_library(monkeypatch, host)
    assert home.find(host) is None
    home.write_helper(helper, ANSWER)
    assert home.user(host) == "helped"
    word = Gar() if host == GOOGLE else Acr()
    assert home.find(host, login=word) == home.find(host)


def test_half_of_an_extra_is_not_installed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth is there for many a reason, without what it sends requests by."""
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(AuthenticationError, match="not installed"):
        home.find(GOOGLE, login=Gar())


@EITHER
def test_a_login_that_is_refused_ends_the_search(home: Home, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """AUTH-16."""
    minting(monkeypatch, refused)
    for helper in ("gcr", "gcloud", "acr-env"):
        home.write_helper(helper, ANSWER)
    with pytest.raises(AuthenticationError, match="refused") as caught:
        home.find(host)
    assert caught.value.reference == host


@pytest.mark.parametrize(("host", "login"), [(GOOGLE, Gar()), (AZURE, Acr()), *NAMED])
def test_what_the_spec_asks_for_is_never_nobody(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str, login: Gar | Acr
) -> None:
    minting(monkeypatch, missing)
    with pytest.raises(AuthenticationError, match="none were found"):
        home.find(host, login=login)
    without_library(monkeypatch, host)
    with pytest.raises(AuthenticationError, match="not installed"):
        home.find(host, login=login)


@pytest.mark.parametrize(("host", "login"), NAMED)
def test_a_helper_cannot_be_told_whose_login_is_wanted(
    home: Home, monkeypatch: pytest.MonkeyPatch, host: str, login: Gar | Acr
) -> None:
    without_library(monkeypatch, host)
    for _, helper in HELPERS:
        home.write_helper(helper, ANSWER)
    with pytest.raises(AuthenticationError, match="not installed"):
        home.find(host, login=login)


def test_a_refresh_token_is_an_identity_token(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    login = Minted("guid", Secret.literal("refresh"), 3600, "Azure", is_identity_token=True)
    minting(monkeypatch, lambda _minter: login)
    found = home.find(AZURE)
    assert found is not None
    assert replace(found, usable_until=math.inf) == Credential("guid", None, Secret.literal("refresh"), "Azure")


@pytest.mark.parametrize("host", [GOOGLE, AZURE])
def test_a_helper_that_nobody_has_named_may_fail_and_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    """gcloud brings its helper along, and many a machine has it where nobody has logged in."""
    monkeypatch.setattr(log, "_logger", None)  # it keeps the stream that it first writes to, which here is one test's
    minting(monkeypatch, missing)
    for helper in ("gcr", "acr-env"):
        home.write_helper(helper, "sys.exit(1)")
    store = CredentialStore(home.environment)
    assert [store.find(host, path, DefaultAuth()) for path in ("a", "b")] == [None, None]
    told = capsys.readouterr().err
    assert (told.count("goes on without a login"), told.count("failed with exit code 1")) == (1, 1)
    without_library(monkeypatch, host)
    with pytest.raises(AuthenticationError, match="failed with exit code 1"):
        store.find(host, "a", Gar() if host == GOOGLE else Acr())


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        (GOOGLE, "pip install 'imagesync[gar]', or put docker-credential-gcr or docker-credential-gcloud on PATH"),
        (AZURE, "pip install 'imagesync[acr]', or put docker-credential-acr-env on PATH"),
    ],
)
def test_the_hint_of_a_refusal_says_what_would_log_in(monkeypatch: pytest.MonkeyPatch, host: str, hint: str) -> None:
    assert "auth: anonymous" in login_hint(401, host, AuthUse(None, "basic", None, ()))
    without_library(monkeypatch, host)
    assert login_hint(401, host, AuthUse(None, "basic", None, ())).startswith(hint)
