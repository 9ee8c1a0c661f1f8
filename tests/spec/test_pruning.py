"""The key `prune`: what it may say, what it comes to, and that it needs a state."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.spec.explain import explain
from imagesync.spec.model import DEFAULT_MOST, MostNumber, MostPercent, Prune
from tests.spec.written import found, load, make_files, with_images


def with_prune(prune: str, *, state: str = "state: state.json\n") -> str:
    images = f"- name: nginx\n  prune: {prune}"
    return with_images(images).replace("version: 1\n", f"version: 1\n{state}")


def prune_of(folder: Path, prune: str) -> Prune | None:
    (rule,) = load(folder, with_prune(prune)).rules
    return rule.prune


def test_true_is_every_default_and_false_is_off(tmp_path: Path) -> None:
    assert prune_of(tmp_path, "true") == Prune((), DEFAULT_MOST)
    assert prune_of(tmp_path, "false") is None
    (rule,) = load(tmp_path, with_images("- nginx")).rules
    assert rule.prune is None


@pytest.mark.parametrize(
    ("written", "most"), [("5", MostNumber(5)), ("35%", MostPercent(35)), ("100%", MostPercent(100))]
)
def test_max_is_a_number_or_a_share(written: str, most: object, tmp_path: Path) -> None:
    prune = prune_of(tmp_path, f"{{max: {written}}}")
    assert prune is not None
    assert prune.most == most


def test_a_share_is_rounded_down_and_allows_one_at_least() -> None:
    assert [MostPercent(20).of(tags) for tags in (1, 4, 5, 9, 10, 100)] == [1, 1, 1, 1, 2, 20]
    assert MostNumber(3).of(1) == 3


def test_protect_takes_tags_globs_and_expressions(tmp_path: Path) -> None:
    prune = prune_of(tmp_path, '{protect: [stable, "v1.*", "/rc[0-9]+/"]}')
    assert prune is not None
    assert [pattern.text for pattern in prune.protect] == ["stable", "v1.*", "/rc[0-9]+/"]
    assert prune.most == DEFAULT_MOST


def test_an_image_may_switch_off_what_the_defaults_ask_for(tmp_path: Path) -> None:
    text = with_prune("false").replace("version: 1\n", "version: 1\ndefaults:\n  prune: {max: 3}\n")
    spec = load(tmp_path, f"{text}      - name: redis\n")
    assert [rule.prune for rule in spec.rules] == [None, Prune((), MostNumber(3))]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("yes please", "true or false"),
        ("{}", "{protect, max}"),
        ("{protect: stable}", "where a list of tags belongs"),
        ('{protect: ["/[/"]}', "is not a regular expression"),
        ("{max: 0}", "1"),
        ("{max: 0%}", "20%"),
        ("{max: 101%}", "20%"),
        ("{max: all}", "20%"),
        ("{maximum: 3}", "max"),
    ],
)
def test_whatever_else_it_says_is_a_mistake_with_its_place(written: str, said: str, tmp_path: Path) -> None:
    (problem, *_) = found(tmp_path, with_prune(written))
    assert said in str(problem)
    assert problem.place.line > 0


def test_without_a_state_it_is_a_mistake_on_its_line(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_prune("true", state=""))
    assert problem.message.startswith("`prune` deletes only what imagesync has written")
    assert "state: FILE" in str(problem.hint)
    assert problem.place.line == 7


def test_it_is_explained_with_its_place(tmp_path: Path) -> None:
    path = make_files(tmp_path, {"sync.yaml": with_prune('{protect: ["stable-*"]}')})
    lines = [line for line in explain(str(path), environment={}) if line.key == "prune"]
    assert [line.value for line in lines] == ["at most 20%, protects stable-*"]
