"""Tokens that a real registry no longer takes before an upload is at its end. AUTH-07, decisions 39.

docker-registry takes a token until 60 seconds after its `exp`. To see that within seconds, those of two tests are
signed with an `exp` that lies almost as long in the past: what is refused, and by whom, is the same as after a minute
and more. The third waits that long, and nothing in the client is changed for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from imagesync.cancellation import Cancellation
from imagesync.reference import make_repository
from imagesync.registry import Registries
from imagesync.registry.habits import WHOLE_BYTES
from imagesync.settings import Auth, Password, RegistrySettings, Secret, Settings
from imagesync.store import BlobReader, Pushed
from tests.images import make_bytes
from tests.real.registries import PASSWORD, USERNAME, Authority, RealRegistry, token_registry
from tests.real.tokens import TokenServer
from tests.registry.remote import QUICK, make_blob

LEEWAY_SECONDS = 60
TAKEN_SECONDS = 4
"""For how long the registry takes a token."""
SHORT_PATCH_SECONDS = 6
DATA = make_bytes("slow", WHOLE_BYTES + 1000)


@pytest.fixture
def registry(authority: Authority) -> Iterator[RealRegistry]:
    with token_registry(authority) as registry:
        tokens_of(registry).exp_seconds = TAKEN_SECONDS - LEEWAY_SECONDS
        yield registry


def tokens_of(registry: RealRegistry) -> TokenServer:
    assert registry.tokens is not None
    return registry.tokens


def throttled(seconds: float) -> BlobReader:
    """The blob, in so many pieces that it takes that long."""

    def pieces(start: int) -> Iterator[bytes]:
        step = -(-len(DATA) // 50)
        for at in range(start, len(DATA), step):
            time.sleep(seconds / 50)
            yield DATA[at : at + step]

    return lambda start: nullcontext(pieces(start))


def push(registry: RealRegistry, authority: Authority, seconds: float = SHORT_PATCH_SECONDS) -> list[tuple[str, int]]:
    """Upload the blob in one attempt that takes so long; what was asked for it, and how that was answered."""
    login = Password(Secret.literal(USERNAME), Secret.literal(PASSWORD))
    registries = Registries(
        Settings(hosts=((registry.host, RegistrySettings(auth=Auth(login, login))),)),
        Cancellation(),
        environment={"HOME": "/nonexistent", "SSL_CERT_FILE": str(authority.file)},
        policy=QUICK,
    )
    repository = registries.repository(make_repository(registry.host, "expiring/app"))
    assert repository.push_blob(make_blob(DATA), throttled(seconds)) is Pushed.UPLOADED
    assert repository.has_blob(make_blob(DATA))
    registries.close()
    return [(request.method, request.status) for request in registry.requests() if "/uploads/" in request.path]


def test_a_token_is_renewed_before_it_runs_out_during_an_upload(
    registry: RealRegistry, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the token server says of its tokens is heeded: the last request never sees an old one."""
    monkeypatch.setattr("imagesync.registry.token.MIN_LIFETIME_SECONDS", 0.0)  # a minute, for others
    tokens_of(registry).said_seconds = 10 + TAKEN_SECONDS - 1  # it is renewed 10 seconds early
    assert push(registry, authority) == [("POST", 401), ("POST", 202), ("PATCH", 202), ("PUT", 201)]
    assert len(tokens_of(registry).scopes) >= 2


def test_a_token_that_ran_out_during_an_upload_is_renewed_when_it_is_refused(
    registry: RealRegistry, authority: Authority
) -> None:
    """Its server says that it lasts longer than it does; the body is not sent twice."""
    asked = push(registry, authority)
    assert asked == [("POST", 401), ("POST", 202), ("PATCH", 202), ("PUT", 401), ("PUT", 201)]


@pytest.mark.timeout(240)
def test_a_token_of_a_minute_that_ends_during_a_longer_upload_is_renewed(
    registry: RealRegistry, authority: Authority
) -> None:
    """It ends after 5 seconds by its own word, after a minute by its server's, and after 65 for the registry."""
    tokens_of(registry).exp_seconds, tokens_of(registry).said_seconds = 5, 60
    asked = push(registry, authority, seconds=72)
    assert asked == [("POST", 401), ("POST", 202), ("PATCH", 202), ("PUT", 201)]
    assert len(tokens_of(registry).scopes) >= 2
