"""Globs over repositories: what they match, how a spec writes them, and what is wrong with one."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagesync.errors import InvalidReference
from imagesync.reference import Repository
from imagesync.spec.globs import RepositoryGlob, Share, glob_alone, glob_below
from imagesync.spec.model import Rule
from imagesync.spec.names import parse_source
from tests.spec.written import found, load, shown, with_entry, with_images

PATHS = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join)
PARTS = st.one_of(st.just("**"), st.text("ab*", min_size=1, max_size=4).filter(lambda text: "**" not in text))
GLOBS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


def make_glob(pattern: str, *targets: str, base: str = "", renamed: str | None = None) -> RepositoryGlob:
    return RepositoryGlob("quay.io", base, pattern, targets or ("localhost:5000/{path}",), renamed)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a/*", ["a/b", "a/b-c.d"], ["a", "a/b/c", "b/a", "aa/b"]),
        ("a/b*", ["a/b", "a/bc"], ["a/cb", "a/b/c"]),
        ("*/x", ["a/x"], ["x", "a/b/x", "a/xx"]),
        ("a*c*e/x", ["ace/x", "abcde/x"], ["ae/x", "abc/x", "ab/ce/x"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab", "b/a"]),
        ("**/x", ["x", "a/x", "a/b/x"], ["ax", "a/x/b"]),
        ("a/**/x", ["a/x", "a/b/x", "a/b/c/x"], ["a", "x", "ab/x", "a/bx"]),
        ("**", ["a", "a/b/c"], []),
        ("**/b/**", ["b/a", "a/b/c", "a/a/b/c/d"], ["b", "a/b", "ab/c"]),
        ("**/a*/**/b", ["a/b", "x/ay/z/b"], ["b", "x/b", "a/b/c"]),
    ],
)
def test_one_star_stays_inside_a_component_and_two_cross(pattern: str, matching: list[str], others: list[str]) -> None:
    glob = make_glob(pattern)
    assert [path for path in (*matching, *others) if glob.matches(path)] == matching


def naive(pattern: list[str], path: list[str]) -> bool:
    """The definition, word for word, whatever it costs."""
    if not pattern:
        return not path
    first, *rest = pattern
    if first != "**":
        return bool(path) and naive_component(first, path[0]) and naive(rest, path[1:])
    least = 0 if rest else 1
    return any(naive(rest, path[count:]) for count in range(least, len(path) + 1))


def naive_component(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive_component(pattern[1:], text[count:]) for count in range(len(text) + 1))
    return text[:1] == pattern[0] and naive_component(pattern[1:], text[1:])


def without_repeats(pattern: str) -> list[str]:
    """Crossings side by side are one."""
    parts = pattern.split("/")
    return [part for number, part in enumerate(parts) if part != "**" or parts[number - 1 : number] != ["**"]]


@given(GLOBS, PATHS)
@example("**/a/**/a/b", "a/a/b/a/b")
@example("**/*a*b*/**", "ab/b")
def test_a_glob_matches_just_what_its_definition_says(pattern: str, path: str) -> None:
    assert make_glob(pattern).matches(path) is naive(without_repeats(pattern), path.split("/"))


@given(PATHS, PATHS)
def test_one_star_never_crosses_a_slash(first: str, second: str) -> None:
    assert make_glob(f"{first}*").matches(f"{first}/{second}") is False
    assert make_glob("*").matches(f"{first}/{second}") is False


def test_a_name_of_any_length_is_soon_matched() -> None:
    """What takes each part where it first fits does not try all ways to part a name."""
    assert not make_glob("/".join(["**", "*a*a*a*a*"] * 20)).matches("/".join(["aaaaab"] * 20_000) + "/-")
    assert not make_glob("*a" * 40 + "/x").matches("a" * 100_000)


@pytest.mark.parametrize(
    ("source", "text", "path", "prefix"),
    [
        ("docker.io", "*", "library/*", "library"),
        ("docker.io", "nginx*", "library/nginx*", "library"),
        ("docker.io", "bitnami/*", "bitnami/*", "bitnami"),
        ("docker.io/bitnami", "kafka*", "bitnami/kafka*", "bitnami"),
        ("docker.io", "**", "**", ""),
        ("quay.io", "*", "*", ""),
        ("quay.io/a/b", "**/x", "a/b/**/x", "a/b"),
        ("oci:folder", "a/b-*/c", "a/b-*/c", "a"),
    ],
)
def test_a_glob_is_below_its_source_and_lists_what_is_below_its_fixed_part(
    source: str, text: str, path: str, prefix: str
) -> None:
    glob = glob_below(parse_source(source), text, is_literal=False).glob
    assert (glob.source.path, glob.prefix) == (path, prefix)


@pytest.mark.parametrize(
    ("text", "source", "tag"),
    [
        ("quay.io/prometheus/*", "quay.io/prometheus/*", None),
        ("docker.io/*:1.27", "docker.io/library/*", "1.27"),
        ("bitnami/*:latest", "docker.io/bitnami/*", "latest"),
        ("localhost:5000/**", "localhost:5000/**", None),
    ],
)
def test_a_glob_alone_names_its_registry(text: str, source: str, tag: str | None) -> None:
    named = glob_alone(text)
    assert (str(named.glob), named.tag) == (source, tag)


@given(st.text(alphabet=string.ascii_letters + "0123456789*/:@._-", max_size=40))
def test_any_text_is_a_glob_or_refused(text: str) -> None:
    try:
        named = glob_below(parse_source("quay.io"), f"{text}*", is_literal=True)
    except InvalidReference:
        return
    assert named.glob.matches(named.example.repository.path)


def rules_of(folder: Path, images: str) -> tuple[Rule, ...]:
    return load(folder, with_images(images)).rules


def test_what_is_found_has_the_values_of_its_image(tmp_path: Path) -> None:
    image = '- name: bitnami/*\n  as: mirror/{path}\n  tags: ["1", "2"]\n  retag: "{tag}-x"\n  on_empty: warn'
    (rule,) = rules_of(tmp_path, image)
    assert (str(rule.source), rule.destinations, rule.name) == ("docker.io/bitnami/*", (), "sync[0]/bitnami/*")
    one = rule.for_repository("bitnami/kafka")
    assert (one.name, str(one.source), one.found_by) == (
        "sync[0]/bitnami/kafka",
        "docker.io/bitnami/kafka",
        "bitnami/*",
    )
    assert list(map(str, one.destinations)) == ["localhost:5000/mirror/bitnami/kafka"]
    assert (one.tags, one.retag, one.on_empty, one.glob) == (rule.tags, rule.retag, rule.on_empty, None)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("source: docker.io\nimages: ['*']\ndestination: localhost:5000", ["localhost:5000/nginx"]),
        (
            "source: docker.io\nimages: ['*']\ndestination: localhost:5000/{host}/{path}",
            ["localhost:5000/docker.io/library/nginx"],
        ),
        (
            "source: docker.io/library\nimages: ['n*:1']\ndestination: [localhost:5000/x, 'oci:air/{path}']",
            ["localhost:5000/x/nginx", "oci:air/library/nginx"],
        ),
        ("images: ['docker.io/library/*']\ndestination: localhost:5000", ["localhost:5000/library/nginx"]),
    ],
)
def test_what_is_found_goes_where_a_name_would(tmp_path: Path, entry: str, expected: list[str]) -> None:
    (rule,) = load(tmp_path, with_entry(entry)).rules
    assert list(map(str, rule.for_repository("library/nginx").destinations)) == expected


def test_the_folder_of_an_included_file_counts_for_globs_too(tmp_path: Path) -> None:
    entry = "version: 1\nsync:\n  - {source: docker.io, destination: 'oci:air', images: ['a/*']}\n"
    spec = load(tmp_path, "version: 1\ninclude: [deep/x.yaml]\n", files={"deep/x.yaml": entry})
    assert list(map(str, spec.rules[0].for_repository("a/b").destinations)) == ["oci:deep/air/a/b"]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            "- name: a/*\n  as: x",
            "7:13: as 'x' is one repository, and a/* stands for several\n    add {name} or {path}",
        ),
        (
            "- name: a/*@sha256:" + "a" * 64,
            "6:15: 'a/*@sha256:" + "a" * 64 + "' has a digest, which is that of one image\n    name the repository",
        ),
        ("- a/b:1.*", "6:9: 'a/b:1.*' has a pattern for its tag\n    patterns stand under `tags: [\"1.*\"]`"),
        ("- a/x**", "6:9: 'a/x**': ** stands for whole components\n    write a/** or a/**/b"),
        ("- a/***", "6:9: 'a/***': ** stands for whole components\n    write a/** or a/**/b"),
        (
            "- name: a/*\n  as_tag: x",
            "7:17: `as_tag` is for an image that is named by digest alone\n    use `retag` to rename a tag",
        ),
    ],
)
def test_what_is_wrong_with_a_glob_is_said_at_its_place(image: str, expected: str, tmp_path: Path) -> None:
    assert shown(found(tmp_path, with_images(image)), tmp_path) == f"sync.yaml:{expected}"


def test_letters_that_no_name_has_are_refused(tmp_path: Path) -> None:
    assert "'A/*' matches no repository name" in shown(found(tmp_path, with_images("- A/*")), tmp_path)


def test_a_full_reference_below_a_source_is_refused(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_images("- quay.io/a/*"))
    assert "starts with a host, and this entry has the source docker.io" in problem.message
    assert rules_of(tmp_path, "- name: quay.io/a/*")[0].image == "quay.io/a/*"


def test_a_destination_that_is_one_repository_takes_no_glob(tmp_path: Path) -> None:
    problems = found(tmp_path, with_entry("source: docker.io\nimages: ['a/*']\ndestination: localhost:5000/{host}"))
    assert "destination 'localhost:5000/{host}' is one repository, and a/* stands for several" in shown(
        problems, tmp_path
    )
    layout = {"one/oci-layout": '{"imageLayoutVersion":"1.0.0"}'}
    problems = found(tmp_path, with_entry("source: docker.io\nimages: ['a/*']\ndestination: oci:one"), files=layout)
    assert "oci:one is itself a layout, which holds one repository" in shown(problems, tmp_path)


def test_a_host_is_no_glob(tmp_path: Path) -> None:
    problems = found(tmp_path, with_entry("images: ['*.io/a/b']\ndestination: localhost:5000"))
    assert "has a glob for its host" in shown(problems, tmp_path)


def test_two_globs_of_one_meaning_are_one_and_alternatives_several(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, "- a/*:1\n- a/*:1\n- '{b,c}/*'")
    assert [rule.image for rule in rules] == ["a/*", "b/*", "c/*"]


def test_a_rule_may_write_what_its_templates_can_make() -> None:
    glob = make_glob("a/*", "Localhost:5000/mirror/{host}/{name}", "oci:air/{path}", renamed="x/{name}-y")
    assert glob.may_write(Repository("localhost:5000", "mirror/quay.io/x/a/b-y"))
    assert glob.may_write(Repository("oci:air", "x/a/b-y"))
    for other in ("mirror/quay.io/b", "mirror/quay.io/x/a/b", "other/quay.io/x/a/b-y", "mirror/quay.io/x/c/b-y"):
        assert not glob.may_write(Repository("localhost:5000", other))


@given(st.integers(1, 9), PATHS)
def test_every_repository_is_in_one_share(whole: int, path: str) -> None:
    repository = Repository("quay.io", path)
    assert sum(Share(part, whole).holds(repository) for part in range(1, whole + 1)) == 1


@given(GLOBS.filter(lambda text: "*" in text), PATHS)
def test_what_a_glob_finds_may_be_written(pattern: str, path: str) -> None:
    for renamed in (None, "x/{name}-y", "{path}"):
        glob = make_glob(pattern, "localhost:5000/m-{host}/{name}", "oci:air/{path}", renamed=renamed)
        for destination in glob.destinations(glob.image(path)) if glob.matches(path) else ():
            assert glob.may_write(destination)
