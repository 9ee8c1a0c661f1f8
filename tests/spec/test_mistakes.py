"""A spec with many different mistakes: each has a message of its own, with its place and what to do, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagesync.cli.main import run
from tests.spec.written import found, shown

SPEC = """\
version: 1
include: [images/*.yaml]
registries:
  ghcr.io:
    auth: {username: robot}
    concurency: 4
destinations:
  internal: registry.internal/mirror/{hots}
sync:
  - name: bases
    source: docker.io
    destination: internl
    images:
      - name: nginx
        tags: [1.10, "1.27"]
      - name: redis
        tag: "7.4"
        tags: "7.4"
        retag: {tag}
  - source: docker.io
    destination: ${REGISTRY}/mirror
    images:
      - quay.io/prometheus/prometheus:v3
      - alpine: latest
  - source: docker.io
    destination: localhost:5000/all
    images:
      - busybox:1
  - source: quay.io
    destination: localhost:5000/all
    images:
      - busybox:1
      - busybox:1
      - Debian
"""

EXPECTED = """\
sync.yaml:2:11: no file matches 'images/*.yaml'
    looked in FOLDER
sync.yaml:5:11: key 'password' is missing
    add `password:`
sync.yaml:6:5: unknown key 'concurency'
    did you mean concurrency?
sync.yaml:8:13: {hots} is not known
    allowed are {host}, {path} and {name}
sync.yaml:12:18: no destination is called 'internl'
    did you mean internal?
sync.yaml:15:16: YAML reads 1.10 as the number 1.1, where a tag belongs
    quote it: "1.10"
sync.yaml:17:9: unknown key 'tag'
    did you mean tags?
sync.yaml:19:16: YAML reads {tag} as a map, where a tag belongs
    quote it: "{tag}"
sync.yaml:21:18: variable REGISTRY is not set
    export REGISTRY, or give a default: ${REGISTRY:-…}
sync.yaml:23:9: 'quay.io/prometheus/prometheus:v3' starts with a host, and this entry has the source docker.io
    move it to an entry without `source`; or, where the path below docker.io is really spelt so, \
`- name: quay.io/prometheus/prometheus:v3`
sync.yaml:24:9: unknown key 'alpine'
    an image and its tag are written without a space: "alpine:latest"
sync.yaml:32:9: localhost:5000/all/busybox:1 is written from quay.io/busybox:1 here, \
and from docker.io/library/busybox:1 at sync.yaml:28:9
    give one of them another destination, `as` or `retag`
sync.yaml:33:9: localhost:5000/all/busybox:1 is written from quay.io/busybox:1 here, \
and from docker.io/library/busybox:1 at sync.yaml:28:9
    give one of them another destination, `as` or `retag`
sync.yaml:34:9: repository name 'Debian' must be lower case
    write debian\
"""


def test_many_different_mistakes_are_reported_at_once_each_with_its_place(tmp_path: Path) -> None:
    problems = found(tmp_path, SPEC)
    assert shown(problems, tmp_path).replace(str(tmp_path), "FOLDER") == EXPECTED
    assert len({problem.message for problem in problems}) >= 10


def test_the_command_prints_them_all_and_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "sync.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    assert run(["plan", str(spec)]) == 4
    error = capsys.readouterr().err
    assert error.replace(f"{tmp_path}/", "").replace(str(tmp_path), "FOLDER").startswith(EXPECTED)


YAML_MISTAKES = [
    ("retag: {tag}-mirror", 'quote it: "{tag}-mirror", a value may not begin with {'),
    ("tags: [/v[0-9]+/]", 'quote each item that holds brackets or braces: ["/v[0-9]+/"]'),
    ("tags: [*-alpine]", 'quote it: "*-alpine", an unquoted * refers to an anchor'),
    ("tags: [1.0, *.x]", 'quote it: "*.x", an unquoted * refers to an anchor'),
    ("tags: {versions: >=7.2 <9}", 'quote it: ">=7.2 <9", a value may not begin with >'),
    ("tags: {versions: {range: > 7, suffix: any}}", 'quote it: "> 7", a value may not begin with >'),
    ("tags: *", 'quote it: "*", an unquoted * refers to an anchor'),
    ("as: @x", 'quote it: "@x", a value may not begin with @'),
    ("as: %x", 'quote it: "%x", a value may not begin with %'),
    ("as: `x`", 'quote it: "`x`", a value may not begin with `'),
    ("as: a: b", 'quote it: "a: b", a colon and a space begin a map'),
    ('as: {x}"y', """quote it: '{x}"y', a value may not begin with {"""),
    ("\ttags: x", "indent with spaces, not with tabs"),
    ("as: 'x", "close this quote"),
]


@pytest.mark.parametrize(("line", "hint"), YAML_MISTAKES)
def test_yamls_own_errors_say_what_to_quote(line: str, hint: str, tmp_path: Path) -> None:
    spec = f"version: 1\nsync:\n  - images:\n      - name: nginx\n        {line}\n"
    (problem,) = found(tmp_path, spec)
    assert problem.message.startswith("not YAML: ")
    assert problem.hint == hint
    assert problem.place.line in (5, 6)


@pytest.mark.parametrize(
    ("tag", "reading"),
    [
        ("1.10", "the number 1.1"),
        ("0123", "the number 83"),
        ("1_000", "the number 1000"),
        ("0x1f", "the number 31"),
        ("22:30", "the number 1350"),
        ("on", "true"),
        ("no", "false"),
        ("2024-01-01", "the date 2024-01-01"),
        ("20240101", "the number 20240101"),
    ],
)
def test_a_tag_that_yaml_reads_as_something_else_is_never_guessed(tag: str, reading: str, tmp_path: Path) -> None:
    """REF-04."""
    entry = f"  - source: docker.io\n    destination: localhost:5000\n    images: [nginx]\n    tags: [{tag}]\n"
    (problem,) = found(tmp_path, f"version: 1\nsync:\n{entry}")
    assert problem.message == f"YAML reads {tag} as {reading}, where a tag belongs"
    assert problem.hint == f'quote it: "{tag}"'
    assert (problem.place.line, problem.place.column) == (6, 12)


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ("tls: off", "found off, where insecure or disabled or {ca, certificate, key} belongs", None),
        ("auth: anonymus", "found 'anonymus', where", "did you mean anonymous?"),
        ("concurrency: 0", "found 0, where a number from 1 to 256 belongs", None),
        ('concurrency: "4"', "found '4', where a number from 1 to 256 belongs", "write 4 without quotes"),
        ("timeouts: {read: 10}", "found 10, where a time as 10s, 15m or 2h belongs", None),
    ],
)
def test_quotes_are_advised_only_where_they_help(settings: str, message: str, hint: str | None, tmp_path: Path) -> None:
    entry = "  - source: docker.io\n    destination: localhost:5000\n    images: [nginx]\n"
    spec = f"version: 1\nregistries:\n  quay.io:\n    {settings}\nsync:\n{entry}"
    (problem,) = found(tmp_path, spec)
    assert problem.message.startswith(message)
    assert problem.hint == hint


@pytest.mark.parametrize("text", ["[" * 400_000, "- " * 200_000, "a: &a [*a]\n"])
def test_no_nesting_ends_the_process(text: str, tmp_path: Path) -> None:
    """libyaml's composer recurses in C: what it is given has a bound."""
    (problem,) = found(tmp_path, text)
    assert "over 64 lists and maps" in problem.message or "to themselves" in problem.message


def test_a_few_lines_of_aliases_cannot_stand_for_billions(tmp_path: Path) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    (problem,) = found(tmp_path, "\n".join(lines))
    assert problem.message == "anchors unfold to over 100000 values, or to themselves"
