"""What an access token says that it allows; a token is believed in nothing else."""

from __future__ import annotations

import base64
import json

import pytest

from imagesync.registry.grants import granted_actions
from imagesync.settings import Secret


def token(claims: object) -> Secret:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret.literal(f"e30.{body}.c2ln")


def access(*entries: object) -> dict[str, object]:
    return {"access": list(entries)}


PULL = {"type": "repository", "name": "a/b", "actions": ["pull"]}


@pytest.mark.parametrize(
    ("claims", "granted"),
    [
        (access(PULL), {"pull"}),
        (access(PULL, {**PULL, "actions": ["push"]}), {"pull", "push"}),
        (access({**PULL, "name": "a/c"}), set()),
        (access({**PULL, "type": "registry"}), set()),
        (access({**PULL, "actions": None}, 3, None), set()),
        (access(), set()),
    ],
)
def test_the_actions_of_one_repository(claims: object, granted: set[str]) -> None:
    assert granted_actions(token(claims), "a/b") == granted


@pytest.mark.parametrize("claims", [{}, [], "x", None, {"access": {}}, {"access": "pull"}])
def test_a_token_that_does_not_say_says_nothing(claims: object) -> None:
    assert granted_actions(token(claims), "a/b") is None


@pytest.mark.parametrize("text", ["opaque", "a.b", "a.b.c", "a.!!!.c", "e30.W1tbW1tb.x", "a.b.c.d"])
def test_an_opaque_token_says_nothing(text: str) -> None:
    assert granted_actions(Secret.literal(text), "a/b") is None
