"""Azure's logins, by azure-identity itself, against stand-ins for Entra and for the registry's exchange."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from imagesync.clouds.acr import SCOPE, AcrMinter
from imagesync.clouds.minted import Minted
from imagesync.errors import AuthenticationError, MissingLoginError, ProtocolError, StoreError
from imagesync.settings import Acr
from tests.fakes.api import Asked, FakeApi

CLIENT = "22222222-2222-2222-2222-222222222222"
ENTRA = "entra-token-entirely-secret"
EXCHANGE = "POST /oauth2/exchange"
ISSUE = "POST /adfs/oauth2/v2.0/token"
ISSUED = {"access_token": ENTRA, "expires_in": 3600, "token_type": "Bearer"}
MANAGED = "/msi?api-version=2019-08-01&resource=https://containerregistry.azure.net"


def make_refresh_token(**claims: Any) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


REFRESH = make_refresh_token(sub=CLIENT, iat=1_497_988_712, exp=1_497_990_801)


@pytest.fixture
def managed(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A registry, on a machine with a managed identity; both are the one stand-in."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi")
    monkeypatch.setenv("IDENTITY_HEADER", "identity-header")
    answer = {"access_token": ENTRA, "expires_on": "4102444800", "resource": SCOPE, "token_type": "Bearer"}
    return cloud.on(f"GET {MANAGED}", answer).on(f"GET {MANAGED}&client_id={CLIENT}", answer)


def mint(cloud: FakeApi, login: Acr | None = None) -> Minted:
    return AcrMinter(cloud.host, login or Acr()).mint()


def failure(cloud: FakeApi, login: Acr | None = None) -> StoreError:
    with pytest.raises(StoreError) as raised:
        mint(cloud, login)
    assert ENTRA not in f"{raised.value!r} {raised.value}"
    return raised.value


def form_of(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def test_entras_token_is_exchanged_at_the_registry_for_its_own(managed: FakeApi) -> None:
    managed.on(EXCHANGE, {"refresh_token": REFRESH})
    minted = mint(managed)
    assert (minted.username, minted.password.reveal()) == ("00000000-0000-0000-0000-000000000000", REFRESH)
    assert (minted.is_identity_token, minted.lifetime_seconds) == (True, 2089)
    assert minted.origin == f"Azure, as {CLIENT}"
    assert REFRESH not in repr(minted)
    asked = managed.asked[-1]
    assert (asked.line, asked.authorization) == (EXCHANGE, "")
    assert form_of(asked) == {"grant_type": "access_token", "service": managed.host, "access_token": ENTRA}


def test_the_tenant_goes_along_where_it_is_said(managed: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    managed.on(EXCHANGE, {"refresh_token": REFRESH})
    mint(managed, Acr(tenant="spec"))
    assert form_of(managed.asked[-1])["tenant"] == "spec"
    monkeypatch.setenv("AZURE_TENANT_ID", "environment")
    mint(managed)
    assert form_of(managed.asked[-1])["tenant"] == "environment"


def test_the_spec_says_which_of_several_identities(managed: FakeApi) -> None:
    managed.on(EXCHANGE, {"refresh_token": REFRESH})
    mint(managed, Acr(client_id=CLIENT))
    assert managed.lines == [f"GET {MANAGED}&client_id={CLIENT}", EXCHANGE]


@pytest.fixture
def entra(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """Entra as AZURE_AUTHORITY_HOST names it. The tenant is `adfs`, whose server nobody else is asked about."""
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", cloud.url)
    monkeypatch.setenv("AZURE_TENANT_ID", "adfs")
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    token_url = f"{cloud.url}{ISSUE.removeprefix('POST ')}"
    configuration = {"token_endpoint": token_url, "authorization_endpoint": token_url, "issuer": cloud.url}
    cloud.on("GET /adfs/.well-known/openid-configuration", configuration)
    return cloud.on(EXCHANGE, {"refresh_token": REFRESH})


def test_a_clients_secret_is_found_in_the_environment(entra: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    entra.on(ISSUE, ISSUED)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "client-secret")
    assert mint(entra).password.reveal() == REFRESH
    (asked,) = [one for one in entra.asked if one.line == ISSUE]
    assert (form_of(asked)["client_secret"], form_of(asked)["scope"].split()[0]) == ("client-secret", SCOPE)


def test_a_workload_identity_is_found_in_the_environment(
    entra: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entra.on(ISSUE, ISSUED)
    (tmp_path / "federated").write_text("federated-token")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated"))
    assert mint(entra).password.reveal() == REFRESH
    assert form_of(entra.asked[-2])["client_assertion"] == "federated-token"


def test_a_jobs_identity_of_github_is_asserted(entra: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{entra.url}/idtoken")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request")
    entra.on(ISSUE, ISSUED)
    entra.on("GET /idtoken?audience=api%3A%2F%2FAzureADTokenExchange", {"value": "job.identity.token"})
    assert mint(entra, Acr(tenant="adfs", client_id=CLIENT)).password.reveal() == REFRESH
    assert form_of(entra.asked[-2])["client_assertion"] == "job.identity.token"


def test_where_nothing_is_found_the_error_says_how_to_set_it_up(
    cloud: FakeApi, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    error = failure(cloud)
    assert isinstance(error, MissingLoginError)
    assert "az login" in str(error)
    assert cloud.lines == []
    assert capfd.readouterr() == ("", "")


def test_an_identity_that_is_meant_and_cannot_be_had_is_not_a_missing_one(
    entra: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "client-secret")
    answer = {"error": "invalid_client", "error_description": f"AADSTS7000215: wrong secret \x1b[2J {ENTRA}"}
    entra.on(ISSUE, answer, status=401)
    error = failure(entra)
    assert (type(error), error.message) == (AuthenticationError, "Microsoft Entra gave no token: AADSTS7000215")
    assert error.hint == "look it up in Microsoft's list of these codes"


def test_an_entra_that_does_not_answer_is_not_told_as_a_missing_variable(
    cloud: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, CLIENT)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1")
    error = failure(cloud)
    assert (type(error), error.message) == (AuthenticationError, "Microsoft Entra gave no token")
    assert error.hint is not None
    assert "AZURE_CLIENT_SECRET is set" in error.hint
    assert "HTTPS_PROXY" in error.hint


def test_a_job_without_the_permission_is_told_what_to_add(cloud: FakeApi) -> None:
    error = failure(cloud, Acr(tenant="acme.example", client_id=CLIENT))
    assert (type(error), "id-token: write" in str(error)) == (AuthenticationError, True)


def test_variables_that_make_no_sense_are_told_as_that(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "http://entra.example")
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.setenv(name, "a")
    assert failure(cloud).message == "what is said of the Azure identity cannot be one"


def test_an_identity_without_a_role_is_told_which_it_needs(managed: FakeApi) -> None:
    managed.on(EXCHANGE, {"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
    error = failure(managed)
    assert error.message == f"the registry {managed.host} answered 401"
    assert "AcrPull" in (error.hint or "")


def test_a_registry_that_sends_on_is_not_followed(managed: FakeApi) -> None:
    managed.on(EXCHANGE, {}, status=307, headers={"Location": f"{managed.url}/elsewhere"})
    assert isinstance(failure(managed), ProtocolError)
    assert managed.lines[-1] == EXCHANGE


@pytest.mark.parametrize(
    ("token", "seconds"),
    [
        ("no-jwt", 1800),
        ("a.!!!.b", 1800),
        ("a.W10.b", 1800),
        (make_refresh_token(iat=0, exp=10**12), 3 * 3600),
        (make_refresh_token(iat=10, exp=0), 0),
        (make_refresh_token(iat="0", exp=True), 1800),
        (make_refresh_token(iat=0, exp=60, sub="\x1b[2J"), 60),
    ],
)
def test_what_a_token_says_of_itself_is_believed_within_bounds(managed: FakeApi, token: str, seconds: float) -> None:
    managed.on(EXCHANGE, {"refresh_token": token})
    minted = mint(managed)
    assert (minted.lifetime_seconds, minted.origin) == (seconds, "Azure")
