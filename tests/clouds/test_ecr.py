"""Logins for ECR: what AWS is asked, by whom, and what comes of its answers."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from imagesync.clouds import Minted, minter_for
from imagesync.clouds.ecr import EcrMinter
from imagesync.errors import (
    AuthenticationError,
    LimitError,
    MissingLoginError,
    NetworkError,
    ProtocolError,
    StoreError,
    TlsError,
)
from imagesync.settings import Ecr
from tests.fakes.api import FakeApi
from tests.fakes.aws import KEY_ID, ROLE_KEY_ID, SECRET_KEY, FakeAws, Refused

PRIVATE = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
PUBLIC = "public.ecr.aws"
ROLE = "arn:aws:iam::111122223333:role/mirror"
IN_ROLE = Ecr(role=ROLE)
ANY = Ecr()


def mint(host: str = PRIVATE, login: Ecr = ANY) -> Minted:
    return minter_for(host, login).mint()


def refused(host: str = PRIVATE, login: Ecr = ANY) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        mint(host, login)
    return caught.value


@pytest.fixture
def profile(aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a profile, with keys and a region of its own."""
    (tmp_path / "credentials").write_text("[build]\naws_access_key_id = AKIDOFBUILD\naws_secret_access_key = x\n")
    (tmp_path / "config").write_text("[profile build]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return "build"


def test_a_private_registry_is_asked_for_a_token_in_its_own_region(aws: FakeAws) -> None:
    minted = mint()
    assert (minted.username, minted.password.reveal()) == ("AWS", "password-1")
    assert minted.origin == "Amazon ECR, credentials by env"
    assert minted.lifetime_seconds > 3600
    assert not minted.is_identity_token
    assert aws.lines() == [f"ecr.GetAuthorizationToken by {KEY_ID} in eu-central-1"]


def test_the_public_registry_is_asked_in_its_one_region(aws: FakeAws) -> None:
    assert mint(PUBLIC).password.reveal() == "password-1"
    assert aws.lines() == [f"ecr-public.GetAuthorizationToken by {KEY_ID} in us-east-1"]


def test_a_role_is_taken_first(aws: FakeAws) -> None:
    minted = mint(login=IN_ROLE)
    assert minted.origin == f"Amazon ECR, role {ROLE}"
    assert aws.lines() == [
        f"sts.AssumeRole by {KEY_ID} in eu-central-1",
        f"ecr.GetAuthorizationToken by {ROLE_KEY_ID} in eu-central-1",
    ]
    assert (aws.asked[0].parameters["RoleArn"], aws.asked[0].parameters["RoleSessionName"]) == (ROLE, "imagesync")


def test_a_profile_says_whose_credentials_are_used(aws: FakeAws, profile: str) -> None:
    assert mint(login=Ecr(profile=profile)).origin == "Amazon ECR, profile build"
    assert aws.lines() == ["ecr.GetAuthorizationToken by AKIDOFBUILD in eu-central-1"]


def test_a_role_is_taken_with_the_credentials_of_a_profile(aws: FakeAws, profile: str) -> None:
    mint(login=Ecr(role=ROLE, profile=profile))
    assert [asked.signer for asked in aws.asked] == ["AKIDOFBUILD", ROLE_KEY_ID]


def as_job(
    cloud: FakeApi, monkeypatch: pytest.MonkeyPatch, audience: str = "sts.amazonaws.com", *, status: int = 200
) -> None:
    """A job of GitHub Actions, with an identity if GitHub answers 200, and without AWS credentials."""
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{cloud.url}/idtoken?v=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token")
    cloud.on(f"GET /idtoken?v=2&audience={audience}", {"value": "header.payload.signature"}, status=status)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("role", "audience"), [(ROLE, "sts.amazonaws.com"), (ROLE.replace("aws", "aws-cn"), "sts.amazonaws.com.cn")]
)
def test_a_github_job_takes_a_role_with_its_identity_alone(
    aws: FakeAws, cloud: FakeApi, monkeypatch: pytest.MonkeyPatch, role: str, audience: str
) -> None:
    as_job(cloud, monkeypatch, audience)
    assert mint(login=Ecr(role=role)).origin == f"Amazon ECR, role {role}"
    assert len(cloud.asked) == 1
    assert aws.lines() == [
        "sts.AssumeRoleWithWebIdentity by nobody in ",
        f"ecr.GetAuthorizationToken by {ROLE_KEY_ID} in eu-central-1",
    ]
    asked = aws.asked[0].parameters
    assert (asked["RoleArn"], asked["WebIdentityToken"]) == (role, "header.payload.signature")


