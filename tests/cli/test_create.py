"""Repositories that have to be there before a push: in the plan, before their first blob, once, and never unasked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from moto import mock_aws

from tests.cli.command import Cli, Mirror
from tests.clouds.test_ecr_repositories import POLICY
from tests.conftest import MakeRegistry
from tests.fakes.aws import FakeAws, Refused
from tests.fakes.registry import FakeRegistry
from tests.images import make_index

UNKNOWN = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "The repository does not exist"}]}).encode()
CREATED = "ecr.CreateRepository"
PROJECTS = "/api/v2.0/projects"
MADE_WITH = "{immutable: {except: [latest]}, scan_on_push: true}"


@pytest.fixture
def mirror(cli: Cli, make_registry: MakeRegistry) -> Mirror:
    mirror = Mirror(cli, make_registry(), make_registry())
    mirror.fill("1")
    mirror.fill("2")
    return mirror


def ecr_until_created(mirror: Mirror, aws: FakeAws) -> None:
    """A registry that knows no repository before Amazon's API was asked for it, as ECR does."""
    registry = mirror.destination
    for path in ("app", "other"):
        registry.script(path=f"^/v2/{path}/", status=404, body=UNKNOWN)
    registry.call_before_each(lambda _entry: registry.unscript() if created(aws) else None)


def created(aws: FakeAws) -> list[dict[str, Any]]:
    return [asked.parameters for asked in aws.asked if asked.operation == CREATED]


def spec(mirror: Mirror, *images: str, create: str = MADE_WITH) -> str:
    created = f", create: {create}" if create else ""
    settings = f"{{kind: ecr, auth: {{ecr: {{region: eu-central-1}}}}{created}}}"
    return mirror.spec(*(images or ("app:1",)), registries={mirror.destination.host: settings})


def test_a_plan_shows_what_will_be_created_and_creates_nothing(mirror: Mirror, aws: FakeAws) -> None:
    ecr_until_created(mirror, aws)
    ran = mirror.cli("plan", spec(mirror, "app:1", "app:2"))
    assert (ran.code, created(aws)) == (0, [])
    assert ran.out.count("create repository, immutable but for latest, scanned on push") == 1
    assert "+ app " in ran.out
    assert "Plan: 2 to add, 0 to update, 1 to create first," in ran.out


