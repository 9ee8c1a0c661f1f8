"""`aliases` in a spec: a list or a map, what is wrong with them, and how they are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.selection import Alias
from imagesync.spec.explain import explain, render
from tests.spec.written import found, load, make_files, shown, with_images

STABLE = Alias("stable")


@pytest.mark.parametrize(
    ("written", "aliases", "allow_backwards"),
    [
        ("[stable]", (STABLE,), False),
        ('["{major}.{minor}", stable, stable]', (Alias("{major}.{minor}"), STABLE), False),
        ("{tags: [stable]}", (STABLE,), False),
        ("{tags: [stable], allow_backwards: true}", (STABLE,), True),
        ("[]", (), False),
    ],
)
def test_aliases_are_a_list_or_a_map(
    written: str, aliases: tuple[Alias, ...], allow_backwards: bool, tmp_path: Path
) -> None:
    (rule,) = load(tmp_path, with_images(f"- {{name: redis, tags: '7.*', aliases: {written}}}")).rules
    assert (rule.aliases, rule.allow_backwards) == (aliases, allow_backwards)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('["{tag}"]', "{tag} is not known"),
        ('["{major"]', "has an unpaired brace"),
        ('["a b"]', "'a b' is not a tag"),
        ("stable", "where a list of aliases or {tags, allow_backwards} belongs"),
        ("{allow_backwards: true}", "key 'tags' is missing"),
        ("{tags: [stable], allow_backward: true}", "did you mean allow_backwards?"),
        ("{tags: [stable], allow_backwards: maybe}", "where true or false belongs"),
        ("[{major}]", 'quote it: "{major}"'),
    ],
)
def test_a_wrong_alias_is_told_with_its_place(written: str, said: str, tmp_path: Path) -> None:
    text = shown(found(tmp_path, with_images(f"- {{name: redis, tags: '7.*', aliases: {written}}}")), tmp_path)
    assert text.startswith("sync.yaml:6:")
    assert said in text


def test_a_wrong_alias_in_defaults_is_told_though_no_image_uses_it(tmp_path: Path) -> None:
    text = "version: 1\ndefaults:\n  aliases: ['{digest}']\nsync: []\n"
    assert "sync.yaml:3:13: {digest} is not known" in shown(found(tmp_path, text), tmp_path)


def test_aliases_are_explained_with_their_place(tmp_path: Path) -> None:
    image = "- {name: redis, tags: '7.*', aliases: {tags: ['{major}', stable], allow_backwards: true}}"
    path = make_files(tmp_path, {"sync.yaml": with_images(image)})
    text = render(explain(str(path), environment={})).replace(f"{tmp_path}/", "")
    assert "  aliases: {major}, stable; allow_backwards" in text
    assert "sync.yaml:6:45" in next(line for line in text.splitlines() if "aliases:" in line)
