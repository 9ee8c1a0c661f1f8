"""Repositories that are created at ECR: as moto, which others wrote after Amazon's API, then has them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

from imagesync.behaviour import RepositoryTemplate
from imagesync.clouds import RepositoryCreator, minter_for, repository_creator
from imagesync.errors import AuthenticationError, LimitError, StoreError, UnsupportedError
from imagesync.settings import Anonymous, DefaultAuth, Ecr, Login
from tests.fakes.aws import KEY_ID, ROLE_KEY_ID, FakeAws, Refused

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/mirror"
PLAIN = RepositoryTemplate()
POLICY = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 5},
            "action": {"type": "expire"},
        }
    ]
}


@pytest.fixture
def account(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's account in this process, past our code: a client of its own."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        yield Session().create_client("ecr", region_name="eu-central-1")


def creator(host: str = HOST, login: Login = Ecr()) -> RepositoryCreator:  # noqa: B008 - a frozen value
    found = repository_creator(host, login)
    assert found is not None
    return found


def described(account: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = account.describe_repositories(repositoryNames=[name])["repositories"][0]
    return found


def test_a_repository_is_created_as_ecr_would_by_itself(account: Any) -> None:
    assert creator().create("team/app", PLAIN)
    found = described(account, "team/app")
    assert found["imageTagMutability"] == "MUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": False}
    assert found["encryptionConfiguration"] == {"encryptionType": "AES256"}


def test_a_repository_is_created_as_its_template_says(account: Any) -> None:
    template = RepositoryTemplate(
        mutable_tags=("latest", "dev-*"),
        scan_on_push=True,
        kms_key="alias/mirror",
        tags=(("team", "platform"),),
        lifecycle=json.dumps(POLICY),
    )
    assert creator().create("app", template)
    found = described(account, "app")
    assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert found["encryptionConfiguration"]["encryptionType"] == "KMS"
    assert found["encryptionConfiguration"]["kmsKey"] == "alias/mirror"
    assert account.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"] == [
        {"Key": "team", "Value": "platform"}
    ]
    policy = account.get_lifecycle_policy(repositoryName="app")["lifecyclePolicyText"]
    assert json.loads(policy) == POLICY


def test_a_repository_without_exceptions_is_immutable_as_a_whole(account: Any) -> None:
    creator().create("app", RepositoryTemplate(mutable_tags=()))
    assert described(account, "app")["imageTagMutability"] == "IMMUTABLE"


def test_a_repository_that_is_there_is_left_as_it_is(account: Any) -> None:
    assert creator().create("app", PLAIN)
    assert not creator().create("app", RepositoryTemplate(mutable_tags=(), lifecycle=json.dumps(POLICY)))
    assert described(account, "app")["imageTagMutability"] == "MUTABLE"
    with pytest.raises(account.exceptions.LifecyclePolicyNotFoundException):
        account.get_lifecycle_policy(repositoryName="app")


def test_moto_takes_the_logins_for_what_they_are(account: Any) -> None:
    for login in (Ecr(), Ecr(role=ROLE)):
        assert minter_for(HOST, login).mint().username == "AWS"


def test_the_account_and_the_exceptions_go_to_amazon_as_documented(aws: FakeAws) -> None:
    creator(login=Ecr(role=ROLE)).create("app", RepositoryTemplate(mutable_tags=("latest",)))
    assert [asked.signer for asked in aws.asked] == [KEY_ID, ROLE_KEY_ID]
    assert aws.asked[1].operation == "ecr.CreateRepository"
    assert aws.asked[1].parameters == {
        "registryId": "123456789012",
        "repositoryName": "app",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
    }


def test_many_repositories_are_created_in_one_session_of_a_role(aws: FakeAws) -> None:
    one = creator(login=Ecr(role=ROLE))
    for name in ("one", "two", "three"):
        assert one.create(name, PLAIN)
    assert [asked.operation for asked in aws.asked] == ["sts.AssumeRole", *["ecr.CreateRepository"] * 3]


def test_in_the_public_registry_a_name_does_not_say_whose_it_is(aws: FakeAws) -> None:
    creator("public.ecr.aws").create("acme/team/app", RepositoryTemplate(tags=(("team", "x"),)))
    [asked] = aws.asked
    assert (asked.operation, asked.region) == ("ecr-public.CreateRepository", "us-east-1")
    assert asked.parameters == {"repositoryName": "team/app", "tags": [{"Key": "team", "Value": "x"}]}


def test_the_public_registry_has_no_settings(aws: FakeAws) -> None:
    with pytest.raises(UnsupportedError, match="no settings but tags"):
        creator("public.ecr.aws").create("acme/app", RepositoryTemplate(scan_on_push=True))
    assert aws.asked == []


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("AccessDeniedException", AuthenticationError, "it needs the right to CreateRepository"),
        ("InvalidParameterException", UnsupportedError, None),
        ("KmsException", UnsupportedError, None),
        ("LimitExceededException", LimitError, None),
    ],
)
def test_a_refusal_names_the_repository(aws: FakeAws, code: str, kind: type[StoreError], hint: str | None) -> None:
    aws.refusals["ecr.CreateRepository"] = Refused(code, "because")
    with pytest.raises(kind, match="because") as caught:
        creator().create("team/app", PLAIN)
    assert (caught.value.operation, caught.value.reference) == ("create repository", f"{HOST}/team/app")
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (json.dumps(POLICY), "AWS answered PutLifecyclePolicy with InvalidParameter: no rules"),
        ("{}", "AWS does not take this: Parameter validation failed: Invalid length"),
    ],
)
def test_a_policy_that_is_refused_is_said_with_what_is_there_by_now(aws: FakeAws, policy: str, message: str) -> None:
    aws.refusals["ecr.PutLifecyclePolicy"] = Refused("InvalidParameterException", "no rules")
    with pytest.raises(UnsupportedError, match=message) as caught:
        creator().create("app", RepositoryTemplate(lifecycle=policy))
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("the repository is there, and without its policy")


@pytest.mark.parametrize("login", [DefaultAuth(), Anonymous()])
def test_another_login_of_the_registry_is_none_of_its_api(aws: FakeAws, login: Login) -> None:
    """Who pushes with a password creates with the credentials that the AWS tools find."""
    creator(login=login).create("app", PLAIN)
    assert aws.lines() == [f"ecr.CreateRepository by {KEY_ID} in eu-central-1"]
    for host in ("registry.example", "europe-docker.pkg.dev", "acme.azurecr.io"):
        assert repository_creator(host, login) is None


def test_without_the_library_the_error_says_what_to_install(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(AuthenticationError, match="needs botocore") as caught:
        repository_creator(HOST, DefaultAuth())
    assert caught.value.hint == "pip install 'imagesync[ecr]'"
