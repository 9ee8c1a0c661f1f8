"""A cloud's login at its registry, from the spec to the last request: the whole trace, and what `auth check` says."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from imagesync.clouds.gar import GarMinter
from imagesync.clouds.minted import Minted
from imagesync.server.auth import TokenAuth
from imagesync.settings import Secret
from tests.cli.command import Cli
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.api import FakeApi

ENTRA, REFRESH, ACCESS = "entra-secret", "header.e30.refresh-secret", "access-secret"
GUID = "00000000-0000-0000-0000-000000000000"
LISTING = "GET /v2/app/tags/list?n=1"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys)


def spec(cli: Cli, host: str, settings: dict[str, object]) -> str:
    return cli.file(f"""\
        version: 1
        registries:
          "{host}": {json.dumps(settings)}
        sync:
          - source: {host}
            destination: oci:mirror
            images:
              - app:1
        """)


@pytest.fixture
def acr(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A registry of Azure's that wants a token of its own, on a machine with a managed identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{cloud.url}/msi")
    monkeypatch.setenv("IDENTITY_HEADER", "identity-header")
    entra = {"access_token": ENTRA, "expires_on": "4102444800", "resource": "x", "token_type": "Bearer"}
    cloud.on("GET /msi?api-version=2019-08-01&resource=https://containerregistry.azure.net", entra)
    scope = 'scope="repository:app:pull"'
    challenge = f'Bearer realm="{cloud.url}/oauth2/token",service="{cloud.host}",{scope}'
    cloud.on(LISTING, {}, status=401, headers={"WWW-Authenticate": challenge}).on(LISTING, {"tags": ["1"]})
    cloud.on("POST /oauth2/exchange", {"refresh_token": REFRESH})
    return cloud


def settings_of(certificates: Certificates, login: object) -> dict[str, object]:
    return {"auth": login, "tls": {"ca": str(certificates.ca)}}


def test_azures_refresh_token_is_exchanged_for_access_tokens(
    acr: FakeApi, cli: Cli, certificates: Certificates
) -> None:
    acr.on("POST /oauth2/token", {"access_token": ACCESS})
    ran = cli("auth", "check", spec(cli, acr.host, settings_of(certificates, "acr")))
    said = f"ok {acr.host}/app (pull): Azure, bearer from {acr.host} for repository:app:pull, renewed in "
    assert re.match(re.escape(said) + r"2\d min \d\d s\n", ran.out)
    assert (ran.code, ran.err) == (0, "")
    *_, exchange, token, last = acr.asked
    assert acr.lines[0] == LISTING
    assert [exchange.line, token.line, last.line] == ["POST /oauth2/exchange", "POST /oauth2/token", LISTING]
    form = parse_qs(token.body.decode())
    assert (form["grant_type"], form["refresh_token"], token.authorization) == (["refresh_token"], [REFRESH], "")
    assert last.authorization == f"Bearer {ACCESS}"
    assert not [secret for secret in (ENTRA, REFRESH, ACCESS) if secret in ran.text]


def test_a_registry_of_azures_without_the_form_is_asked_as_docker_would(
    acr: FakeApi, cli: Cli, certificates: Certificates
) -> None:
    query = f"service={acr.host.replace(':', '%3A')}&scope=repository%3Aapp%3Apull"
    acr.on(f"GET /oauth2/token?{query}", {"access_token": ACCESS})
    assert cli("auth", "check", spec(cli, acr.host, settings_of(certificates, "acr"))).code == 0
    assert acr.asked[-2].authorization == f"Basic {base64.b64encode(f'{GUID}:{REFRESH}'.encode()).decode()}"


def test_the_authority_that_the_spec_names_for_a_registry_of_azures_holds_for_its_exchange_too(
    acr: FakeApi, cli: Cli, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    acr.on("POST /oauth2/token", {"access_token": ACCESS})
    assert cli("auth", "check", spec(cli, acr.host, settings_of(certificates, "acr"))).code == 0
    assert "POST /oauth2/exchange" in acr.lines
    ran = cli("auth", "check", spec(cli, acr.host, {"auth": "acr"}))
    assert (ran.code, "is not trusted" in ran.text, ENTRA in ran.text) == (1, True, False)


def test_a_refused_login_of_azures_is_told_with_its_identity_and_role(
    acr: FakeApi, cli: Cli, certificates: Certificates
) -> None:
    """By the registry's token server, which is where Azure refuses."""
    acr.on("POST /oauth2/token", {"errors": [{"code": "UNAUTHORIZED"}]}, status=403)
    ran = cli("auth", "check", spec(cli, acr.host, settings_of(certificates, "acr")))
    assert ran.code == 1
    assert "with Azure, at " in ran.out
    assert "the identity of this login needs the role AcrPull here" in ran.out
    assert "password" not in ran.out


def test_an_admin_user_of_azures_is_a_user_like_any_other(acr: FakeApi, cli: Cli, certificates: Certificates) -> None:
    query = f"service={acr.host.replace(':', '%3A')}&scope=repository%3Aapp%3Apull"
    acr.on(f"GET /oauth2/token?{query}", {"access_token": ACCESS})
    login = {"username": "acme", "password": "admin-secret"}
    ran = cli("auth", "check", spec(cli, acr.host, settings_of(certificates, login)))
    assert (ran.code, "renewed" in ran.out) == (0, False)
    assert acr.lines == [LISTING, f"GET /oauth2/token?{query}", LISTING]


def test_googles_token_is_the_password_of_its_own_user(
    cli: Cli, make_registry: MakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    minted = Minted("oauth2accesstoken", Secret.literal("google-secret"), 3600, "Google, as a@b.example")
    monkeypatch.setattr(GarMinter, "mint", lambda _minter: minted)
    registry = make_registry(auth=TokenAuth({"oauth2accesstoken": "google-secret"}))
    found = cli("auth", "check", spec(cli, registry.host, {"auth": "gar"}), "--format", "json").json()
    (answer,) = found
    assert answer["error"] is None
    assert answer["used"].startswith(f"Google, as a@b.example, bearer from {registry.host} for ")
    assert 0 < answer["seconds_left"] <= 3240