def test_keys_that_a_github_job_was_given_come_before_its_identity(
    aws: FakeAws, cloud: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_job(cloud, monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    mint(login=IN_ROLE)
    assert (aws.asked[0].line, cloud.asked) == (f"sts.AssumeRole by {KEY_ID} in eu-central-1", [])


def test_a_job_whose_identity_the_role_does_not_trust_is_told_so(
    aws: FakeAws, cloud: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_job(cloud, monkeypatch)
    aws.refusals["sts.AssumeRoleWithWebIdentity"] = Refused("AccessDenied", "Not authorized", 403)
    error = refused(login=IN_ROLE)
    assert "AssumeRoleWithWebIdentity with AccessDenied" in error.message
    assert error.hint == "the role's trust policy has to name the issuer, the audience and the subject"


def test_a_job_that_github_gives_no_identity_is_told_what_to_add(
    aws: FakeAws, cloud: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_job(cloud, monkeypatch, status=403)
    assert "id-token: write" in str(refused(login=IN_ROLE))
    assert aws.asked == []


def test_a_region_that_is_said_holds_over_that_of_the_name(aws: FakeAws) -> None:
    mint(login=Ecr(region="us-west-2"))
    mint(PUBLIC, Ecr(region="us-west-2"))
    assert [asked.region for asked in aws.asked] == ["us-west-2", "us-west-2"]


def test_a_name_of_ones_own_has_the_region_of_the_aws_tools(aws: FakeAws, profile: str) -> None:
    mint("registry.example", Ecr(profile=profile))
    assert [asked.region for asked in aws.asked] == ["eu-north-1"]
    error = refused("registry.example")
    assert error.message == "the region of this registry is not known"
    assert error.hint == "say it with `auth: {ecr: {region: NAME}}`, or set AWS_DEFAULT_REGION"


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        (PRIVATE, "https://api.ecr.eu-central-1.amazonaws.com"),
        ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "https://api.ecr.cn-north-1.amazonaws.com.cn"),
        ("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com", "https://ecr-fips.us-east-1.amazonaws.com"),
        ("111122223333.dkr-ecr.us-east-1.on.aws", "https://ecr.us-east-1.api.aws"),
        (PUBLIC, "https://api.ecr-public.us-east-1.amazonaws.com"),
    ],
)
def test_the_api_is_asked_where_the_hosts_name_says(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, host: str, endpoint: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    minter = EcrMinter.of(host, ANY)
    assert minter.client(minter.session()).meta.endpoint_url == endpoint


def test_hosts_of_one_region_have_one_minter() -> None:
    assert minter_for(PRIVATE, ANY) == minter_for(PRIVATE.replace("1111", "4444"), ANY)
    assert minter_for(PRIVATE, ANY) != minter_for(PRIVATE, IN_ROLE)


def test_a_wrong_role_is_said_with_what_to_do(aws: FakeAws) -> None:
    message = f"User: arn:aws:iam::111122223333:user/ci is not authorized to perform: sts:AssumeRole on {ROLE}"
    aws.refusals["sts.AssumeRole"] = Refused("AccessDenied", message, 403)
    error = refused(login=IN_ROLE)
    assert error.message == f"AWS answered AssumeRole with AccessDenied: {message}"
    assert error.hint == "the role's trust policy has to name who asks, and who asks needs sts:AssumeRole"
    assert (error.status, error.code) == (403, "AccessDenied")
    assert len(aws.asked) == 1, "it is not tried again"


def test_keys_of_a_role_that_have_ended_already_are_said(aws: FakeAws) -> None:
    keys = {"AccessKeyId": ROLE_KEY_ID, "SecretAccessKey": "x", "SessionToken": "y"}
    aws.answers["sts.AssumeRole"] = {**keys, "Expiration": "2000-01-01T00:00:00Z"}
    assert refused(login=IN_ROLE).hint == "is the clock of this machine right?"


def test_an_api_that_is_asked_too_often_is_a_limit(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws.refusals["ecr.GetAuthorizationToken"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(LimitError, match="Rate exceeded"):
        mint()
    assert len(aws.asked) == 3, "the library tries again by itself"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ExpiredTokenException", "the AWS credentials have expired: renew them"),
        ("UnrecognizedClientException", "AWS does not know these credentials: check them"),
        ("InvalidSignatureException", "the secret access key is not that of the key ID"),
        ("AccessDeniedException", "it needs the right to GetAuthorizationToken"),
    ],
)
def test_a_refused_token_is_said_with_what_to_do(aws: FakeAws, code: str, hint: str) -> None:
    aws.refusals["ecr.GetAuthorizationToken"] = Refused(code, "no")
    assert refused().hint == hint


def test_what_aws_shows_of_a_request_is_not_shown(aws: FakeAws) -> None:
    """SEC-01: a refused signature is answered with the whole request, in which the session's token stands."""
    said = "The request signature does not match.\n\nThe Canonical String is\nx-amz-security-token:hunter2"
    aws.refusals["ecr.GetAuthorizationToken"] = Refused("InvalidSignatureException", said)
    error = refused()
    assert "does not match" in error.message
    assert "hunter2" not in str(error)


def test_control_characters_of_an_answer_are_escaped(aws: FakeAws) -> None:
    aws.refusals["ecr.GetAuthorizationToken"] = Refused("AccessDeniedException", "\x1b[2J" + "x" * 999)
    message = refused().message
    assert "\\x1b[2J" in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"authorizationData": []},
        {"authorizationData": [{"expiresAt": 4102444800}]},
        {"authorizationData": [{"authorizationToken": "QVdTOnB3"}]},
        {"authorizationData": [{"authorizationToken": "!", "expiresAt": 4102444800}]},
        {"authorizationData": [{"authorizationToken": "QVdT", "expiresAt": 4102444800}]},
        {"authorizationData": [{"authorizationToken": "/w==", "expiresAt": 4102444800}]},
    ],
)
def test_an_answer_without_a_login_is_an_error(aws: FakeAws, answer: dict[str, object]) -> None:
    aws.answers["ecr.GetAuthorizationToken"] = answer
    assert "the answer of AWS holds no login" in refused().message


