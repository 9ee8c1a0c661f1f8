"""Who runs a command, as records name him."""

from __future__ import annotations

import getpass

import pytest

from imagesync.cli.who import who_runs
from imagesync.promotion.record import Who


def test_on_github_it_is_the_actor_and_the_page_of_the_run() -> None:
    variables = {
        "GITHUB_ACTOR": "octocat",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "42",
    }
    assert who_runs(variables) == Who("octocat", "https://github.com/acme/shop/actions/runs/42")
    assert who_runs({"GITHUB_ACTOR": "octocat"}) == Who("octocat")


def test_on_gitlab_it_is_the_user_and_the_page_of_the_job() -> None:
    assert who_runs({"GITLAB_USER_LOGIN": "ada", "CI_JOB_URL": "https://gitlab.com/j/1"}) == Who(
        "ada", "https://gitlab.com/j/1"
    )


def test_elsewhere_it_is_the_user_at_the_machine_be_he_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.node", lambda: "build-7")
    monkeypatch.setattr(getpass, "getuser", lambda: "ada")
    assert who_runs({}) == Who("ada@build-7")

    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert who_runs({}) == Who("unknown@build-7")