def test_a_repository_is_created_once_before_its_first_blob(mirror: Mirror, aws: FakeAws) -> None:
    ecr_until_created(mirror, aws)
    ran = mirror.cli("apply", spec(mirror, "app:1", "app:2"))
    assert ran.code == 0, ran.text
    assert "created repository, immutable but for latest" in ran.out
    assert "2 added, 0 updated, 1 created first," in ran.out
    (wanted,) = created(aws)
    assert wanted["repositoryName"] == "app"
    assert wanted["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert set(mirror.tags()) == {"1", "2"}
    lines = mirror.destination.log.lines()
    assert not [line for line in lines if line.startswith(("POST", "PUT")) and line.endswith("404")]


def test_a_role_is_taken_once_for_all_that_is_created(mirror: Mirror, aws: FakeAws) -> None:
    mirror.fill("1", path="other", image=make_index("other"))
    role = "arn:aws:iam::111122223333:role/mirror"
    settings = f"{{kind: ecr, auth: {{ecr: {{role: '{role}', region: eu-central-1}}}}, create: {{}}}}"
    written = mirror.spec("app:1", "other:1", registries={mirror.destination.host: settings})
    assert mirror.cli("apply", written).code == 0
    assert sorted(wanted["repositoryName"] for wanted in created(aws)) == ["app", "other"]
    assert [asked.operation for asked in aws.asked].count("sts.AssumeRole") == 1


def test_a_run_that_has_nothing_to_do_does_not_ask_whether_its_repository_is_there(
    mirror: Mirror, aws: FakeAws
) -> None:
    mirror.cli("apply", spec(mirror, create=""))
    mirror.forget()
    assert mirror.cli("apply", spec(mirror)).code == 0
    assert created(aws) == []
    assert not [line for line in mirror.requests() if "tags/list?n=1 " in line]
    assert mirror.writes() == []


def test_a_repository_that_is_there_costs_one_tag_list_more_and_is_left_as_it_is(mirror: Mirror, aws: FakeAws) -> None:
    mirror.stand(make_index("before"), "0")
    with_it = mirror.cli("apply", spec(mirror))
    asked = [entry.query for entry in mirror.destination.log.entries("GET", "/v2/app/tags/list")]
    assert (with_it.code, created(aws)) == (0, [])
    assert asked.count("n=1") == 1


def test_what_cannot_be_created_fails_its_images_with_the_reason_and_others_go_on(mirror: Mirror, aws: FakeAws) -> None:
    mirror.fill("1", path="other", image=make_index("other"))
    mirror.destination.script(path="^/v2/app/", status=404, body=UNKNOWN)
    mirror.stand(make_index("before"), "0", path="other")
    aws.refusals[CREATED] = Refused("LimitExceededException", "too many repositories")
    ran = mirror.cli("apply", spec(mirror, "app:1", "other:1"))
    assert ran.code == 1
    assert "create repository" in ran.text
    assert "LimitExceeded" in ran.text
    assert "1" in mirror.tags("other")


@pytest.mark.parametrize("format_", ["json", "markdown"])
def test_every_form_of_a_plan_names_what_is_created(mirror: Mirror, aws: FakeAws, format_: str) -> None:
    ecr_until_created(mirror, aws)
    ran = mirror.cli("plan", spec(mirror), "--format", format_)
    assert "immutable but for latest, scanned on push" in ran.out


def test_a_saved_plan_creates_what_it_shows(mirror: Mirror, aws: FakeAws) -> None:
    ecr_until_created(mirror, aws)
    written = spec(mirror)
    assert mirror.cli("plan", written, "-o", "plan.json").code == 0
    (action,) = json.loads(Path("plan.json").read_text())["actions"]
    assert action["creates"] == {
        "registry": mirror.destination.host,
        "path": "app",
        "what": "repository",
        "made_with": "immutable but for latest, scanned on push",
    }
    assert mirror.cli("apply", written, "--plan", "plan.json").code == 0
    assert len(created(aws)) == 1


def test_a_saved_plan_that_was_told_of_another_creation_creates_nothing(mirror: Mirror, aws: FakeAws) -> None:
    ecr_until_created(mirror, aws)
    written = spec(mirror)
    mirror.cli("plan", written, "-o", "plan.json")
    text = Path("plan.json").read_text()
    mirror.cli.file(text.replace('"path": "app",\n        "what"', '"path": "else",\n        "what"'), "plan.json")
    ran = mirror.cli("apply", written, "--plan", "plan.json")
    assert (ran.code != 0, created(aws)) == (True, [])


def test_an_approved_plan_that_creates_nothing_lets_nothing_be_created(mirror: Mirror, aws: FakeAws) -> None:
    mirror.stand(make_index("before"), "0")
    written = spec(mirror)
    mirror.cli("plan", written, "-o", "approved.json")
    ecr_until_created(mirror, aws)
    ran = mirror.cli("apply", written, "--approved", "approved.json")
    assert (ran.code, created(aws)) == (3, [])
    assert "the approved plan does not create repository" in ran.text


def test_without_create_the_error_holds_the_exact_command(mirror: Mirror, aws: FakeAws) -> None:
    """UPL-14."""
    mirror.fill("1", path="other", image=make_index("other"))
    mirror.destination.script(path="^/v2/app/", status=404, body=UNKNOWN)
    ran = mirror.cli("apply", spec(mirror, "app:1", "other:1", create=""))
    assert (ran.code, created(aws)) == (1, [])
    assert "aws ecr create-repository --repository-name app" in ran.text
    assert "1" in mirror.tags("other")


def test_a_repository_is_there_as_amazon_describes_it(
    mirror: Mirror, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With moto, which others wrote after Amazon's API."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    create = "{immutable: true, lifecycle: ecr.json, tags: {team: platform}}"
    mirror.cli.file(json.dumps(POLICY), "ecr.json")
    with mock_aws():
        account = Session().create_client("ecr", region_name="eu-central-1")
        registry = mirror.destination
        registry.script(path="^/v2/app/", status=404, body=UNKNOWN)
        registry.call_before_each(
            lambda _entry: registry.unscript() if account.describe_repositories()["repositories"] else None
        )
        ran = mirror.cli("apply", spec(mirror, create=create))
        assert ran.code == 0, ran.text
        (found,) = account.describe_repositories()["repositories"]
        policy = account.get_lifecycle_policy(repositoryName="app")["lifecyclePolicyText"]
    assert (found["repositoryName"], found["imageTagMutability"]) == ("app", "IMMUTABLE")
    assert json.loads(policy) == POLICY


@pytest.fixture
def harbor(mirror: Mirror) -> FakeRegistry:
    """A registry that has its projects beside `/v2/`, and none of them at first."""
    registry = mirror.destination
    made = registry.script("POST", PROJECTS, status=201)
    registry.script("HEAD", PROJECTS, status=404)
    blocked = registry.script("", "^/v2/team/", status=404, body=UNKNOWN)
    registry.call_before_each(lambda _entry: setattr(blocked, "times", 0) if made.seen else None)
    return registry


def harbor_spec(mirror: Mirror, settings: str) -> str:
    return mirror.spec(
        "app:1", "other:1", registries={mirror.destination.host: settings}, to=f"{mirror.destination.host}/team"
    )


def test_a_project_of_harbor_is_created_once_for_all_that_comes_below_it(mirror: Mirror, harbor: FakeRegistry) -> None:
    mirror.fill("1", path="other", image=make_index("other"))
    written = harbor_spec(mirror, "{kind: harbor, create: {public: true}}")
    planned = mirror.cli("plan", written)
    assert planned.out.count("create project, public") == 1
    ran = mirror.cli("apply", written)
    assert ran.code == 0, ran.text
    assert harbor.log.lines("POST", PROJECTS) == [f"POST {PROJECTS} 201"]
    assert set(mirror.tags("team/app")) == set(mirror.tags("team/other")) == {"1"}


def test_without_create_the_error_names_the_project_and_its_page(mirror: Mirror, harbor: FakeRegistry) -> None:
    ran = mirror.cli("apply", harbor_spec(mirror, "{kind: harbor}"))
    assert ran.code == 1
    assert f"create the project team at https://{harbor.host}/harbor/projects" in ran.text
    assert harbor.log.lines("", PROJECTS) == []
