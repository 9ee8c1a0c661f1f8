"""The login that a CI job has of itself: for which host, from which variables, and after whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.registry.job_logins import job_login
from imagesync.settings import Anonymous, Secret
from tests.registry.test_credentials import Home, make_auth

GHCR = "ghcr.io"
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "GITHUB_TOKEN": "ghs_secret"}
GITLAB = {"GITLAB_CI": "true", "CI_REGISTRY": "registry.gitlab.example:5050", "CI_JOB_TOKEN": "glcbt-secret"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_job_of_github_actions_logs_in_to_ghcr_with_its_own_token(home: Home) -> None:
    home.environment.update(GITHUB)
    found = home.find(GHCR)
    assert found is not None
    assert (found.username, found.password) == ("octocat", Secret.literal("ghs_secret"))
    assert "ghs_secret" not in repr(found)
    assert found.origin == "GITHUB_TOKEN of the job"


def test_a_job_without_an_actor_has_a_name_all_the_same() -> None:
    found = job_login(GHCR, GITHUB | {"GITHUB_ACTOR": ""})
    assert found is not None
    assert found.username == "github-actions"


@pytest.mark.parametrize("registry", ["registry.gitlab.example:5050", "Registry.GitLab.Example:5050/group/project"])
def test_a_job_of_gitlab_logs_in_to_the_registry_of_its_gitlab(home: Home, registry: str) -> None:
    home.environment.update(GITLAB, CI_REGISTRY=registry)
    found = home.find("registry.gitlab.example:5050", "group/project")
    assert found is not None
    assert (found.username, found.password) == ("gitlab-ci-token", Secret.literal("glcbt-secret"))
    assert found.origin == "CI_JOB_TOKEN of the job"


@pytest.mark.parametrize("host", ["docker.io", "ghcr.io.evil.example", "registry.gitlab.example", "gitlab.example"])
def test_no_other_host_is_sent_a_jobs_token(host: str) -> None:
    assert job_login(host, GITHUB | GITLAB) is None


@pytest.mark.parametrize(
    ("host", "environment"),
    [
        (GHCR, GITHUB | {"GITHUB_ACTIONS": ""}),
        (GHCR, GITHUB | {"GITHUB_TOKEN": ""}),
        (GITLAB["CI_REGISTRY"], GITLAB | {"GITLAB_CI": "false"}),
        (GITLAB["CI_REGISTRY"], GITLAB | {"CI_JOB_TOKEN": ""}),
        (GITLAB["CI_REGISTRY"], GITLAB | {"CI_REGISTRY": ""}),
        (GITLAB["CI_REGISTRY"], GITLAB | {"CI_REGISTRY": "https://registry.gitlab.example:5050"}),
        ("", GITLAB | {"CI_REGISTRY": ""}),
    ],
)
def test_outside_of_a_job_or_without_a_token_there_is_no_login(host: str, environment: dict[str, str]) -> None:
    assert job_login(host, environment) is None


def test_a_credential_file_that_knows_the_host_comes_first(home: Home) -> None:
    home.environment.update(GITHUB)
    home.write_docker(auths={GHCR: make_auth("file")})
    assert home.user(GHCR) == "file"


def test_anonymous_is_nobody_in_a_job_as_well(home: Home) -> None:
    home.environment.update(GITHUB)
    assert home.find(GHCR, login=Anonymous()) is None
