"""The `sync` part as rules: where a value comes from, what may not stand together, what two rules may not write."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.reference import Repository, Tag
from imagesync.spec.model import Rule, Spec
from tests.spec.written import found, load, make_files, shown, with_entry, with_images

HEX = "a" * 64
PINNED = f"nginx@sha256:{HEX}"


def only(spec: Spec) -> Rule:
    (rule,) = spec.rules
    return rule


def make(text: str) -> Repository:
    """A repository from its text; a layout's path is what follows its folder, `oci:out`."""
    registry, _, path = text.partition("/")
    return Repository(registry, path)


def places(spec: Spec) -> dict[str, list[str]]:
    return {rule.name: [str(repository) for repository in rule.destinations] for rule in spec.rules}


@pytest.mark.parametrize(
    ("source", "image", "destination", "renamed", "expected"),
    [
        ("docker.io", "nginx", "localhost:5000", None, "localhost:5000/nginx"),
        ("docker.io", "library/nginx", "q.io/mirror/", None, "q.io/mirror/library/nginx"),
        ("docker.io", "nginx", "q.io/{host}/{path}", None, "q.io/docker.io/library/nginx"),
        ("docker.io", "nginx", "q.io/{name}/x", None, "q.io/nginx/x"),
        ("docker.io", "nginx", "docker.io/acme", None, "docker.io/acme/nginx"),
        ("localhost:5000/a", "b/c", "q.io/{host}/{path}", None, "q.io/localhost-5000/a/b/c"),
        ("Lab.Internal", "b", "q.io/{host}/{name}", None, "q.io/lab.internal/b"),
        ("quay.io/acme", "tool", "q.io", "tools/{name}", "q.io/tools/tool"),
        ("quay.io/acme", "tool", "q.io/{host}/{path}", "x/{path}", "q.io/quay.io/x/acme/tool"),
        ("quay.io", "docker.io/library/nginx", "q.io", None, "q.io/docker.io/library/nginx"),
        ("oci:in", "a/b", "q.io/{path}", None, "q.io/a/b"),
        ("quay.io", "a/b", "oci:out", None, "oci:out/a/b"),
        ("quay.io", "a/b", "oci:out/{host}/{name}", None, "oci:out/quay.io/a/b"),
        (None, "quay.io/a/b", "q.io/{name}", None, "q.io/a/b"),
        (None, "nginx", "q.io/{name}", None, "q.io/nginx"),
        (None, "nginx", "q.io/{host}/{path}", None, "q.io/docker.io/library/nginx"),
    ],
)
def test_a_template_makes_the_repository(
    source: str | None, image: str, destination: str, *, renamed: str | None, expected: str, tmp_path: Path
) -> None:
    """Decision 19, through YAML."""
    lines = [f"destination: {destination}", "images:", f"  - name: {image}"]
    lines += [f"    as: {renamed!r}"] if renamed else []
    lines += [f"source: {source}"] if source else []
    assert only(load(tmp_path, with_entry("\n".join(lines)))).destinations == (make(expected),)


def test_one_image_in_three_spellings_is_one_source(tmp_path: Path) -> None:
    """REF-06."""
    images = "[nginx, 'docker.io/library/nginx:latest', index.docker.io/library/nginx]"
    spec = load(tmp_path, with_entry(f"destination: q.io/{{path}}\nimages: {images}"))
    assert len(spec.rules) == 1
    assert str(only(spec).source) == "docker.io/library/nginx"


def test_an_immutable_tag_that_is_no_pattern_is_said_with_its_place(tmp_path: Path) -> None:
    problems = found(tmp_path, with_images('- name: nginx\n  immutable: ["/(/", "a b"]'))
    assert [(problem.place.line, problem.place.column) for problem in problems] == [(7, 21), (7, 28)]
    assert "'/(/' is not a regular expression" in problems[0].message


@pytest.mark.parametrize("template", ["{tag}", "previous", "{major}-previous", "{tag}-{tag}", "{tag}-{", "{digest}"])
def test_what_is_replaced_needs_another_tag_for_each_tag(tmp_path: Path, template: str) -> None:
    (problem,) = found(tmp_path, with_images(f"- name: nginx\n  keep_previous: '{template}'"))
    assert (problem.place.line, problem.place.column) == (7, 24)
    assert problem.message == f"{template!r} is not another tag for each tag"
    assert problem.hint == 'write {tag} and more: "{tag}-previous"'


