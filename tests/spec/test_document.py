"""YAML as nodes: places, what unquoted text is read as, YAML's own errors with what to do, and bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imagesync.errors import Problem
from imagesync.spec import document
from imagesync.spec.document import MAX_BYTES, List, Map, Misread, Node, Scalar, find, parse_document, quoted, to_data


def parse(text: str) -> Node:
    problems: list[Problem] = []
    node = parse_document(text, "f", problems)
    assert problems == []
    assert node is not None
    return node


def problems_of(text: str) -> list[Problem]:
    problems: list[Problem] = []
    parse_document(text, "f", problems)
    return problems


def only(text: str) -> Problem:
    (problem,) = problems_of(text)
    return problem


@pytest.fixture(params=["libyaml", "python"])
def _either_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML with and without libyaml: their words differ, our hints must not."""
    if request.param == "python":
        monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)


def test_every_node_knows_its_place() -> None:
    root = parse("a:\n  - b\n  - {c: d}\n")
    assert isinstance(root, Map)
    assert (root.place.line, root.place.column) == (1, 1)
    place = find(root, iter(["a", 1, "c"])).place
    assert (place.file, place.line, place.column) == ("f", 3, 9)
    assert str(root.keys["a"].place) == "f:1:1"


def test_a_document_is_data_for_a_validator() -> None:
    root = parse("a: [1, -7, 0, true, null, x, '1', \"y\"]\nb: {c: }\n")
    assert to_data(root) == {"a": [1, -7, 0, True, None, "x", "1", "y"], "b": {"c": None}}


@pytest.mark.parametrize(
    "text", ["1.10", "0123", "22:30", "on", "No", "2024-01-01", "1_000", "0x1f", ".inf", "2024-13-45", "9" * 5000]
)
def test_what_yaml_would_change_keeps_its_text_and_is_no_data(text: str) -> None:
    """REF-04."""
    root = parse(f"a: {text}\n")
    scalar = find(root, iter(["a"]))
    assert isinstance(scalar, Scalar)
    assert isinstance(scalar.value, Misread)
    assert (scalar.text, repr(scalar.value)) == (text, text)


@pytest.mark.parametrize("text", ["1.2.3", "08", "1e3", "v1", "latest", "y", "0o17", "1.27-alpine", "${A}"])
def test_what_yaml_leaves_alone_is_text(text: str) -> None:
    root = parse(f"a: {text}\nb: '{text}'\n")
    assert to_data(root) == {"a": text, "b": text}


def test_blocks_of_text_are_text() -> None:
    assert to_data(parse("a: |\n  1\n  on\nb: >-\n  1.10\n")) == {"a": "1\non\n", "b": "1.10"}


def test_an_anchor_stands_for_its_node_again() -> None:
    assert to_data(parse("a: &x [1, 2]\nb: *x\n")) == {"a": [1, 2], "b": [1, 2]}


def test_a_merge_key_gives_what_the_map_does_not_say() -> None:
    root = parse("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: *a, x: 3}\nd: {<<: [*a, *b]}\ne: {y: 9, <<: *b}\n")
    data = to_data(root)
    assert isinstance(data, dict)
    assert data["c"] == {"x": 3, "y": 1}
    assert data["d"] == {"x": 1, "y": 1, "z": 2}
    assert data["e"] == {"y": 9, "z": 2}
    merged = find(root, iter(["c"]))
    assert isinstance(merged, Map)
    assert merged.keys["y"].place.line == 1


def test_a_quoted_merge_sign_is_a_key_like_any_other() -> None:
    assert to_data(parse('"<<": x\n')) == {"<<": "x"}


def test_a_merge_key_takes_maps_only() -> None:
    assert only("a:\n  <<: [x]\n").message == "`<<` takes a map, or a list of maps"
    assert only("a: {<<: 7}\n").place.column == 9


def test_a_key_that_stands_twice_names_the_first_place() -> None:
    problem = only("a: 1\nb: 2\na: 3\n")
    assert str(problem.place) == "f:3:1"
    assert problem.message == "key 'a' stands twice, first in line 1"


@pytest.mark.parametrize(("key", "reading"), [("1", "the number 1"), ("1.27", "the number 1.27"), ("on", "true")])
def test_a_key_that_yaml_does_not_read_as_text_is_refused(key: str, reading: str) -> None:
    problem = only(f"{key}: x\n")
    assert problem.message == f"YAML reads the key {key} as {reading}"
    assert problem.hint == f'quote it: "{key}"'


