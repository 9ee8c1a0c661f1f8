"""Files: what is read, what they include, and what is wrong with them; nothing is asked of a network."""

from __future__ import annotations

import io
import socket
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from imagesync.errors import SpecError
from imagesync.spec import load_spec
from imagesync.spec.document import MAX_BYTES
from imagesync.spec.model import SpecFile
from tests.spec.written import found, load, shown, with_entry, with_images

SMALLEST = """\
version: 1
sync:
  - source: docker.io
    destination: localhost:5000
    images:
      - nginx:latest
"""


def entry(image: str) -> str:
    return f"sync:\n  - images: [quay.io/{image}]\n    destination: localhost:5000\n"


def test_the_smallest_spec_is_docker_pull_tag_push(tmp_path: Path) -> None:
    (rule,) = load(tmp_path, SMALLEST).rules
    assert str(rule.source) == "docker.io/library/nginx"
    assert [str(one) for one in rule.destinations] == ["localhost:5000/nginx"]
    assert rule.tags.exact_tags == ("latest",)


def test_a_byte_order_mark_and_windows_line_ends_are_taken(tmp_path: Path) -> None:
    raw = b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode()
    spec = load(tmp_path, raw)
    assert (spec.rules[0].place.line, spec.rules[0].place.column) == (6, 9)
    assert spec.files == (SpecFile("sync.yaml", sha256(raw).hexdigest()),)


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(SMALLEST.encode())))
    spec = load_spec("-", environment={})
    assert (spec.rules[0].place.file, spec.directory) == ("-", ".")
    assert spec.files[0].path == "-"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"version: 1\n\xff", "sync.yaml: not UTF-8 at byte 11"),
        (SMALLEST.encode("utf-16"), "sync.yaml: not UTF-8 at byte 0"),
        (b"#" * (MAX_BYTES + 1), f"sync.yaml: over {MAX_BYTES} bytes\n    split it with `include`"),
        (b"", "sync.yaml: nothing is in it\n    `imagesync init` writes a spec to start from"),
        (b"- a", "sync.yaml:1:1: found a list, where a map with `version` and `sync` belongs"),
        (b"sync: []", "sync.yaml:1:1: key 'version' is missing\n    the first line of a spec is `version: 1`"),
        (b"version: 1", "sync.yaml:1:1: key 'sync' is missing\n    add `sync:`"),
        (b"version: 2\nsync: []", "sync.yaml:1:10: found 2, where the number 1 belongs"),
        (
            b"version: '1'\nsync: []",
            "sync.yaml:1:10: found '1', where the number 1 belongs\n    write 1 without quotes",
        ),
    ],
)
def test_a_file_that_is_no_spec_says_why(raw: bytes, expected: str, tmp_path: Path) -> None:
    assert shown(found(tmp_path, raw), tmp_path) == expected


def test_a_file_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(str(tmp_path / "none.yaml"), environment={})
    (problem,) = caught.value.problems
    assert problem.message == "cannot be read: No such file or directory"


def test_includes_are_read_in_order_a_glob_sorted_and_each_file_once(tmp_path: Path) -> None:
    files = {"i/b.yaml": entry("b"), "i/a.yaml": entry("a"), "z.yaml": entry("z"), "i/c/d.yaml": entry("d")}
    text = "version: 1\ninclude: ['${TOP}.yaml', i/*.yaml, z.yaml, i/**/d.yaml]\n"
    spec = load(tmp_path, text, files=files, environment={"TOP": "z"})
    assert [rule.name for rule in spec.rules] == ["sync[0]/z", "sync[1]/a", "sync[2]/b", "sync[3]/d"]
    assert [file.path for file in spec.files] == ["sync.yaml", "z.yaml", "i/a.yaml", "i/b.yaml", "i/c/d.yaml"]


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    files = {"a.yaml": entry("a")}
    spec = load(tmp_path, "version: 1\ninclude: [a.yaml]\n", files=files)
    assert spec.files[1] == SpecFile("a.yaml", sha256(entry("a").encode()).hexdigest())


INCLUDE_MISTAKES: list[tuple[str, Mapping[str, str | bytes], str]] = [
    ("nope.yaml", {}, "sync.yaml:2:11: there is no file 'nope.yaml'\n    looked in FOLDER"),
    ("i/*.yaml", {}, "sync.yaml:2:11: no file matches 'i/*.yaml'\n    looked in FOLDER"),
    ("sync.yaml", {}, "sync.yaml:2:11: sync.yaml includes itself"),
    ("./*.yaml", {}, "sync.yaml:2:11: sync.yaml includes itself\n    narrow the pattern"),
    ("i", {"i/a.yaml": ""}, "sync.yaml:2:11: 'i' is not a file\n    write FOLDER/*.yaml"),
    (
        "a.yaml",
        {"a.yaml": "include: [x]\nsync: []\n"},
        "a.yaml:1:1: unknown key 'include'\n    allowed here: version, sync, promotions",
    ),
    ("a.yaml", {"a.yaml": "version: 1\n"}, "a.yaml:1:1: key 'sync' is missing\n    add `sync:`"),
    (
        "a.yaml",
        {"a.yaml": "registries: {}\nsync: []\n"},
        "a.yaml:1:1: unknown key 'registries'\n    allowed here: version, sync, promotions",
    ),
    ("a.yaml", {"a.yaml": b"\xff"}, "a.yaml: not UTF-8 at byte 0"),
]


@pytest.mark.parametrize(("name", "files", "expected"), INCLUDE_MISTAKES)
def test_an_include_that_cannot_be_is_refused(
    name: str, files: Mapping[str, str | bytes], expected: str, tmp_path: Path
) -> None:
    text = f"version: 1\ninclude: ['{name}']\nsync: []\n"
    said = shown(found(tmp_path, text, files=files), tmp_path)
    assert said.replace(str(tmp_path), "FOLDER") == expected


def test_problems_of_all_files_come_at_once_in_order(tmp_path: Path) -> None:
    files = {"b.yaml": entry("B"), "a.yaml": "sync: [\n"}
    text = "include: [b.yaml, a.yaml]\n" + with_images("- Nginx\n- Redis")
    problems = found(tmp_path, text, files=files)
    assert [(Path(problem.place.file).name, problem.place.line) for problem in problems] == [
        ("a.yaml", 2),
        ("b.yaml", 2),
        ("sync.yaml", 7),
        ("sync.yaml", 8),
    ]


def test_an_included_file_of_bad_yaml_does_not_hide_the_rest(tmp_path: Path) -> None:
    files = {"a.yaml": "sync: 7\n"}
    problems = found(tmp_path, "include: [a.yaml]\n" + with_images("- Nginx"), files=files)
    assert len(problems) == 2


def test_reading_a_spec_asks_nothing_of_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError(f"a socket was made: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load(tmp_path, SMALLEST).rules
    assert found(tmp_path, with_entry("destination: nowhere.invalid\nimages: [A]"))
