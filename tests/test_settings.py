"""Settings: which of a spec's layers holds for a host, and secrets that nothing shows."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from imagesync.errors import UsageError
from imagesync.registry.credential_helper import HelperAnswer
from imagesync.registry.credentials import Credential
from imagesync.registry.dockerconfig import Entry
from imagesync.registry.message import Authorization, Request
from imagesync.registry.origin import Origin, parse_address
from imagesync.registry.proxies import Proxy
from imagesync.registry.token import Token, TokenAsk
from imagesync.settings import (
    DEFAULT_CONCURRENCY,
    Anonymous,
    Auth,
    Helper,
    IdentityToken,
    Password,
    PullBudget,
    RegistrySettings,
    Secret,
    Settings,
    Timeouts,
    Tls,
    TlsMode,
)

ADDRESS = parse_address("https://host/v2/a/tags/list")
HELPER, OTHER = Auth(Helper("a"), Helper("a")), Auth(Helper("b"), Helper("b"))


def test_a_host_of_which_nothing_is_said_has_defaults() -> None:
    settings = Settings().for_host("quay.io")
    assert settings == RegistrySettings(Auth(), Tls(), DEFAULT_CONCURRENCY, Timeouts(), ())
    assert Settings().for_host("docker.io").concurrency == 4


def test_settings_merge_key_by_key_from_pattern_to_host() -> None:
    settings = Settings(
        patterns=(
            ("*.example.com", RegistrySettings(concurrency=2, tls=Tls(TlsMode.INSECURE))),
            ("*", RegistrySettings(concurrency=1, mirrors=("m",))),
        ),
        hosts=(("a.example.com", RegistrySettings(auth=HELPER)),),
    )
    found = settings.for_host("a.example.com")
    assert (found.auth, found.concurrency, found.mirrors) == (HELPER, 2, ("m",))
    assert found.tls == Tls(TlsMode.INSECURE)
    assert settings.for_host("b.org").concurrency == 1


def test_what_a_host_says_wins_over_a_pattern() -> None:
    settings = Settings(
        patterns=(("quay.*", RegistrySettings(concurrency=2)),), hosts=(("quay.io", RegistrySettings(concurrency=3)),)
    )
    assert settings.for_host("quay.io").concurrency == 3


def test_an_empty_list_of_mirrors_is_said_too() -> None:
    over = RegistrySettings(mirrors=()).over(RegistrySettings(mirrors=("m",), concurrency=2))
    assert (over.mirrors, over.concurrency) == ((), 2)


def test_the_longest_prefix_has_the_login() -> None:
    settings = Settings(
        hosts=(("ghcr.io", RegistrySettings(auth=OTHER)),),
        prefixes=(
            ("ghcr.io/acme", RegistrySettings(auth=HELPER)),
            ("ghcr.io/acme/team", RegistrySettings(auth=Auth(Anonymous(), Anonymous()))),
        ),
    )
    assert settings.auth_for("ghcr.io", "acme/app") == HELPER
    assert settings.auth_for("ghcr.io", "acme") == HELPER
    assert settings.auth_for("ghcr.io", "acme/team/app").pull == Anonymous()
    assert settings.auth_for("ghcr.io", "acmesoft/app") == OTHER
    assert settings.auth_for("quay.io", "acme/app") == Auth()


def test_anonymous_is_no_login_anywhere() -> None:
    settings = Settings(
        hosts=(("ghcr.io", RegistrySettings(auth=OTHER, concurrency=3)),),
        prefixes=(("ghcr.io/acme", RegistrySettings(auth=HELPER)),),
        anonymous=True,
    )
    assert settings.auth_for("ghcr.io", "acme/app") == Auth(Anonymous(), Anonymous())
    assert settings.for_host("ghcr.io").concurrency == 3


SHOWN_BY = {
    "str": str,
    "repr": repr,
    "format": lambda value: f"{value}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - one more way to show it
    "asdict": lambda value: str(asdict(value)),
    "json": lambda value: json.dumps(asdict(value), default=str),
    "copy": lambda value: repr(copy.copy(value)),
    "deepcopy": lambda value: repr(copy.deepcopy(value)),
    "exception": lambda value: str(ValueError(value)),
    "replace": lambda value: repr(replace(value)),
    "fields": lambda value: str([getattr(value, f.name) for f in fields(value)]),
}


@pytest.mark.parametrize("show", SHOWN_BY.values(), ids=SHOWN_BY)
@pytest.mark.parametrize(
    "make",
    [
        lambda secret: Password(secret, secret),
        IdentityToken,
        lambda secret: Settings(hosts=(("quay.io", RegistrySettings(auth=Auth(IdentityToken(secret)))),)),
        lambda secret: Credential("user", secret, secret, "a file", secret),
        lambda secret: Entry("user", secret, secret, secret),
        lambda secret: HelperAnswer("user", secret),
        Token,
        lambda secret: TokenAsk("h", "h/a", "https://h/token", "s", (), Credential("user", secret)),
        Authorization.bearer,
        lambda secret: Authorization.basic("user", secret),
        lambda secret: Proxy(Origin("http", "proxy", 80), Authorization.basic("user", secret)),
        lambda secret: Request("GET", ADDRESS, "ask", authorization=Authorization.bearer(secret)),
    ],
)
def test_no_value_that_holds_a_secret_shows_it(make: Callable[[Secret], Any], show: Callable[[Any], str]) -> None:
    """SEC-01, S14."""
    shown = show(make(Secret.literal("hunter2-and-more")))
    assert "hunter2" not in shown
    assert base64.b64encode(b"user:hunter2-and-more").decode() not in shown


@pytest.mark.parametrize("form", ["", "s", ">12", "!<12"])
def test_a_secret_is_formatted_as_three_stars(form: str) -> None:
    assert format(Secret.literal("hunter2"), form).strip(" !") == "***"


def test_a_secret_cannot_be_pickled_nor_written_as_json() -> None:
    secret = Secret.literal("hunter2")
    for write in (pickle.dumps, json.dumps):
        with pytest.raises(TypeError) as caught:
            write(secret)
        assert "hunter2" not in str(caught.value)


def test_secrets_are_equal_that_hold_one_text_or_are_read_from_one_place() -> None:
    assert Secret.literal("a", "here") == Secret.literal("a", "there")
    assert Secret.literal("a") != Secret.literal("b")
    assert Secret.from_environment("A") == Secret.from_environment("A")
    assert Secret.from_environment("A") != Secret.from_environment("B")
    assert len({Secret.literal("a"), Secret.literal("a"), Secret.from_environment("A")}) == 2
    assert Secret.joined(("a",)) == Secret.literal("a")


def test_what_is_read_now_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGESYNC_TEST_TOKEN", "hunter2")
    now = Secret.from_environment("IMAGESYNC_TEST_TOKEN").read_now()
    monkeypatch.setenv("IMAGESYNC_TEST_TOKEN", "changed")
    assert now == Secret.literal("hunter2")
    assert now.origin == "environment variable IMAGESYNC_TEST_TOKEN"


def test_a_secret_of_the_environment_is_read_late(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret.from_environment("IMAGESYNC_TEST_TOKEN")
    monkeypatch.delenv("IMAGESYNC_TEST_TOKEN", raising=False)
    with pytest.raises(UsageError, match="IMAGESYNC_TEST_TOKEN is not set"):
        secret.reveal()
    monkeypatch.setenv("IMAGESYNC_TEST_TOKEN", "")
    with pytest.raises(UsageError, match="IMAGESYNC_TEST_TOKEN is not set"):
        secret.reveal()
    monkeypatch.setenv("IMAGESYNC_TEST_TOKEN", "hunter2")
    assert secret.reveal() == "hunter2"


def test_a_secret_of_a_file_loses_one_final_newline(tmp_path: Path) -> None:
    file = tmp_path / "token"
    secret = Secret.from_file(file)
    with pytest.raises(UsageError, match="FileNotFoundError"):
        secret.reveal()
    file.write_bytes(b"hunter2\n\n")
    assert secret.reveal() == "hunter2\n"
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="UnicodeDecodeError"):
        secret.reveal()


def test_a_joined_secret_keeps_the_order_of_its_parts_and_names_where_they_come_from() -> None:
    joined = Secret.joined(("user-", Secret.literal("hunter2", "a"), "-", Secret.literal("x", "b")))
    assert joined.reveal() == "user-hunter2-x"
    assert joined.origin == "a, b"
    assert str(joined) == "***"
    assert Secret.joined(("plain",)).origin == "the spec"


@pytest.mark.parametrize(
    ("budget", "shown"),
    [
        (PullBudget(80, 21600), "80 pulls in 6 hours"),
        (PullBudget(1, 1800), "1 pull in 30 minutes"),
        (PullBudget(5, 90), "5 pulls in 90 seconds"),
    ],
)
def test_a_budget_says_what_it_is(budget: PullBudget, shown: str) -> None:
    assert str(budget) == shown