def test_an_image_may_lift_what_its_entry_holds_immutable(tmp_path: Path) -> None:
    images = 'immutable: ["*"]\nsource: docker.io\ndestination: q.io\nimages: [{name: nginx, immutable: []}, redis]'
    nginx, redis = load(tmp_path, with_entry(images)).rules
    assert (nginx.immutable.holds(Tag("1")), redis.immutable.holds(Tag("1"))) == (False, True)


def test_alternatives_are_rules_of_their_own(tmp_path: Path) -> None:
    spec = load(tmp_path, with_images('- name: bitnami/{kafka,zookeeper}\n  as: "x/{name}"'))
    assert places(spec) == {
        "sync[0]/bitnami/kafka": ["localhost:5000/x/bitnami/kafka"],
        "sync[0]/bitnami/zookeeper": ["localhost:5000/x/bitnami/zookeeper"],
    }


def test_without_any_tag_it_is_latest(tmp_path: Path) -> None:
    assert only(load(tmp_path, with_images("- nginx"))).tags.exact_tags == ("latest",)


def test_destinations_are_looked_up_by_name_and_each_stands_once(tmp_path: Path) -> None:
    text = "destinations: {all: [q.io, 'r.io/{path}'], one: q.io}\n" + with_entry(
        "images: [quay.io/a]\ndestination: [all, one, s.io]"
    )
    assert places(load(tmp_path, text)) == {"sync[0]/a": ["q.io/a", "r.io/a", "s.io/a"]}


def test_a_digest_has_the_tag_it_was_written_with_or_the_one_that_is_given_for_it(tmp_path: Path) -> None:
    spec = load(tmp_path, with_images(f"- nginx:1@sha256:{HEX}\n- name: {PINNED}\n  as_tag: x\n  as: y"))
    assert [(rule.digest, rule.tags.exact_tags) for rule in spec.rules] == [
        (f"sha256:{HEX}", ("1",)),
        (f"sha256:{HEX}", ("x",)),
    ]
    assert [rule.named_tag for rule in spec.rules] == ["1", None], "the tag of the source, where one is named"


def test_the_entrys_retag_does_not_touch_a_tag_that_is_given_for_a_digest(tmp_path: Path) -> None:
    spec = load(tmp_path, with_images(f"- name: {PINNED}\n  as_tag: x") + "    retag: '{tag}-mirror'\n")
    assert only(spec).retag.apply(Tag("x")) == "x"


