"""An approval by GitHub's environment: what the job's token has to say, and what nothing else can."""

from __future__ import annotations

from typing import Any

import pytest

from imagesync.gates import Gate, JobIdentity, Known, ReadJobIdentity, Ruling, TimeNow, Unread
from imagesync.gates.command import NotRun, without_commands
from imagesync.gates.environment import GITHUB_ISSUER, GitHubEnvironment
from tests.gates.values import NOW, judged, knowing, make_candidate
from tests.signature.tokens import Issuer

PASSED, WAITING, BLOCKED = Ruling.PASSED, Ruling.WAITING, Ruling.BLOCKED
CANDIDATE = make_candidate()
GATE = GitHubEnvironment("production", "acme/shop", "refs/heads/main", "acme/shop/.github/workflows/*@refs/heads/main")
ISSUER = Issuer()
CLAIMS = {
    "aud": "imagesync:1",
    "exp": int(NOW.timestamp()) + 300,
    "environment": "production",
    "repository": "acme/shop",
    "ref": "refs/heads/main",
    "workflow_ref": "acme/shop/.github/workflows/promote.yml@refs/heads/main",
    "actor": "carol",
    "run_id": "42",
}
PLACE = "the environment production of acme/shop"


def job(by: Issuer = ISSUER, audience: str = "imagesync:1", **claims: Any) -> Known:
    identity = JobIdentity(by.token({**CLAIMS, **claims}), audience, ISSUER.keys())
    return knowing((ReadJobIdentity(GITHUB_ISSUER), identity))


def test_a_job_in_the_environment_passes_and_it_is_said_what_that_rests_on() -> None:
    reason = f"GitHub lets run '42' of 'carol' at 'refs/heads/main' be in {PLACE}, by the rules of that"
    assert judged(GATE, CANDIDATE, job()) == (PASSED, reason)
    assert judged(GitHubEnvironment("production", "acme/shop"), CANDIDATE, job(ref="refs/heads/x"))[0] is PASSED


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"environment": "staging"}, "its environment is 'staging'"),
        ({"environment": None}, "its environment is ''"),
        ({"environment": "Production"}, "its environment is 'Production'"),
        ({"repository": "mallory/shop"}, "its repository is 'mallory/shop'"),
        ({"ref": "refs/heads/x"}, "its ref is 'refs/heads/x', wanted refs/heads/main"),
        ({"workflow_ref": "acme/shop/x"}, "its workflow_ref is 'acme/shop/x', wanted acme/shop/.github"),
    ],
)
def test_a_job_elsewhere_waits(claims: dict[str, Any], reason: str) -> None:
    found = judged(GATE, CANDIDATE, job(**claims))
    assert (found[0], found[1].startswith(f"not in {PLACE}: {reason}")) == (WAITING, True), found


def test_outside_of_github_it_waits_and_says_how_to_get_there() -> None:
    finding = GATE.judge(CANDIDATE, knowing((ReadJobIdentity(GITHUB_ISSUER), None)))
    reason = f"not in {PLACE}: this is no job of GitHub Actions that may have an identity"
    assert (finding.ruling, finding.reason) == (WAITING, reason)
    assert finding.hint == (
        "run it in a job of acme/shop with `environment: production` and `permissions: {id-token: write}`"
    )


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (job(Issuer()), "the token is not signed by its issuer"),
        (job(audience="imagesync:2"), "the token is for somebody else than asked for it"),
        (job(exp=int(NOW.timestamp()) - 1), "the token has expired"),
        (job(iss="https://mallory.example"), "the token is issued by 'https://mallory.example'"),
        (knowing((ReadJobIdentity(GITHUB_ISSUER), Unread("it answered 503"))), "it answered 503"),
        (knowing(), "ReadJobIdentity was not asked for"),
        (Known(), "TimeNow was not asked for"),
    ],
)
def test_what_cannot_be_verified_blocks(known: Known, reason: str) -> None:
    ruling, said = judged(GATE, CANDIDATE, known)
    assert (ruling, said.startswith(f"who runs this cannot be verified: {reason}")) == (BLOCKED, True), said


def test_the_time_and_the_identity_by_its_issuer_are_asked_for() -> None:
    assert GATE.needs(CANDIDATE) == (TimeNow(), ReadJobIdentity(GITHUB_ISSUER))


def test_a_token_is_shown_nowhere() -> None:
    identity = JobIdentity("header.payload.signature", "imagesync:1", {"keys": []})
    assert "payload" not in repr(identity)


def test_nothing_is_asked_where_the_spec_is_not_trusted() -> None:
    found = without_commands(Gate("two", GATE), "not here")
    assert found.check == NotRun("not here")
