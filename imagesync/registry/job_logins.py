"""The login that a CI job has of itself, for the registry of the service that runs it, and for no other host.

GitHub Actions: ghcr.io, where the workflow hands its GITHUB_TOKEN on. GitLab CI: the registry of that GitLab.
"""

from __future__ import annotations

from collections.abc import Mapping

from imagesync.errors import InvalidReference
from imagesync.reference import normalise_host
from imagesync.registry.credential import Credential
from imagesync.settings import Secret

GHCR = "ghcr.io"
GITLAB_USER = "gitlab-ci-token"


def job_login(host: str, environment: Mapping[str, str]) -> Credential | None:
    """What this job logs in to a registry with; None outside of a job, and for any other host."""
    if host == GHCR and environment.get("GITHUB_ACTIONS") == "true":
        user = environment.get("GITHUB_ACTOR") or "github-actions"  # ghcr.io looks at the token alone
        return _login(user, environment.get("GITHUB_TOKEN"), "GITHUB_TOKEN of the job")
    if environment.get("GITLAB_CI") == "true" and host == _gitlab_registry(environment):
        return _login(GITLAB_USER, environment.get("CI_JOB_TOKEN"), "CI_JOB_TOKEN of the job")
    return None


def _login(username: str, password: str | None, origin: str) -> Credential | None:
    return Credential(username, Secret.literal(password, origin), origin=origin) if password else None


def _gitlab_registry(environment: Mapping[str, str]) -> str | None:
    """The host that GitLab names, in the spelling of references."""
    try:
        return normalise_host(environment.get("CI_REGISTRY", "").partition("/")[0])
    except InvalidReference:
        return None
