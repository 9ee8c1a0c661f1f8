"""Who runs a command, for records: in CI the account and the page of the run, else user@host."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Mapping

from imagesync.promotion.record import Who


def who_runs(environment: Mapping[str, str]) -> Who:
    """By GitHub's and GitLab's variables, else by the machine."""
    if environment.get("GITHUB_ACTOR"):
        return Who(environment["GITHUB_ACTOR"], _github_run(environment))
    if environment.get("GITLAB_USER_LOGIN"):
        return Who(environment["GITLAB_USER_LOGIN"], environment.get("CI_JOB_URL", ""))
    return Who(f"{_user()}@{platform.node() or 'unknown'}")


def _github_run(environment: Mapping[str, str]) -> str:
    server, repository, run = (
        environment.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    )
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return "unknown"
