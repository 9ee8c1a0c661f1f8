"""Variables and secrets in values: what is expanded, once, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import Place, Problem, UsageError
from imagesync.spec.document import Scalar
from imagesync.spec.interpolate import Interpolator

ENVIRONMENT = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}"}


def make(folder: Path = Path()) -> tuple[Interpolator, list[Problem]]:
    problems: list[Problem] = []
    return Interpolator(ENVIRONMENT, folder, problems), problems


def scalar(text: str) -> Scalar:
    return Scalar(Place("f", 2, 3), text, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${NAME}", "value"),
        ("a-${NAME}-b-${NAME}", "a-value-b-value"),
        ("${NAME:-x}", "value"),
        ("${NONE:-x y:-z}", "x y:-z"),
        ("${NONE:-}", ""),
        ("${EMPTY:-x}", "x"),
        ("${NESTED}", "${NAME}"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("robot$ci", "robot$ci"),
        ("$NAME $ $$ $(x) {NAME}", "$NAME $ $$ $(x) {NAME}"),
        ("{tag}-${NAME}", "{tag}-value"),
    ],
)
def test_only_a_dollar_before_a_brace_is_special_and_expanded_once(text: str, expected: str) -> None:
    interpolator, problems = make()
    assert interpolator.text(scalar(text)) == expected
    assert problems == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${NONE}", "variable NONE is not set", "export NONE, or give a default: ${NONE:-…}"),
        ("${EMPTY}", "variable EMPTY is not set", "export EMPTY, or give a default: ${EMPTY:-…}"),
        ("${}", "${} is no variable", None),
        ("${a-b}", "${a-b} is no variable", None),
        ("${1}", "${1} is no variable", None),
        ("${NAME", "${ is no variable", None),
        ("${secret:}", "${secret:} is no variable", None),
        ("${vault:x}", "${vault:x} is no variable", None),
        ("${secret:X}", "a secret does not belong here: this value is shown", "secrets stand under `auth` alone"),
        ("${file:/x}", "a secret does not belong here: this value is shown", "secrets stand under `auth` alone"),
    ],
)
def test_what_cannot_be_expanded_is_a_problem_at_its_place(text: str, message: str, hint: str | None) -> None:
    interpolator, problems = make()
    assert interpolator.text(scalar(f"a{text}")) == ""
    (problem,) = problems
    assert (problem.place, problem.message) == (Place("f", 2, 3), message)
    assert problem.hint == (
        hint
        or "allowed are ${NAME}, ${NAME:-default}, and where a login is: ${secret:NAME}, ${file:PATH}; $${ writes ${"
    )


def test_a_secret_is_read_late_and_shown_never(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    interpolator, problems = make(tmp_path)
    secret = interpolator.secret(scalar("user-${secret:TOKEN}-${file:token}"))
    assert problems == []
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(UsageError, match="TOKEN is not set"):
        secret.reveal()
    monkeypatch.setenv("TOKEN", "hunter2")
    (tmp_path / "token").write_text("${NAME}\n")
    assert secret.reveal() == "user-hunter2-${NAME}"
    assert (str(secret), repr(secret)) == ("***", "***")
    assert secret.origin == f"environment variable TOKEN, file {tmp_path / 'token'}"


def test_a_variable_in_a_login_is_read_late_too(monkeypatch: pytest.MonkeyPatch) -> None:
    interpolator, problems = make()
    secret, fallback = interpolator.secret(scalar("${LATER}")), interpolator.secret(scalar("${NONE:-robot$ci}"))
    assert problems == []
    monkeypatch.setenv("LATER", "hunter2")
    assert (secret.reveal(), fallback.reveal()) == ("hunter2", "robot$ci")


def test_text_in_a_login_is_a_secret_as_it_is() -> None:
    interpolator, _ = make()
    secret = interpolator.secret(scalar("hunter2"))
    assert (secret.reveal(), str(secret), secret.origin) == ("hunter2", "***", "the spec")


def test_what_is_no_variable_in_a_login_is_a_problem() -> None:
    interpolator, problems = make()
    interpolator.secret(scalar("${vault:x}"))
    assert [problem.message for problem in problems] == ["${vault:x} is no variable"]


@given(st.text(max_size=40) | st.text(alphabet="${}:-NAMEsecretfile/ ", max_size=40))
def test_any_text_is_expanded_or_a_problem(text: str) -> None:
    interpolator, problems = make()
    expanded = interpolator.text(scalar(text))
    if "${" not in text:
        assert (expanded, problems) == (text, [])
    assert expanded == "" or not problems


@given(st.text(alphabet="${}abc", max_size=30))
def test_an_escaped_text_comes_out_as_it_is(text: str) -> None:
    interpolator, problems = make()
    escaped = text.replace("${", "$${")
    if "$${" not in text:
        assert interpolator.text(scalar(escaped)) == text
        assert problems == []
