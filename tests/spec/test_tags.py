"""`tags` as a map of steps, and `retag`: what a spec's text comes to, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.selection import TagFilter
from tests.spec.written import found, load, shown, with_images

RANGES = "allowed are >=1.2, >, <, <=, =, ^1.2, ~1.2, 1.x, 1.2 - 1.4; a space joins them, || separates alternatives"


def written(folder: Path, tags: str) -> TagFilter:
    (rule,) = load(folder, with_images(f"- name: redis\n  tags: {tags}")).rules
    return rule.tags


@pytest.mark.parametrize(
    ("tags", "steps"),
    [
        ('{include: "1.*"}', [("include", "1.*")]),
        ('{exclude: ["*-rc*", /.*x/], include: ["1.*"]}', [("include", "1.*"), ("exclude", "*-rc*, /.*x/")]),
        ('{versions: ">=7.2 <9"}', [("versions", ">=7.2 <9")]),
        ("{versions: {suffix: any}}", [("versions", "*, suffix any")]),
        ("{versions: {range: ^1, prereleases: false}}", [("versions", "^1")]),
        ("{newest: 3}", [("sort", "version"), ("newest", "3")]),
        ("{sort: numerical, newest: 1}", [("sort", "numerical"), ("newest", "1")]),
    ],
)
def test_steps_run_in_their_own_order_however_they_are_written(
    tags: str, steps: list[tuple[str, str]], tmp_path: Path
) -> None:
    assert [(step.name, str(step)) for step in written(tmp_path, tags).steps] == steps


def test_always_needs_no_quotes_of_a_list_and_a_filter_beside_it(tmp_path: Path) -> None:
    tags = written(tmp_path, "{newest: 3, always: latest}")
    assert (tags.exact_tags, tags.needs_list) == (("latest",), True)


def test_newest_counts_by_the_version_that_extract_finds(tmp_path: Path) -> None:
    tags = written(tmp_path, r"{versions: {extract: '/b-(?P<version>\d+)/'}, newest: 1}")
    assert tags.select(["b-9", "b-10", "b-x"]).kept == ("b-10",)


def test_variables_are_expanded_in_every_text(tmp_path: Path) -> None:
    text = with_images('- name: redis\n  tags: {versions: "${RANGE}", always: "${TAG}"}')
    (rule,) = load(tmp_path, text, environment={"RANGE": "^7", "TAG": "edge"}).rules
    assert ([str(step) for step in rule.tags.steps], rule.tags.exact_tags) == (["^7"], ("edge",))


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ('{versions: "newest"}', "7:26: 'newest' is not a range of versions"),
        ('{versions: ">=1, <2"}', "7:26: '>=1, <2' is not a range of versions: '>=1,' is no comparison"),
        ('{versions: ">9 <7"}', "7:26: no version is in the range '>9 <7'\n    `||` separates alternatives"),
        ("{versions: {range: latest}}", f"7:34: 'latest' is not a range of versions\n    {RANGES}"),
        (
            "{versions: {suffix: alpine}}",
            "7:35: 'alpine' begins with no sign, as every suffix does\n    write -alpine, or any",
        ),
        ("{versions: {extract: v.*}}", "7:36: 'v.*' is not a regular expression\n    it stands between slashes: /…/"),
        ("{versions: {extract: /v(.*)/}}", "7:36: '/v(.*)/' has no group called version"),
        ("{include: -x}", "7:25: '-x' is not a tag"),
        ("{exclude: [/(/]}", "7:26: '/(/' is not a regular expression: missing ), unterminated subpattern"),
        (
            '{newest: 1, always: ["1.*"]}',
            "7:36: '1.*' is a pattern, and `always` names tags exactly\n    `include` takes it",
        ),
        ('{include: "1.*", sort: version}', "7:32: `sort` says which tags are the newest\n    add `newest: N`"),
        (
            "{always: latest}",
            (
                "7:16: `always` adds tags to those that filters keep\n"
                "    add one of include, exclude, versions, newest, or write the tags as a list"
            ),
        ),
    ],
)
def test_what_is_wrong_with_a_step_is_said_at_its_place(tags: str, expected: str, tmp_path: Path) -> None:
    problems = found(tmp_path, with_images(f"- name: redis\n  tags: {tags}"))
    assert len(problems) == 1
    assert shown(problems, tmp_path).startswith(f"sync.yaml:{expected}")


def test_all_that_is_wrong_with_the_steps_is_said_at_once(tmp_path: Path) -> None:
    tags = "{include: -x, versions: {range: y, extract: y}, sort: version, always: '*'}"
    assert len(found(tmp_path, with_images(f"- name: redis\n  tags: {tags}"))) == 5


def test_a_template_with_a_digest_takes_only_images_that_are_named_with_theirs(tmp_path: Path) -> None:
    retag = "retag: '{tag}-{digest}'"
    (rule,) = load(tmp_path, with_images(f"- name: redis:7@sha256:{'ab' * 32}\n  {retag}")).rules
    assert rule.renamed(rule.tags.exact_tags[0]) == "7-abababababab"
    for tags in ('"7"', '"7.*"', "{newest: 1, always: [latest]}"):
        (problem,) = found(tmp_path, with_images(f"- name: redis\n  tags: {tags}\n  {retag}"))
        assert "needs a digest" in problem.message


def test_a_tag_of_always_that_the_map_does_not_name_is_found_offline(tmp_path: Path) -> None:
    text = with_images("- name: redis\n  tags: {newest: 1, always: [latest]}\n  retag: {'7': stable}")
    (problem,) = found(tmp_path, text)
    assert problem.message == "retag has no line for the selected tag latest"
