"""The key `min_age` under `tags`: what is a time, which clock it needs, and what would do nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from imagesync.errors import SpecError
from imagesync.selection import Clock, MinAge, OnMissing
from imagesync.spec.explain import explain
from imagesync.spec.tags import parse_tags
from tests.spec.written import found, load, make_files, with_images

IMAGE = "- {{name: nginx, tags: {{versions: '*', min_age: {}}}}}"


def with_age(text: str, *, state: str = "") -> str:
    spec = with_images(IMAGE.format(text))
    return spec.replace("version: 1\n", f"version: 1\nstate: {state}\n") if state else spec


def min_age(text: str) -> MinAge | None:
    return parse_tags(f"{{min_age: {text}}}", environment={}).min_age


@pytest.mark.parametrize(
    ("text", "age"),
    [("90m", timedelta(minutes=90)), ("72h", timedelta(hours=72)), ("3d", timedelta(days=3))],
)
def test_an_age_is_written_in_minutes_hours_or_days(text: str, age: timedelta) -> None:
    assert min_age(text) == MinAge(age, text[-1])


def test_an_age_may_say_its_clock_and_what_a_missing_date_means() -> None:
    assert min_age("{age: 3d, clock: created, on_missing: fail}") == MinAge(
        timedelta(days=3), "d", (Clock.CREATED,), OnMissing.FAIL
    )
    assert min_age("{age: 3d}") == min_age("3d") == MinAge(timedelta(days=3), "d", (Clock.PUSHED, Clock.FIRST_SEEN))
    assert min_age("{age: 3d, clock: first_seen}") == MinAge(timedelta(days=3), "d", (Clock.FIRST_SEEN,))


@pytest.mark.parametrize("text", ["0h", "72", "3 days", "1w", "-3d", "3.5h", "{clock: created}", "{age: 3d, by: x}"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        min_age(text)


def test_the_order_of_the_steps_is_that_of_the_page() -> None:
    tags = parse_tags(
        "{newest: 1, sort: created, min_age: 3d, versions: '*', exclude: x, include: '*'}", environment={}
    )
    assert [step.name for step in tags.steps] == ["include", "exclude", "versions", "min_age", "sort", "newest"]


def test_an_age_that_nobody_remembers_is_said_at_its_place(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_age("72h"))
    assert problem.place.column > 20
    assert (
        problem.message == "`min_age` counts from when a tag was first seen, and there is no `state` that remembers it"
    )
    assert problem.hint is not None
    assert "clock: created" in problem.hint


def test_with_a_state_or_by_what_the_image_or_the_registry_says_it_is_right(tmp_path: Path) -> None:
    assert load(tmp_path, with_age("72h", state="state.json")).rules[0].tags.min_age == MinAge(timedelta(hours=72))
    for clock in ("created", "pushed"):
        assert load(tmp_path, with_age(f"{{age: 72h, clock: {clock}}}")).rules[0].tags.min_age is not None


def test_what_a_missing_date_means_has_nothing_to_do_where_a_state_knows_every_age(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_age("{age: 72h, on_missing: fail}", state="state.json"))
    assert "a state knows every tag's age" in problem.message
    assert problem.hint == "leave it out, or add `clock: pushed` or `clock: created`"


def test_config_shows_the_age_with_its_clock(tmp_path: Path) -> None:
    name = str(make_files(tmp_path, {"sync.yaml": with_age("72h", state="s.json")}))
    lines = {line.key: line.value for line in explain(name, environment={})}
    assert lines["tags.min_age"] == "72h, clock pushed or first_seen"