@pytest.mark.parametrize("text", ["{tag}: x\n", "? [a]\n: x\n"])
def test_a_key_that_is_no_text_at_all_is_refused(text: str) -> None:
    assert only(text).message == "a key must be text, not a list or a map"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("a: !!set {b, c}\n", "!!set"),
        ("a: !!binary aGk=\n", "!!binary"),
        ("a: !!python/object/apply:os.system [x]\n", "!!python/object/apply:os.system"),
    ],
)
def test_a_yaml_tag_is_refused_and_makes_nothing(text: str, tag: str) -> None:
    problem = only(text)
    assert problem.message == f"{tag} is a YAML tag, and none is used here"
    assert problem.hint == f'leave it out, or quote it where it is text: "{tag}"'


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize("text", ["a: !x\n", "a: !x y\n", "a: !x 'y'\n", "a: !env [b]\n"])
def test_a_tag_of_ones_own_is_refused_without_repeating_it(text: str) -> None:
    """SEC-01: a password may begin with `!`."""
    problem = only(text)
    assert problem.message == "what begins with ! is a YAML tag, and none is used here"
    assert problem.hint == "leave it out, or quote it where it is text"


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize(
    ("line", "column", "hint"),
    [
        ("a: *.x", 4, 'quote it: "*.x", an unquoted * refers to an anchor'),
        ("a: {tag: *-x}", 10, 'quote it: "*-x", an unquoted * refers to an anchor'),
        ("a: @x", 4, 'quote it: "@x", a value may not begin with @'),
        ("a: %x", 4, 'quote it: "%x", a value may not begin with %'),
        ("a: `x`", 4, 'quote it: "`x`", a value may not begin with `'),
        ("a: |x", 5, 'quote it: "|x", a value may not begin with |'),
        ("a: {tag}-x", 9, 'quote it: "{tag}-x", a value may not begin with {'),
        ("a: [/v[0-9]+/]", 7, 'quote each item that holds brackets or braces: ["/v[0-9]+/"]'),
        ("a: b: c", 5, 'quote it: "b: c", a colon and a space begin a map'),
        ("a: 'x", 4, "close this quote"),
        ('a: "/\\d+/"', 6, r"in double quotes a backslash begins an escape: use single quotes, '/\d+/'"),
        ("version:1\nsync: []", 5, "put a space after the colon: version: 1"),
        ("-source: x\n images: y", 8, "put a space after the dash: - source: x"),
        ("a:\n\t- x", 1, "indent with spaces, not with tabs"),
        ("a:\n  - b: 1\n   c: [x]", 4, "check the indentation, and quote what holds YAML's own signs"),
    ],
)
def test_yamls_own_errors_have_a_place_and_say_what_to_do(line: str, column: int, hint: str) -> None:
    problem = only(f"{line}\n")
    assert problem.message.startswith("not YAML: ")
    assert problem.hint == hint
    assert abs(problem.place.column - column) <= 1, "libyaml and PyYAML differ by one"


def test_what_holds_no_document_or_two_is_refused() -> None:
    assert only("").message == "nothing is in it"
    assert only("# only a comment\n").message == "nothing is in it"
    assert (only("a: 1\n---\nb: 2\n").message, only("a: 1\n---\nb: 2\n").place.line) == (
        "a second YAML document begins here",
        3,
    )


@pytest.mark.usefixtures("_either_loader")
@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x07"])
def test_a_control_character_is_named_and_placed_and_not_printed(character: str) -> None:
    problem = only(f"a: 1\nbc: {character}\n")
    assert problem.message == f"not YAML: the character U+{ord(character):04X} may not stand here"
    assert (problem.place.line, problem.place.column) == (2, 5)


def test_a_text_over_the_limit_is_not_parsed() -> None:
    assert only("#" * (MAX_BYTES + 1)).message == f"over {MAX_BYTES} bytes"
    assert parse(f"a: 1\n#{' ' * (MAX_BYTES - 10)}")


@pytest.mark.usefixtures("_either_loader")
def test_an_anchor_that_holds_itself_is_refused() -> None:
    assert "to themselves" in only("a: &a\n  - *a\n").message


@pytest.mark.parametrize(
    "link", ["[{0},{0},{0},{0},{0},{0},{0},{0},{0},{0}]", "{{<<: [{0},{0},{0},{0},{0},{0},{0},{0}]}}"]
)
def test_a_few_lines_that_unfold_to_billions_are_refused(link: str) -> None:
    lines = ["a: &a {x: 1}"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} {link.format(f'*{before}')}")
    assert "anchors unfold to over" in only("\n".join(lines)).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", '"a"'), ('a"b', "'a\"b'"), ("/\\d/", "'/\\d/'"), ("a\x1bb", '"a\\x1bb"'), ("a'b", '"a\'b"')],
)
def test_a_hint_quotes_text_so_that_yaml_reads_the_same(text: str, expected: str) -> None:
    assert quoted(text) == expected
    if text.isprintable():
        assert yaml.safe_load(quoted(text)) == text


def nodes(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Map):
        for value in node.values.values():
            yield from nodes(value)
    elif isinstance(node, List):
        for value in node.items:
            yield from nodes(value)


@given(st.text(max_size=80) | st.text(alphabet="ab:-*&{}[]\"'|>!%@`# \n\t,<?1.", max_size=60))
def test_any_text_is_nodes_with_places_or_problems_that_can_be_printed(text: str) -> None:
    problems: list[Problem] = []
    node = parse_document(text, "f", problems)
    assert node is not None or problems
    for problem in problems:
        assert problem.place.file == "f"
    for one in nodes(node) if node is not None else ():
        assert one.place.line >= 1


VALUES = st.recursive(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
    | st.integers(-(10**17), 10**17)
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), VALUES, min_size=1))
def test_what_yaml_writes_is_read_back(data: dict[str, object]) -> None:
    assert to_data(parse(yaml.safe_dump(data, allow_unicode=True))) == data