def test_no_credentials_at_all_is_an_error_of_its_own(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for login in (ANY, IN_ROLE):
        assert isinstance(refused(login=login), MissingLoginError)
    assert aws.asked == []


def test_half_a_pair_of_keys_is_not_no_credentials(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    error = refused()
    assert not isinstance(error, MissingLoginError)
    assert "AWS_SECRET_ACCESS_KEY" in error.message


@pytest.mark.parametrize("variable", [None, "AWS_PROFILE"])
def test_a_profile_that_is_not_there_is_named(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    if variable:
        monkeypatch.setenv(variable, "nobody")
    error = refused(login=ANY if variable else Ecr(profile="nobody"))
    assert not isinstance(error, MissingLoginError)
    assert "(nobody)" in error.message


def test_an_api_that_cannot_be_reached_is_said_and_may_be_tried_again(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of days renews its logins: a short cut then ends no image."""
    monkeypatch.setattr("botocore.retries.standard.time.sleep", lambda _: None, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:1") as raised:
        mint()
    assert raised.value.is_transient


@pytest.mark.parametrize(
    ("code", "status", "own"),
    [
        ("ServerException", 500, NetworkError),
        ("ServiceUnavailable", 503, NetworkError),
        ("404", 404, ProtocolError),
        ("AccessDeniedException", 400, AuthenticationError),
    ],
)
def test_only_a_refusal_of_amazons_is_told_to_be_about_rights(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch, code: str, status: int, own: type[StoreError]
) -> None:
    """Not that Amazon is ill, nor what a proxy says in its place."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    aws.refusals["ecr.GetAuthorizationToken"] = Refused(code, "because", status)
    with pytest.raises(own) as raised:
        mint()
    assert ("needs the right" in (raised.value.hint or "")) is (own is AuthenticationError)


def test_an_api_with_a_certificate_of_somebody_else_is_not_tried_again(
    aws: FakeAws, cloud: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that looks into TLS has authorities of its own."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.url)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(TlsError, match="the certificate of AWS is not trusted") as raised:
        mint()
    assert (raised.value.is_transient, "AWS_CA_BUNDLE" in (raised.value.hint or "")) == (False, True)
    assert cloud.asked == []


def test_neither_keys_nor_logins_are_logged(aws: FakeAws, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-01, for the log of a run; botocore's own goes nowhere unless somebody turns it on."""
    with caplog.at_level(logging.INFO):
        minted = mint(login=IN_ROLE)
    seen = caplog.text + repr(minted) + repr(minter_for(PRIVATE, IN_ROLE))
    assert not [text for text in (SECRET_KEY, "of-the-role", minted.password.reveal()) if text in seen]
