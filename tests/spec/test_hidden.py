"""SEC-01: a mistake at or near a login is told without the login. It stands in a file that others may not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync import redaction
from tests.spec.written import found, shown, with_registries

SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def _own_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have revealed does not count here."""
    monkeypatch.setattr(redaction, "_values", redaction._Values())


@pytest.mark.parametrize(
    "auth",
    [
        SECRET,
        f"{{pull: {SECRET}}}",
        f"{{pull: {SECRET}, push: anonymous}}",
        f"{{username: u, password: [{SECRET}]}}",
        f"{{username: u, pasword: x, password: @{SECRET}}}",
        f"{{username: u, password: %{SECRET}}}",
        f'{{username: u, password: "{SECRET}}}',
        f"{{username: u, password: *{SECRET}}}",
        f"{{username: u, password: !{SECRET}}}",
        f"{{username: u, password:{SECRET}, : }}",
        f'{{username: u, password: "\\{SECRET}"}}',
        f"\n  username: u\n  password: x: {SECRET}",
        f"\n  username: u\n  password:{SECRET}\n  a",
        f"\n  username: u\n  password: >={SECRET}",
        f"{{token: {{{SECRET}: x}}}}",
        f"{{usrname: {SECRET}, password: {SECRET}}}",
    ],
)
def test_no_mistake_at_a_login_repeats_it(auth: str, tmp_path: Path) -> None:
    text = with_registries(f"ghcr.io:\n  auth: {auth}".replace("\n  ", "\n    "))
    told = shown(found(tmp_path, text), tmp_path)
    assert SECRET not in told, told


@pytest.mark.parametrize("word", ["correcthorse", "swordfish", "hunter", "s3cr3t", "12345678", "1234", "yes"])
@pytest.mark.parametrize("auth", ["{0}", "{{pull: {0}}}", "{{pull: anonymous, push: [{0}]}}"])
def test_a_word_where_a_login_belongs_is_not_repeated(word: str, auth: str, tmp_path: Path) -> None:
    """However short, and though it could be one of those that belong there."""
    told = shown(found(tmp_path, with_registries(f"ghcr.io:\n  auth: {auth.format(word)}")), tmp_path)
    assert word not in told.replace("${secret:NAME}", ""), told


@pytest.mark.parametrize("word", ["correcthorse", "hunter", "12345678"])
def test_nor_is_one_that_stands_for_all_settings_of_a_registry(word: str, tmp_path: Path) -> None:
    told = shown(found(tmp_path, with_registries(f"ghcr.io: {word}")), tmp_path)
    assert word not in told, told
    assert "where a map of settings belongs" in told


def test_who_writes_a_password_as_a_login_is_told_where_it_belongs(tmp_path: Path) -> None:
    [told] = found(tmp_path, with_registries("ghcr.io:\n  auth: correcthorse"))
    assert told.message.startswith("found a text, where default or anonymous or")
    assert told.hint == "a password stands under `password:`, beside `username:`, as `${secret:NAME}`"


def test_a_password_of_digits_is_to_be_quoted_and_not_repeated(tmp_path: Path) -> None:
    text = with_registries("ghcr.io:\n  auth: {username: u, password: 1234567890123}")
    told = shown(found(tmp_path, text), tmp_path)
    assert "1234567890123" not in told
    assert "quote it" in told


def test_a_slip_of_the_pen_is_still_told(tmp_path: Path) -> None:
    text = with_registries("ghcr.io:\n  auth: anonymos")
    assert "did you mean anonymous?" in shown(found(tmp_path, text), tmp_path)
