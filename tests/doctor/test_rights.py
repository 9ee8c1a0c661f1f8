"""What is said of logins and rights, and of how much may still be pulled."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imagesync.doctor.check import Check, Status
from imagesync.doctor.diagnosis import diagnose
from imagesync.doctor.facts import Tried
from imagesync.doctor.subjects import Right
from imagesync.errors import AuthenticationError, Cancelled, LimitError, NotFoundError, TlsError, UnsupportedError
from imagesync.registry.pull_rate import PullRate
from tests.doctor.values import LOGIN, NOW, checks, facts, tried

BAD_LOGIN = AuthenticationError("the token server answered 401", hint="check the login", status=401)
NO_RIGHT = AuthenticationError("answered 403 DENIED", hint="the login has no right to this", status=403)
NO_RIGHT.is_refusal = True


def _all(*tries: Tried) -> list[Check]:
    return list(diagnose(facts(*tries), NOW).checks)


def _push(**changed: object) -> Check:
    return checks(facts(tried(Right.PUSH, **changed)))["push"]


@pytest.mark.parametrize(
    ("granted", "status"),
    [
        (frozenset({"pull", "push"}), Status.OK),
        (frozenset({"*"}), Status.OK),
        (frozenset({"pull"}), Status.FAILED),
        (frozenset[str](), Status.FAILED),
        (None, Status.SKIPPED),
    ],
)
def test_a_right_to_write_is_what_the_token_says(granted: frozenset[str] | None, status: Status) -> None:
    assert _push(granted=granted).status is status


def test_what_cannot_be_told_says_how_to_find_out() -> None:
    assert "--probe-push" in str(_push(granted=None).next_step)
    assert _push(is_proven=True).detail == "an upload was begun and taken back"


def test_a_refusal_behind_a_token_that_says_nothing_may_be_a_repository_to_come() -> None:
    assert _push(error=NO_RIGHT, status=None).status is Status.WARN
    assert _push(error=NO_RIGHT, status=None, granted=frozenset({"pull"})).status is Status.FAILED
    assert _push(error=NO_RIGHT, status=None, is_proven=True).status is Status.FAILED


@pytest.mark.parametrize("granted", [None, frozenset({"push"})])
def test_a_repository_that_somebody_has_to_make_is_told_with_how(granted: frozenset[str] | None) -> None:
    push = _push(status=404, granted=granted, creation="run `aws ecr create-repository`")
    assert (push.status, push.next_step) == (Status.WARN, "unless a push makes it: run `aws ecr create-repository`")


def test_one_login_that_is_refused_is_one_failure() -> None:
    refused = [tried(Right.PULL, path, status=None, error=BAD_LOGIN) for path in ("a", "b", "c")]
    found = _all(*refused)
    assert [check.about for check in found if check.status is Status.FAILED] == ["to read"]
    assert [check.about for check in found if check.status is Status.SKIPPED and check.topic.value == "pull"] == list(
        "abc"
    )


def test_a_login_that_could_not_be_found_is_not_called_refused() -> None:
    nobody = AuthenticationError("no AWS credentials were found", hint="set AWS_PROFILE")
    found = checks(facts(tried(Right.PULL, status=None, error=nobody)))
    assert (found["login"].status, found["pull"].detail) == (
        Status.FAILED,
        "not tried: there is no login to try it with",
    )


def test_who_knows_no_head_has_said_nothing_of_the_tag() -> None:
    assert checks(facts(tried(Right.PULL, status=405)))["pull"].detail == "can be read"


def test_a_login_that_works_elsewhere_is_not_what_is_refused() -> None:
    found = _all(tried(Right.PULL, "a"), tried(Right.PULL, "b", status=None, error=BAD_LOGIN))
    assert [(check.topic.value, check.about) for check in found if check.status is Status.FAILED] == [("pull", "b")]


def test_a_login_that_nobody_could_look_at_is_not_called_good() -> None:
    found = checks(facts(tried(Right.PUSH, status=None, error=TlsError("certificate is not trusted", hint="name it"))))
    assert (found["login"].status, found["push"].status) == (Status.SKIPPED, Status.FAILED)


def test_a_login_that_gets_as_far_as_what_is_not_there_was_let_in() -> None:
    found = checks(facts(tried(Right.PULL, status=None, error=NotFoundError("answered 404 NAME_UNKNOWN", status=404))))
    assert (found["login"].status, found["pull"].status) == (Status.OK, Status.FAILED)


def test_what_a_registry_does_not_do_is_no_word_on_the_login() -> None:
    proxied = UnsupportedError("answered 403 DENIED: can not push artifact to a proxy project", status=403)
    found = checks(facts(tried(Right.PUSH, status=None, error=proxied, is_proven=True)))
    assert (found["login"].status, found["push"].status) == (Status.OK, Status.FAILED)


def test_what_a_token_does_not_grant_is_called_as_the_cloud_calls_it() -> None:
    use = replace(LOGIN, credential="Azure, as b", needed="the role AcrPush")
    step = "give the account the role AcrPush here, or use another login (this is Azure, as b)"
    assert _push(use=use, granted=frozenset({"pull"})).next_step == step


def test_reading_and_writing_may_have_logins_of_their_own() -> None:
    other = replace(LOGIN, credential="~/.docker/config.json auths", seconds_left=7200.0)
    found = _all(tried(Right.PULL), tried(Right.PUSH, use=other, granted=frozenset({"push"})))
    logins = {check.about: check.detail for check in found if check.topic.value == "login"}
    assert logins == {
        "to read": "the spec, Bearer, tokens from auth.example.org",
        "to write": "~/.docker/config.json auths, Bearer, tokens from auth.example.org, renewed in 2.0 h",
    }


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("answered 404 NAME_UNKNOWN"),
        LimitError("the pull limit is used up", hint="wait, or log in"),
        Cancelled("the deadline has passed"),
        NO_RIGHT,
    ],
)
def test_whatever_keeps_a_source_from_being_read_is_told_with_what_to_do(error: Exception) -> None:
    pull = checks(facts(tried(Right.PULL, status=None, error=error)))["pull"]
    assert (pull.status, bool(pull.next_step)) == (Status.FAILED, True)


def test_a_tag_that_is_not_there_is_no_failure() -> None:
    assert checks(facts(tried(Right.PULL, status=404)))["pull"].detail == "can be read; latest is not there"


@pytest.mark.parametrize(
    ("rate", "status", "detail"),
    [
        (PullRate(76, 100, 21600), Status.OK, "76 of 100 pulls left in 6 h"),
        (PullRate(9, 100, 21600), Status.WARN, "9 of 100 pulls left in 6 h"),
        (PullRate(0, reset_seconds=3600), Status.WARN, "0 pulls left, anew in 60 min"),
    ],
)
def test_a_limit_that_is_nearly_used_up_is_a_warning(rate: PullRate, status: Status, detail: str) -> None:
    limit = checks(facts(tried(Right.PULL, rate=PullRate(99, 100, 21600)), tried(Right.PULL, "b", rate=rate)))["limit"]
    assert (limit.status, limit.detail) == (status, detail)