def test_layout_paths_count_from_the_file_that_holds_them(tmp_path: Path) -> None:
    files = {
        "a/b.yaml": with_entry("images: [quay.io/x]\ndestination: [oci:out, oci:../../up, oci:/abs/./x]"),
        "c.yaml": with_entry("source: oci-archive:in.tar\nimages: [y]\ndestination: oci:c"),
    }
    spec = load(tmp_path, "version: 1\ninclude: [a/b.yaml, c.yaml]\n", files=files)
    assert places(spec) == {"sync[0]/x": ["oci:a/out/x", "oci:../up/x", "oci:/abs/x/x"], "sync[1]/y": ["oci:c/y"]}
    assert str(spec.rules[1].source) == "oci-archive:in.tar/y"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("registry-1.docker.io/nginx", "did you mean docker.io/nginx?"),
        ("MyOrg/foo", "capitals make 'MyOrg' a host"),
        ("localhost:5000", "not as a registry"),
        (f"'sha256:{HEX}'", "write NAME@sha256:"),
    ],
)
def test_what_is_surely_not_meant_is_warned_about_at_its_place(image: str, said: str, tmp_path: Path) -> None:
    """REF-03."""
    spec = load(tmp_path, with_entry(f"destination: q.io\nimages:\n  - {image}"))
    (warning,) = spec.warnings
    assert said in warning.message
    assert (warning.place.line, warning.place.column) == (5, 9)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (
            "- name: nginx\n  as_tag: x",
            "7:17: `as_tag` is for an image that is named by digest alone\n    use `retag` to rename a tag",
        ),
        (
            f"- name: nginx:1@sha256:{HEX}\n  as_tag: x",
            "7:17: `as_tag` is for an image that is named by digest alone\n    use `retag` to rename a tag",
        ),
        (
            f"- {PINNED}",
            (
                "6:9: an image by digest alone has no tag at the destination\n"
                "    add `as_tag: TAG`: content without a tag would be garbage there"
            ),
        ),
        (
            f"- name: {PINNED}\n  as_tag: -x",
            "7:17: '-x' is not a tag: 1 to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'",
        ),
        (
            f"- name: {PINNED}\n  as_tag: x\n  retag: y",
            "8:16: `as_tag` says what the tag is called already\n    leave `retag` out",
        ),
        (
            f"- name: {PINNED}\n  as_tag: x\n  tags: y",
            (
                "8:15: an image by digest is one content: there are no tags to select from\n"
                "    `as_tag` says what it is called at the destination"
            ),
        ),
        (
            "- name: nginx:1\n  tags: y",
            "7:15: 'nginx:1' has a tag already\n    give the tags in one place",
        ),
        (
            "- name: nginx\n  tags: [/(/]",
            "7:16: '/(/' is not a regular expression: missing ), unterminated subpattern at position 0",
        ),
        (
            "- name: nginx\n  retag: '{date}-{tag}'",
            "7:16: {date} is not known\n    allowed are {tag}, {major}, {minor}, {patch}, {suffix} and {digest}",
        ),
        (
            "- name: nginx\n  retag: '{major}'",
            "6:15: retag template '{major}' needs a version, latest is none",
        ),
        (
            "- name: nginx\n  tags: ['1', '2']\n  retag: {'1': a}",
            "6:15: retag has no line for the selected tag 2\n    add `2: NEW-TAG`",
        ),
        (
            "- name: nginx:1\n  retag: {'1': a, '!': b}",
            "7:25: '!' is not a tag: 1 to 128 letters, digits, '_', '.', '-', not starting with '.' or '-'",
        ),
        (
            "- name: nginx\n  as: x/{host}",
            "7:13: {host} is not known here\n    allowed are {path} and {name}",
        ),
        (
            "- name: nginx\n  as: x/{name",
            "7:13: 'x/{name' has an unpaired brace\n    placeholders are {path} and {name}",
        ),
        (
            "- name: nginx\n  as: x:1",
            "7:13: 'x:1' has a tag or digest\n    `as` is the repository: `retag` sets the tag",
        ),
        ("- name: nginx\n  as: X", "7:13: repository name 'X' must be lower case\n    write x"),
        ("- name: a{b,c\n", "6:15: 'a{b,c' has an unpaired brace\n    alternatives are written {a,b}"),
        ("- name: x/{name}\n", "6:15: '{name}' holds one name alone\n    alternatives are written {a,b}"),
    ],
)
def test_what_is_wrong_with_an_image_is_said_at_the_value_that_is_wrong(
    image: str, expected: str, tmp_path: Path
) -> None:
    assert shown(found(tmp_path, with_images(image)), tmp_path) == f"sync.yaml:{expected}"


def test_values_are_checked_though_the_images_name_is_wrong(tmp_path: Path) -> None:
    problems = found(tmp_path, with_images("- name: A\n  tags: -x\n  retag: '{x}'"))
    assert [problem.place.line for problem in problems] == [6, 7, 8]


def test_defaults_are_checked_though_no_entry_takes_them(tmp_path: Path) -> None:
    text = "version: 1\ndefaults:\n  source: nginx\n  tags: -x\n  retag: '{x}'\nsync: []\n"
    assert [problem.place.line for problem in found(tmp_path, text)] == [3, 4, 5]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("internal", "no destination is called 'internal'\n    a host has a dot or a port: internal:5000"),
        (
            "acme/mirror",
            (
                "destination 'acme/mirror' begins with no host\n"
                "    write docker.io/acme/mirror, or give the host its port: acme:443/…"
            ),
        ),
        ("q.io/{tag}", "{tag} is not known\n    allowed are {host}, {path} and {name}"),
        ("q.io/{path", "'q.io/{path' has an unpaired brace\n    placeholders are {host}, {path} and {name}"),
        ("oci-archive:x", "an archive can only be read\n    write to oci:DIRECTORY"),
        ("https://q.io/x", "'https://q.io/x' is a URL\n    drop https://, write q.io/x"),
        ("q.io:99999", "port 99999 of 'q.io:99999' is not between 1 and 65535"),
        ("q.io/x:1", "destination 'q.io/x:1' has a tag or digest\n    `retag` and `as_tag` set the tag"),
        ("oci:{path}", "'oci:{path}' names no directory\n    write oci:DIRECTORY"),
    ],
)
def test_what_is_no_destination_is_refused_whatever_the_image(destination: str, expected: str, tmp_path: Path) -> None:
    text = with_entry(f"destination: {destination!r}\nimages: [quay.io/a, quay.io/b, quay.io/c]")
    assert shown(found(tmp_path, text), tmp_path) == f"sync.yaml:3:18: {expected}"


