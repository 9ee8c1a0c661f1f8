"""Google's logins, by google-auth itself, against stand-ins for its token servers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from imagesync.clouds import gar
from imagesync.clouds.gar import SCOPE, GarMinter
from imagesync.clouds.minted import Minted
from imagesync.errors import AuthenticationError, MissingLoginError, NetworkError, StoreError
from imagesync.settings import Gar
from tests.fakes.api import Asked, FakeApi

ACCOUNT = "mirror@project.iam.gserviceaccount.com"
PROVIDER = "projects/1/locations/global/workloadIdentityPools/ci/providers/github"
TOKEN = "ya29.access-token-entirely-secret"
ISSUED = {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
IMPERSONATE = f"POST /v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def key_file(cloud: FakeApi, private_key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A service account's key, as GOOGLE_APPLICATION_CREDENTIALS names it; its token server is the stand-in."""
    document = {
        "type": "service_account",
        "client_email": ACCOUNT,
        "private_key": private_key,
        "token_uri": f"{cloud.url}/token",
    }
    written(document, tmp_path, monkeypatch)
    return cloud


def written(document: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "credentials.json"
    path.write_text(json.dumps(document))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))


def form_of(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def is_about_an_hour(minted: Minted) -> bool:
    return 3500 < minted.lifetime_seconds <= 3600


def in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def failure(login: Gar | None = None) -> StoreError:
    with pytest.raises(StoreError) as raised:
        GarMinter(login or Gar()).mint()
    return raised.value


def test_a_key_file_is_traded_for_a_token_by_a_signed_assertion(key_file: FakeApi) -> None:
    key_file.on("POST /token", ISSUED)
    minted = GarMinter(Gar()).mint()
    assert (minted.username, minted.password.reveal(), minted.is_identity_token) == ("oauth2accesstoken", TOKEN, False)
    assert minted.origin == f"Google, as {ACCOUNT}"
    assert is_about_an_hour(minted)
    form = form_of(key_file.asked[0])
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    payload = form["assertion"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert (claims["iss"], claims["scope"]) == (ACCOUNT, SCOPE)


def test_another_account_is_impersonated_where_the_spec_names_one(
    key_file: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "other@project.iam.gserviceaccount.com"
    key_file.on("POST /token", {"access_token": "own", "expires_in": 3600})
    target = f"POST /v1/projects/-/serviceAccounts/{other}:generateAccessToken"
    key_file.on(target, {"accessToken": TOKEN, "expireTime": in_an_hour()})
    monkeypatch.setattr(
        "google.auth.iam._IAM_ENDPOINT", f"{key_file.url}/v1/projects/-/serviceAccounts/{{}}:generateAccessToken"
    )
    minted = GarMinter(Gar(service_account=other)).mint()
    assert (minted.password.reveal(), minted.origin) == (TOKEN, f"Google, as {other}")
    assert [one.authorization for one in key_file.asked if one.line == target] == ["Bearer own"]


def test_a_workload_identity_of_a_file_is_federated(
    cloud: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "subject").write_text("subject-token")
    document = {
        "type": "external_account",
        "audience": f"//iam.googleapis.com/{PROVIDER}",
        "subject_token_type": gar.JWT_TYPE,
        "token_url": f"{cloud.url}/v1/token",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    written(document, tmp_path, monkeypatch)
    cloud.on("POST /v1/token", ISSUED)
    minted = GarMinter(Gar()).mint()
    assert (minted.password.reveal(), minted.origin) == (TOKEN, "Google, application default credentials")
    assert form_of(cloud.asked[0])["subject_token"] == "subject-token"


@pytest.fixture
def github(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A job of GitHub Actions, and Google's servers behind the same stand-in."""
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{cloud.url}/idtoken")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request")
    audience = f"https%3A%2F%2Fiam.googleapis.com%2F{PROVIDER.replace('/', '%2F')}"
    cloud.on(f"GET /idtoken?audience={audience}", {"value": "job.identity.token"})
    monkeypatch.setattr(gar, "STS_URL", f"{cloud.url}/v1/token")
    monkeypatch.setattr(gar, "IMPERSONATION_URL", f"{cloud.url}/v1/projects/-/serviceAccounts/{{}}:generateAccessToken")
    return cloud


def test_a_jobs_identity_of_github_is_federated_without_a_file(github: FakeApi) -> None:
    github.on("POST /v1/token", ISSUED)
    minted = GarMinter(Gar(workload_identity=PROVIDER)).mint()
    assert minted.password.reveal() == TOKEN
    assert is_about_an_hour(minted)
    form = form_of(github.asked[1])
    assert (form["subject_token"], form["audience"]) == ("job.identity.token", f"//iam.googleapis.com/{PROVIDER}")


def test_a_job_may_go_on_as_a_service_account(github: FakeApi) -> None:
    github.on("POST /v1/token", {**ISSUED, "access_token": "federated"})
    github.on(IMPERSONATE, {"accessToken": TOKEN, "expireTime": in_an_hour()})
    minted = GarMinter(Gar(service_account=ACCOUNT, workload_identity=PROVIDER)).mint()
    assert (minted.password.reveal(), minted.origin) == (TOKEN, f"Google, as {ACCOUNT}")
    assert github.asked[-1].authorization == "Bearer federated"


def test_a_job_without_the_permission_is_told_what_to_add() -> None:
    assert "id-token: write" in str(failure(Gar(workload_identity=PROVIDER)))


def test_the_metadata_server_gives_its_own_accounts_token() -> None:
    """In a process of its own: google-auth reads where the server is when it is imported."""
    flavor = {"Metadata-Flavor": "Google"}
    account = "/computeMetadata/v1/instance/service-accounts/default"
    with FakeApi() as metadata:
        metadata.on("GET /", b"", headers=flavor)
        metadata.on("GET /computeMetadata/v1/project/project-id", b"project", headers={"Content-Type": "text/plain"})
        metadata.on(f"GET {account}/?recursive=true", {"email": ACCOUNT, "scopes": [SCOPE]}, headers=flavor)
        scoped = f"{account}/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
        metadata.on(f"GET {scoped}", ISSUED, headers=flavor)
        program = """
            from imagesync.clouds.gar import GarMinter
            from imagesync.settings import Gar
            minted = GarMinter(Gar()).mint()
            print(minted.password.reveal(), minted.origin, minted, sep="\\n")
        """
        where = {"GCE_METADATA_HOST": metadata.host, "GCE_METADATA_IP": metadata.host}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
            capture_output=True,
            text=True,
            env=where,
            timeout=60,
            check=False,
        )
    assert (done.stderr, done.returncode) == ("", 0)
    password, origin, shown = done.stdout.splitlines()
    assert (password, origin) == (TOKEN, f"Google, as {ACCOUNT}")
    assert TOKEN not in shown


def test_where_nothing_is_found_the_error_says_how_to_set_it_up() -> None:
    error = failure()
    assert isinstance(error, MissingLoginError)
    assert "gcloud auth application-default login" in str(error)


def test_a_damaged_file_is_told_without_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written({"type": "service_account", "private_key": TOKEN}, tmp_path, monkeypatch)
    error = failure()
    assert type(error) is AuthenticationError, "no case for going on without"
    assert (
        error.message
        == f"GOOGLE_APPLICATION_CREDENTIALS names {tmp_path}/credentials.json, and no login is made of that"
    )
    assert error.hint == "see that it is a key file or a workload identity's configuration, whole and readable"
    assert TOKEN not in str(error)


def test_a_file_that_is_named_and_not_there_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    error = failure()
    assert (type(error), error.message) == (
        AuthenticationError,
        "GOOGLE_APPLICATION_CREDENTIALS names /nonexistent/key.json, which is not there",
    )


def test_a_refusal_names_googles_code_and_no_more(key_file: FakeApi) -> None:
    answer = {"error": "invalid_grant", "error_description": f"\x1b[2J {TOKEN}"}
    key_file.on("POST /token", answer, status=400)
    error = failure()
    assert (type(error), error.message) == (AuthenticationError, "Google refused the login: invalid_grant")
    assert TOKEN not in f"{error!r} {error}"


def test_a_server_that_is_not_there_is_a_matter_of_the_network(
    key_file: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    key_file.on("POST /token", b"busy", status=503)
    assert isinstance(failure(), NetworkError)
