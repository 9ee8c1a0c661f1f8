"""Settings: which of a spec's layers holds for a host, and secrets that nothing shows."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from imagesync.errors import UsageError
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


def test_a_secret_is_shown_by_nothing() -> None:
    secret = Secret.literal("hunter2")
    login = Password(secret, secret)
    settings = Settings(hosts=(("quay.io", RegistrySettings(auth=Auth(login, IdentityToken(secret)))),))
    shown = f"{secret} {secret!r} {login} {login!r} {settings} {settings!r}"
    assert "hunter2" not in shown
    assert "***" in shown
    assert "hunter2" not in json.dumps(asdict(login), default=repr)
    assert secret.reveal() == "hunter2"


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
