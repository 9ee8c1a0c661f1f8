"""Commands at a registry whose logins a cloud makes: a stand-in for Amazon, and a registry that takes its logins."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from imagesync.server.auth import Auth, BasicAuth
from imagesync.server.http import Request, Response
from tests.cli.command import Cli, Mirror
from tests.conftest import MakeRegistry
from tests.fakes.aws import KEY_ID, ROLE_KEY_ID, SECRET_KEY, FakeAws, Refused
from tests.images import make_index

ROLE = "arn:aws:iam::111122223333:role/mirror"


@dataclass
class EcrAuth(Auth):
    """Takes the login that Amazon has given out last, and no other."""

    aws: FakeAws

    def answer(self, request: Request) -> Response | None:
        return BasicAuth({"AWS": self.aws.password()}).answer(request)


@pytest.fixture
def ecr(cli: Cli, aws: FakeAws, make_registry: MakeRegistry) -> Mirror:
    """A mirror into a registry of Amazon's."""
    mirror = Mirror(cli, make_registry(), make_registry(auth=EcrAuth(aws)))
    mirror.fill("1")
    mirror.fill("2", path="other", image=make_index("other"))
    return mirror


def spec(ecr: Mirror, login: str) -> str:
    return ecr.spec("app:1", "other:2", registries={ecr.destination.host: f"{{auth: {login}}}"})


def test_a_run_logs_in_once_with_a_login_that_amazon_makes(ecr: Mirror, aws: FakeAws) -> None:
    ran = ecr.cli("apply", spec(ecr, "{ecr: {region: eu-central-1}}"), "-v")
    assert ran.code == 0
    assert set(ecr.tags()) == {"1"}
    assert aws.lines() == [f"ecr.GetAuthorizationToken by {KEY_ID} in eu-central-1"]
    assert not [text for text in (aws.password(), SECRET_KEY, KEY_ID) if text in ran.text]


def test_a_role_is_taken_once_a_run(ecr: Mirror, aws: FakeAws) -> None:
    ran = ecr.cli("auth", "check", spec(ecr, f"{{ecr: {{role: '{ROLE}', region: eu-central-1}}}}"))
    assert ran.code == 0
    assert f"Amazon ECR, role {ROLE}, basic" in ran.out
    assert [asked.signer for asked in aws.asked] == [KEY_ID, ROLE_KEY_ID]


def test_a_wrong_role_fails_with_what_to_do(ecr: Mirror, aws: FakeAws) -> None:
    aws.refusals["sts.AssumeRole"] = Refused("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
    ran = ecr.cli("auth", "check", spec(ecr, f"{{ecr: {{role: '{ROLE}', region: eu-central-1}}}}"))
    assert ran.code == 1
    assert "AWS answered AssumeRole with AccessDenied: not authorized" in ran.out
    assert "the role's trust policy has to name who asks" in ran.out
    assert "Traceback" not in ran.err, "botocore's own log goes nowhere"
    assert len(aws.asked) == 1


def test_a_doctor_says_whose_login_amazon_made_and_how_long_it_holds(ecr: Mirror, aws: FakeAws) -> None:
    ran = ecr.cli("doctor", spec(ecr, "{ecr: {region: eu-central-1}}"))
    assert ran.code == 0
    assert re.search(r"✓ login       to write: Amazon ECR, .*, Basic, renewed in ", ran.out)
    assert "- push        app, other: cannot be told without a write; the repository is not there yet" in ran.out
    assert not [text for text in (aws.password(), SECRET_KEY, KEY_ID) if text in ran.text]


def test_a_doctor_says_once_why_amazon_makes_no_login(ecr: Mirror, aws: FakeAws) -> None:
    aws.refusals["sts.AssumeRole"] = Refused("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
    ran = ecr.cli("doctor", spec(ecr, f"{{ecr: {{role: '{ROLE}', region: eu-central-1}}}}"))
    assert (ran.code, ran.out.count("✗")) == (1, 1)
    assert "✗ login       to write: AWS answered AssumeRole with AccessDenied: not authorized" in ran.out
    assert "→ the role's trust policy has to name who asks" in ran.out


def test_a_plan_without_logins_asks_amazon_for_none(ecr: Mirror, aws: FakeAws) -> None:
    ecr.cli("plan", spec(ecr, "{ecr: {region: eu-central-1}}"), "--anonymous")
    assert aws.asked == []


def test_a_login_that_ends_while_a_run_goes_on_is_made_again(
    ecr: Mirror, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request at a time: a request whose fresh login is refused as well has failed. A login is not made again for
    a refusal in its first minute."""
    monkeypatch.setattr("imagesync.clouds.kept.REFUSED_SECONDS", 0.0)
    taken = iter([True])

    def answer(auth: EcrAuth, request: Request) -> Response | None:
        """After the first request that was let in, the login that let it in is worth nothing."""
        found = BasicAuth({"AWS": auth.aws.password()}).answer(request)
        if found is None and next(taken, False):
            auth.aws.retire()
        return found

    monkeypatch.setattr(EcrAuth, "answer", answer)
    assert ecr.cli("apply", spec(ecr, "{ecr: {region: eu-central-1}}"), "--concurrency", "1").code == 0
    assert set(ecr.tags()) == {"1"}
    assert len(aws.asked) == 2