@pytest.mark.parametrize("destination", ["e", "q.io/{tag}", "https://q.io", "acme/x"])
def test_a_named_destination_is_checked_though_nothing_uses_it(destination: str, tmp_path: Path) -> None:
    text = f"version: 1\ndestinations:\n  d: {destination!r}\n  e: q.io\nsync: []\n"
    (problem,) = found(tmp_path, text)
    assert (problem.place.line, problem.place.column) == (3, 6)


def test_an_entry_without_a_destination_says_where_one_belongs(tmp_path: Path) -> None:
    assert shown(found(tmp_path, with_entry("images: [nginx]")), tmp_path) == (
        "sync.yaml:3:5: this entry has no destination\n    add `destination:` to it, or to `defaults`"
    )


def test_two_entries_of_one_name_are_refused_also_across_files(tmp_path: Path) -> None:
    entry = "name: a\ndestination: q.io\nimages: [{}]"
    files = {"more.yaml": with_entry(entry.format("quay.io/y"))}
    text = "include: [more.yaml]\n" + with_entry(entry.format("quay.io/x"))
    assert shown(found(tmp_path, text, files=files), tmp_path) == (
        "more.yaml:3:11: another entry is called 'a' too, at sync.yaml:4:11\n    give each entry a name of its own"
    )


CONFLICTS = [
    (
        "- name: nginx\n  as: x\n- name: redis\n  as: x",
        "docker.io/library/redis:latest",
        "docker.io/library/nginx:latest",
    ),
    ("- name: nginx\n  tags: ['1', '2']\n  retag: x", "docker.io/library/nginx:2", "docker.io/library/nginx:1"),
    (f"- nginx:1\n- nginx:1@sha256:{HEX}", f"docker.io/library/nginx:1@sha256:{HEX}", "docker.io/library/nginx:1"),
    ("- name: '{a,b}'\n  as: x", "docker.io/library/b:latest", "docker.io/library/a:latest"),
]


@pytest.mark.parametrize(("images", "second", "first"), CONFLICTS)
def test_one_destination_tag_from_two_sources_is_refused(images: str, second: str, first: str, tmp_path: Path) -> None:
    (problem,) = found(tmp_path, with_images(images))
    assert f"is written from {second} here, and from {first} at " in problem.message
    assert problem.hint == "give one of them another destination, `as` or `retag`"


def test_one_image_in_several_entries_is_fine(tmp_path: Path) -> None:
    assert len(load(tmp_path, with_images("- nginx:1\n- nginx:2\n- name: nginx\n  tags: ['1', '3*']")).rules) == 3


@pytest.mark.parametrize("tags", ["latest", "'*'"])
def test_a_copy_onto_itself_is_refused(tags: str, tmp_path: Path) -> None:
    text = with_entry(f"source: docker.io\ndestination: docker.io/library\nimages: [nginx]\ntags: {tags}")
    (problem,) = found(tmp_path, text)
    assert "would be copied onto" in problem.message


def test_a_tag_may_get_another_name_in_its_own_repository(tmp_path: Path) -> None:
    text = with_entry("source: quay.io/acme\ndestination: quay.io/acme\nimages: [a]\ntags: x\nretag: '{tag}-old'")
    assert str(only(load(tmp_path, text)).destinations[0]) == "quay.io/acme/a"


def test_a_file_beside_the_specs_folder_has_its_own_folder_too(tmp_path: Path) -> None:
    more = with_entry("images: [quay.io/x]\ndestination: oci:out")
    make_files(tmp_path, {"other/a.yaml": more})
    spec = load(tmp_path / "main", "version: 1\ninclude: [../other/a.yaml]\n")
    assert places(spec) == {"sync[0]/x": ["oci:../other/out/x"]}


def test_a_misspelt_destination_is_one_mistake(tmp_path: Path) -> None:
    text = with_entry("destnation: q.io\nimages: [quay.io/x]")
    assert shown(found(tmp_path, text), tmp_path) == (
        "sync.yaml:3:5: unknown key 'destnation'\n    did you mean destination?"
    )
