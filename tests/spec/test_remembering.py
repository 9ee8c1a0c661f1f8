"""The keys `state` and `on_drift`: what names a file, what a repository, and what needs one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.reference import Repository
from imagesync.spec.explain import explain
from imagesync.spec.model import OnDrift, StateFile
from tests.spec.written import HEAD, found, load, make_files, shown, with_images


def with_state(state: str, images: str = "- nginx") -> str:
    return with_images(images).replace("version: 1\n", f"version: 1\nstate: {state}\n")


@pytest.mark.parametrize("text", ["state.json", "states/mirror.json", "./state.d/a", "../a.b/state", "/var/lib/state"])
def test_what_begins_with_no_host_is_a_file(text: str, tmp_path: Path) -> None:
    assert load(tmp_path, with_state(text)).state == StateFile(text)


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("registry.internal:5000/team/state", Repository("registry.internal:5000", "team/state")),
        ("localhost/state", Repository("localhost", "state")),
        ("docker.io/state", Repository("docker.io", "library/state")),
    ],
)
def test_what_begins_with_a_host_is_a_repository(text: str, repository: Repository, tmp_path: Path) -> None:
    assert load(tmp_path, with_state(text)).state == repository


def test_without_the_key_nothing_is_remembered(tmp_path: Path) -> None:
    assert load(tmp_path, with_images("- nginx")).state is None


def test_a_variable_may_say_where_the_state_is(tmp_path: Path) -> None:
    spec = load(tmp_path, with_state("${WHERE}"), environment={"WHERE": "localhost:5000/state"})
    assert spec.state == Repository("localhost:5000", "state")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("oci:folder", "2:8: a state is kept in no layout\n    write FILE"),
        ("https://registry.internal/state", "2:8: 'https://registry.internal/state' is a URL\n    write FILE"),
        ("folder/", "2:8: 'folder/' names no file\n    write FILE"),
        ("localhost:5000/State", "2:8: repository name 'State' must be lower case\n    write state"),
        ("localhost:5000/state:1", "names a tag: each run has its own\n    write localhost:5000/state"),
        (
            "localhost:5000/nginx",
            "a state needs a repository of its own\n    write localhost:5000/nginx-state",
        ),
        ("docker.io/nginx", "2:8: docker.io/library/nginx holds images or records of this spec"),
        ("[state.json]", "2:8: found a list, where a file or a repository belongs"),
        ("${secret:STATE}", "2:8: a secret does not belong here"),
    ],
)
def test_what_is_no_place_for_a_state_is_refused(text: str, said: str, tmp_path: Path) -> None:
    assert said in shown(found(tmp_path, with_state(text)), tmp_path)


def test_a_state_has_no_place_in_the_journal_of_a_promotion(tmp_path: Path) -> None:
    stages = "[{name: dev, repository: a.internal/shop}, {name: live, repository: b.internal/shop}]"
    shop = f"{{name: shop, images: [api], stages: {stages}}}"
    problems = found(tmp_path, f"version: 1\nstate: b.internal/shop/imagesync-journal\npromotions: [{shop}]\n")
    assert "b.internal/shop/imagesync-journal holds images or records of this spec" in shown(problems, tmp_path)


def test_what_is_kept_or_fails_on_drift_needs_a_state(tmp_path: Path) -> None:
    text = HEAD + "      - name: nginx\n        on_drift: keep\n      - name: redis\n        on_drift: fail\n"
    assert shown(found(tmp_path, text), tmp_path) == (
        "sync.yaml:7:19: `on_drift: keep` needs to know what was written, and there is no `state`\n"
        "    add `state: FILE` or `state: REGISTRY/REPOSITORY` to the spec\n"
        "sync.yaml:9:19: `on_drift: fail` needs to know what was written, and there is no `state`\n"
        "    add `state: FILE` or `state: REGISTRY/REPOSITORY` to the spec"
    )


def test_a_default_that_needs_a_state_is_said_once(tmp_path: Path) -> None:
    text = HEAD.replace("sync:", "defaults:\n  on_drift: fail\nsync:") + "      - nginx\n      - redis\n"
    (problem,) = found(tmp_path, text)
    assert problem.place.line == 3


def test_overwriting_needs_none(tmp_path: Path) -> None:
    spec = load(tmp_path, with_images("- {name: nginx, on_drift: overwrite}"))
    assert [rule.on_drift for rule in spec.rules] == [OnDrift.OVERWRITE]


def test_an_image_says_it_over_its_entry(tmp_path: Path) -> None:
    text = with_state("s.json", "- nginx\n- {name: redis, on_drift: fail}")
    spec = load(tmp_path, text.replace("    images:", "    on_drift: keep\n    images:"))
    assert [rule.on_drift for rule in spec.rules] == [OnDrift.KEEP, OnDrift.FAIL]


def test_config_shows_both(tmp_path: Path) -> None:
    path = make_files(tmp_path, {"sync.yaml": with_state("s.json", "- {name: nginx, on_drift: keep}\n- redis")})
    lines = {(line.subject, line.key): line for line in explain(str(path), environment={})}
    assert lines["spec", "state"].value == "s.json"
    assert lines["spec", "state"].place is not None
    assert lines["spec", "state"].place.line == 2
    assert lines["sync[0]/nginx", "on_drift"].value == "keep"
    assert ("sync[0]/redis", "on_drift") not in lines
