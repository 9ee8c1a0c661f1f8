"""Docker Hub's logins for GitHub's jobs, against a stand-in for Docker's identity server."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from imagesync.clouds import dockerhub
from imagesync.clouds.dockerhub import HINT, DockerHubMinter
from imagesync.errors import AuthenticationError, StoreError
from imagesync.settings import DockerHub
from tests.fakes.api import FakeApi

TOKEN = "hub-token-entirely-secret"
EXCHANGE = "POST /oauth/token"
MINTER = DockerHubMinter(DockerHub("acme", "867f9d74-789a-4828-a856-12d46bfbbbe7"))


@pytest.fixture
def hub(cloud: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{cloud.url}/idtoken")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request")
    monkeypatch.setattr(dockerhub, "TOKEN_URL", f"{cloud.url}/oauth/token")
    return cloud.on("GET /idtoken?audience=https%3A%2F%2Fidentity.docker.com", {"value": "job.identity.token"})


def test_the_jobs_identity_is_traded_as_dockers_own_action_does(hub: FakeApi) -> None:
    hub.on(EXCHANGE, {"access_token": TOKEN})
    minted = MINTER.mint()
    assert (minted.username, minted.password.reveal(), minted.lifetime_seconds) == ("acme", TOKEN, 3600)
    assert TOKEN not in repr(minted)
    asked = hub.asked[-1]
    assert (asked.line, asked.authorization) == (EXCHANGE, "")
    assert parse_qsl(asked.body.decode()) == [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ("subject_token", "job.identity.token"),
        ("connection_id", "867f9d74-789a-4828-a856-12d46bfbbbe7"),
        ("expires_in", "3600"),
    ]


def test_a_refusal_says_what_to_look_at(hub: FakeApi) -> None:
    hub.on(EXCHANGE, {"message": f"no ruleset {TOKEN}"}, status=401)
    with pytest.raises(AuthenticationError) as raised:
        MINTER.mint()
    assert (raised.value.message, raised.value.hint) == ("Docker's identity server answered 401", HINT)


def test_outside_of_a_job_the_error_says_what_to_add() -> None:
    with pytest.raises(StoreError, match="id-token: write"):
        MINTER.mint()
