"""An approval by GitHub's environment as a user meets it: in the job that is in it, elsewhere, and in no job at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from imagesync.survey import identity
from tests.cli.command import Cli, Ran
from tests.cli.promoting import Shop
from tests.conftest import Certificates, MakeRegistry
from tests.fakes.api import FakeApi
from tests.signature.tokens import Issuer

REQUEST_TOKEN = "request-token-entirely-secret"
ASKED = "GET /idtoken?audience=imagesync%3A" + "00" * 16
KEYS = "GET /.well-known/jwks"


@dataclass
class Job:
    """GitHub, as a job meets it: a server that gives out the job's token, and the issuer's keys."""

    api: FakeApi
    shop: Shop
    tokens: list[str] = field(default_factory=list)

    def run(self, *more: str, by: Issuer | None = None, **claims: Any) -> Ran:
        """A promotion in a job of which GitHub says this."""
        issuer = Issuer(self.api.url)
        said = {"aud": "imagesync:" + "00" * 16, "exp": int(time.time()) + 300, "actor": "carol", "run_id": "42"}
        said |= {"environment": "production", "repository": "acme/shop", "ref": "refs/heads/main"}
        self.tokens.append((by or issuer).token({"iss": self.api.url, **said, **claims}))
        self.api.on(ASKED, {"value": self.tokens[-1]}).on(KEYS, issuer.keys())
        return self.shop.promote("1.4.0", "staging", *more)


@pytest.fixture
def shop(cli: Cli, make_registry: MakeRegistry, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
    monkeypatch.setattr(identity, "token_hex", lambda count: "00" * count)
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Shop(cli, (make_registry(), make_registry(), make_registry()))


@pytest.fixture
def job(shop: Shop, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    with FakeApi(tls=certificates.server) as api:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{api.url}/idtoken")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        gated(shop, api.url)
        yield Job(api, shop)


def gated(shop: Shop, issuer: str) -> None:
    github = f"{{environment: production, repository: acme/shop, ref: refs/heads/main, issuer: '{issuer}'}}"
    shop.more["staging"] = f"gates: [{{approval: {{github: {github}}}}}]"
    shop.write()
    shop.push("1.4.0")


def test_a_job_in_the_environment_promotes_and_the_record_says_what_that_rests_on(job: Job) -> None:
    ran = job.run("-v")
    said = "GitHub lets run '42' of 'carol' at 'refs/heads/main' be in the environment production of acme/shop"
    assert (ran.code, f"passed: gate approval: {said}" in ran.text) == (0, True), ran.text
    assert [one.authorization for one in job.api.asked] == [f"bearer {REQUEST_TOKEN}", ""]
    assert job.api.lines == [ASKED, KEYS]
    history = job.shop.cli("history", "shop", "--spec", "sync.yaml", "--format", "json")
    assert said in history.text
    assert not [secret for secret in (REQUEST_TOKEN, *job.tokens) if secret in ran.text + history.text]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"environment": "staging"}, "its environment is 'staging'"),
        ({"repository": "mallory/shop"}, "its repository is 'mallory/shop'"),
        ({"ref": "refs/heads/x"}, "its ref is 'refs/heads/x', wanted refs/heads/main"),
        ({"exp": 1}, "the token has expired"),
        ({"aud": "sts.amazonaws.com"}, "the token is for somebody else than asked for it"),
        ({"by": Issuer()}, "the token is not signed by its issuer"),
    ],
)
def test_a_job_elsewhere_moves_nothing(job: Job, claims: dict[str, Any], reason: str) -> None:
    job.shop.forget()
    ran = job.run(**claims)
    assert (ran.code, reason in ran.text, job.shop.writes()) == (3, True, []), ran.text
    assert job.tokens[0] not in ran.text


def test_outside_of_github_it_is_said_how_to_get_it_whatever_variables_say(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated(shop, "https://issuer.example")
    for name, value in {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF": "main"}.items():
        monkeypatch.setenv(name, value)
    ran = shop.promote("1.4.0", "staging")
    assert ran.code == 3
    assert "not in the environment production of acme/shop: this is no job of GitHub Actions" in ran.text
    assert (
        "run it in a job of acme/shop with `environment: production` and `permissions: {id-token: write}`" in ran.text
    )


def test_where_github_does_not_answer_nothing_moves_and_no_secret_is_said(job: Job) -> None:
    ran = job.shop.promote("1.4.0", "staging")
    assert (ran.code, "who runs this cannot be verified: GitHub's server" in ran.text) == (3, True), ran.text
    job.api.on(ASKED, {"value": "a.b.c"}).on(KEYS, {}, status=503)
    ran = job.shop.promote("1.4.0", "staging")
    assert (ran.code, f"the issuer {job.api.url} answered 503" in ran.text) == (3, True), ran.text
    assert REQUEST_TOKEN not in ran.text
