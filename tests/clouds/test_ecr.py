"""Logins for ECR: what AWS is asked, by whom, and what comes of its answers."""

from __future__ import annotations

from imagesync.clouds import Minted, minter_for
from imagesync.settings import Ecr
from tests.fakes.aws import KEY_ID, ROLE_KEY_ID, FakeAws

PRIVATE = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
PUBLIC = "public.ecr.aws"
ROLE = "arn:aws:iam::111122223333:role/mirror"


def mint(host: str = PRIVATE, login: Ecr = Ecr()) -> Minted:  # noqa: B008 - a frozen value
    return minter_for(host, login).mint()


def test_a_private_registry_is_asked_for_a_token_in_its_own_region(aws: FakeAws) -> None:
    minted = mint()
    assert (minted.username, minted.password) == ("AWS", "password-1")
    assert minted.origin == "Amazon ECR, credentials by env"
    assert not minted.is_identity_token
    assert aws.lines() == [f"ecr.GetAuthorizationToken by {KEY_ID} in eu-central-1"]


def test_the_public_registry_is_asked_in_its_one_region(aws: FakeAws) -> None:
    assert mint(PUBLIC).password == "password-1"
    assert aws.lines() == [f"ecr-public.GetAuthorizationToken by {KEY_ID} in us-east-1"]


def test_a_role_is_taken_first(aws: FakeAws) -> None:
    minted = mint(login=Ecr(role=ROLE))
    assert minted.origin == f"Amazon ECR, role {ROLE}"
    assert aws.lines() == [
        f"sts.AssumeRole by {KEY_ID} in eu-central-1",
        f"ecr.GetAuthorizationToken by {ROLE_KEY_ID} in eu-central-1",
    ]
    assert (aws.asked[0].parameters["RoleArn"], aws.asked[0].parameters["RoleSessionName"]) == (ROLE, "imagesync")
